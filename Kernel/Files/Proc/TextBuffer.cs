// Text that the kernel makes for a program to read: procfs and sysfs files. Grows as needed, so nothing is cut off however much there is to say.
using System;
using System.Runtime.CompilerServices;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Files.Proc;

/// <summary>A growing run of bytes on the kernel heap. Once memory ran out it takes nothing more and says so.</summary>
public unsafe struct TextBuffer
{
    private const int FirstCapacity = 256;
    private byte* _bytes;
    private nuint _capacity;

    /// <summary>How many bytes were written.</summary>
    public nuint Length { get; private set; }

    /// <summary>Memory ran out: the text is not whole (ENOMEM).</summary>
    public bool IsIncomplete { get; private set; }

    /// <summary>What was written. Ends with the next write.</summary>
    public readonly ReadOnlySpan<byte> Text => new(_bytes, (int)Length);

    /// <summary>The first byte.</summary>
    public readonly byte* Bytes => _bytes;

    /// <summary>Starts over, keeping the memory.</summary>
    public void Clear()
    {
        Length = 0;
        IsIncomplete = false;
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        if (_bytes != null)
            KernelHeap.Free(_bytes);
        this = default;
    }

    /// <summary>Writes bytes.</summary>
    public void Write(ReadOnlySpan<byte> text)
    {
        if (Reserve((nuint)text.Length))
            text.CopyTo(new Span<byte>(_bytes + Length, text.Length));
        else
            return;
        Length += (nuint)text.Length;
    }

    /// <summary>Writes one byte.</summary>
    public void WriteByte(byte value) => Write(new ReadOnlySpan<byte>(in value));

    /// <summary>Writes the bytes of a NUL-terminated string of at most <paramref name="capacity"/> bytes.</summary>
    public void WriteString(byte* text, int capacity)
    {
        int length = 0;
        while (length < capacity && text[length] != 0)
            length++;
        Write(new ReadOnlySpan<byte>(text, length));
    }

    /// <summary>Writes a decimal number, right-aligned to <paramref name="width"/> by <paramref name="fill"/>.</summary>
    public void WriteDecimal(ulong value, int width = 0, byte fill = (byte)' ') => WriteNumber(value, 10, width, fill);

    /// <summary>Writes a signed decimal number.</summary>
    public void WriteSigned(long value)
    {
        if (value < 0)
        {
            WriteByte((byte)'-');
            value = -value;
        }
        WriteNumber((ulong)value, 10, 0, (byte)' ');
    }

    /// <summary>Writes lower-case hexadecimal digits, filled to <paramref name="width"/> with zeros.</summary>
    public void WriteHex(ulong value, int width = 0) => WriteNumber(value, 16, width, (byte)'0');

    /// <summary>Writes octal digits.</summary>
    public void WriteOctal(ulong value, int width = 0) => WriteNumber(value, 8, width, (byte)'0');

    /// <summary>Writes <paramref name="hundredths"/> as a number with two decimal places.</summary>
    public void WriteHundredths(ulong hundredths)
    {
        WriteDecimal(hundredths / 100);
        WriteByte((byte)'.');
        WriteDecimal(hundredths % 100, 2, (byte)'0');
    }

    /// <summary>Fills with <paramref name="fill"/> from <paramref name="lineStart"/> until the line is <paramref name="width"/> bytes long; at least one.</summary>
    public void PadLine(nuint lineStart, int width, byte fill = (byte)' ')
    {
        do
            WriteByte(fill);
        while (Length - lineStart < (nuint)width && !IsIncomplete);
    }

    [SkipLocalsInit]
    private void WriteNumber(ulong value, uint radix, int width, byte fill)
    {
        const int MaxDigits = 24;
        byte* digits = stackalloc byte[MaxDigits];
        int at = MaxDigits;
        do
        {
            digits[--at] = "0123456789abcdef"u8[(int)(value % radix)];
            value /= radix;
        }
        while (value != 0);
        for (int padding = width - (MaxDigits - at); padding > 0; padding--)
            WriteByte(fill);
        Write(new ReadOnlySpan<byte>(digits + at, MaxDigits - at));
    }

    private bool Reserve(nuint count)
    {
        if (IsIncomplete)
            return false;
        nuint needed = Length + count;
        if (needed <= _capacity)
            return true;
        nuint capacity = _capacity == 0 ? FirstCapacity : _capacity;
        while (capacity < needed)
            capacity *= 2;
        byte* grown = _bytes == null ? (byte*)KernelHeap.Allocate(capacity) : (byte*)KernelHeap.Reallocate(_bytes, capacity);
        if (grown == null)
        {
            IsIncomplete = true;
            return false;
        }
        _bytes = grown;
        _capacity = capacity;
        return true;
    }
}
