// Kernel stacks in a window of the kernel's half. A slot of the window has an unmapped half below and the stack above it, so running off a stack's end is a
// page fault at an address that says so.
using System.Numerics;
using System.Runtime.CompilerServices;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Diagnostics;

namespace Ukl.Kernel.Memory;

/// <summary>Allocates the kernel stacks of threads. Never blocks.</summary>
public static unsafe class KernelStack
{
    /// <summary>Bytes of a stack.</summary>
    public const int Size = 16 << 10;

    /// <summary>How many stacks there can be at once.</summary>
    public const int MaximumCount = 16384;

    /// <summary>Bytes from one stack's top to the next one's: as much guard as stack.</summary>
    private const ulong SlotSize = Size * 2;

    private const int PagesPerStack = Size / PageAllocator.PageSize;
    private const int BitsPerWord = 64;
    private const int WordCount = MaximumCount / BitsPerWord;

    /// <summary>Freed stacks kept mapped, so that a thread that ends makes the next one cheap.</summary>
    private const int CacheSize = 8;

    private const ulong EntryFlags = PageEntry.Present | PageEntry.Writable | PageEntry.NoExecute | PageEntry.Global | PageEntry.Accessed | PageEntry.Dirty;

    [InlineArray(WordCount)]
    private struct SlotBits
    {
        private ulong _word;
    }

    [InlineArray(CacheSize)]
    private struct CachedTops
    {
        private ulong _top;
    }

    private static SlotBits s_used;
    private static int s_firstWordWithRoom;
    private static CachedTops s_cached;
    private static int s_cachedCount;

    /// <summary>
    /// Gives the kernel's root its entry for the window, before any address space copies it. Returns false when out of memory.
    /// </summary>
    public static bool Initialize() => new PageTable(Paging.KernelRoot).FindOrCreate(KernelLayout.StackWindow) != null;

    /// <summary>Takes a stack of <see cref="Size"/> bytes, contents undefined. Returns the address just above it, or 0 when out of memory.</summary>
    public static ulong Allocate()
    {
        if (s_cachedCount > 0)
            return s_cached[--s_cachedCount];
        int slot = FindFreeSlot();
        if (slot < 0)
            return 0;
        ulong top = KernelLayout.StackWindow + ((ulong)(slot + 1) * SlotSize);
        if (!Map(top))
            return 0;
        s_used[slot / BitsPerWord] |= 1ul << (slot % BitsPerWord);
        return top;
    }

    /// <summary>Gives a stack back. Not the one the caller runs on: a cached stack may be taken at once.</summary>
    public static void Free(ulong top)
    {
        ulong slot = ((top - KernelLayout.StackWindow) / SlotSize) - 1;
        if (top % SlotSize != KernelLayout.StackWindow % SlotSize || slot >= MaximumCount || (s_used[(int)(slot / BitsPerWord)] >> (int)(slot % BitsPerWord) & 1) == 0)
            Panic.Halt("what is no kernel stack was freed"u8);
        for (int i = 0; i < s_cachedCount; i++)
        {
            if (s_cached[i] == top)
                Panic.Halt("a kernel stack was freed twice"u8);
        }
        if (s_cachedCount < CacheSize)
        {
            s_cached[s_cachedCount++] = top;
            return;
        }
        Discard(top, (int)slot);
    }

    /// <summary>How many page tables the stacks have, one for 64 neighbours.</summary>
    internal static nuint CountTables()
    {
        var table = new PageTable(Paging.KernelRoot);
        nuint count = 0;
        for (int word = 0; word < WordCount; word++)
        {
            if (table.FindLeaf(KernelLayout.StackWindow + ((ulong)word * PageTable.LeafSpan), out _) != null)
                count++;
        }
        return count;
    }

    /// <summary>Gives the memory of stacks kept for the next threads back, and the tables that serve no stack.</summary>
    internal static void Trim()
    {
        for (int i = 0; i < s_cachedCount; i++)
            Discard(s_cached[i], (int)((s_cached[i] - KernelLayout.StackWindow) / SlotSize) - 1);
        s_cachedCount = 0;
        // A word of slots is a leaf table. The first one stays, as Initialize made it.
        var table = new PageTable(Paging.KernelRoot);
        for (int word = 1; word < WordCount; word++)
        {
            ulong start = KernelLayout.StackWindow + ((ulong)word * PageTable.LeafSpan);
            if (s_used[word] != 0 || table.FindLeaf(start, out ulong end) == null)
                continue;
            Tlb.FlushPage(start);
            table.FreeTables(start, end, start, end);
        }
    }

    /// <summary>Whether the address lies in the window of kernel stacks.</summary>
    public static bool IsInWindow(ulong address) => address - KernelLayout.StackWindow < MaximumCount * SlotSize;

    /// <summary>Whether the address lies in the unmapped part below a kernel stack: a fault there is a kernel stack overflow.</summary>
    public static bool IsGuardPage(ulong address)
    {
        ulong offset = address - KernelLayout.StackWindow;
        return offset < MaximumCount * SlotSize && offset % SlotSize < SlotSize - Size;
    }

    private static int FindFreeSlot()
    {
        for (int word = s_firstWordWithRoom; word < WordCount; word++)
        {
            ulong used = s_used[word];
            if (used != ulong.MaxValue)
            {
                s_firstWordWithRoom = word;
                return (word * BitsPerWord) + BitOperations.TrailingZeroCount(~used);
            }
        }
        return -1;
    }

    private static void Discard(ulong top, int slot)
    {
        Unmap(top, PagesPerStack);
        int word = slot / BitsPerWord;
        s_used[word] &= ~(1ul << (slot % BitsPerWord));
        if (word < s_firstWordWithRoom)
            s_firstWordWithRoom = word;
    }

    private static bool Map(ulong top)
    {
        var table = new PageTable(Paging.KernelRoot);
        for (int i = 1; i <= PagesPerStack; i++)
        {
            ulong* entry = table.FindOrCreate(top - ((ulong)i * PageAllocator.PageSize));
            PhysicalAddress page = entry == null ? PhysicalAddress.None : PageAllocator.Allocate();
            if (page.IsNone)
            {
                Unmap(top, i - 1);
                return false;
            }
            *entry = page.Value | EntryFlags;
        }
        return true;
    }

    private static void Unmap(ulong top, int pages)
    {
        var table = new PageTable(Paging.KernelRoot);
        for (int i = 1; i <= pages; i++)
        {
            ulong address = top - ((ulong)i * PageAllocator.PageSize);
            ulong* entry = table.Find(address);
            PhysicalAddress page = PageEntry.PageOf(*entry);
            *entry = 0;
            Tlb.FlushPage(address);
            PageAllocator.Free(page);
        }
    }
}
