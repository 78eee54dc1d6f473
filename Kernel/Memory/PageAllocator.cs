// All physical memory of the machine: collected from the boot memory map, then handed out in pages.
// A short list of single free pages, last in first out so that they are warm, stands in front of the buddy allocator.
using System;
using System.Runtime.CompilerServices;
using System.Threading;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Diagnostics;

namespace Ukl.Kernel.Memory;

/// <summary>Allocates physical pages. Never blocks; may be called with interrupts off, which the kernel always runs with.</summary>
public static unsafe class PageAllocator
{
    /// <summary>Bytes of a page.</summary>
    public const int PageSize = 1 << PageShift;

    /// <summary>Largest order: blocks of 4 MiB.</summary>
    public const int MaximumOrder = BuddyAllocator.MaximumOrder;

    internal const int PageShift = 12;

    /// <summary>More ranges than any firmware reports; further ones are left unused.</summary>
    private const int MaximumRanges = 64;

    /// <summary>Physical addresses end here: page numbers are 32 bits wide, and the direct map holds no more.</summary>
    private const ulong HighestAddress = 1ul << 43;

    /// <summary>Order of the block that refills the fast list.</summary>
    private const int RefillOrder = 4;

    /// <summary>When the fast list grows past this, half of it goes back, so that it merges into blocks again.</summary>
    private const uint CacheLimit = 128;

    private struct Range
    {
        public uint First;
        public uint End;
    }

    [InlineArray(MaximumRanges)]
    private struct Ranges
    {
        private Range _range;
    }

    /// <summary>Single free pages; one of these per CPU once there are several.</summary>
    private struct PageCache
    {
        public uint First;
        public uint Count;
    }

    private static Ranges s_ranges;
    private static int s_rangeCount;
    private static bool s_isStarted;
    private static bool s_isCut;
    private static uint s_reachable;
    private static BuddyAllocator s_buddy;
    private static PageCache s_cache;

    /// <summary>The frame of page number n is Frames[n].</summary>
    internal static PageFrame* Frames { get; private set; }

    /// <summary>Pages that could be allocated now.</summary>
    public static nuint FreePages => s_buddy.FreePages + s_cache.Count;

    /// <summary>Pages under management, free or in use.</summary>
    public static nuint TotalPages { get; private set; }

    /// <summary>
    /// Before <see cref="Start"/>: notes a range of usable memory; the order does not matter and overlaps count once. After it: gives memory to the allocator
    /// that was never added before, such as a boot module no longer needed. Partial pages and page 0 are left out.
    /// </summary>
    public static void AddRange(PhysicalAddress start, ulong length)
    {
        ulong end = start.Value + length;
        if (end < start.Value || end > HighestAddress)
            end = HighestAddress;
        ulong firstPage = (start.Value >> PageShift) + ((start.Value & (PageSize - 1)) != 0 ? 1ul : 0);
        if (firstPage == 0)
            firstPage = 1;
        ulong endPage = end >> PageShift;
        if (firstPage >= endPage)
            return;
        if (s_isStarted)
            AddLate((uint)firstPage, (uint)endPage);
        else
            Note((uint)firstPage, (uint)endPage);
    }

    /// <summary>
    /// Places the frame array in the noted memory and opens for business with what lies below <paramref name="reachableEnd"/>, the end of what the direct map shows
    /// so far; <see cref="UseAll"/> adds the rest. When the array would not fit, the highest range goes unused. Returns false when no memory is left at all.
    /// </summary>
    public static bool Start(ulong reachableEnd = HighestAddress)
    {
        uint reachable = (uint)((reachableEnd < HighestAddress ? reachableEnd : HighestAddress) >> PageShift);
        DropAbsent(reachable);
        while (s_rangeCount > 0)
        {
            uint first = s_ranges[0].First;
            uint end = s_ranges[s_rangeCount - 1].End;
            uint framePages = (uint)(((ulong)(end - first) * PageFrame.Bytes + PageSize - 1) >> PageShift);
            uint framesPage = FindFramesPage(framePages, reachable);
            if (framesPage != 0)
            {
                Open(first, end, framesPage, framePages, reachable);
                return true;
            }
            s_rangeCount--;
        }
        return false;
    }

    /// <summary>First address above the memory under management, or to be once <see cref="UseAll"/> was called.</summary>
    public static ulong End => s_rangeCount == 0 ? 0 : EndOf(s_rangeCount);

