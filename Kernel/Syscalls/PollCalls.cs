// poll and select. Source: poll(2), select(2), select_tut(2).
using System.Numerics;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Files.Events;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Syscalls;

/// <summary>Linux's <c>struct timeval</c>.</summary>
internal struct TimeVal
{
    public long Seconds;
    public long Microseconds;
}

/// <summary>What pselect6(2) passes as its sixth argument: a signal mask and its size.</summary>
internal struct SignalMaskArgument
{
    public ulong Address;
    public ulong Size;
}

/// <summary>poll(2), select(2) and their relatives with signal masks.</summary>
internal static unsafe class PollCalls
{
    private const int LocalDescriptors = 32;
    private const int BitsPerWord = 64;
    private const long MicrosecondsPerSecond = 1_000_000;

    private const PollEvents SelectReadable = PollEvents.ReadNormal | PollEvents.ReadBand | PollEvents.In | PollEvents.HangUp | PollEvents.Error;
    private const PollEvents SelectWritable = PollEvents.WriteBand | PollEvents.WriteNormal | PollEvents.Out | PollEvents.Error;
    private const PollEvents SelectExceptional = PollEvents.Priority;

    [Syscall(7, "poll", Limits = "After a stop signal the whole timeout starts again."), MayBlock]
    internal static Result Poll(UserPtr<PollDescriptor> descriptors, uint count, int timeoutMilliseconds) =>
        Poll(descriptors, count, Timeouts.AfterMilliseconds(timeoutMilliseconds));

    [Syscall(271, "ppoll"), MayBlock]
    internal static Result PPoll(UserPtr<PollDescriptor> descriptors, uint count, UserPtr<TimeSpec> timeout, UserPtr<ulong> mask, ulong maskSize)
    {
        Errno error = ReadTimeout(timeout, out ulong deadline);
        if (error == Errno.None)
            error = ApplyMask(mask, maskSize);
        return error != Errno.None ? error : Finish(Poll(descriptors, count, deadline), timeout, deadline);
    }

    [Syscall(23, "select"), MayBlock]
    internal static Result Select(int count, UserPtr<ulong> readable, UserPtr<ulong> writable, UserPtr<ulong> exceptional, UserPtr<TimeVal> timeout)
    {
        ulong deadline = Scheduler.Forever;
        if (!timeout.IsNull)
        {
            if (!timeout.TryRead(out TimeVal value))
                return Errno.EFAULT;
            if (value.Seconds < 0 || value.Microseconds < 0)
                return Errno.EINVAL;
            var span = new TimeSpec
            {
                Seconds = value.Seconds + value.Microseconds / MicrosecondsPerSecond,
                Nanoseconds = value.Microseconds % MicrosecondsPerSecond * 1000,
            };
            if (!Timeouts.TryAfter(span, out deadline))
                return Errno.EINVAL;
        }
        Result result = Select(count, readable, writable, exceptional, deadline);
        if (timeout.IsNull)
            return result;
        TimeSpec left = Timeouts.Remaining(deadline);
        bool isWritten = timeout.TryWrite(new TimeVal { Seconds = left.Seconds, Microseconds = left.Nanoseconds / 1000 });
        return isWritten ? result : WithoutRestart(result);
    }

    [Syscall(270, "pselect6"), MayBlock]
    internal static Result PSelect6(int count, UserPtr<ulong> readable, UserPtr<ulong> writable, UserPtr<ulong> exceptional, UserPtr<TimeSpec> timeout, UserPtr<SignalMaskArgument> mask)
    {
        SignalMaskArgument argument = default;
        if (!mask.IsNull && !mask.TryRead(out argument))
            return Errno.EFAULT;
        Errno error = ReadTimeout(timeout, out ulong deadline);
        if (error == Errno.None)
            error = ApplyMask(new UserPtr<ulong>(argument.Address), argument.Size);
        return error != Errno.None ? error : Finish(Select(count, readable, writable, exceptional, deadline), timeout, deadline);
    }

