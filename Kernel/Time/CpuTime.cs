using Ukl.Kernel.Arch;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Time;

/// <summary>Processor time of threads and processes, up to this moment, in nanoseconds.</summary>
public static unsafe class CpuTime
{
    /// <summary>What a thread used, in program and kernel.</summary>
    public static ulong Of(Thread* thread) => Clock.TicksToNanoseconds(thread->UserTicks + thread->SystemTicks + Unaccounted(thread == Scheduler.Current));

    /// <summary>What all threads of a process used, in program and kernel.</summary>
    public static ulong Of(Process* process) =>
        Clock.TicksToNanoseconds(process->UserTicks + process->SystemTicks + Unaccounted(IsRunning(process)));

    /// <summary>What all threads of a process used in the program alone.</summary>
    public static ulong InProgram(Process* process) => Clock.TicksToNanoseconds(process->UserTicks);

    /// <summary>What all threads of a process used in the kernel alone.</summary>
    public static ulong InKernel(Process* process) => Clock.TicksToNanoseconds(process->SystemTicks + Unaccounted(IsRunning(process)));

    private static bool IsRunning(Process* process) => Scheduler.Current != null && Scheduler.Current->Process == process;

    /// <summary>Ticks since the running thread's last change between program and kernel; whoever asks runs in the kernel.</summary>
    private static ulong Unaccounted(bool isCurrent) => isCurrent ? Cpu.ReadTimestamp() - Scheduler.Current->Stamp : 0;
}
