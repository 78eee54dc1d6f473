using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Syscalls;
using Ukl.Kernel.Tasks;
using Ukl.Kernel.Time;
using Xunit;

namespace Ukl.Tests.Unit.Time;

public sealed unsafe class SleepCallsTests : IDisposable
{
    private const int Absolute = 1;
    private readonly TimeRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public void A_sleep_takes_its_time()
    {
        Assert.Equal(0, SleepCalls.NanoSleep(Span(2, 500), default).Value);
        Assert.Equal(TimeRig.Start + 2 * TimeRig.Second + 500, Clock.MonotonicNanoseconds);
        Assert.Equal(0, SleepCalls.NanoSleep(Span(0, 0), default).Value);
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(0, -1)]
    [InlineData(0, 1_000_000_000)]
    public void Improper_times_are_refused(long seconds, long nanoseconds)
    {
        Assert.Equal(Errno.EINVAL, SleepCalls.NanoSleep(Span(seconds, nanoseconds), default).Error);
        Assert.Equal(Errno.EINVAL, SleepCalls.ClockNanoSleep(ClockId.Monotonic, 0, Span(seconds, nanoseconds), default).Error);
        Assert.Equal(Errno.EFAULT, SleepCalls.NanoSleep(new UserPtr<TimeSpec>(8), default).Error);
    }

    [Theory]
    [InlineData(ClockId.ThreadCpuTime, Errno.EINVAL)]
    [InlineData((ClockId)10, Errno.EINVAL)]
    [InlineData((ClockId)99, Errno.EINVAL)]
    [InlineData(ClockId.MonotonicRaw, Errno.EOPNOTSUPP)]
    [InlineData(ClockId.RealtimeCoarse, Errno.EOPNOTSUPP)]
    public void Clocks_that_nobody_can_sleep_on(ClockId clock, Errno expected) =>
        Assert.Equal(expected, SleepCalls.ClockNanoSleep(clock, 0, Span(1, 0), default).Error);

    [Fact]
    public void A_spurious_wake_does_not_end_a_sleep()
    {
        int wakes = 0;
        Action pass = HostedMachine.OnIdle!;
        HostedMachine.OnIdle = () =>
        {
            if (++wakes < 3)
                Scheduler.Wake(_rig.Thread);
            else
                pass();
        };
        Assert.Equal(0, SleepCalls.NanoSleep(Span(1, 0), default).Value);
        Assert.Equal(3, wakes);
        Assert.Equal(TimeRig.Start + TimeRig.Second, Clock.MonotonicNanoseconds);
    }

    [Fact]
    public void A_signal_interrupts_and_the_restarted_sleep_ends_when_the_first_would_have()
    {
        _rig.Handle(Signal.SIGUSR1);
        Action pass = HostedMachine.OnIdle!;
        HostedMachine.OnIdle = () =>
        {
            TimeRig.Advance(3 * TimeRig.Second / 10);
            Signals.Send(_rig.Process, Signal.SIGUSR1);
        };
        UserPtr<TimeSpec> left = _rig.User(default(TimeSpec));
        Assert.Equal(Errno.ERESTARTNOHAND, SleepCalls.NanoSleep(Span(1, 0), left).Error);
        Assert.Equal((0, 700_000_000), (TimeRig.Read(left).Seconds, TimeRig.Read(left).Nanoseconds));
        Assert.Equal(TimeRig.Start + TimeRig.Second, _rig.Thread->RestartDeadline);

        Assert.True(_rig.Take(Signal.SIGUSR1));
        _rig.Thread->Work = ThreadWork.None;
        HostedMachine.OnIdle = pass;
        Assert.Equal(0, SleepCalls.NanoSleep(Span(1, 0), left).Value);
        Assert.Equal(TimeRig.Start + TimeRig.Second, Clock.MonotonicNanoseconds);
        Assert.Equal(0ul, _rig.Thread->RestartDeadline);
    }

    [Fact]
    public void An_absolute_sleep_ends_at_its_time_or_at_once()
    {
        Assert.Equal(0, SleepCalls.ClockNanoSleep(ClockId.Monotonic, Absolute, Span(105, 0), default).Value);
        Assert.Equal(105 * TimeRig.Second, Clock.MonotonicNanoseconds);
        Assert.Equal(0, SleepCalls.ClockNanoSleep(ClockId.Monotonic, Absolute, Span(1, 0), default).Value);
        Assert.Equal(105 * TimeRig.Second, Clock.MonotonicNanoseconds);
        Assert.Equal(0, SleepCalls.ClockNanoSleep(ClockId.Realtime, Absolute, Span(1_700_000_010, 0), default).Value);
        Assert.Equal(TimeRig.Epoch + 10 * TimeRig.Second, Clock.RealtimeNanoseconds);
    }

    [Fact]
    public void Setting_the_clock_moves_an_absolute_realtime_sleep()
    {
        Action pass = HostedMachine.OnIdle!;
        bool isSet = false;
        HostedMachine.OnIdle = () =>
        {
            if (isSet)
            {
                pass();
                return;
            }
            isSet = true;
            Assert.Equal(0, TimeCalls.ClockSetTime(ClockId.Realtime, Span(1_700_000_008, 0)).Value);
        };
        Assert.Equal(0, SleepCalls.ClockNanoSleep(ClockId.Realtime, Absolute, Span(1_700_000_010, 0), default).Value);
        Assert.Equal(TimeRig.Start + 2 * TimeRig.Second, Clock.MonotonicNanoseconds);
        Assert.True(Clock.RealtimeSet.IsEmpty);
    }

    private UserPtr<TimeSpec> Span(long seconds, long nanoseconds) => _rig.User(new TimeSpec { Seconds = seconds, Nanoseconds = nanoseconds });
}
