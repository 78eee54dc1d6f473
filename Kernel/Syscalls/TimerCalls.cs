// Sources: getitimer(2), alarm(2), timer_create(2), timer_settime(2), timer_getoverrun(2), timer_delete(2), sigevent(3type).
using System.Runtime.InteropServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Syscalls;

/// <summary>Calls about timers that send signals.</summary>
internal static unsafe class TimerCalls
{
    private const int AbsoluteTime = 1;
    private const ulong NanosecondsPerSecond = 1_000_000_000;

    private enum Which
    {
        Real = 0,
        Virtual = 1,
        Profiling = 2,
    }

    [Syscall(36, "getitimer")]
    internal static Result GetIntervalTimer(int which, UserPtr<IntervalValue> value)
    {
        Errno error = Find(which, out IntervalTimer* timer);
        if (error != Errno.None)
            return error;
        return value.TryWrite(Read(timer)) ? Result.Ok : Errno.EFAULT;
    }

    [Syscall(38, "setitimer")]
    internal static Result SetIntervalTimer(int which, UserPtr<IntervalValue> value, UserPtr<IntervalValue> old)
    {
        IntervalValue wanted = default;
        if (!value.IsNull && !value.TryRead(out wanted))
            return Errno.EFAULT;
        Errno error = Find(which, out IntervalTimer* timer);
        if (error != Errno.None)
            return error;
        if (!wanted.IsValid)
            return Errno.EINVAL;
        IntervalValue previous = Read(timer);
        IntervalTimer.Set(timer, wanted.Value.ToNanoseconds(), wanted.Interval.ToNanoseconds(), isAbsolute: false);
        return old.IsNull || old.TryWrite(previous) ? Result.Ok : Errno.EFAULT;
    }

    [Syscall(37, "alarm")]
    internal static Result Alarm(uint seconds)
    {
        ProcessTimers* timers = ProcessTimers.OfCurrent();
        if (timers == null)
            return 0;
        // Rounded to the nearest second, but a running alarm never reads as none.
        ulong left = timers->Real.Remaining;
        ulong rounded = (left + NanosecondsPerSecond / 2) / NanosecondsPerSecond;
        IntervalTimer.Set(&timers->Real, seconds * NanosecondsPerSecond, 0, isAbsolute: false);
        return left != 0 && rounded == 0 ? 1 : rounded;
    }

    [Syscall(222, "timer_create", Limits = "processor-time clocks only of the calling thread and process")]
    internal static Result Create(ClockId clock, UserPtr<SignalEvent> notification, UserPtr<int> id)
    {
        SignalEvent wanted = new() { SignalNumber = Signal.SIGALRM };
        if (!notification.IsNull && !notification.TryRead(out wanted))
            return Errno.EFAULT;
        if (!TryMapClock(clock, out IntervalClock counted))
            return Clocks.TryRead(clock, out _) ? Errno.EOPNOTSUPP : Errno.EINVAL;
        Errno error = Check(wanted);
        if (error != Errno.None)
            return error;

        ProcessTimers* timers = ProcessTimers.OfCurrent();
        IntervalTimer* timer = timers == null ? null : ProcessTimers.Create(timers);
        if (timer == null)
            return Errno.EAGAIN;
        timer->Clock = counted;
        timer->ClockThreadId = Scheduler.Current->Id;
        timer->Notification = (TimerNotification)wanted.Notification;
        timer->SignalNumber = wanted.SignalNumber;
        timer->TargetThreadId = wanted.ThreadId;
        timer->Value = notification.IsNull ? (ulong)timer->Id : wanted.Value;
        if (id.TryWrite(timer->Id))
            return Result.Ok;
        ProcessTimers.Delete(timers, timer);
        return Errno.EFAULT;
    }

