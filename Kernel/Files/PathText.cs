// The text of a path, copied out of a program or given by the kernel. Short ones stay in the struct, on the caller's stack.
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Files;

/// <summary>A path's bytes while a call works on it. Freed by its owner.</summary>
public unsafe struct PathText
{
    private const int InlineLength = 160;

    private byte* _heap;
    private int _length;
    private fixed byte _inline[InlineLength];

    /// <summary>Its length in bytes.</summary>
    public readonly int Length => _length;

    /// <summary>Whether it is the empty string.</summary>
    public readonly bool IsEmpty => _length == 0;

    /// <summary>The bytes. The struct must not move while they are used.</summary>
    public byte* Bytes => _heap != null ? _heap : ((PathText*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref this))->_inline;

    /// <summary>The bytes, as a span.</summary>
    public ReadOnlySpan<byte> Span => new(Bytes, _length);

    /// <summary>Copies a path from the program. EFAULT, ENAMETOOLONG (4096 bytes or more), ENOMEM. On failure there is nothing to free.</summary>
    public static Errno Load(UserString from, PathText* text)
    {
        text->_heap = null;
        nint length = from.CopyTo(text->_inline, InlineLength);
        if (length == InlineLength)
        {
            text->_heap = (byte*)KernelHeap.Allocate(FileNames.MaximumPathLength);
            if (text->_heap == null)
                return Errno.ENOMEM;
            length = from.CopyTo(text->_heap, FileNames.MaximumPathLength);
        }
        if (length >= 0 && length < FileNames.MaximumPathLength)
        {
            text->_length = (int)length;
            return Errno.None;
        }
        text->Free();
        return length < 0 ? Errno.EFAULT : Errno.ENAMETOOLONG;
    }

    /// <summary>Takes over bytes of the kernel. ENAMETOOLONG, ENOMEM.</summary>
    public static Errno Load(ReadOnlySpan<byte> from, PathText* text)
    {
        text->_heap = null;
        text->_length = from.Length;
        if (from.Length >= FileNames.MaximumPathLength)
            return Errno.ENAMETOOLONG;
        if (from.Length > InlineLength && (text->_heap = (byte*)KernelHeap.Allocate((nuint)from.Length)) == null)
            return Errno.ENOMEM;
        from.CopyTo(new Span<byte>(text->Bytes, from.Length));
        return Errno.None;
    }

    /// <summary>Gives back what <see cref="Load(UserString, PathText*)"/> took.</summary>
    public void Free()
    {
        if (_heap != null)
            KernelHeap.Free(_heap);
        _heap = null;
    }
}
