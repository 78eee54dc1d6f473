// Points and spans of time as programs write them: struct timespec, timeval, itimerspec and itimerval of x86-64 Linux.
namespace Ukl.Kernel.Abi;

/// <summary>struct timespec: seconds and nanoseconds, as a span or since 1970 or a clock's start.</summary>
public struct TimeSpec
{
    public long Seconds;
    public long Nanoseconds;

    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>The longest span in seconds that nanoseconds in 63 bits hold; longer ones saturate, as in Linux's ktime.</summary>
    private const long MaximumSeconds = long.MaxValue / NanosecondsPerSecond;

    /// <summary>Not negative, and less than a second of nanoseconds.</summary>
    public readonly bool IsValid => Seconds >= 0 && (ulong)Nanoseconds < NanosecondsPerSecond;

    /// <summary>From a count of nanoseconds.</summary>
    public static TimeSpec FromNanoseconds(ulong nanoseconds) =>
        new() { Seconds = (long)(nanoseconds / NanosecondsPerSecond), Nanoseconds = (long)(nanoseconds % NanosecondsPerSecond) };

    /// <summary>A valid time as a count of nanoseconds, at most 2^63 - 1.</summary>
    public readonly ulong ToNanoseconds() =>
        Seconds >= MaximumSeconds ? long.MaxValue : (ulong)(Seconds * NanosecondsPerSecond + Nanoseconds);
}

/// <summary>struct timeval: seconds and microseconds.</summary>
public struct TimeValue
{
    public long Seconds;
    public long Microseconds;

    private const long NanosecondsPerSecond = 1_000_000_000;
    private const long MicrosecondsPerSecond = 1_000_000;
    private const long MaximumSeconds = long.MaxValue / NanosecondsPerSecond;

    /// <summary>Not negative, and less than a second of microseconds.</summary>
    public readonly bool IsValid => Seconds >= 0 && (ulong)Microseconds < MicrosecondsPerSecond;

    /// <summary>From a count of nanoseconds.</summary>
    public static TimeValue FromNanoseconds(ulong nanoseconds) =>
        new() { Seconds = (long)(nanoseconds / NanosecondsPerSecond), Microseconds = (long)(nanoseconds % NanosecondsPerSecond / 1000) };

    /// <summary>From a count of nanoseconds, rounded up: what is left of a running timer never reads as zero.</summary>
    public static TimeValue FromNanosecondsUp(ulong nanoseconds) => FromNanoseconds(nanoseconds + 999);

    /// <summary>A valid time as a count of nanoseconds, at most 2^63 - 1.</summary>
    public readonly ulong ToNanoseconds() =>
        Seconds >= MaximumSeconds ? long.MaxValue : (ulong)(Seconds * NanosecondsPerSecond + Microseconds * 1000);
}

/// <summary>struct itimerspec: when a timer ends and how it repeats.</summary>
public struct IntervalSpec
{
    public TimeSpec Interval;
    public TimeSpec Value;

    /// <summary>Whether both are valid.</summary>
    public readonly bool IsValid => Interval.IsValid && Value.IsValid;
}

/// <summary>struct itimerval: when a timer ends and how it repeats.</summary>
public struct IntervalValue
{
    public TimeValue Interval;
    public TimeValue Value;

    /// <summary>Whether both are valid.</summary>
    public readonly bool IsValid => Interval.IsValid && Value.IsValid;
}
