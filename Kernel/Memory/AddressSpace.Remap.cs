// mremap(2): mappings that grow, shrink and move with their pages.
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Memory;

public unsafe partial struct AddressSpace
{
    /// <summary>A move may cut one area into three and adds one.</summary>
    private const int AreasForMove = 3;

    /// <summary>
    /// Resizes or moves a mapping as mremap(2) does and returns its address. Errors: EINVAL; EFAULT when the old range is not one mapping; ENOMEM when it cannot
    /// grow in place and may not move, or for lack of memory. On an error the old mapping is as it was, but for an end that was to be cut off.
    /// </summary>
    public Result Remap(ulong oldAddress, ulong oldLength, ulong newLength, RemapFlags flags, ulong newAddress)
    {
        bool mayMove = (flags & RemapFlags.MayMove) != 0;
        bool isFixed = (flags & RemapFlags.Fixed) != 0;
        bool staysMapped = (flags & RemapFlags.DontUnmap) != 0;
        if ((flags & ~RemapFlags.All) != 0 || ((isFixed || staysMapped) && !mayMove) || (staysMapped && oldLength != newLength) || !IsAligned(oldAddress))
            return Errno.EINVAL;
        oldLength = RoundUp(oldLength);
        newLength = RoundUp(newLength);
        if (newLength == 0)
            return Errno.EINVAL;
        VirtualMemoryArea* area = FindArea(oldAddress);
        if (area == null)
            return Errno.EFAULT;

        if (isFixed || staysMapped)
        {
            if (!IsAligned(newAddress) || newLength > UserMemory.Top || newAddress > UserMemory.Top - newLength ||
                (newAddress < oldAddress + oldLength && oldAddress < newAddress + newLength))
                return Errno.EINVAL;
        }
        else if (newLength <= oldLength)
        {
            Errno shrunk = newLength < oldLength ? RemoveWithin(oldAddress + newLength, oldAddress + oldLength) : Errno.None;
            return shrunk != Errno.None ? shrunk : oldAddress;
        }

        if (oldLength > newLength)
        {
            Errno shrunk = RemoveWithin(oldAddress + newLength, oldAddress + oldLength);
            if (shrunk != Errno.None)
                return shrunk;
            oldLength = newLength;
            area = FindArea(oldAddress);
        }
        Errno error = CheckResize(area, oldAddress, oldLength, newLength);
        if (error != Errno.None)
            return error;

        ulong oldEnd = oldAddress + oldLength;
        if (!isFixed && !staysMapped && oldLength != 0 && TryGrow(area, oldAddress, oldEnd, newLength))
            return oldAddress;
        if (!mayMove)
            return Errno.ENOMEM;
        Result place = isFixed ? CheckFixed(newAddress, newLength, MapFlags.Fixed) : FindPlace(staysMapped ? newAddress : 0, newLength, MapFlags.None);
        if (place.IsError)
            return place;
        return Move(oldAddress, oldEnd, (ulong)place.Value, newLength, staysMapped);
    }

    /// <summary>Like munmap: EINVAL when the range leaves the program's half.</summary>
    private Errno RemoveWithin(ulong start, ulong end) => end < start || end > UserMemory.Top ? Errno.EINVAL : RemoveRange(start, end);

    private readonly Errno CheckResize(VirtualMemoryArea* area, ulong oldAddress, ulong oldLength, ulong newLength)
    {
        // An old length of 0 asks for a second mapping of the same pages, which only shared ones can have.
        if (oldLength == 0 && !area->IsShared)
            return Errno.EINVAL;
        if (oldLength > area->End - oldAddress)
            return Errno.EFAULT;
        if (newLength > UserMemory.Top)
            return Errno.ENOMEM;
        ulong more = (newLength - oldLength) >> PageShift;
        return ExceedsAddressLimit(more) || (area->IsAccounted && IsTooMuch(more)) ? Errno.ENOMEM : Errno.None;
    }

    private bool TryGrow(VirtualMemoryArea* area, ulong oldAddress, ulong oldEnd, ulong newLength)
    {
        ulong newEnd = oldAddress + newLength;
        if (newEnd == oldEnd)
            return true;
        if (area->End != oldEnd || newEnd > UserMemory.Top || newEnd < oldEnd || (area->Next != null && area->Next->Start < newEnd))
            return false;
        // It continues its own area, so this takes no memory.
        bool isLocked = (area->Flags & AreaFlags.Locked) != 0;
        MappedFile file = area->File;
        _ = Insert(oldEnd, newEnd, area->Protection, area->Flags, &file, area->FilePageAt(oldEnd), area->Next, null);
        if (isLocked)
            _ = Populate(oldEnd, newEnd);
        return true;
    }

    private Result Move(ulong oldAddress, ulong oldEnd, ulong newAddress, ulong newLength, bool staysMapped)
    {
        // Whatever can fail comes first: areas, the target's old contents, the target's page tables. Then the pages move.
        if (_areas.Count > MaximumAreaCount - AreasForMove)
            return Errno.ENOMEM;
        VirtualMemoryArea* fresh = Pool<VirtualMemoryArea>.Allocate();
        if (fresh == null)
            return Errno.ENOMEM;
        VirtualMemoryArea* area = FindArea(oldAddress);
        bool canSplit = staysMapped || area->Start >= oldAddress || area->End <= oldEnd || oldAddress == oldEnd || Split(area, oldEnd) != null;
        if (!canSplit || RemoveRange(newAddress, newAddress + newLength) != Errno.None || !ReserveTables(oldAddress, oldEnd, newAddress))
        {
            Pool<VirtualMemoryArea>.Free(fresh);
            JoinWithNext(FindArea(oldAddress));
            return Errno.ENOMEM;
        }

        area = FindArea(oldAddress);
        AreaFlags flags = area->Flags;
        MappedFile file = area->File;
        ulong filePage = area->FilePageAt(oldAddress);
        _ = Insert(newAddress, newAddress + newLength, area->Protection, flags, &file, filePage, _areas.FindAtOrAbove(newAddress), fresh);
        MovePages(oldAddress, oldEnd, newAddress);
        if (!staysMapped && oldAddress != oldEnd)
            _ = RemoveRange(oldAddress, oldEnd);
        if ((flags & AreaFlags.Locked) != 0)
            _ = Populate(newAddress, newAddress + newLength);
        return newAddress;
    }

    /// <summary>Makes the tables that the pages of a range need elsewhere. On false none of them is left.</summary>
    private bool ReserveTables(ulong start, ulong end, ulong target)
    {
        PageTableCursor cursor = _table.Walk(start, end);
        while (cursor.MoveNext())
        {
            if (_table.FindOrCreate(target + (cursor.Address - start)) != null)
                continue;
            ulong targetEnd = target + (end - start);
            VirtualMemoryArea* above = _areas.FindAtOrAbove(target);
            VirtualMemoryArea* below = above == null ? _areas.Last : above->Previous;
            _table.FreeTables(target, targetEnd, below == null ? 0 : below->End, above == null ? PageTable.LowerHalfEnd : above->Start);
            return false;
        }
        return true;
    }

    private void MovePages(ulong start, ulong end, ulong target)
    {
        var flush = new TlbFlush(IsActive);
        PageTableCursor cursor = _table.Walk(start, end);
        while (cursor.MoveNext())
        {
            ulong entry = *cursor.Entry;
            *cursor.Entry = 0;
            *_table.Find(target + (cursor.Address - start)) = entry;
            flush.Add(cursor.Address, entry);
        }
        flush.Finish();
    }
}
