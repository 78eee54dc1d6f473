using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Syscalls;
using Ukl.Kernel.Time;
using Xunit;

namespace Ukl.Tests.Unit.Time;

public sealed unsafe class TimeCallsTests : IDisposable
{
    private readonly TimeRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Theory]
    [InlineData(ClockId.Realtime, 1_700_000_000)]
    [InlineData(ClockId.RealtimeCoarse, 1_700_000_000)]
    [InlineData(ClockId.Tai, 1_700_000_000)]
    [InlineData(ClockId.Monotonic, 100)]
    [InlineData(ClockId.MonotonicRaw, 100)]
    [InlineData(ClockId.MonotonicCoarse, 100)]
    [InlineData(ClockId.BootTime, 100)]
    [InlineData(ClockId.ProcessCpuTime, 0)]
    [InlineData(ClockId.ThreadCpuTime, 0)]
    [InlineData((ClockId)(~0 << 3 | 6), 0)]
    public void Every_clock_reads(ClockId clock, long seconds)
    {
        UserPtr<TimeSpec> time = _rig.User(default(TimeSpec));
        Assert.Equal(0, TimeCalls.ClockGetTime(clock, time).Value);
        Assert.Equal(seconds, TimeRig.Read(time).Seconds);
        Assert.Equal(0, TimeCalls.ClockGetResolution(clock, time).Value);
        Assert.Equal(1, TimeRig.Read(time).Nanoseconds);
        Assert.Equal(Errno.EFAULT, TimeCalls.ClockGetTime(clock, default).Error);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(12)]
    [InlineData(1000)]
    [InlineData(-1)]
    [InlineData(~12345 << 3 | 2)]
    [InlineData(int.MinValue)]
    public void Other_clocks_are_refused(int clock)
    {
        Assert.Equal(Errno.EINVAL, TimeCalls.ClockGetTime((ClockId)clock, _rig.User(default(TimeSpec))).Error);
        Assert.Equal(Errno.EINVAL, TimeCalls.ClockGetResolution((ClockId)clock, default).Error);
    }

    [Fact]
    public void The_time_of_day_can_be_set()
    {
        Assert.Equal(0, TimeCalls.SetTimeOfDay(_rig.User(new TimeValue { Seconds = 1_800_000_000, Microseconds = 5 }), default).Value);
        Assert.Equal(1_800_000_000, TimeCalls.Time(default).Value);
        UserPtr<TimeValue> now = _rig.User(default(TimeValue));
        UserPtr<long> zone = _rig.User(-1L);
        Assert.Equal(0, TimeCalls.GetTimeOfDay(now, zone).Value);
        Assert.Equal((1_800_000_000, 5, 0L), (TimeRig.Read(now).Seconds, TimeRig.Read(now).Microseconds, TimeRig.Read(zone)));
        Assert.Equal(TimeRig.Start, Clock.MonotonicNanoseconds);
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(1_800_000_000, 1_000_000_000)]
    [InlineData(99, 0)]
    [InlineData(long.MaxValue, 0)]
    public void Improper_times_are_refused(long seconds, long nanoseconds) =>
        Assert.Equal(Errno.EINVAL, TimeCalls.ClockSetTime(ClockId.Realtime, _rig.User(new TimeSpec { Seconds = seconds, Nanoseconds = nanoseconds })).Error);

    [Fact]
    public void Only_the_realtime_clock_is_set_and_only_by_root()
    {
        UserPtr<TimeSpec> time = _rig.User(new TimeSpec { Seconds = 1_800_000_000 });
        Assert.Equal(Errno.EINVAL, TimeCalls.ClockSetTime(ClockId.Monotonic, time).Error);
        _rig.Process->Credentials.EffectiveUserId = 1000;
        Assert.Equal(Errno.EPERM, TimeCalls.ClockSetTime(ClockId.Realtime, time).Error);
        Assert.Equal(Errno.EPERM, TimeCalls.SetTimeOfDay(_rig.User(new TimeValue { Seconds = 1_800_000_000 }), default).Error);
    }

    [Fact]
    public void Adjustment_is_read_only()
    {
        UserPtr<TimeCalls.TimeAdjustment> adjustment = _rig.User(default(TimeCalls.TimeAdjustment));
        Assert.Equal(208, sizeof(TimeCalls.TimeAdjustment));
        Assert.Equal(5, TimeCalls.AdjustTime(adjustment).Value);
        Assert.Equal((10_000, 1_700_000_000), (TimeRig.Read(adjustment).Tick, TimeRig.Read(adjustment).Time.Seconds));
        Assert.Equal(Errno.EPERM, TimeCalls.AdjustTime(_rig.User(new TimeCalls.TimeAdjustment { Modes = 1 })).Error);
    }

    [Fact]
    public void Times_are_in_hundredths_of_a_second()
    {
        UserPtr<TimeCalls.ProcessTimes> times = _rig.User(default(TimeCalls.ProcessTimes));
        Assert.Equal(10_000, TimeCalls.Times(times).Value);
        Assert.Equal(10_000, TimeCalls.Times(default).Value);
    }

    [Fact]
    public void Random_bytes_come_in_any_length_with_any_sensible_flags()
    {
        var bytes = new byte[300_000];
        fixed (byte* to = bytes)
        {
            Assert.Equal(300_000, RandomCalls.GetRandom(new UserSpan((ulong)to, 300_000), 0).Value);
            Assert.Equal(0, RandomCalls.GetRandom(new UserSpan((ulong)to, 0), 3).Value);
            Assert.Equal(Errno.EINVAL, RandomCalls.GetRandom(new UserSpan((ulong)to, 8), 8).Error);
            Assert.Equal(Errno.EINVAL, RandomCalls.GetRandom(new UserSpan((ulong)to, 8), 6).Error);
        }
        Assert.Equal(Errno.EFAULT, RandomCalls.GetRandom(new UserSpan(8, 8), 0).Error);
        Assert.InRange(Array.FindAll(bytes, value => value == 0).Length, 900, 1500);
    }
}
