// A pipe: bytes that one end writes and the other reads in order. Source: pipe(7), fifo(7).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files.Pipes;

/// <summary>The object behind both ends of a pipe, or behind an open FIFO. It lives while any end is open.</summary>
public unsafe struct Pipe
{
    /// <summary>Events that mean "there may be something to read" and "there may be room".</summary>
    internal const PollEvents ReadableEvents = PollEvents.In | PollEvents.ReadNormal, WritableEvents = PollEvents.Out | PollEvents.WriteNormal;

    /// <summary>Who waits for bytes, for room, or for the other end of a FIFO.</summary>
    public WaitQueue Waiters;

    /// <summary>How many open files read and write.</summary>
    public int Readers, Writers;

    /// <summary>How many open files ever read and wrote: a FIFO's open waits for the other side's to move.</summary>
    public uint ReaderGeneration, WriterGeneration;

    private PipeBuffer _buffer;

    /// <summary>Bytes waiting to be read.</summary>
    public readonly uint Count => _buffer.Count;

    /// <summary>Bytes it can hold.</summary>
    public readonly uint Capacity => _buffer.Capacity;

    /// <summary>Bytes it could take now.</summary>
    public readonly uint Room => _buffer.Free;

    /// <summary>Whether poll says that a write succeeds: an atomic one of any size does.</summary>
    public readonly bool IsWritable => _buffer.Free >= PipeBuffer.PageSize;

    /// <summary>A pipe without ends; null when out of memory.</summary>
    public static Pipe* Create()
    {
        Pipe* pipe = Pool<Pipe>.Allocate();
        if (pipe == null)
            return null;
        if (pipe->_buffer.Initialize() == Errno.None)
            return pipe;
        Pool<Pipe>.Free(pipe);
        return null;
    }

    /// <summary>Frees a pipe that has no ends any more.</summary>
    public static void Free(Pipe* pipe)
    {
        pipe->_buffer.Dispose();
        Pool<Pipe>.Free(pipe);
    }

    /// <summary>Reads what is there. With nothing there: 0 when nobody writes, EAGAIN when <paramref name="isNonBlocking"/>, or else sleeps.</summary>
    public Result Read(UserSpan to, bool isNonBlocking)
    {
        if (to.Length == 0)
            return 0;
        Errno error = WaitForBytes(isNonBlocking);
        if (error != Errno.None)
            return error;
        bool wasWritable = IsWritable;
        error = _buffer.Read(to, out nuint count);
        if (!wasWritable && IsWritable && !Waiters.IsEmpty)
            Waiters.Wake(WritableEvents);
        return count != 0 ? (Result)(ulong)count : error;
    }

    /// <summary>
    /// Writes all of the ranges, sleeping for room unless <paramref name="isNonBlocking"/>. Up to PIPE_BUF bytes go in as one piece or not at all (EAGAIN). Without readers:
    /// SIGPIPE and EPIPE. An interruption after some bytes went in returns their count.
    /// </summary>
    public Result Write(UserSpan* ranges, int rangeCount, nuint total, bool isNonBlocking)
    {
        if (total == 0)
            return 0;
        nuint needed = total <= PipeBuffer.PageSize ? total : 1;
        nuint done = 0;
        for (int i = 0; i < rangeCount; i++)
        {
            UserSpan rest = ranges[i];
            while (rest.Length != 0)
            {
                Errno error = WaitForRoom(needed, isNonBlocking);
                nuint written = 0;
                if (error == Errno.None)
                    error = _buffer.Write(rest, rest.Length, out written);
                done += written;
                if (written != 0 && !Waiters.IsEmpty)
                    Waiters.Wake(ReadableEvents);
                if (error != Errno.None)
                    return done != 0 ? (Result)(ulong)done : error;
                rest = rest.Slice(written);
                // The rest of an atomic write has its room already.
                needed = 1;
            }
        }
        return (ulong)done;
    }

