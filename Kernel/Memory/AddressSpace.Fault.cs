// Page faults: zeroed pages on first touch, private copies on first write, stacks that grow. The path of a first write to anonymous memory is hot.
using System.Runtime.CompilerServices;
using Ukl.Kernel.Arch;

namespace Ukl.Kernel.Memory;

public unsafe partial struct AddressSpace
{
    /// <summary>
    /// Resolves a page fault of the program, or of the kernel on its behalf, at an address below <see cref="UserMemory.Top"/>; any other address is not mapped.
    /// May block when a file's page must be fetched.
    /// </summary>
    public FaultOutcome HandleFault(ulong address, FaultAccess access)
    {
        VirtualMemoryArea* area = _lastHit;
        if (area == null || address - area->Start >= area->End - area->Start)
        {
            area = FindForFault(address);
            if (area == null)
                return FaultOutcome.NotMapped;
            _lastHit = area;
        }
        if (!Allows(area->Protection, access))
            return FaultOutcome.Forbidden;

        ulong* entry = _table.FindOrCreate(address);
        if (entry == null)
            return FaultOutcome.OutOfMemory;
        if (*entry != 0)
            return FaultOnEntry(area, entry, address, access);
        if (area->File.IsPresent)
            return FaultFile(area, entry, address, access);
        if (access != FaultAccess.Write)
        {
            *entry = s_zeroPage.Value | area->EntryFlags | PageEntry.Zero;
            return FaultOutcome.Resolved;
        }
        PhysicalAddress page = PageAllocator.AllocateZeroed();
        if (page.IsNone)
            return FaultOutcome.OutOfMemory;
        *entry = page.Value | area->EntryFlags | PageEntry.Writable | PageEntry.Owned;
        ResidentPages++;
        return FaultOutcome.Resolved;
    }

    /// <summary>
    /// Faults in every page of a range that has none, for writing where a private mapping allows it. Stops at the first failure. May block.
    /// </summary>
    private FaultOutcome Populate(ulong start, ulong end)
    {
        for (VirtualMemoryArea* area = _areas.FindAtOrAbove(start); area != null && area->Start < end; area = area->Next)
        {
            if (area->Protection == Protection.None)
                continue;
            bool forWrite = (area->Protection & Protection.Write) != 0 && !area->IsShared;
            FaultOutcome outcome = Touch(area, start, end, forWrite ? FaultAccess.Write : FaultAccess.Read);
            if (outcome != FaultOutcome.Resolved)
                return outcome;
        }
        return FaultOutcome.Resolved;
    }

    /// <summary>Faults in the part of an area that lies in the range.</summary>
    private FaultOutcome Touch(VirtualMemoryArea* area, ulong start, ulong end, FaultAccess access)
    {
        ulong from = area->Start > start ? area->Start : start;
        ulong to = area->End < end ? area->End : end;
        for (ulong address = from; address < to; address += PageSize)
        {
            ulong* entry = _table.Find(address);
            if (entry != null && (*entry & PageEntry.Present) != 0 && (access != FaultAccess.Write || (*entry & PageEntry.Writable) != 0))
                continue;
            FaultOutcome outcome = HandleFault(address, access);
            if (outcome != FaultOutcome.Resolved)
                return outcome;
        }
        return FaultOutcome.Resolved;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Allows(Protection protection, FaultAccess access) => access switch
    {
        FaultAccess.Write => (protection & Protection.Write) != 0,
        FaultAccess.Execute => (protection & Protection.Execute) != 0,
        // The processor knows no mapping that can be written or executed but not read.
        _ => protection != Protection.None,
    };

    /// <summary>The area of the address, after growing a stack down to it if that is what the access asks for.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private VirtualMemoryArea* FindForFault(ulong address)
    {
        VirtualMemoryArea* area = _areas.FindAtOrAbove(address);
        if (area == null || area->Start <= address)
            return area;
        if ((area->Flags & AreaFlags.GrowsDown) == 0)
            return null;

        ulong start = address & ~(PageSize - 1);
        VirtualMemoryArea* below = area->Previous;
        ulong pages = (area->Start - start) >> PageShift;
        if (start < LowestAddress || area->End - start > StackLimit || ExceedsAddressLimit(pages))
            return null;
        if (below != null && below->Protection != Protection.None && (below->Flags & AreaFlags.GrowsDown) == 0 && start - below->End < StackGuardGap)
            return null;
        area->MoveStart(start);
        AreaTree.BoundsChanged(area);
        Account(area->Flags, (long)pages);
        return area;
    }

    /// <summary>There is a page already: a first write to a shared one, or a fault that something else resolved meanwhile.</summary>
    private FaultOutcome FaultOnEntry(VirtualMemoryArea* area, ulong* entry, ulong address, FaultAccess access)
    {
        ulong old = *entry;
        if (access == FaultAccess.Write && (old & PageEntry.Writable) == 0)
        {
            if (area->IsShared)
            {
                // The object learns of the write; the page stays the same.
                PhysicalAddress same;
                FaultOutcome outcome = area->File.GetPage(area->File.Object, area->FilePageAt(address), true, &same);
                if (outcome != FaultOutcome.Resolved)
                    return outcome;
                PageFrame.Release(same);
                *entry = (old & (PageEntry.AddressMask | PageEntry.Owned)) | area->EntryFlags | PageEntry.Writable;
            }
            else if ((old & PageEntry.Zero) != 0)
            {
                PhysicalAddress fresh = PageAllocator.AllocateZeroed();
                if (fresh.IsNone)
                    return FaultOutcome.OutOfMemory;
                *entry = fresh.Value | area->EntryFlags | PageEntry.Writable | PageEntry.Owned;
                ResidentPages++;
            }
            else
            {
                PhysicalAddress page = PageEntry.PageOf(old);
                if (PageFrame.Of(page)->ReferenceCount > 1)
                {
                    // Others see the page too: the writer gets a copy.
                    PhysicalAddress copy = PageAllocator.Allocate();
                    if (copy.IsNone)
                        return FaultOutcome.OutOfMemory;
                    PageOperations.Copy(copy.Pointer, page.Pointer);
                    PageFrame.Release(page);
                    page = copy;
                }
                *entry = page.Value | area->EntryFlags | PageEntry.Writable | PageEntry.Owned;
            }
        }
        else
            *entry = old | (area->EntryFlags & PageEntry.Present);
        if (IsActive)
            Tlb.FlushPage(address);
        return FaultOutcome.Resolved;
    }

    /// <summary>First touch of a page of a file.</summary>
    private FaultOutcome FaultFile(VirtualMemoryArea* area, ulong* entry, ulong address, FaultAccess access)
    {
        bool isWrite = access == FaultAccess.Write;
        PhysicalAddress page;
        FaultOutcome outcome = area->File.GetPage(area->File.Object, area->FilePageAt(address), isWrite && area->IsShared, &page);
        if (outcome != FaultOutcome.Resolved)
            return outcome;
        if (isWrite && !area->IsShared)
        {
            PhysicalAddress copy = PageAllocator.Allocate();
            if (copy.IsNone)
            {
                PageFrame.Release(page);
                return FaultOutcome.OutOfMemory;
            }
            PageOperations.Copy(copy.Pointer, page.Pointer);
            PageFrame.Release(page);
            page = copy;
        }
        *entry = page.Value | area->EntryFlags | PageEntry.Owned | (isWrite ? PageEntry.Writable : 0);
        ResidentPages++;
        return FaultOutcome.Resolved;
    }
}
