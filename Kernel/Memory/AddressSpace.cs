// The virtual memory of a process: its areas, its page table and their accounting. Semantics are Linux's: mmap(2) and its family.
// Memory is given on first touch. The kernel is not preempted and nothing here sleeps but a mapped file's GetPage.
using System.Runtime.CompilerServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Arch;

namespace Ukl.Kernel.Memory;

/// <summary>The virtual memory of a process, shared by its threads and reference counted.</summary>
public unsafe partial struct AddressSpace
{
    /// <summary>Nothing is mapped below (Linux's mmap_min_addr), so that a null pointer with an offset faults.</summary>
    public const ulong LowestAddress = 65536;

    /// <summary>Bytes kept free below a stack (Linux's stack_guard_gap).</summary>
    public const ulong StackGuardGap = 256 * PageAllocator.PageSize;

    /// <summary>How many areas an address space can have (Linux's max_map_count).</summary>
    public const int MaximumAreaCount = 65530;

    /// <summary>A limit that limits nothing (RLIM_INFINITY).</summary>
    public const ulong Unlimited = ulong.MaxValue;

    private const ulong PageSize = PageAllocator.PageSize;
    private const int PageShift = PageAllocator.PageShift;
    private const ulong DefaultStackLimit = 8 << 20;

    /// <summary>The page that every untouched anonymous page reads as.</summary>
    private static PhysicalAddress s_zeroPage;

    /// <summary>The address space whose tables the processor uses; one per CPU once there are several.</summary>
    private static AddressSpace* s_active;

    /// <summary>All address spaces, linked by <see cref="_nextSpace"/>.</summary>
    private static AddressSpace* s_first;

    private int _references;
    private AddressSpace* _nextSpace;
    private PageTable _table;
    private AreaTree _areas;
    private VirtualMemoryArea* _lastHit;
    private AreaFlags _futureFlags;
    private nuint _peakResidentPages;

    /// <summary>Whether the program runs in ring 3, so that its pages must be reachable from there.</summary>
    public bool IsUserMode { readonly get; private set; }

    /// <summary>Mappings without a fixed address go below this, highest first. Set by the program loader.</summary>
    public ulong MmapBase;

    /// <summary>Where the heap of brk(2) begins. Set by the program loader.</summary>
    public ulong BreakStart;

    /// <summary>Where it ends. Set by the program loader to <see cref="BreakStart"/>, then by <see cref="SetBreak"/>.</summary>
    public ulong Break;

    /// <summary>The first thread's stack pointer at the program's start; names the area [stack].</summary>
    public ulong StackStart;

    /// <summary>Largest size of a stack that grows, in bytes (RLIMIT_STACK).</summary>
    public ulong StackLimit;

    /// <summary>Largest sum of all areas, in bytes (RLIMIT_AS).</summary>
    public ulong AddressLimit;

    /// <summary>Largest heap of brk(2), in bytes (RLIMIT_DATA).</summary>
    public ulong DataLimit;

    /// <summary>Physical address of the top-level page table.</summary>
    public readonly PhysicalAddress Root => _table.Root;

    /// <summary>Pages of all areas.</summary>
    public nuint TotalPages { readonly get; private set; }

    /// <summary>Pages in memory, not counting the shared page of zeros.</summary>
    public nuint ResidentPages { readonly get; private set; }

    /// <summary>The most that <see cref="ResidentPages"/> ever was.</summary>
    public readonly nuint PeakResidentPages => ResidentPages > _peakResidentPages ? ResidentPages : _peakResidentPages;

    /// <summary>Pages of locked areas (mlock(2)).</summary>
    public nuint LockedPages { readonly get; private set; }

    /// <summary>The lowest area, or null; the others follow by <see cref="VirtualMemoryArea.Next"/>.</summary>
    public readonly VirtualMemoryArea* FirstArea => _areas.First;

    /// <summary>How many areas there are.</summary>
    public readonly int AreaCount => _areas.Count;

    /// <summary>Makes an empty address space with one reference. Null when out of memory.</summary>
    public static AddressSpace* Create(bool isUserMode)
    {
        if (!TryPrepare())
            return null;
        AddressSpace* space = Pool<AddressSpace>.Allocate();
        if (space == null)
            return null;
        space->_table = PageTable.Create(Paging.KernelRoot);
        if (space->_table.Root.IsNone)
        {
            Pool<AddressSpace>.Free(space);
            return null;
        }
        space->_references = 1;
        space->_nextSpace = s_first;
        s_first = space;
        space->IsUserMode = isUserMode;
        space->MmapBase = UserMemory.Top;
        space->StackLimit = DefaultStackLimit;
        space->AddressLimit = Unlimited;
        space->DataLimit = Unlimited;
        return space;
    }

