using Ukl.Kernel.Arch;
using Ukl.Kernel.Core;
using Ukl.Kernel.Diagnostics;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Time;

/// <summary>
/// The system's clocks, all made from the time stamp counter. Until <see cref="Start"/> gives it a rate the monotonic clock stands still, which host tests use to
/// set it by hand.
/// </summary>
public static class Clock
{
    /// <summary>What CLOCK_REALTIME starts at when the machine has no clock: 2026-01-01, not long before this kernel was built.</summary>
    public const long BuildEpochSeconds = 1_767_225_600;

    private const ulong NanosecondsPerSecond = 1_000_000_000;

    private static ulong s_baseTicks;
    private static ulong s_baseNanoseconds;
    private static ClockScale s_scale;
    private static ulong s_realtimeOffset;
    private static unsafe ClockPage* s_page;
    private static WaitQueue s_realtimeSet;

    /// <summary>CLOCK_MONOTONIC, in nanoseconds since boot.</summary>
    public static ulong MonotonicNanoseconds
    {
        get => s_baseNanoseconds + s_scale.Convert(Cpu.ReadTimestamp() - s_baseTicks);
        internal set
        {
            s_baseTicks = Cpu.ReadTimestamp();
            s_baseNanoseconds = value;
            Publish();
        }
    }

    /// <summary>CLOCK_REALTIME, in nanoseconds since 1970.</summary>
    public static ulong RealtimeNanoseconds => MonotonicNanoseconds + RealtimeOffset;

    /// <summary>Realtime minus monotonic.</summary>
    public static ulong RealtimeOffset
    {
        get => s_realtimeOffset;
        set
        {
            s_realtimeOffset = value;
            Publish();
        }
    }

    /// <summary>Ticks of the time stamp counter in a second; 0 before <see cref="Start"/>.</summary>
    public static ulong TicksPerSecond { get; private set; }

    /// <summary>Woken when somebody sets CLOCK_REALTIME: sleeps until an absolute time on it are then reckoned anew.</summary>
    public static ref WaitQueue RealtimeSet => ref s_realtimeSet;

    /// <summary>Starts the monotonic clock at 0 and the given rate of the time stamp counter, in hertz; at rate 0 it stands still.</summary>
    public static void Start(ulong ticksPerSecond)
    {
        TicksPerSecond = ticksPerSecond;
        MonotonicNanoseconds = 0;
        s_scale = ticksPerSecond == 0 ? default : ClockScale.Between(ticksPerSecond, NanosecondsPerSecond);
        Publish();
    }

    /// <summary>From now on programs read the clocks by a page too; null for none.</summary>
    internal static unsafe void Share(ClockPage* page)
    {
        s_page = page;
        Publish();
    }

    private static unsafe void Publish()
    {
        if (s_page != null)
            s_page->Publish(s_scale, s_baseTicks, s_baseNanoseconds, s_realtimeOffset);
    }

    /// <summary>Sets CLOCK_REALTIME from the registered <see cref="RealTimeClock"/>, or to <see cref="BuildEpochSeconds"/> with a message when there is none.</summary>
    public static unsafe void StartRealtime()
    {
        long seconds;
        if (Devices.RealTimeClock.TryRead == null || !Devices.RealTimeClock.TryRead(&seconds) || seconds <= 0)
        {
            Log.WriteLine("ukl: no real-time clock: the time of day starts at 2026-01-01"u8);
            seconds = BuildEpochSeconds;
        }
        RealtimeOffset = (ulong)seconds * NanosecondsPerSecond - MonotonicNanoseconds;
    }

    /// <summary>
    /// Sets CLOCK_REALTIME. False (EINVAL) for a time before the machine was started, counting from 1970, or beyond what its nanoseconds can count (year 2262).
    /// </summary>
    public static bool TrySetRealtime(ulong nanoseconds)
    {
        ulong now = MonotonicNanoseconds;
        if (nanoseconds < now || nanoseconds >= long.MaxValue)
            return false;
        RealtimeOffset = nanoseconds - now;
        s_realtimeSet.WakeAll();
        return true;
    }

    /// <summary>When the monotonic clock will stand at the moment that CLOCK_REALTIME, as it is set now, calls <paramref name="nanoseconds"/>; 0 when past before boot.</summary>
    public static ulong RealtimeToMonotonic(ulong nanoseconds) => nanoseconds > RealtimeOffset ? nanoseconds - RealtimeOffset : 0;

    /// <summary>Ticks of the time stamp counter as nanoseconds.</summary>
    public static ulong TicksToNanoseconds(ulong ticks) => s_scale.Convert(ticks);
}
