// The clocks a program can name. Sources: clock_getres(2), clock_getcpuclockid(3), include/uapi/linux/time.h, include/linux/posix-timers.h (CPU clock ids).
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Time;

/// <summary>Linux's clock ids.</summary>
public enum ClockId
{
    Realtime = 0,
    Monotonic = 1,
    ProcessCpuTime = 2,
    ThreadCpuTime = 3,
    MonotonicRaw = 4,
    RealtimeCoarse = 5,
    MonotonicCoarse = 6,
    BootTime = 7,
    RealtimeAlarm = 8,
    BootTimeAlarm = 9,
    Tai = 11,
}

/// <summary>Reads clocks by id.</summary>
public static unsafe class Clocks
{
    private const int CpuClockThread = 4;
    private const int CpuClockKindMask = 3;
    private const int CpuClockVirtual = 1;
    private const int CpuClockInvalid = 3;
    private const int CpuClockShift = 3;

    /// <summary>Reads a clock, in nanoseconds. False (EINVAL): there is no such clock, or its thread or process is gone.</summary>
    public static bool TryRead(ClockId clock, out ulong nanoseconds)
    {
        nanoseconds = 0;
        switch (clock)
        {
            case ClockId.Realtime:
            case ClockId.RealtimeCoarse:
            case ClockId.RealtimeAlarm:
            case ClockId.Tai:
                nanoseconds = Clock.RealtimeNanoseconds;
                return true;
            case ClockId.Monotonic:
            case ClockId.MonotonicRaw:
            case ClockId.MonotonicCoarse:
            case ClockId.BootTime:
            case ClockId.BootTimeAlarm:
                nanoseconds = Clock.MonotonicNanoseconds;
                return true;
            case ClockId.ProcessCpuTime:
                nanoseconds = CpuTime.Of(Process.Current);
                return true;
            case ClockId.ThreadCpuTime:
                nanoseconds = CpuTime.Of(Scheduler.Current);
                return true;
            default:
                return (int)clock < 0 && TryReadCpuClock((int)clock, out nanoseconds);
        }
    }

    /// <summary>Whether the clock follows CLOCK_REALTIME when that is set.</summary>
    public static bool IsRealtime(ClockId clock) => clock is ClockId.Realtime or ClockId.RealtimeAlarm or ClockId.Tai;

    /// <summary>Whether the clock runs with time, not with work, and a timer or a sleep can be asked for on it.</summary>
    public static bool IsSleepable(ClockId clock) => IsRealtime(clock) || clock is ClockId.Monotonic or ClockId.BootTime or ClockId.BootTimeAlarm;

    /// <summary>A negative id: the complement of a thread or process id, shifted, and what of its time is meant.</summary>
    private static bool TryReadCpuClock(int clock, out ulong nanoseconds)
    {
        nanoseconds = 0;
        int kind = clock & CpuClockKindMask;
        int id = ~(clock >> CpuClockShift);
        if (kind == CpuClockInvalid)
            return false;
        if ((clock & CpuClockThread) != 0)
        {
            Thread* thread = id == 0 ? Scheduler.Current : ThreadTable.Find(id);
            if (thread == null || thread->Process != Process.Current)
                return false;
            nanoseconds = kind == CpuClockVirtual ? Clock.TicksToNanoseconds(thread->UserTicks) : CpuTime.Of(thread);
            return true;
        }
        Process* process = id == 0 ? Process.Current : ThreadTable.FindProcess(id);
        if (process == null)
            return false;
        nanoseconds = kind == CpuClockVirtual ? CpuTime.InProgram(process) : CpuTime.Of(process);
        return true;
    }
}