    // Not inlined: RyuJIT (10.0.12) would fold the "- 1" into the address of the field and lose its relocation.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong EndOf(int count) => (ulong)s_ranges[count - 1].End << PageShift;

    /// <summary>Whether any part of a range of physical addresses is memory that was noted before <see cref="Start"/>.</summary>
    public static bool IsMemory(ulong start, ulong length)
    {
        for (int i = 0; i < s_rangeCount; i++)
        {
            if (start < (ulong)s_ranges[i].End << PageShift && start + length > (ulong)s_ranges[i].First << PageShift)
                return true;
        }
        return false;
    }

    /// <summary>Gives back what the kernel keeps free for speed: slabs without objects, stacks without threads.</summary>
    public static void Trim()
    {
        KernelStack.Trim();
        Slab.TrimAll();
    }

    /// <summary>Once the direct map is complete: adds the noted memory that <see cref="Start"/> could not reach.</summary>
    public static void UseAll()
    {
        for (int i = 0; i < s_rangeCount; i++)
        {
            if (s_ranges[i].End > s_reachable && !Answers(s_ranges[i].End - 1))
                Log.WriteLine(AbsentMessage);
            else
                Use(i, s_reachable, uint.MaxValue);
        }
        s_reachable = uint.MaxValue;
    }

    /// <summary>
    /// Takes a block of 2^<paramref name="order"/> pages, aligned to its size, contents undefined, with one reference. Returns
    /// <see cref="PhysicalAddress.None"/> when out of memory.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhysicalAddress Allocate(int order = 0)
    {
        uint page = s_cache.First;
        if (order != 0 || page == 0)
            return AllocateSlowly(order);
        PageFrame* frame = &Frames[page];
        s_cache.First = frame->Next;
        s_cache.Count--;
        frame->SetAllocated(0);
        return new PhysicalAddress((ulong)page << PageShift);
    }

    /// <summary>Takes one page full of zeros, or <see cref="PhysicalAddress.None"/> when out of memory.</summary>
    public static PhysicalAddress AllocateZeroed()
    {
        PhysicalAddress page = Allocate();
        if (!page.IsNone)
            PageOperations.Clear(page.Pointer, 1);
        return page;
    }

