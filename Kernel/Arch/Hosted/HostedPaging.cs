// Arch/Hosted: page tables are memory like any other, so only what would reach the processor is replaced.
using System.Runtime.InteropServices;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Arch;

/// <summary>Where the kernel's half of every address space has what.</summary>
public static unsafe class KernelLayout
{
    /// <summary>
    /// Kernel stacks. The tables describe it as on the machine; so that tests can write to a stack, plain memory lies at the same addresses.
    /// </summary>
    public static readonly ulong StackWindow = (ulong)NativeMemory.AlignedAlloc(HostedStackSpace, 1 << 21);

    private const nuint HostedStackSpace = 512 << 20;
}

/// <summary>The page tables in use.</summary>
public static unsafe class Paging
{
    /// <summary>The kernel's own page table; its upper half is part of every address space.</summary>
    public static PhysicalAddress KernelRoot { get; internal set; }

    /// <summary>What the processor would translate with.</summary>
    public static PhysicalAddress ActiveRoot { get; private set; }

    /// <summary>Switches to another address space.</summary>
    public static void Activate(PhysicalAddress root) => ActiveRoot = root;

    /// <summary>There is no image.</summary>
    public static Abi.Result ProtectImage(ulong address, ulong length, Protection protection) => Abi.Errno.ENOMEM;

    /// <summary>Gives the place at which <see cref="Mmio"/> finds a fake device; nothing is mapped there. Null as on the machine.</summary>
    public static byte* MapDevice(ulong physical, ulong length)
    {
        ulong end = physical + length;
        return end <= physical || end > Boot.MemoryMap.Limit || physical < DirectMap.PhysicalSize ? null : (byte*)(DirectMap.Base + physical);
    }
}

/// <summary>What boot does with memory on the machine.</summary>
public static class HostedMemory
{
    private const ulong LateStart = 100 << 20;
    private const ulong LateEnd = LateStart + (1 << 20);

    private static bool s_isStarted;

    /// <summary>Hands the hosted machine's memory to the allocators. Later calls do nothing; state is shared by the process.</summary>
    public static void Start()
    {
        if (s_isStarted)
            return;
        s_isStarted = true;
        // As untidy as a firmware's map: out of order, overlapping, not on page bounds, partly out of reach at first, one part late.
        Add(LateEnd, DirectMap.PhysicalSize);
        Add(0, 100);
        Add(LateStart / 2, LateStart);
        Add(PageAllocator.PageSize - 1, (LateStart / 2) + 1);
        Add(LateStart / 4, LateStart - 1);
        Add(7, 7);
        PageAllocator.Start(DirectMap.PhysicalSize / 2);
        PageAllocator.UseAll();
        Add(LateStart, LateEnd);
        Paging.KernelRoot = PageAllocator.AllocateZeroed();
        KernelStack.Initialize();
    }

    private static void Add(ulong start, ulong end) => PageAllocator.AddRange(new PhysicalAddress(start), end - start);
}
