// Four-level page tables of x86-64, as plain memory reached through the direct map. Nothing here touches the processor: who changes an entry that may be
// cached flushes it. Source of truth: Intel SDM volume 3, section 4.5.
namespace Ukl.Kernel.Memory;

/// <summary>A tree of page tables, named by its root (the PML4's physical address).</summary>
internal readonly unsafe struct PageTable(PhysicalAddress root)
{
    /// <summary>Entries of a table.</summary>
    internal const int EntryCount = 512;

    /// <summary>First address of the kernel's half.</summary>
    internal const ulong KernelHalf = 0xffff_8000_0000_0000;

    /// <summary>First address above the program's half.</summary>
    internal const ulong LowerHalfEnd = 0x0000_8000_0000_0000;

    /// <summary>Bytes that one leaf table covers.</summary>
    internal const ulong LeafSpan = 1ul << DirectoryShift;

    private const int PageShift = 12;
    private const int DirectoryShift = 21;
    private const int DirectoryPointerShift = 30;
    private const int RootShift = 39;
    private const int BitsPerLevel = 9;
    private const ulong IndexMask = EntryCount - 1;

    /// <summary>The root table.</summary>
    internal readonly PhysicalAddress Root = root;

    /// <summary>
    /// Makes an empty table that shares the kernel's half with <paramref name="kernelRoot"/> (<see cref="PhysicalAddress.None"/>: shares nothing). Its
    /// root is None when out of memory.
    /// </summary>
    internal static PageTable Create(PhysicalAddress kernelRoot)
    {
        PhysicalAddress root = PageAllocator.AllocateZeroed();
        if (!root.IsNone && !kernelRoot.IsNone)
        {
            var to = (ulong*)root.Pointer;
            var from = (ulong*)kernelRoot.Pointer;
            for (int i = EntryCount / 2; i < EntryCount; i++)
                to[i] = from[i];
        }
        return new PageTable(root);
    }

    /// <summary>The entry of a page of 4 KiB, or null when no table reaches it (or a huge page covers it).</summary>
    internal ulong* Find(ulong address)
    {
        var table = (ulong*)Root.Pointer;
        for (int shift = RootShift; shift > PageShift; shift -= BitsPerLevel)
        {
            ulong entry = table[(address >> shift) & IndexMask];
            if ((entry & (PageEntry.Present | PageEntry.Huge)) != PageEntry.Present)
                return null;
            table = TableOf(entry);
        }
        return table + ((address >> PageShift) & IndexMask);
    }

    /// <summary>The entry of a page, making the tables that lead to it. Null when out of memory; tables made so far stay, empty.</summary>
    internal ulong* FindOrCreate(ulong address)
    {
        ulong* slot = (ulong*)Root.Pointer + ((address >> RootShift) & IndexMask);
        if (*slot == 0 && !AddTable(slot, address))
            return null;
        slot = TableOf(*slot) + ((address >> DirectoryPointerShift) & IndexMask);
        if (*slot == 0 && !AddTable(slot, address))
            return null;
        slot = TableOf(*slot) + ((address >> DirectoryShift) & IndexMask);
        if (*slot == 0 && !AddTable(slot, address))
            return null;
        return TableOf(*slot) + ((address >> PageShift) & IndexMask);
    }

    /// <summary>Translates an address, also inside huge pages. Returns false when nothing is present there.</summary>
    internal bool TryTranslate(ulong address, out PhysicalAddress physical)
    {
        var table = (ulong*)Root.Pointer;
        physical = default;
        for (int shift = RootShift; ; shift -= BitsPerLevel)
        {
            ulong entry = table[(address >> shift) & IndexMask];
            if ((entry & PageEntry.Present) == 0)
                return false;
            if (shift == PageShift || (entry & PageEntry.Huge) != 0)
            {
                ulong within = (1ul << shift) - 1;
                physical = new PhysicalAddress((entry & PageEntry.AddressMask & ~within) | (address & within));
                return true;
            }
            table = TableOf(entry);
        }
    }

    /// <summary>The entries that are not 0 in a range, in ascending order.</summary>
    internal PageTableCursor Walk(ulong start, ulong end) => new(this, start, end);

    /// <summary>
    /// Frees the tables that serve [<paramref name="start"/>, <paramref name="end"/>) and cover nothing outside [<paramref name="floor"/>,
    /// <paramref name="ceiling"/>), where every entry is 0 already. Stale translations must have been flushed.
    /// </summary>
    internal void FreeTables(ulong start, ulong end, ulong floor, ulong ceiling)
    {
        ulong first = start & ~(LeafSpan - 1);
        if (first < floor)
            first += LeafSpan;
        ulong last = (end + LeafSpan - 1) & ~(LeafSpan - 1);
        if (last > ceiling)
            last -= LeafSpan;
        if (first < last)
            FreeTablesBelow((ulong*)Root.Pointer, RootShift, first, last, floor, ceiling);
    }

    /// <summary>Frees every table but the kernel's, and the root.</summary>
    internal void Destroy()
    {
        FreeTables(0, LowerHalfEnd, 0, LowerHalfEnd);
        PageAllocator.Free(Root);
    }

    /// <summary>First address of the next span of <paramref name="shift"/> bits.</summary>
    private static ulong NextSpan(ulong address, int shift) => (address | ((1ul << shift) - 1)) + 1;

    private static void FreeTablesBelow(ulong* table, int shift, ulong start, ulong end, ulong floor, ulong ceiling)
    {
        // Three levels deep at most: RootShift, DirectoryPointerShift, DirectoryShift.
        ulong next;
        for (ulong address = start; address < end; address = next)
        {
            next = NextSpan(address, shift);
            ulong* slot = table + ((address >> shift) & IndexMask);
            if (*slot == 0)
                continue;
            if (shift > DirectoryShift)
                FreeTablesBelow(TableOf(*slot), shift - BitsPerLevel, address, next < end ? next : end, floor, ceiling);
            if ((address & ~((1ul << shift) - 1)) < floor || next > ceiling)
                continue;
            PageAllocator.Free(PageEntry.PageOf(*slot));
            *slot = 0;
        }
    }

    private static bool AddTable(ulong* slot, ulong address)
    {
        PhysicalAddress table = PageAllocator.AllocateZeroed();
        if (table.IsNone)
            return false;
        // Permissions are the leaf's affair; only ring 3 needs a way through the upper levels.
        *slot = table.Value | PageEntry.Present | PageEntry.Writable | (address < KernelHalf ? PageEntry.User : 0);
        return true;
    }

    internal static ulong* TableOf(ulong entry) => (ulong*)PageEntry.PageOf(entry).Pointer;

    /// <summary>The leaf table that serves an address; otherwise null and the first address that another leaf table may serve.</summary>
    internal ulong* FindLeaf(ulong address, out ulong next)
    {
        var table = (ulong*)Root.Pointer;
        for (int shift = RootShift; shift > PageShift; shift -= BitsPerLevel)
        {
            ulong entry = table[(address >> shift) & IndexMask];
            if ((entry & (PageEntry.Present | PageEntry.Huge)) != PageEntry.Present)
            {
                next = NextSpan(address, shift);
                return null;
            }
            table = TableOf(entry);
        }
        next = NextSpan(address, DirectoryShift);
        return table;
    }
}

