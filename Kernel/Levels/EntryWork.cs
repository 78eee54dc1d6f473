using System.Runtime;
using System.Runtime.CompilerServices;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Levels;

/// <summary>
/// What happens around every entry into the kernel at levels 0 and 1: accounting of processor time on the way in and out, and on the way out whatever the
/// thread's work flags ask for. Handlers know nothing of it, so later levels can leave it out. For system calls entry.S does the same (HANDLE_CALL).
/// </summary>
internal static unsafe class EntryWork
{
    /// <summary>On the way in: what ran until now was the program.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Enter(Thread* thread)
    {
        ulong now = Cpu.ReadTimestamp();
        thread->UserTicks += now;
        thread->SystemBalance -= now;
    }

    /// <summary>On the way out: what ran since the entry, or since the thread was switched to, was the kernel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Exit(Thread* thread, TrapFrame* frame)
    {
        if ((thread->Work & ThreadWork.OnExit) != 0)
            ExitSlow(thread, frame);
        ulong now = Cpu.ReadTimestamp();
        thread->SystemBalance += now;
        thread->UserTicks -= now;
    }

    /// <summary>What the work flags ask for, until they ask for nothing more. entry.S calls it for system calls.</summary>
    [MethodImpl(MethodImplOptions.NoInlining), RuntimeExport("ukl_exit_work")]
    private static void ExitSlow(Thread* thread, TrapFrame* frame)
    {
        while ((thread->Work & ThreadWork.OnExit) != 0)
        {
            if ((thread->Work & ThreadWork.Reschedule) != 0)
            {
                thread->Work &= ~ThreadWork.Reschedule;
                Scheduler.Yield();
            }
            if ((thread->Work & ThreadWork.Signal) != 0)
                SignalDelivery.Run(thread, frame);
        }
    }
}
