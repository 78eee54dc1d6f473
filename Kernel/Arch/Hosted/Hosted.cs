// Arch/Hosted: the contract of Arch/X64 on an ordinary .NET process, for host tests. "Physical memory" is one block of native memory, the direct
// map is that block's base, the only CPU is the test's thread, and what the machine would do while the CPU sleeps is a hook that the test sets.
using System;
using System.Runtime.InteropServices;
using System.Text;

namespace Ukl.Kernel.Arch;

/// <summary>A kernel panic, as a test sees it.</summary>
public sealed class KernelPanicException(string reason) : Exception(reason);

/// <summary>What a host test controls of its machine. State is per thread, so tests run side by side.</summary>
public static unsafe class HostedMachine
{
    [ThreadStatic] private static StringBuilder s_console;

    /// <summary>Called instead of sleeping until an interrupt. Null: sleeping for ever is a failure.</summary>
    [field: ThreadStatic] public static Action OnIdle { get; set; }

    /// <summary>Everything the kernel wrote to the console on this thread.</summary>
    public static string Console => s_console?.ToString() ?? "";

    internal static void Append(ReadOnlySpan<byte> text) => (s_console ??= new StringBuilder()).Append(Encoding.UTF8.GetString(text));
}

/// <summary>The direct map of physical memory.</summary>
public static unsafe class DirectMap
{
    /// <summary>Where physical address 0 is seen.</summary>
    public static readonly ulong Base = (ulong)NativeMemory.AlignedAlloc(PhysicalSize, 1 << 21);

    /// <summary>Size of the hosted machine's memory, in bytes.</summary>
    public const nuint PhysicalSize = 256 << 20;
}

/// <summary>The machine as a whole.</summary>
public static class Machine
{
    internal static void Stop() => throw new KernelPanicException("the machine stopped");

    internal static void WriteConsole(ReadOnlySpan<byte> text) => HostedMachine.Append(text);

    [System.Diagnostics.CodeAnalysis.DoesNotReturn]
    internal static void Panic(ReadOnlySpan<byte> reason) => throw new KernelPanicException(Encoding.UTF8.GetString(reason));
}

/// <summary>The processor this code runs on.</summary>
public static unsafe partial class Cpu
{
    [ThreadStatic] private static CpuBlock* s_block;

    /// <summary>How many processors run.</summary>
    public static int Count => 1;

    /// <summary>This processor's number.</summary>
    public static int Number => 0;

    /// <summary>Nothing asks for it in a host test.</summary>
    public static bool HasProcessorId => false;

    /// <summary>The test's processor.</summary>
    public static CpuBlock* Current =>
        s_block == null ? s_block = (CpuBlock*)NativeMemory.AllocZeroed((nuint)sizeof(CpuBlock)) : s_block;

    /// <summary>The current thread, chosen by the test.</summary>
    [field: ThreadStatic] public static Tasks.Thread* CurrentThread { get; set; }

    /// <summary>A hint in a spinning loop.</summary>
    public static void Relax() => System.Threading.Thread.SpinWait(1);

    /// <summary>Sleeps until an interrupt came and was handled.</summary>
    public static void WaitForInterrupt()
    {
        Action idle = HostedMachine.OnIdle ?? throw new KernelPanicException("asleep for ever: no test hook to wake the CPU");
        idle();
    }

    /// <summary>The time stamp counter.</summary>
    public static ulong ReadTimestamp() => (ulong)System.Diagnostics.Stopwatch.GetTimestamp();
}

/// <summary>Translations cached by the processor.</summary>
public static class Tlb
{
    /// <summary>Forgets one page of the current address space.</summary>
    public static void FlushPage(ulong address) => _ = address;

    /// <summary>Forgets the whole current address space.</summary>
    public static void FlushAll()
    {
    }
}

/// <summary>Copies that recover from a fault. Hosted "user memory" is the test's own; address 0 to 65535 always faults.</summary>
public static unsafe class UserAccess
{
    private const ulong LowestValid = 65536;

    /// <summary>Whether the range lies in the image of a program linked with the kernel.</summary>
    public static bool IsLinkedProgramRange(ulong start, ulong end) => false;

    /// <summary>Returns the number of bytes not copied.</summary>
    public static nuint CopyIn(void* destination, ulong source, nuint count) => Copy(destination, (void*)source, count, source);

    /// <summary>Returns the number of bytes not copied.</summary>
    public static nuint CopyOut(ulong destination, void* source, nuint count) => Copy((void*)destination, source, count, destination);

    /// <summary>Atomically replaces a word if it is <paramref name="expected"/>. False when the memory cannot be written.</summary>
    public static bool TryCompareExchange(ulong address, uint expected, uint desired, out uint seen)
    {
        seen = 0;
        if (address < LowestValid)
            return false;
        seen = System.Threading.Interlocked.CompareExchange(ref *(uint*)address, desired, expected);
        return true;
    }

    /// <summary>Returns the number of bytes not cleared.</summary>
    public static nuint Clear(ulong destination, nuint count)
    {
        if (count == 0)
            return 0;
        if (destination < LowestValid)
            return count;
        NativeMemory.Clear((void*)destination, count);
        return 0;
    }

    private static nuint Copy(void* destination, void* source, nuint count, ulong userAddress)
    {
        if (count == 0)
            return 0;
        if (userAddress < LowestValid)
            return count;
        NativeMemory.Copy(source, destination, count);
        return 0;
    }
}

/// <summary>Whole pages, fast.</summary>
public static unsafe class PageOperations
{
    /// <summary>Zeroes <paramref name="count"/> pages of 4096 bytes.</summary>
    public static void Clear(void* page, nuint count) => NativeMemory.Clear(page, count * 4096);

    /// <summary>Copies one page of 4096 bytes.</summary>
    public static void Copy(void* destination, void* source) => NativeMemory.Copy(source, destination, 4096);
}
