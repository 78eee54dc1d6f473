// Time limits as the waiting calls take them, turned into deadlines. Source: poll(2), select(2), epoll_wait(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Tasks;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Files.Events;

/// <summary>Deadlines, in nanoseconds of <see cref="Clock.MonotonicNanoseconds"/>.</summary>
public static class Timeouts
{
    /// <summary>A deadline that has passed: do not wait at all.</summary>
    public const ulong Never = 0;

    private const long NanosecondsPerSecond = 1_000_000_000;
    private const long NanosecondsPerMillisecond = 1_000_000;

    /// <summary>After <paramref name="milliseconds"/>; 0 does not wait, a negative number waits for ever.</summary>
    public static ulong AfterMilliseconds(int milliseconds) =>
        milliseconds < 0 ? Scheduler.Forever : milliseconds == 0 ? Never : After((ulong)milliseconds * (ulong)NanosecondsPerMillisecond);

    /// <summary>After a time span. False (EINVAL): negative, or not a proper time.</summary>
    public static bool TryAfter(TimeSpec span, out ulong deadline)
    {
        deadline = Never;
        if (!TryNanoseconds(span, out ulong nanoseconds))
            return false;
        if (nanoseconds != 0)
            deadline = After(nanoseconds);
        return true;
    }

    /// <summary>A time as nanoseconds, at most what fits. False (EINVAL): negative, or a billion nanoseconds or more.</summary>
    public static bool TryNanoseconds(TimeSpec time, out ulong nanoseconds)
    {
        nanoseconds = 0;
        if (time.Seconds < 0 || (ulong)time.Nanoseconds >= (ulong)NanosecondsPerSecond)
            return false;
        nanoseconds = time.Seconds > long.MaxValue / NanosecondsPerSecond - 1
            ? long.MaxValue
            : (ulong)(time.Seconds * NanosecondsPerSecond + time.Nanoseconds);
        return true;
    }

    /// <summary>What is left until a deadline; zero when it passed.</summary>
    public static TimeSpec Remaining(ulong deadline)
    {
        ulong now = Clock.MonotonicNanoseconds;
        return TimeSpec.FromNanoseconds(deadline > now ? deadline - now : 0);
    }

    private static ulong After(ulong nanoseconds)
    {
        ulong deadline = Clock.MonotonicNanoseconds + nanoseconds;
        return deadline < nanoseconds ? Scheduler.Forever : deadline;
    }
}