    /// <summary>Sets the signal mask for the length of the call; the way out of the kernel restores it. Null changes nothing. EINVAL, EFAULT.</summary>
    internal static Errno ApplyMask(UserPtr<ulong> mask, ulong maskSize)
    {
        if (mask.IsNull)
            return Errno.None;
        if (maskSize != sizeof(ulong))
            return Errno.EINVAL;
        if (!mask.TryRead(out ulong value))
            return Errno.EFAULT;
        Signals.SetTemporaryMask(value);
        return Errno.None;
    }

    private static Errno ReadTimeout(UserPtr<TimeSpec> timeout, out ulong deadline)
    {
        deadline = Scheduler.Forever;
        if (timeout.IsNull)
            return Errno.None;
        if (!timeout.TryRead(out TimeSpec span))
            return Errno.EFAULT;
        return Timeouts.TryAfter(span, out deadline) ? Errno.None : Errno.EINVAL;
    }

    // What is left of the time goes back to the program, so that a call can go on where a signal ended it; where that cannot be
    // written the call cannot be restarted either.
    private static Result Finish(Result result, UserPtr<TimeSpec> timeout, ulong deadline)
    {
        if (timeout.IsNull)
            return result;
        return timeout.TryWrite(Timeouts.Remaining(deadline)) ? result : WithoutRestart(result);
    }

    private static Result WithoutRestart(Result result) => result.Error == Errno.ERESTARTNOHAND ? Errno.EINTR : result;

    private static Result Poll(UserPtr<PollDescriptor> user, uint count, ulong deadline)
    {
        if (count > FileTable.Current->Limit)
            return Errno.EINVAL;
        nuint bytes = count * (nuint)sizeof(PollDescriptor);
        byte* local = stackalloc byte[LocalDescriptors * sizeof(PollDescriptor)];
        var descriptors = (PollDescriptor*)local;
        if (count > LocalDescriptors && (descriptors = (PollDescriptor*)KernelHeap.Allocate(bytes)) == null)
            return Errno.ENOMEM;
        Result result = Errno.EFAULT;
        if (UserMemory.CopyIn(descriptors, user.Address, bytes))
        {
            result = PollTable.Wait(descriptors, (int)count, deadline);
            // Only the answers go back; the rest of the array is the program's.
            for (uint i = 0; i < count && !result.IsError; i++)
            {
                if (!new UserPtr<short>(user.At(i).Address + 6).TryWrite(descriptors[i].Returned))
                    result = Errno.EFAULT;
            }
        }
        if (descriptors != (PollDescriptor*)local)
            KernelHeap.Free(descriptors);
        return result;
    }

    private static Result Select(int count, UserPtr<ulong> readable, UserPtr<ulong> writable, UserPtr<ulong> exceptional, ulong deadline)
    {
        if (count < 0)
            return Errno.EINVAL;
        // Bits beyond any descriptor that can be open are not looked at.
        if ((uint)count > FileTable.Current->Capacity)
            count = (int)FileTable.Current->Capacity;
        var sets = new SelectSets { Readable = readable, Writable = writable, Exceptional = exceptional, Count = count };
        int wanted = sets.CountWanted();
        if (wanted < 0)
            return Errno.EFAULT;
        byte* local = stackalloc byte[LocalDescriptors * sizeof(PollDescriptor)];
        var descriptors = (PollDescriptor*)local;
        if (wanted > LocalDescriptors && (descriptors = (PollDescriptor*)KernelHeap.Allocate((nuint)wanted * (nuint)sizeof(PollDescriptor))) == null)
            return Errno.ENOMEM;
        Result result = sets.Load(descriptors, ref wanted);
        if (!result.IsError)
            result = PollTable.Wait(descriptors, wanted, deadline);
        if (!result.IsError)
            result = sets.Store(descriptors, wanted);
        if (descriptors != (PollDescriptor*)local)
            KernelHeap.Free(descriptors);
        return result;
    }

