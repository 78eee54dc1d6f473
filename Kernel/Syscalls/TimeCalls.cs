// Sources: time(2), gettimeofday(2), clock_gettime(2), times(2), adjtimex(2).
using System.Runtime.InteropServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Syscalls;

/// <summary>Calls that read and set clocks.</summary>
internal static unsafe class TimeCalls
{
    private const ulong NanosecondsPerSecond = 1_000_000_000;

    /// <summary>Nanoseconds of one clock_t: 1/100 s (USER_HZ).</summary>
    private const ulong NanosecondsPerClockTick = 10_000_000;

    [Syscall(201, "time")]
    internal static Result Time(UserPtr<long> seconds)
    {
        long now = (long)(Clock.RealtimeNanoseconds / NanosecondsPerSecond);
        return seconds.IsNull || seconds.TryWrite(now) ? now : Errno.EFAULT;
    }

    [Syscall(96, "gettimeofday")]
    internal static Result GetTimeOfDay(UserPtr<TimeValue> time, UserPtr<long> zone)
    {
        if (!time.IsNull && !time.TryWrite(TimeValue.FromNanoseconds(Clock.RealtimeNanoseconds)))
            return Errno.EFAULT;
        // struct timezone: two ints, both always zero.
        return zone.IsNull || zone.TryWrite(0) ? Result.Ok : Errno.EFAULT;
    }

    [Syscall(164, "settimeofday", Limits = "the time zone is ignored")]
    internal static Result SetTimeOfDay(UserPtr<TimeValue> time, UserPtr<long> zone)
    {
        TimeValue value = default;
        if (!time.IsNull && !time.TryRead(out value))
            return Errno.EFAULT;
        if (!time.IsNull && !value.IsValid)
            return Errno.EINVAL;
        if (!zone.IsNull && !zone.TryRead(out _))
            return Errno.EFAULT;
        if (Process.Current->Credentials.EffectiveUserId != 0)
            return Errno.EPERM;
        return time.IsNull || Clock.TrySetRealtime(value.ToNanoseconds()) ? Result.Ok : Errno.EINVAL;
    }

    [Syscall(228, "clock_gettime")]
    internal static Result ClockGetTime(ClockId clock, UserPtr<TimeSpec> time)
    {
        if (!Clocks.TryRead(clock, out ulong now))
            return Errno.EINVAL;
        return time.TryWrite(TimeSpec.FromNanoseconds(now)) ? Result.Ok : Errno.EFAULT;
    }

    [Syscall(227, "clock_settime")]
    internal static Result ClockSetTime(ClockId clock, UserPtr<TimeSpec> time)
    {
        if (!time.TryRead(out TimeSpec value))
            return Errno.EFAULT;
        if (clock != ClockId.Realtime || !value.IsValid)
            return Errno.EINVAL;
        if (Process.Current->Credentials.EffectiveUserId != 0)
            return Errno.EPERM;
        return Clock.TrySetRealtime(value.ToNanoseconds()) ? Result.Ok : Errno.EINVAL;
    }

    [Syscall(229, "clock_getres")]
    internal static Result ClockGetResolution(ClockId clock, UserPtr<TimeSpec> resolution)
    {
        if (!Clocks.TryRead(clock, out _))
            return Errno.EINVAL;
        return resolution.IsNull || resolution.TryWrite(TimeSpec.FromNanoseconds(1)) ? Result.Ok : Errno.EFAULT;
    }

    [Syscall(100, "times", Limits = "children have no times")]
    internal static Result Times(UserPtr<ProcessTimes> times)
    {
        Process* process = Process.Current;
        ProcessTimes value = new()
        {
            User = (long)(CpuTime.InProgram(process) / NanosecondsPerClockTick),
            System = (long)(CpuTime.InKernel(process) / NanosecondsPerClockTick),
        };
        if (!times.IsNull && !times.TryWrite(value))
            return Errno.EFAULT;
        return Clock.MonotonicNanoseconds / NanosecondsPerClockTick;
    }

    [Syscall(159, "adjtimex", Limits = "reads only; changing anything gives EPERM")]
    internal static Result AdjustTime(UserPtr<TimeAdjustment> adjustment) => ReadAdjustment(adjustment);

    [Syscall(305, "clock_adjtime", Limits = "reads CLOCK_REALTIME only; changing anything gives EPERM")]
    internal static Result ClockAdjustTime(ClockId clock, UserPtr<TimeAdjustment> adjustment)
    {
        if (clock != ClockId.Realtime)
            return Clocks.TryRead(clock, out _) ? Errno.EOPNOTSUPP : Errno.EINVAL;
        return ReadAdjustment(adjustment);
    }

    private static Result ReadAdjustment(UserPtr<TimeAdjustment> adjustment)
    {
        const int Unsynchronized = 0x40;
        const int ClockError = 5;
        const long WorstError = 16_000_000;
        const long Tolerance = 32_768_000;
        const long MicrosecondsPerTick = 10_000;
        if (!adjustment.TryRead(out TimeAdjustment value))
            return Errno.EFAULT;
        if (value.Modes != 0)
            return Errno.EPERM;
        value = default;
        value.MaximumError = WorstError;
        value.EstimatedError = WorstError;
        value.Status = Unsynchronized;
        value.Constant = 2;
        value.Precision = 1;
        value.Tolerance = Tolerance;
        value.Time = TimeValue.FromNanoseconds(Clock.RealtimeNanoseconds);
        value.Tick = MicrosecondsPerTick;
        return adjustment.TryWrite(value) ? ClockError : Errno.EFAULT;
    }

    /// <summary>struct tms, in clock ticks of 1/100 s.</summary>
    internal struct ProcessTimes
    {
        public long User;
        public long System;
        public long ChildrenUser;
        public long ChildrenSystem;
    }

    /// <summary>struct timex, 208 bytes; the fields that this kernel fills.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 208)]
    internal struct TimeAdjustment
    {
        [FieldOffset(0)] public uint Modes;
        [FieldOffset(24)] public long MaximumError;
        [FieldOffset(32)] public long EstimatedError;
        [FieldOffset(40)] public int Status;
        [FieldOffset(48)] public long Constant;
        [FieldOffset(56)] public long Precision;
        [FieldOffset(64)] public long Tolerance;
        [FieldOffset(72)] public TimeValue Time;
        [FieldOffset(88)] public long Tick;
    }
}
