// eventfd: a counter that wakes readers. Source: eventfd(2).
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files.Events;

/// <summary>The kind of eventfd. <see cref="OpenFile.Object"/> is one of these.</summary>
public unsafe struct EventCounter : IFileKind
{
    private const ulong Highest = ulong.MaxValue - 1;
    private const PollEvents Readable = PollEvents.In | PollEvents.ReadNormal, Writable = PollEvents.Out | PollEvents.WriteNormal;

    private WaitQueue _waiters;
    private ulong _count;
    private bool _isSemaphore;

    /// <summary>Makes an eventfd with one reference; null when out of memory. With <paramref name="isSemaphore"/> a read takes one.</summary>
    public static OpenFile* Create(uint initial, bool isSemaphore, OpenFlags flags)
    {
        EventCounter* counter = Pool<EventCounter>.Allocate();
        if (counter == null)
            return null;
        counter->_count = initial;
        counter->_isSemaphore = isSemaphore;
        OpenFile* file = OpenFile.Create<EventCounter>(counter, OpenFlags.ReadWrite | flags);
        if (file == null)
            Pool<EventCounter>.Free(counter);
        return file;
    }

    /// <inheritdoc/>
    public static Result Read(OpenFile* file, UserSpan to, ref ulong position)
    {
        EventCounter* counter = Of(file);
        if (to.Length < sizeof(ulong))
            return Errno.EINVAL;
        while (counter->_count == 0)
        {
            if (file->IsNonBlocking)
                return Errno.EAGAIN;
            Errno interruption = counter->_waiters.Sleep(Readable);
            if (interruption != Errno.None)
                return interruption;
        }
        ulong value = counter->_isSemaphore ? 1 : counter->_count;
        counter->_count -= value;
        counter->_waiters.Wake(Writable);
        return to.CopyFrom(&value, sizeof(ulong)) ? sizeof(ulong) : Errno.EFAULT;
    }

    /// <inheritdoc/>
    public static Result Write(OpenFile* file, UserSpan from, ref ulong position)
    {
        EventCounter* counter = Of(file);
        ulong value;
        if (from.Length < sizeof(ulong))
            return Errno.EINVAL;
        if (!from.CopyTo(&value, sizeof(ulong)))
            return Errno.EFAULT;
        if (value == ulong.MaxValue)
            return Errno.EINVAL;
        while (Highest - counter->_count < value)
        {
            if (file->IsNonBlocking)
                return Errno.EAGAIN;
            Errno interruption = counter->_waiters.Sleep(Writable);
            if (interruption != Errno.None)
                return interruption;
        }
        counter->_count += value;
        counter->_waiters.Wake(Readable);
        return sizeof(ulong);
    }

    /// <inheritdoc/>
    public static PollEvents Poll(OpenFile* file)
    {
        ulong count = Of(file)->_count;
        return (count != 0 ? Readable : PollEvents.None) | (count < Highest ? Writable : PollEvents.None);
    }

    /// <inheritdoc/>
    public static WaitQueue* WaitersOf(OpenFile* file) => &Of(file)->_waiters;

    /// <inheritdoc/>
    public static int Describe(OpenFile* file, Span<byte> to) => AnonymousNames.Write(to, "anon_inode:[eventfd]"u8);

    /// <inheritdoc/>
    public static void Release(OpenFile* file) => Pool<EventCounter>.Free(Of(file));

    private static EventCounter* Of(OpenFile* file) => (EventCounter*)file->Object;
}
