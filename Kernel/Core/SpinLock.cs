using System.Threading;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Diagnostics;

namespace Ukl.Kernel.Core;

/// <summary>
/// Protects state shared between CPUs. The kernel runs with interrupts off, so a holder is never preempted and an interrupt handler never finds a
/// lock held by the code it interrupted; on one CPU a lock found held is a bug and says so.
/// </summary>
public struct SpinLock
{
    private int _held;

    /// <summary>Takes the lock, waiting for another CPU if need be.</summary>
    public void Acquire()
    {
        if (Interlocked.Exchange(ref _held, 1) != 0)
            AcquireContended();
    }

    /// <summary>Gives the lock back.</summary>
    public void Release() => Volatile.Write(ref _held, 0);

    private void AcquireContended()
    {
        if (Cpu.Count == 1)
            Panic.Halt("spin lock taken twice"u8);
        while (Interlocked.Exchange(ref _held, 1) != 0)
            Cpu.Relax();
    }
}