    /// <summary>
    /// Writes as much as fits of the kernel's bytes, once some does. EAGAIN when <paramref name="isNonBlocking"/>; without readers SIGPIPE and EPIPE; ERESTARTSYS, ENOMEM.
    /// </summary>
    public Result WriteKernel(byte* from, nuint count, bool isNonBlocking)
    {
        if (count == 0)
            return 0;
        Errno error = WaitForRoom(1, isNonBlocking);
        if (error != Errno.None)
            return error;
        error = _buffer.Write(from, count, out nuint written);
        if (written != 0 && !Waiters.IsEmpty)
            Waiters.Wake(ReadableEvents);
        return written != 0 ? (Result)(ulong)written : error;
    }

    /// <summary>
    /// Writes as much as fits of the ranges, once some does (vmsplice). Errors as for <see cref="WriteKernel"/>, and EFAULT.
    /// </summary>
    public Result WriteWhatFits(UserVector* from, bool isNonBlocking)
    {
        if (from->Total == 0)
            return 0;
        Errno error = WaitForRoom(1, isNonBlocking);
        nuint done = 0;
        for (int i = 0; i < from->Count && error == Errno.None && Room != 0; i++)
        {
            error = _buffer.Write(from->Ranges[i], from->Ranges[i].Length, out nuint written);
            done += written;
        }
        if (done != 0 && !Waiters.IsEmpty)
            Waiters.Wake(ReadableEvents);
        return done != 0 ? (Result)(ulong)done : error;
    }

    /// <summary>Waits until there are bytes, or nobody writes any more. EAGAIN when <paramref name="isNonBlocking"/>.</summary>
    public Errno WaitForBytes(bool isNonBlocking)
    {
        while (_buffer.Count == 0 && Writers != 0)
        {
            if (isNonBlocking)
                return Errno.EAGAIN;
            Errno interruption = Waiters.Sleep(ReadableEvents);
            if (interruption != Errno.None)
                return interruption;
        }
        return Errno.None;
    }

    /// <summary>See <see cref="PipeBuffer.Peek"/>.</summary>
    public readonly void Peek(nuint skipped, nuint wanted, out byte* from, out uint run) => _buffer.Peek(skipped, wanted, out from, out run);

    /// <summary>Takes bytes that <see cref="Peek"/> showed; writers learn that there is room.</summary>
    public void Skip(uint count)
    {
        bool wasWritable = IsWritable;
        _buffer.Skip(count);
        if (!wasWritable && IsWritable && !Waiters.IsEmpty)
            Waiters.Wake(WritableEvents);
    }

    /// <summary>See <see cref="PipeBuffer.Reserve"/>.</summary>
    public readonly Errno Reserve(nuint wanted, out byte* to, out uint run) => _buffer.Reserve(wanted, out to, out run);

    /// <summary>Bytes were put where <see cref="Reserve"/> said; readers learn of them.</summary>
    public void Commit(uint count)
    {
        _buffer.Commit(count);
        if (!Waiters.IsEmpty)
            Waiters.Wake(ReadableEvents);
    }

    /// <summary>Changes the capacity to at least <paramref name="size"/> bytes. EINVAL, EPERM above the limit, EBUSY, ENOMEM. Returns the new one.</summary>
    public Result Resize(uint size)
    {
        if (size is 0 or > 1u << 31)
            return Errno.EINVAL;
        if (size > PipeBuffer.MaxCapacity)
            return Errno.EPERM;
        uint capacity = PipeBuffer.PageSize;
        while (capacity < size)
            capacity *= 2;
        bool wasWritable = IsWritable;
        Errno error = _buffer.Resize(capacity);
        if (error != Errno.None)
            return error;
        if (!wasWritable && IsWritable)
            Waiters.Wake(WritableEvents);
        return (ulong)capacity;
    }

    /// <summary>Waits until <paramref name="needed"/> bytes fit. EAGAIN when <paramref name="isNonBlocking"/>; without readers SIGPIPE and EPIPE.</summary>
    public Errno WaitForRoom(nuint needed, bool isNonBlocking)
    {
        while (true)
        {
            if (Readers == 0)
            {
                Signals.Send(Scheduler.Current, SignalInfo.FromKernel(Signal.SIGPIPE));
                return Errno.EPIPE;
            }
            if (_buffer.Free >= needed)
                return Errno.None;
            if (isNonBlocking)
                return Errno.EAGAIN;
            Errno interruption = Waiters.Sleep(WritableEvents);
            if (interruption != Errno.None)
                return interruption;
        }
    }
}
