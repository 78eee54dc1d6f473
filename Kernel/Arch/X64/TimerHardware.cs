using Ukl.Kernel.Time;

namespace Ukl.Kernel.Arch;

/// <summary>The one-shot timer that interrupts the processor: the local APIC's. Source: Intel SDM volume 3, 11.5.4.</summary>
public static class TimerHardware
{
    private const ulong NanosecondsPerSecond = 1_000_000_000;

    /// <summary>The longest time programmed at once; a later deadline is reached by an interrupt that finds nothing due. One second keeps any rate in 32 bits.</summary>
    private const ulong LongestNanoseconds = NanosecondsPerSecond;

    private static ClockScale s_scale;

    /// <summary>Sets the timer's rate in hertz, which calibration has found.</summary>
    internal static void Initialize(ulong countsPerSecond) => s_scale = ClockScale.Between(NanosecondsPerSecond, countsPerSecond);

    /// <summary>Interrupts once when the monotonic clock reaches <paramref name="deadline"/> (nanoseconds), or earlier when that is far away.</summary>
    public static void SetDeadline(ulong deadline)
    {
        ulong now = Clock.MonotonicNanoseconds;
        ulong distance = deadline > now ? deadline - now : 0;
        if (distance > LongestNanoseconds)
            distance = LongestNanoseconds;
        ulong count = s_scale.Convert(distance) + 1;
        LocalApic.StartTimer(count > LocalApic.MaximumCount ? LocalApic.MaximumCount : (uint)count);
    }
}