    /// <summary>Makes what all address spaces share, unless it is there already. False when out of memory.</summary>
    public static bool TryPrepare()
    {
        if (s_zeroPage.IsNone)
            s_zeroPage = PageAllocator.AllocateZeroed();
        return !s_zeroPage.IsNone;
    }

    /// <summary>One more holder.</summary>
    public void AddReference() => _references++;

    /// <summary>One holder less; the last one frees everything. Whoever runs on it goes on with the kernel's own table.</summary>
    public static void Release(AddressSpace* space)
    {
        if (--space->_references > 0)
            return;
        if (s_active == space)
        {
            s_active = null;
            Paging.Activate(Paging.KernelRoot);
        }
        space->RemoveRange(0, UserMemory.Top);
        Unlink(space);
        space->_table.Destroy();
        Pool<AddressSpace>.Free(space);
    }

    /// <summary>
    /// Makes the processor use this address space. The only way to do so: what is active decides which translations are flushed.
    /// </summary>
    public void Activate()
    {
        AddressSpace* self = Self;
        if (s_active == self)
            return;
        s_active = self;
        Paging.Activate(_table.Root);
    }

    /// <summary>The area that contains the address, or null.</summary>
    public readonly VirtualMemoryArea* FindArea(ulong address)
    {
        VirtualMemoryArea* area = _areas.FindAtOrAbove(address);
        return area != null && area->Start <= address ? area : null;
    }

