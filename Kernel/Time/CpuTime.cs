using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Time;

/// <summary>Processor time of threads and processes, up to this moment, in nanoseconds.</summary>
public static unsafe class CpuTime
{
    /// <summary>What a thread used, in program and kernel.</summary>
    public static ulong Of(Thread* thread) => Clock.TicksToNanoseconds(thread->UserTicks + thread->SystemTicks);

    /// <summary>What all threads of a process used, in program and kernel.</summary>
    public static ulong Of(Process* process) => Clock.TicksToNanoseconds(process->UserTicks + process->SystemTicks);

    /// <summary>What all threads of a process used in the program alone.</summary>
    public static ulong InProgram(Process* process) => Clock.TicksToNanoseconds(process->UserTicks);

    /// <summary>What all threads of a process used in the kernel alone.</summary>
    public static ulong InKernel(Process* process) => Clock.TicksToNanoseconds(process->SystemTicks);
}