/// <summary>Goes through the entries of a range that are not 0, skipping whatever has no tables.</summary>
internal unsafe struct PageTableCursor(PageTable table, ulong start, ulong end)
{
    private readonly PageTable _table = table;
    private readonly ulong _end = end;
    private ulong _next = start;
    private ulong _leafEnd = start;
    private ulong* _slot;

    /// <summary>The entry found.</summary>
    internal ulong* Entry { get; private set; }

    /// <summary>The address it maps.</summary>
    internal ulong Address { get; private set; }

    /// <summary>Goes to the next entry that is not 0. Returns false at the end of the range.</summary>
    internal bool MoveNext()
    {
        while (_next < _end)
        {
            if (_next == _leafEnd)
            {
                ulong* leaf = _table.FindLeaf(_next, out ulong beyond);
                if (leaf == null)
                {
                    _next = beyond;
                    _leafEnd = beyond;
                    continue;
                }
                _slot = leaf + ((_next >> PageAllocator.PageShift) & (PageTable.EntryCount - 1));
                _leafEnd = beyond;
            }
            ulong stop = _leafEnd < _end ? _leafEnd : _end;
            ulong* slot = _slot;
            ulong address = _next;
            while (address < stop && *slot == 0)
            {
                address += PageAllocator.PageSize;
                slot++;
            }
            _slot = slot + 1;
            _next = address + PageAllocator.PageSize;
            if (address < stop)
            {
                Entry = slot;
                Address = address;
                return true;
            }
            _next = address;
        }
        return false;
    }
}
