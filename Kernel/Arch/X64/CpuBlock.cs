using System.Runtime.InteropServices;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Arch;

/// <summary>The state of one processor; gs points at it. entry.S and cpu.S know the first four fields' offsets.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct CpuBlock
{
    /// <summary>This block.</summary>
    public CpuBlock* Self;

    /// <summary>The running thread.</summary>
    public Thread* Current;

    /// <summary>Where the running thread's next entry puts its frame.</summary>
    public ulong KernelStackTop;

    /// <summary>Where SYSCALL keeps the caller's stack pointer for a moment.</summary>
    public ulong Scratch;

    /// <summary>The processor's number, from 0.</summary>
    public int Number;

    /// <summary>Its scheduler's state.</summary>
    public RunQueue RunQueue;
}
