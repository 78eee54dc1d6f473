namespace Ukl.Kernel.Arch;

public static class TimerHardware
{
    public static void SetDeadline(ulong ns)
    {
        ulong now = Time.Clock.MonotonicNanoseconds;
        ulong d = ns <= now ? 1 : ns - now; if (d > 0xffffffff) d = 0xffffffff;
        LocalApic.StartTimer((uint)d);
    }
}
