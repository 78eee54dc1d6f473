namespace Ukl.Kernel.Time;

/// <summary>The system's clocks.</summary>
public static class Clock
{
    public static void Initialize() { }
    /// <summary>CLOCK_MONOTONIC, in nanoseconds since boot.</summary>
    public static ulong MonotonicNanoseconds => Arch.Cpu.ReadTimestamp();

    /// <summary>CLOCK_REALTIME, in nanoseconds since 1970.</summary>
    public static ulong RealtimeNanoseconds => MonotonicNanoseconds + RealtimeOffset;

    /// <summary>Realtime minus monotonic.</summary>
    public static ulong RealtimeOffset { get; set; }
    public static ulong RealtimeToMonotonic(ulong n) => n - RealtimeOffset;
    public static ulong TicksToNanoseconds(ulong n) => n;
}