    /// <summary>
    /// Gives a block back that has one reference. Freeing what is free already, what was never allocated, or with another order than it was allocated with,
    /// stops the machine.
    /// </summary>
    public static void Free(PhysicalAddress page, int order = 0)
    {
        uint number = (uint)(page.Value >> PageShift);
        if (!s_buddy.Covers(number, number + 1) || (page.Value & (PageSize - 1)) != 0)
            Panic.Halt("an address that is no page was freed"u8);
        PageFrame* frame = &Frames[number];
        frame->RequireFreeable(order);
        if (order != 0)
        {
            s_buddy.Free(number, order);
            return;
        }
        Cache(number);
        if (s_cache.Count > CacheLimit)
            Drain(CacheLimit / 2);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static PhysicalAddress AllocateSlowly(int order)
    {
        uint page;
        if (order == 0)
        {
            uint block = s_buddy.Allocate(RefillOrder);
            if (block == 0)
                page = s_buddy.Allocate(0);
            else
            {
                // The lowest page is handed out; the others follow in ascending order.
                page = block;
                for (uint i = (1u << RefillOrder) - 1; i > 0; i--)
                    Cache(block + i);
                Frames[block].SetAllocated(0);
            }
        }
        else
        {
            page = s_buddy.Allocate(order);
            if (page == 0 && s_cache.Count != 0)
            {
                Drain(0);
                page = s_buddy.Allocate(order);
            }
        }
        return new PhysicalAddress((ulong)page << PageShift);
    }

    private static void Cache(uint page)
    {
        PageFrame* frame = &Frames[page];
        frame->SetFree(FrameState.Cached, 0);
        frame->Next = s_cache.First;
        s_cache.First = page;
        s_cache.Count++;
    }

    private static void Drain(uint keep)
    {
        while (s_cache.Count > keep)
        {
            uint page = s_cache.First;
            s_cache.First = Frames[page].Next;
            s_cache.Count--;
            s_buddy.Free(page, 0);
        }
    }

    private static ReadOnlySpan<byte> AbsentMessage => "ukl: the memory map names memory that is not there: a range stays unused"u8;

    /// <summary>Forgets the ranges whose ends, as far as they are reachable, are no memory whatever the memory map says.</summary>
    private static void DropAbsent(uint reachable)
    {
        int kept = 0;
        for (int i = 0; i < s_rangeCount; i++)
        {
            Range range = s_ranges[i];
            uint end = range.End < reachable ? range.End : reachable;
            if (range.First < end && !(Answers(range.First) && Answers(end - 1)))
                Log.WriteLine(AbsentMessage);
            else
                s_ranges[kept++] = range;
        }
        s_rangeCount = kept;
    }

    /// <summary>Whether a page nobody uses yet keeps what is written to it.</summary>
    private static bool Answers(uint page)
    {
        const ulong Pattern = 0x5aa5_c33c_0ff0_9669;
        ref ulong word = ref *(ulong*)new PhysicalAddress((ulong)page << PageShift).Pointer;
        ulong before = Volatile.Read(ref word);
        Volatile.Write(ref word, Pattern);
        bool answers = Volatile.Read(ref word) == Pattern;
        Volatile.Write(ref word, ~Pattern);
        answers &= Volatile.Read(ref word) == ~Pattern;
        Volatile.Write(ref word, before);
        return answers;
    }

    /// <summary>Keeps the ranges sorted and apart: what another range has already is cut off.</summary>
    private static void Note(uint first, uint end)
    {
        int at = 0;
        while (at < s_rangeCount && s_ranges[at].End < first)
            at++;
        // Everything that touches the new range melts into it.
        int past = at;
        while (past < s_rangeCount && s_ranges[past].First <= end)
        {
            if (s_ranges[past].First < first)
                first = s_ranges[past].First;
            if (s_ranges[past].End > end)
                end = s_ranges[past].End;
            past++;
        }
        int shift = 1 - (past - at);
        if (s_rangeCount + shift > MaximumRanges)
        {
            if (!s_isCut)
                Log.WriteLine("ukl: the memory map has too many pieces: some stay unused"u8);
            s_isCut = true;
            return;
        }
        if (shift > 0)
        {
            for (int i = s_rangeCount - 1; i >= past; i--)
                s_ranges[i + shift] = s_ranges[i];
        }
        else if (shift < 0)
        {
            for (int i = past; i < s_rangeCount; i++)
                s_ranges[i + shift] = s_ranges[i];
        }
        s_rangeCount += shift;
        s_ranges[at].First = first;
        s_ranges[at].End = end;
    }

    /// <summary>Room for the frame array: the end of the largest reachable range that is larger than it. 0 when there is none.</summary>
    private static uint FindFramesPage(uint framePages, uint reachable)
    {
        uint best = 0;
        uint largest = framePages;
        for (int i = 0; i < s_rangeCount; i++)
        {
            uint end = s_ranges[i].End < reachable ? s_ranges[i].End : reachable;
            if (s_ranges[i].First < end && end - s_ranges[i].First > largest)
            {
                largest = end - s_ranges[i].First;
                best = end - framePages;
            }
        }
        return best;
    }

    private static void Open(uint first, uint end, uint framesPage, uint framePages, uint reachable)
    {
        var array = new PhysicalAddress((ulong)framesPage << PageShift);
        PageOperations.Clear(array.Pointer, framePages);
        Frames = (PageFrame*)array.Pointer - first;
        s_buddy.Initialize(Frames, first, end);
        s_isStarted = true;
        s_reachable = reachable;
        for (int i = 0; i < s_rangeCount; i++)
        {
            Use(i, 0, framesPage);
            Use(i, framesPage + framePages, reachable);
        }
    }

    /// <summary>Gives the part of a noted range between two pages to the buddy allocator.</summary>
    private static void Use(int range, uint from, uint to)
    {
        uint first = s_ranges[range].First > from ? s_ranges[range].First : from;
        uint end = s_ranges[range].End < to ? s_ranges[range].End : to;
        if (first >= end)
            return;
        s_buddy.AddRange(first, end);
        TotalPages += end - first;
    }

    /// <summary>Pages between the noted ranges have frames; pages outside have none and stay unused.</summary>
    private static void AddLate(uint first, uint end)
    {
        if (!s_buddy.Covers(first, end))
            return;
        for (uint page = first; page < end; page++)
        {
            Frames[page].SetAllocated(0);
            s_buddy.Free(page, 0);
        }
        TotalPages += end - first;
    }
}
