using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Syscalls;
using Ukl.Kernel.Tasks;
using Ukl.Kernel.Time;
using Xunit;

namespace Ukl.Tests.Unit.Time;

public sealed unsafe class TimerCallsTests : IDisposable
{
    private const int Real = 0;
    private const int Absolute = 1;
    private readonly TimeRig _rig = new();

    public TimerCallsTests()
    {
        _rig.Handle(Signal.SIGALRM);
        _rig.Handle(Signal.SIGPROF);
        _rig.Handle(34);
    }

    public void Dispose() => _rig.Dispose();

    [Fact]
    public void An_alarm_rings_once_and_a_new_one_tells_what_was_left()
    {
        Assert.Equal(0, TimerCalls.Alarm(3).Value);
        TimeRig.Advance(TimeRig.Second);
        Assert.Equal(2, TimerCalls.Alarm(1).Value);
        TimeRig.Advance(TimeRig.Second - 1);
        Assert.False(_rig.Take(Signal.SIGALRM));
        Assert.Equal(1, TimerCalls.Alarm(1).Value);
        TimeRig.Advance(TimeRig.Second);
        Assert.True(_rig.Take(Signal.SIGALRM));
        TimeRig.Advance(10 * TimeRig.Second);
        Assert.False(_rig.Take(Signal.SIGALRM));
        Assert.Equal(0, TimerCalls.Alarm(0).Value);
    }

    [Fact]
    public void An_interval_timer_repeats_without_drift()
    {
        UserPtr<IntervalValue> value = _rig.User(Value(1, 500_000, 0, 250_000));
        Assert.Equal(0, TimerCalls.SetIntervalTimer(Real, value, default).Value);
        TimeRig.Advance(TimeRig.Second);
        UserPtr<IntervalValue> left = _rig.User(default(IntervalValue));
        Assert.Equal(0, TimerCalls.GetIntervalTimer(Real, left).Value);
        Assert.Equal((0, 500_000, 250_000), (TimeRig.Read(left).Value.Seconds, TimeRig.Read(left).Value.Microseconds, TimeRig.Read(left).Interval.Microseconds));

        TimeRig.Advance(TimeRig.Second / 2);
        Assert.True(_rig.Take(Signal.SIGALRM));
        TimeRig.Advance(TimeRig.Second / 4 - 1);
        Assert.False(_rig.Take(Signal.SIGALRM));
        TimeRig.Advance(1);
        Assert.True(_rig.Take(Signal.SIGALRM));

        UserPtr<IntervalValue> old = _rig.User(default(IntervalValue));
        Assert.Equal(0, TimerCalls.SetIntervalTimer(Real, _rig.User(default(IntervalValue)), old).Value);
        Assert.Equal(250_000, TimeRig.Read(old).Value.Microseconds);
        TimeRig.Advance(TimeRig.Second);
        Assert.False(_rig.Take(Signal.SIGALRM));
    }

    [Fact]
    public void Improper_arguments_of_interval_timers()
    {
        Assert.Equal(Errno.EINVAL, TimerCalls.SetIntervalTimer(3, _rig.User(default(IntervalValue)), default).Error);
        Assert.Equal(Errno.EINVAL, TimerCalls.GetIntervalTimer(-1, _rig.User(default(IntervalValue))).Error);
        Assert.Equal(Errno.EINVAL, TimerCalls.SetIntervalTimer(Real, _rig.User(Value(0, 1_000_000, 0, 0)), default).Error);
        Assert.Equal(Errno.EFAULT, TimerCalls.SetIntervalTimer(Real, new UserPtr<IntervalValue>(8), default).Error);
        Assert.Equal(Errno.EFAULT, TimerCalls.GetIntervalTimer(Real, new UserPtr<IntervalValue>(8)).Error);
    }

    [Fact]
    public void A_created_timer_sends_its_signal_with_its_value_and_counts_overruns()
    {
        int id = Create(ClockId.Monotonic, new() { Value = 0xabcd_0000_1234, SignalNumber = 34, Notification = 0 });
        Assert.Equal(0, SetTime(id, 0, 10, 10));
        TimeRig.Advance(10);
        Assert.True(_rig.Take(34, out SignalInfo info));
        Assert.Equal((SignalInfo.Timer, (ulong)id, 0xabcd_0000_1234ul), (info.Code, info.First, info.Second));
        Assert.Equal(0, TimerCalls.GetOverrun(id).Value);

        // One signal waits while four more ends pass, and tells of them; the next starts anew.
        TimeRig.Advance(10);
        TimeRig.Advance(40);
        Assert.True(_rig.Take(34, out info));
        Assert.Equal(4ul, info.First >> 32);
        Assert.Equal(4, TimerCalls.GetOverrun(id).Value);
        TimeRig.Advance(10);
        Assert.True(_rig.Take(34, out info));
        Assert.Equal(0ul, info.First >> 32);
        Assert.Equal(0, TimerCalls.GetOverrun(id).Value);

        Assert.Equal(0, TimerCalls.Delete(id).Value);
        Assert.Equal(Errno.EINVAL, TimerCalls.Delete(id).Error);
        TimeRig.Advance(100);
        Assert.False(_rig.Take(34));
    }

    [Fact]
    public void A_late_interrupt_counts_the_ends_it_missed()
    {
        int id = Create(ClockId.Monotonic, new() { SignalNumber = 34 });
        Assert.Equal(0, SetTime(id, 0, 10, 10));
        Clock.MonotonicNanoseconds += 105;
        Timers.RunExpired(Clock.MonotonicNanoseconds);
        Assert.True(_rig.Take(34));
        Assert.Equal(9, TimerCalls.GetOverrun(id).Value);
        Assert.Equal(TimeRig.Start + 110, Timers.NextDeadline);
    }

