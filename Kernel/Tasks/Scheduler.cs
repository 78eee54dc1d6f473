using Ukl.Kernel.Abi;
using Ukl.Kernel.Arch;

namespace Ukl.Kernel.Tasks;

/// <summary>Decides which thread runs.</summary>
public static unsafe class Scheduler
{
    /// <summary>A deadline that never comes.</summary>
    public const ulong Forever = ulong.MaxValue;

    private static Thread* s_current;

    /// <summary>The running thread.</summary>
    public static Thread* Current => s_current;

    /// <summary>Host tests choose who is the current thread.</summary>
    public static void SetCurrent(Thread* thread) => s_current = thread;

    /// <summary>
    /// Sleeps until <see cref="Wake"/>, until <paramref name="deadline"/> (monotonic nanoseconds) or until a signal. Returns None, ETIMEDOUT or ERESTARTSYS.
    /// </summary>
    public static Errno Block(ulong deadline = Forever)
    {
        while (!s_current->IsWakePending)
        {
            if (Time.Clock.MonotonicNanoseconds >= deadline)
                return Errno.ETIMEDOUT;
            Cpu.WaitForInterrupt();
        }
        s_current->IsWakePending = false;
        return Errno.None;
    }

    /// <summary>Makes a thread runnable, or its next <see cref="Block"/> return at once. May be called by interrupt handlers.</summary>
    public static void Wake(Thread* thread) => thread->IsWakePending = true;
}