    [Syscall(223, "timer_settime")]
    internal static Result SetTime(int id, int flags, UserPtr<IntervalSpec> value, UserPtr<IntervalSpec> old)
    {
        if (!value.TryRead(out IntervalSpec wanted))
            return value.IsNull ? Errno.EINVAL : Errno.EFAULT;
        IntervalTimer* timer = ProcessTimers.Find(Process.Current->Timers, id);
        if (timer == null || !wanted.IsValid)
            return Errno.EINVAL;
        IntervalSpec previous = ReadSpec(timer);
        IntervalTimer.Set(timer, wanted.Value.ToNanoseconds(), wanted.Interval.ToNanoseconds(), (flags & AbsoluteTime) != 0);
        return old.IsNull || old.TryWrite(previous) ? Result.Ok : Errno.EFAULT;
    }

    [Syscall(224, "timer_gettime")]
    internal static Result GetTime(int id, UserPtr<IntervalSpec> value)
    {
        IntervalTimer* timer = ProcessTimers.Find(Process.Current->Timers, id);
        if (timer == null)
            return Errno.EINVAL;
        return value.TryWrite(ReadSpec(timer)) ? Result.Ok : Errno.EFAULT;
    }

    [Syscall(225, "timer_getoverrun", Limits = "ends that happen while a signal waits are counted with the next signal")]
    internal static Result GetOverrun(int id)
    {
        IntervalTimer* timer = ProcessTimers.Find(Process.Current->Timers, id);
        return timer == null ? Errno.EINVAL : timer->Overrun;
    }

    [Syscall(226, "timer_delete")]
    internal static Result Delete(int id)
    {
        ProcessTimers* timers = Process.Current->Timers;
        IntervalTimer* timer = ProcessTimers.Find(timers, id);
        if (timer == null)
            return Errno.EINVAL;
        ProcessTimers.Delete(timers, timer);
        return Result.Ok;
    }

    private static Errno Find(int which, out IntervalTimer* timer)
    {
        timer = null;
        if (which is < (int)Which.Real or > (int)Which.Profiling)
            return Errno.EINVAL;
        ProcessTimers* timers = ProcessTimers.OfCurrent();
        if (timers == null)
            return Errno.ENOMEM;
        timer = (Which)which switch { Which.Real => &timers->Real, Which.Virtual => &timers->Virtual, _ => &timers->Profiling };
        return Errno.None;
    }

    private static IntervalValue Read(IntervalTimer* timer) =>
        new() { Interval = TimeValue.FromNanoseconds(timer->Interval), Value = TimeValue.FromNanosecondsUp(timer->Remaining) };

    private static IntervalSpec ReadSpec(IntervalTimer* timer) =>
        new() { Interval = TimeSpec.FromNanoseconds(timer->Interval), Value = TimeSpec.FromNanoseconds(timer->Remaining) };

    private static bool TryMapClock(ClockId clock, out IntervalClock counted)
    {
        counted = IntervalClock.Monotonic;
        switch (clock)
        {
            case ClockId.ProcessCpuTime:
                counted = IntervalClock.ProcessTime;
                return true;
            case ClockId.ThreadCpuTime:
                counted = IntervalClock.ThreadTime;
                return true;
            default:
                if (Clocks.IsRealtime(clock))
                    counted = IntervalClock.Realtime;
                return Clocks.IsSleepable(clock);
        }
    }

    private static Errno Check(in SignalEvent wanted)
    {
        switch ((TimerNotification)wanted.Notification)
        {
            case TimerNotification.None:
                return Errno.None;
            case TimerNotification.Signal:
            case TimerNotification.Thread:
                return Signal.IsValid(wanted.SignalNumber) ? Errno.None : Errno.EINVAL;
            case TimerNotification.ThreadSignal:
                Thread* thread = ThreadTable.Find(wanted.ThreadId);
                bool isOwn = thread != null && thread->Process == Process.Current;
                return isOwn && Signal.IsValid(wanted.SignalNumber) ? Errno.None : Errno.EINVAL;
            default:
                return Errno.EINVAL;
        }
    }

    /// <summary>struct sigevent, 64 bytes.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    internal struct SignalEvent
    {
        public ulong Value;
        public int SignalNumber;
        public int Notification;
        public int ThreadId;
    }
}