    // The three sets of select, read and written word by word.
    private struct SelectSets
    {
        public UserPtr<ulong> Readable, Writable, Exceptional;
        public int Count;

        private readonly bool TryRead(UserPtr<ulong> set, int word, out ulong bits)
        {
            bits = 0;
            if (set.IsNull)
                return true;
            if (!set.At((nuint)word).TryRead(out bits))
                return false;
            int left = Count - word * BitsPerWord;
            if (left < BitsPerWord)
                bits &= (1ul << left) - 1;
            return true;
        }

        private readonly bool TryRead(int word, out ulong readable, out ulong writable, out ulong exceptional)
        {
            writable = exceptional = 0;
            return TryRead(Readable, word, out readable) && TryRead(Writable, word, out writable) && TryRead(Exceptional, word, out exceptional);
        }

        // How many descriptors are in any set, or -1 when the sets cannot be read.
        public readonly int CountWanted()
        {
            int wanted = 0;
            for (int word = 0; word * BitsPerWord < Count; word++)
            {
                if (!TryRead(word, out ulong readable, out ulong writable, out ulong exceptional))
                    return -1;
                wanted += Core.Bits.Count(readable | writable | exceptional);
            }
            return wanted;
        }

        // EBADF: a descriptor is not open. Another thread may change the sets meanwhile, so the count is a limit and then a result.
        public readonly Result Load(PollDescriptor* descriptors, ref int count)
        {
            FileTable* files = FileTable.Current;
            int used = 0;
            for (int word = 0; word * BitsPerWord < Count; word++)
            {
                if (!TryRead(word, out ulong readable, out ulong writable, out ulong exceptional))
                    return Errno.EFAULT;
                for (ulong any = readable | writable | exceptional; any != 0 && used < count; any &= any - 1)
                {
                    int bit = BitOperations.TrailingZeroCount(any);
                    int descriptor = word * BitsPerWord + bit;
                    if (!files->TryGet(new Fd(descriptor), out _))
                        return Errno.EBADF;
                    PollEvents events = PollEvents.None;
                    if ((readable >> bit & 1) != 0)
                        events |= SelectReadable;
                    if ((writable >> bit & 1) != 0)
                        events |= SelectWritable;
                    if ((exceptional >> bit & 1) != 0)
                        events |= SelectExceptional;
                    descriptors[used++] = new PollDescriptor { Descriptor = descriptor, Events = (short)events };
                }
            }
            count = used;
            return Result.Ok;
        }

        // Returns how many bits were set.
        public readonly Result Store(PollDescriptor* descriptors, int count)
        {
            int at = 0;
            int total = 0;
            for (int word = 0; word * BitsPerWord < Count; word++)
            {
                ulong readable = 0, writable = 0, exceptional = 0;
                for (; at < count && descriptors[at].Descriptor / BitsPerWord == word; at++)
                {
                    ulong bit = 1ul << descriptors[at].Descriptor % BitsPerWord;
                    var wanted = (PollEvents)(ushort)descriptors[at].Events;
                    var returned = (PollEvents)(ushort)descriptors[at].Returned;
                    if ((returned & SelectReadable) != 0 && (wanted & PollEvents.In) != 0)
                        readable |= bit;
                    if ((returned & SelectWritable) != 0 && (wanted & PollEvents.Out) != 0)
                        writable |= bit;
                    if ((returned & SelectExceptional) != 0 && (wanted & PollEvents.Priority) != 0)
                        exceptional |= bit;
                }
                total += Core.Bits.Count(readable) + Core.Bits.Count(writable) + Core.Bits.Count(exceptional);
                if (!TryWrite(Readable, word, readable) || !TryWrite(Writable, word, writable) || !TryWrite(Exceptional, word, exceptional))
                    return Errno.EFAULT;
            }
            return total;
        }

        private static bool TryWrite(UserPtr<ulong> set, int word, ulong bits) => set.IsNull || set.At((nuint)word).TryWrite(bits);
    }
}
