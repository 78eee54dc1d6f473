// Sources: nanosleep(2), clock_nanosleep(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Syscalls;

/// <summary>Calls that sleep for a time.</summary>
internal static unsafe class SleepCalls
{
    private const int AbsoluteTime = 1;

    [Syscall(35, "nanosleep"), MayBlock]
    internal static Result NanoSleep(UserPtr<TimeSpec> request, UserPtr<TimeSpec> remaining)
    {
        if (!request.TryRead(out TimeSpec span))
            return Errno.EFAULT;
        return span.IsValid ? SleepFor(span.ToNanoseconds(), remaining) : Errno.EINVAL;
    }

    [Syscall(230, "clock_nanosleep", Limits = "no sleep on processor-time clocks (EOPNOTSUPP)"), MayBlock]
    internal static Result ClockNanoSleep(ClockId clock, int flags, UserPtr<TimeSpec> request, UserPtr<TimeSpec> remaining)
    {
        if (clock == ClockId.ThreadCpuTime || !Clocks.TryRead(clock, out _))
            return Errno.EINVAL;
        if (!Clocks.IsSleepable(clock))
            return Errno.EOPNOTSUPP;
        if (!request.TryRead(out TimeSpec time))
            return Errno.EFAULT;
        if (!time.IsValid)
            return Errno.EINVAL;
        if ((flags & AbsoluteTime) == 0)
            return SleepFor(time.ToNanoseconds(), remaining);
        return Clocks.IsRealtime(clock) ? SleepUntilRealtime(time.ToNanoseconds()) : SleepUntil(time.ToNanoseconds());
    }

    private static Result SleepFor(ulong nanoseconds, UserPtr<TimeSpec> remaining)
    {
        // A sleep that a signal without handler interrupted is called again and goes on to where it would have ended.
        Thread* thread = Scheduler.Current;
        ulong deadline = thread->RestartDeadline != 0 ? thread->RestartDeadline : Clock.MonotonicNanoseconds + nanoseconds;
        thread->RestartDeadline = 0;
        Result result = SleepUntil(deadline);
        if (result.Error != Errno.ERESTARTNOHAND)
            return result;
        ulong now = Clock.MonotonicNanoseconds;
        if (now >= deadline)
            return Result.Ok;
        if (!remaining.IsNull && !remaining.TryWrite(TimeSpec.FromNanoseconds(deadline - now)))
            return Errno.EFAULT;
        thread->RestartDeadline = deadline;
        return result;
    }

    private static Result SleepUntil(ulong deadline)
    {
        while (Clock.MonotonicNanoseconds < deadline)
        {
            if (Scheduler.Block(deadline) == Errno.ERESTARTSYS)
                return Errno.ERESTARTNOHAND;
        }
        return Result.Ok;
    }

    /// <summary>Also wakes when the clock is set, to reckon anew.</summary>
    private static Result SleepUntilRealtime(ulong time)
    {
        Waiter waiter = Waiter.ForCurrentThread();
        Clock.RealtimeSet.Add(&waiter);
        Errno error = Errno.None;
        while (error != Errno.ERESTARTSYS && Clock.RealtimeNanoseconds < time)
            error = Scheduler.Block(Clock.RealtimeToMonotonic(time));
        WaitQueue.Remove(&waiter);
        return error == Errno.ERESTARTSYS ? Errno.ERESTARTNOHAND : Result.Ok;
    }
}