    [Fact]
    public void An_absolute_realtime_timer_follows_the_clock_and_a_relative_one_does_not()
    {
        int absolute = Create(ClockId.Realtime, new() { SignalNumber = 34, Value = 1 });
        int relative = Create(ClockId.Realtime, new() { SignalNumber = Signal.SIGALRM, Value = 2 });
        Assert.Equal(0, SetTime(absolute, Absolute, TimeRig.Epoch + 10 * TimeRig.Second, 0));
        Assert.Equal(0, SetTime(relative, 0, 10 * TimeRig.Second, 0));
        Assert.True(Clock.TrySetRealtime(TimeRig.Epoch + 9 * TimeRig.Second));
        TimeRig.Advance(TimeRig.Second);
        Assert.True(_rig.Take(34));
        Assert.False(_rig.Take(Signal.SIGALRM));
        TimeRig.Advance(9 * TimeRig.Second);
        Assert.True(_rig.Take(Signal.SIGALRM));
        Assert.True(Clock.RealtimeSet.IsEmpty);
    }

    [Fact]
    public void Timers_without_signal_and_without_event()
    {
        int silent = Create(ClockId.Monotonic, new() { Notification = 1 });
        Assert.Equal(0, SetTime(silent, 0, 10, 0));
        UserPtr<IntervalSpec> left = _rig.User(default(IntervalSpec));
        Assert.Equal(0, TimerCalls.GetTime(silent, left).Value);
        Assert.Equal(10, TimeRig.Read(left).Value.Nanoseconds);
        TimeRig.Advance(20);
        Assert.True(_rig.Process->PendingSignals.Pending.IsEmpty);
        Assert.Equal(0, TimerCalls.GetTime(silent, left).Value);
        Assert.Equal(0, TimeRig.Read(left).Value.Nanoseconds);

        UserPtr<int> id = _rig.User(0);
        Assert.Equal(0, TimerCalls.Create(ClockId.Monotonic, default, id).Value);
        Assert.Equal(0, SetTime(TimeRig.Read(id), 0, 10, 0));
        TimeRig.Advance(20);
        Assert.True(_rig.Take(Signal.SIGALRM, out SignalInfo info));
        Assert.Equal((ulong)TimeRig.Read(id), info.Second);
    }

    [Theory]
    [InlineData((ClockId)10, 0, 34, Errno.EINVAL)]
    [InlineData(ClockId.MonotonicRaw, 0, 34, Errno.EOPNOTSUPP)]
    [InlineData(ClockId.Monotonic, 0, 0, Errno.EINVAL)]
    [InlineData(ClockId.Monotonic, 0, 65, Errno.EINVAL)]
    [InlineData(ClockId.Monotonic, 3, 34, Errno.EINVAL)]
    [InlineData(ClockId.Monotonic, 4, 34, Errno.EINVAL)]
    public void Improper_arguments_of_timer_create(ClockId clock, int notification, int signal, Errno expected)
    {
        UserPtr<TimerCalls.SignalEvent> wanted = _rig.User(new TimerCalls.SignalEvent { SignalNumber = signal, Notification = notification, ThreadId = 12345 });
        Assert.Equal(expected, TimerCalls.Create(clock, wanted, _rig.User(0)).Error);
    }

    [Fact]
    public void There_is_a_limit_and_freed_timers_make_room()
    {
        int count = 0;
        while (!TimerCalls.Create(ClockId.Monotonic, default, _rig.User(0)).IsError)
            count++;
        Assert.Equal(4096, count);
        Assert.Equal(0, TimerCalls.Delete(100).Value);
        Assert.Equal(4096, Create(ClockId.Monotonic, new() { SignalNumber = 34 }));
    }

    [Fact]
    public void A_profiling_timer_counts_processor_time_not_time()
    {
        // The clock must run for time stamps to be worth something: 1 tick is 1 ns.
        Clock.Start(1_000_000_000);
        _rig.Thread->SystemBalance = 0 - Ukl.Kernel.Arch.Cpu.ReadTimestamp();
        Assert.Equal(0, TimerCalls.SetIntervalTimer(2, _rig.User(Value(1000, 0, 0, 0)), default).Value);
        Timers.RunExpired(Clock.MonotonicNanoseconds + 5000 * TimeRig.Second);
        Assert.False(_rig.Take(Signal.SIGPROF));
        Assert.NotEqual(Timers.Never, Timers.NextDeadline);
        _rig.Thread->UserTicks += 1000 * TimeRig.Second;
        Timers.RunExpired(Clock.MonotonicNanoseconds + 10000 * TimeRig.Second);
        Assert.True(_rig.Take(Signal.SIGPROF));
        Assert.Equal(Timers.Never, Timers.NextDeadline);
    }

    private static IntervalValue Value(long seconds, long microseconds, long intervalSeconds, long intervalMicroseconds) => new()
    {
        Value = new TimeValue { Seconds = seconds, Microseconds = microseconds },
        Interval = new TimeValue { Seconds = intervalSeconds, Microseconds = intervalMicroseconds },
    };

    private int Create(ClockId clock, TimerCalls.SignalEvent notification)
    {
        UserPtr<int> id = _rig.User(-1);
        Assert.Equal(0, TimerCalls.Create(clock, _rig.User(notification), id).Value);
        return TimeRig.Read(id);
    }

    private long SetTime(int id, int flags, ulong value, ulong interval) =>
        TimerCalls.SetTime(id, flags, _rig.User(new IntervalSpec { Value = TimeSpec.FromNanoseconds(value), Interval = TimeSpec.FromNanoseconds(interval) }), default).Value;
}
