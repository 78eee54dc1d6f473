using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Time;

/// <summary>What an <see cref="IntervalTimer"/> counts.</summary>
public enum IntervalClock
{
    Monotonic,
    Realtime,

    /// <summary>Processor time of the process.</summary>
    ProcessTime,

    /// <summary>Processor time of the process, in the program alone.</summary>
    ProgramTime,

    /// <summary>Processor time of one thread.</summary>
    ThreadTime,
}

/// <summary>How the end of an <see cref="IntervalTimer"/> is told, with Linux's values (sigevent(3type)).</summary>
public enum TimerNotification
{
    Signal = 0,
    None = 1,

    /// <summary>A signal as well: the C library starts the thread.</summary>
    Thread = 2,

    /// <summary>A signal to one thread.</summary>
    ThreadSignal = 4,
}

/// <summary>
/// A timer of a process, that sends a signal when it ends and may repeat: setitimer, alarm and timer_create. On processor time it looks again whenever the time could
/// have been used up at the earliest, so it needs no tick. Lives in a pool or in <see cref="ProcessTimers"/>; its address is fixed.
/// </summary>
public unsafe struct IntervalTimer
{
    /// <summary>Shortest time between two looks at a processor clock, in nanoseconds.</summary>
    private const ulong CpuClockGranularity = 100_000;

    private Timer _timer;
    private Waiter _realtimeWaiter;
    private bool _isAbsolute;
    private ulong _target;
    private ulong _pendingOverrun;

    /// <summary>The timer's id; -1 for those of setitimer, whose signals carry none.</summary>
    public int Id;

    /// <summary>Whose it is.</summary>
    public Process* Process;

    /// <summary>What it counts.</summary>
    public IntervalClock Clock;

    /// <summary>For <see cref="IntervalClock.ThreadTime"/>: the thread whose time it is.</summary>
    public int ClockThreadId;

    /// <summary>How the end is told.</summary>
    public TimerNotification Notification;

    /// <summary>The signal.</summary>
    public int SignalNumber;

    /// <summary>For <see cref="TimerNotification.ThreadSignal"/>: who gets it.</summary>
    public int TargetThreadId;

    /// <summary>The value the signal carries.</summary>
    public ulong Value;

    /// <summary>The time between repetitions in nanoseconds; 0 for once.</summary>
    public ulong Interval { readonly get; private set; }

    /// <summary>How many ends had no signal of their own up to the delivery of the last signal.</summary>
    public int Overrun { readonly get; private set; }

    /// <summary>Link of <see cref="ProcessTimers"/>.</summary>
    internal IntervalTimer* Next;

    /// <summary>What is left until the next end in nanoseconds; 0 when it does not run. A running one that is due has 1.</summary>
    public readonly ulong Remaining
    {
        get
        {
            if (_target == 0)
                return 0;
            ulong now = Now;
            return _target > now ? _target - now : 1;
        }
    }

    private readonly bool IsOnCpuClock => Clock is IntervalClock.ProcessTime or IntervalClock.ProgramTime or IntervalClock.ThreadTime;

    private readonly ulong Now
    {
        get
        {
            switch (Clock)
            {
                case IntervalClock.Realtime when _isAbsolute:
                    return Time.Clock.RealtimeNanoseconds;
                case IntervalClock.ProcessTime:
                    return CpuTime.Of(Process);
                case IntervalClock.ProgramTime:
                    return CpuTime.InProgram(Process);
                case IntervalClock.ThreadTime:
                    Thread* thread = ThreadTable.Find(ClockThreadId);
                    return thread == null || thread->Process != Process ? 0 : CpuTime.Of(thread);
                default:
                    // A relative time is not moved by setting the clock.
                    return Time.Clock.MonotonicNanoseconds;
            }
        }
    }

    /// <summary>Starts the timer anew; with a <paramref name="value"/> of 0 stops it. Times are in nanoseconds.</summary>
    public static void Set(IntervalTimer* self, ulong value, ulong interval, bool isAbsolute)
    {
        Stop(self);
        self->Interval = interval;
        self->_pendingOverrun = 0;
        self->Overrun = 0;
        if (value == 0)
            return;
        self->_isAbsolute = isAbsolute;
        self->_target = isAbsolute ? value : self->Now + value;
        if (self->Clock == IntervalClock.Realtime && isAbsolute)
        {
            self->_realtimeWaiter.Callback = &OnRealtimeSet;
            self->_realtimeWaiter.Context = self;
            self->_realtimeWaiter.Interest = PollEvents.All;
            Time.Clock.RealtimeSet.Add(&self->_realtimeWaiter);
        }
        Arm(self);
    }

    /// <summary>Stops the timer. Before its memory is freed, too.</summary>
    public static void Stop(IntervalTimer* self)
    {
        _ = Timers.Cancel(&self->_timer);
        WaitQueue.Remove(&self->_realtimeWaiter);
        self->_target = 0;
    }

    private static void Arm(IntervalTimer* self)
    {
        ulong deadline = self->_target;
        if (self->IsOnCpuClock)
        {
            ulong wait = self->Remaining;
            deadline = Time.Clock.MonotonicNanoseconds + (wait > CpuClockGranularity ? wait : CpuClockGranularity);
        }
        else if (self->Clock == IntervalClock.Realtime && self->_isAbsolute)
        {
            deadline = Time.Clock.RealtimeToMonotonic(self->_target);
        }
        self->_timer.Callback = &OnDue;
        self->_timer.Context = self;
        Timers.Start(&self->_timer, deadline);
    }

    private static void OnRealtimeSet(Waiter* waiter, PollEvents events) => Arm((IntervalTimer*)waiter->Context);

    private static void OnDue(Timer* timer)
    {
        var self = (IntervalTimer*)timer->Context;
        ulong now = self->Now;
        if (now < self->_target)
        {
            Arm(self);
            return;
        }
        ulong ends = 1;
        if (self->Interval == 0)
        {
            WaitQueue.Remove(&self->_realtimeWaiter);
            self->_target = 0;
        }
        else
        {
            ends += (now - self->_target) / self->Interval;
            self->_target += ends * self->Interval;
            Arm(self);
        }
        self->Notify(ends);
    }

    private void Notify(ulong ends)
    {
        if (Notification == TimerNotification.None || Process->IsEnding)
            return;
        if (Id < 0)
        {
            Signals.Send(Process, SignalNumber);
            return;
        }

        Thread* thread = null;
        if (Notification == TimerNotification.ThreadSignal)
        {
            thread = ThreadTable.Find(TargetThreadId);
            if (thread == null || thread->Process != Process)
                return;
        }
        // While the last signal waits, further ends are only counted.
        SignalQueue* queue = thread == null ? &Process->PendingSignals : &thread->PendingSignals;
        if (queue->TryAddOverrun(SignalNumber, Id, ends, out int total))
        {
            Overrun = total;
            return;
        }
        // A standard signal waits only once, whoever sent it.
        if (SignalNumber < Signal.FirstRealTime && queue->Pending.Contains(SignalNumber))
        {
            _pendingOverrun += ends;
            return;
        }
        ulong overrun = _pendingOverrun + ends - 1;
        Overrun = overrun > int.MaxValue ? int.MaxValue : (int)overrun;
        _pendingOverrun = 0;
        SignalInfo info = new()
        {
            Number = SignalNumber,
            Code = SignalInfo.Timer,
            First = (uint)Id | (ulong)(uint)Overrun << 32,
            Second = Value,
        };
        _ = thread == null ? Signals.Send(Process, info) : Signals.Send(thread, info);
    }
}
