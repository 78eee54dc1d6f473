// The parts of the Arch contract that Tasks needs, for host tests: one thread, chosen by the test, and no switching.
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Arch;

/// <summary>What a thread keeps of the processor: nothing but where its registers would be.</summary>
public unsafe struct ThreadContext
{
    /// <summary>Top of its kernel stack.</summary>
    public ulong StackTop;

    /// <summary>Base of fs.</summary>
    public ulong FsBase;

    /// <summary>Base of gs.</summary>
    public ulong GsBase;

    /// <summary>The registers with which the thread entered the kernel.</summary>
    public TrapFrame* Frame;
}

/// <summary>The state of the one processor.</summary>
public struct CpuBlock
{
    /// <summary>Its scheduler's state.</summary>
    public RunQueue RunQueue;
}

/// <summary>Threads cannot be switched in a host test: one that would run another thread fails.</summary>
public static unsafe class Context
{
    /// <summary>Prepares a new thread.</summary>
    public static void Prepare(Thread* thread, ulong stackEnd) => thread->Context.StackTop = stackEnd;

    /// <summary>There are no segments.</summary>
    public static void SetSegments(TrapFrame* frame, bool isUserMode)
    {
    }

    /// <summary>Fails.</summary>
    public static void Start(Thread* thread) => throw new KernelPanicException("a host test cannot run programs");

    /// <summary>There are no vector registers to copy.</summary>
    public static void CopyVectors(Thread* current, Thread* to)
    {
    }

    /// <summary>Sets fs of the current thread.</summary>
    public static void SetFsBase(Thread* thread, ulong address) => thread->Context.FsBase = address;

    /// <summary>fs of the current thread.</summary>
    public static ulong GetFsBase(Thread* thread) => thread->Context.FsBase;

    /// <summary>Sets gs of the current thread.</summary>
    public static void SetGsBase(Thread* thread, ulong address) => thread->Context.GsBase = address;

    /// <summary>gs of the current thread.</summary>
    public static ulong GetGsBase(Thread* thread) => thread->Context.GsBase;

    /// <summary>Fails.</summary>
    public static void Switch(Thread* from, Thread* to) => throw new KernelPanicException("a host test cannot switch threads");
}

/// <summary>No handler runs in a host test.</summary>
public static unsafe class SignalFrame
{
    /// <summary>Fails.</summary>
    internal static bool Pop(Thread* thread, TrapFrame* frame) => throw new KernelPanicException("a host test runs no signal handlers");
}

/// <summary>Vector registers are the .NET runtime's own.</summary>
public static class VectorState
{
    /// <summary>Nothing is kept.</summary>
    public static int Size => 0;
}

/// <summary>The table of system-call handlers, which nothing calls in a host test.</summary>
internal static unsafe class SyscallEntries
{
    /// <summary>512 function pointers.</summary>
    internal static readonly void* Table = System.Runtime.InteropServices.NativeMemory.AllocZeroed(512, (nuint)sizeof(void*));
}
