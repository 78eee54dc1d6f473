using Ukl.Kernel.Arch;

namespace Ukl.Kernel.Time;

/// <summary>
/// Runs timers without a periodic tick. The hardware is set when a timer becomes the earliest, and again after each of its interrupts; cancelling leaves it
/// alone. Setting it costs more than anything else here, most timers are time limits that are cancelled long before they are due, and an interrupt that
/// finds nothing due is rare and harmless. Called with interrupts off, also by interrupt handlers; never sleeps.
/// </summary>
public static unsafe class Timers
{
    /// <summary>The deadline of a timer that is never due.</summary>
    public const ulong Never = ulong.MaxValue;

    private static TimerHeap s_heap;

    /// <summary>What the hardware is set to; meaningful with <see cref="s_isProgrammed"/>. Never later than <see cref="NextDeadline"/>.</summary>
    private static ulong s_programmed;
    private static bool s_isProgrammed;
    private static bool s_isRunning;
    private static ulong s_now;

    /// <summary>When the earliest timer is due, in monotonic nanoseconds; <see cref="Never"/> when none runs.</summary>
    public static ulong NextDeadline => s_heap.First == null ? Never : s_heap.First->Deadline;

    /// <summary>
    /// Starts a timer, or moves it when it runs already. With a deadline in the past it is due at once: at the interrupt that comes as soon as interrupts are on.
    /// </summary>
    public static void Start(Timer* timer, ulong deadline)
    {
        if (timer->IsActive)
            s_heap.Remove(timer);
        // One that a callback starts for a time that has passed waits for the next interrupt: no timer can hold the kernel by itself.
        timer->Deadline = s_isRunning && deadline <= s_now ? s_now + 1 : deadline;
        s_heap.Add(timer);
        Program();
    }

    /// <summary>Stops a timer. Returns whether it was running; otherwise it was never started, or its callback was called or is just being called.</summary>
    public static bool Cancel(Timer* timer)
    {
        if (!timer->IsActive)
            return false;
        s_heap.Remove(timer);
        return true;
    }

    /// <summary>
    /// Calls every timer that is due at <paramref name="now"/> (monotonic nanoseconds), in the order of their deadlines. Called by the timer interrupt, which may come
    /// early.
    /// </summary>
    public static void RunExpired(ulong now)
    {
        s_isRunning = true;
        s_now = now;
        for (Timer* timer = s_heap.First; timer != null && timer->Deadline <= now; timer = s_heap.First)
        {
            s_heap.Remove(timer);
            timer->Callback(timer);
        }
        s_isRunning = false;
        s_isProgrammed = false;
        Program();
    }

    private static void Program()
    {
        ulong next = NextDeadline;
        if (s_isRunning || next == Never || (s_isProgrammed && s_programmed <= next))
            return;
        s_programmed = next;
        s_isProgrammed = true;
        TimerHardware.SetDeadline(next);
    }
}