    /// <summary>Like <see cref="FindArea"/>, for who asks about the same addresses again and again: looks at the area that was hit last before it searches.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal VirtualMemoryArea* FindAreaAgain(ulong address)
    {
        VirtualMemoryArea* area = _lastHit;
        return area != null && address - area->Start < area->End - area->Start ? area : FindAndNote(address);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private VirtualMemoryArea* FindAndNote(ulong address)
    {
        VirtualMemoryArea* area = FindArea(address);
        if (area != null)
            _lastHit = area;
        return area;
    }

    /// <summary>The area that contains the address, or else the next one upwards; null when there is none.</summary>
    public readonly VirtualMemoryArea* FindAreaAtOrAbove(ulong address) => _areas.FindAtOrAbove(address);

    /// <summary>Whether /proc/self/maps calls the area [heap].</summary>
    public readonly bool IsHeap(VirtualMemoryArea* area) => BreakStart != Break && area->Start < Break && area->End > BreakStart && !area->File.IsPresent;

    /// <summary>Whether /proc/self/maps calls the area [stack].</summary>
    public readonly bool IsStack(VirtualMemoryArea* area) => area->Start <= StackStart && StackStart < area->End && StackStart != 0;

    /// <summary>Where the physical page behind an address is, without faulting it in. False when nothing is accessible there.</summary>
    public readonly bool TryTranslate(ulong address, out PhysicalAddress physical) => _table.TryTranslate(address, out physical);

    private AddressSpace* Self => (AddressSpace*)Unsafe.AsPointer(ref this);

    private bool IsActive => s_active == Self;

    /// <summary>Rounds up to whole pages; 0 when that overflows.</summary>
    private static ulong RoundUp(ulong length) => (length + (PageSize - 1)) & ~(PageSize - 1);

    private static bool IsAligned(ulong address) => (address & (PageSize - 1)) == 0;

    /// <summary>The bits that entries of an area with this protection have, apart from <see cref="PageEntry.Writable"/>.</summary>
    private readonly ulong EntryFlagsFor(Protection protection)
    {
        ulong flags = PageEntry.Accessed | PageEntry.Dirty;
        if (protection != Protection.None)
            flags |= PageEntry.Present;
        if ((protection & Protection.Execute) == 0)
            flags |= PageEntry.NoExecute;
        if (IsUserMode)
            flags |= PageEntry.User;
        return flags;
    }

    /// <summary>
    /// Linux's heuristic overcommit (mode 0): refuses only what is more than all memory at once.
    /// </summary>
    private static bool IsTooMuch(ulong pages) => pages > PageAllocator.TotalPages;

    /// <summary>Counts pages that areas gained or lost.</summary>
    private void Account(AreaFlags flags, long pages)
    {
        TotalPages += (nuint)pages;
        if ((flags & AreaFlags.Locked) != 0)
            LockedPages += (nuint)pages;
    }

    /// <summary>
    /// Puts pages of the given kind at [<paramref name="start"/>, <paramref name="end"/>), where nothing is, into a neighbouring area or into <paramref name="fresh"/>
    /// or, if that is null, a new one; a fresh one not needed is freed. <paramref name="next"/> is the first area above. Returns false when out of memory.
    /// </summary>
    private bool Insert(
        ulong start, ulong end, Protection protection, AreaFlags flags, MappedFile* file, ulong filePage, VirtualMemoryArea* next, VirtualMemoryArea* fresh)
    {
        VirtualMemoryArea* previous = next == null ? _areas.Last : next->Previous;
        void* mapped = file == null ? null : file->Object;
        ulong pages = (end - start) >> PageShift;
        bool joinsPrevious = previous != null && previous->End == start && previous->CanContinueWith(mapped, filePage, protection, flags);
        bool joinsNext = next != null && next->Start == end && next->CanFollow(mapped, filePage, pages, protection, flags);
        if (joinsPrevious)
        {
            previous->End = end;
            if (joinsNext)
            {
                previous->End = next->End;
                Discard(next);
            }
            AreaTree.BoundsChanged(previous);
        }
        else if (joinsNext)
        {
            next->MoveStart(start);
            AreaTree.BoundsChanged(next);
        }
        else
        {
            VirtualMemoryArea* area = fresh != null ? fresh : Pool<VirtualMemoryArea>.Allocate();
            if (area == null)
                return false;
            fresh = null;
            area->Start = start;
            area->End = end;
            area->Protection = protection;
            area->Flags = flags;
            area->EntryFlags = EntryFlagsFor(protection);
            if (mapped != null)
            {
                area->File = *file;
                area->FilePage = filePage;
                file->AddReference(mapped);
            }
            _areas.Insert(area, next);
        }
        if (fresh != null)
            Pool<VirtualMemoryArea>.Free(fresh);
        Account(flags, (long)pages);
        return true;
    }

    /// <summary>Takes an area out and frees it; its pages are somebody else's affair, and so is the accounting.</summary>
    private void Discard(VirtualMemoryArea* area)
    {
        _areas.Remove(area);
        if (_lastHit == area)
            _lastHit = null;
        if (area->File.IsPresent)
            area->File.Release(area->File.Object);
        Pool<VirtualMemoryArea>.Free(area);
    }

    /// <summary>Makes two areas of one. Returns the upper one, or null when out of memory or areas.</summary>
    private VirtualMemoryArea* Split(VirtualMemoryArea* area, ulong at)
    {
        if (_areas.Count >= MaximumAreaCount)
            return null;
        VirtualMemoryArea* upper = Pool<VirtualMemoryArea>.Allocate();
        if (upper == null)
            return null;
        *upper = *area;
        upper->MoveStart(at);
        area->End = at;
        if (upper->File.IsPresent)
            upper->File.AddReference(upper->File.Object);
        _areas.Insert(upper, area->Next);
        return upper;
    }

    /// <summary>Makes one area of two if they are alike and touch: undoes <see cref="Split"/>.</summary>
    private void JoinWithNext(VirtualMemoryArea* area)
    {
        VirtualMemoryArea* next = area->Next;
        if (next == null || next->Start != area->End || !area->CanContinueWith(next->File.Object, next->FilePage, next->Protection, next->Flags))
            return;
        area->End = next->End;
        Discard(next);
        AreaTree.BoundsChanged(area);
    }

    /// <summary>
    /// Removes whatever is mapped in the range. Fails with ENOMEM, and then has changed nothing, when that would cut an area in two and there is no memory for
    /// the second one.
    /// </summary>
    private Errno RemoveRange(ulong start, ulong end)
    {
        VirtualMemoryArea* area = _areas.FindAtOrAbove(start);
        if (area == null || area->Start >= end)
            return Errno.None;
        if (area->Start < start)
        {
            if (area->End > end && Split(area, end) == null)
                return Errno.ENOMEM;
            Account(area->Flags, -(long)((area->End - start) >> PageShift));
            area->End = start;
            AreaTree.BoundsChanged(area);
            area = area->Next;
        }
        while (area != null && area->End <= end)
        {
            VirtualMemoryArea* next = area->Next;
            Account(area->Flags, -(long)area->PageCount);
            Discard(area);
            area = next;
        }
        if (area != null && area->Start < end)
        {
            Account(area->Flags, -(long)((end - area->Start) >> PageShift));
            area->MoveStart(end);
            AreaTree.BoundsChanged(area);
        }

        DropPages(start, end);
        VirtualMemoryArea* below = area == null ? _areas.Last : area->Previous;
        _table.FreeTables(start, end, below == null ? 0 : below->End, area == null ? PageTable.LowerHalfEnd : area->Start);
        return Errno.None;
    }

    /// <summary>Forgets the pages of a range; the next touch starts anew.</summary>
    private void DropPages(ulong start, ulong end)
    {
        NotePeak();
        var flush = new TlbFlush(IsActive);
        PageTableCursor cursor = _table.Walk(start, end);
        while (cursor.MoveNext())
        {
            ulong entry = *cursor.Entry;
            *cursor.Entry = 0;
            flush.Add(cursor.Address, entry);
            if ((entry & PageEntry.Owned) != 0)
            {
                PageFrame.Release(PageEntry.PageOf(entry));
                ResidentPages--;
            }
        }
        flush.Finish();
    }

    private void NotePeak() => _peakResidentPages = PeakResidentPages;
}
