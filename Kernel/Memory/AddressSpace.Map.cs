// mmap(2), munmap(2), brk(2).
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Memory;

public unsafe partial struct AddressSpace
{
    /// <summary>MAP_32BIT keeps to addresses that fit a signed 32-bit number.</summary>
    private const ulong LowWindowStart = 0x4000_0000;

    private const ulong LowWindowEnd = 0x8000_0000;

    /// <summary>
    /// Maps memory as mmap(2) does and returns its address. <paramref name="file"/> is null for anonymous memory; the caller keeps its own reference to it.
    /// Errors: EINVAL, ENOMEM, EPERM (below <see cref="LowestAddress"/>), EEXIST, EOVERFLOW, EOPNOTSUPP. May block when it populates from a file.
    /// </summary>
    public Result Map(ulong address, ulong length, Protection protection, MapFlags flags, MappedFile* file = null, ulong offset = 0)
    {
        if (length == 0 || !IsAligned(offset))
            return Errno.EINVAL;
        length = RoundUp(length);
        if (length == 0 || length > UserMemory.Top)
            return Errno.ENOMEM;
        if (file != null && offset + length < offset)
            return Errno.EOVERFLOW;
        if (_areas.Count >= MaximumAreaCount)
            return Errno.ENOMEM;
        protection &= Protection.All;

        bool isFixed = (flags & (MapFlags.Fixed | MapFlags.FixedNoReplace)) != 0;
        Result place = isFixed ? CheckFixed(address, length, flags) : FindPlace(address, length, flags);
        if (place.IsError)
            return place;
        var start = (ulong)place.Value;

        Errno error = ToAreaFlags(flags, file, out AreaFlags areaFlags);
        if (error != Errno.None)
            return error;
        ulong pages = length >> PageShift;
        bool isSharedMemory = (areaFlags & AreaFlags.SharedMemory) != 0;
        bool isCounted = (areaFlags & AreaFlags.NoReserve) == 0 &&
            (isSharedMemory || ((protection & Protection.Write) != 0 && (areaFlags & AreaFlags.Shared) == 0));
        if (isCounted && IsTooMuch(pages))
            return Errno.ENOMEM;

        MappedFile shared = default;
        if (isSharedMemory)
        {
            if (!SharedMemory.TryCreate(pages, out shared))
                return Errno.ENOMEM;
            file = &shared;
        }
        error = Place(start, start + length, protection, areaFlags, file, offset >> PageShift);
        if (isSharedMemory)
            shared.Release(shared.Object);
        if (error != Errno.None)
            return error;

        if ((areaFlags & AreaFlags.Locked) != 0 || (flags & (MapFlags.Populate | MapFlags.NonBlock)) == MapFlags.Populate)
            _ = Populate(start, start + length);
        return start;
    }

    /// <summary>Unmaps whatever lies in the range, as munmap(2) does. Errors: EINVAL, ENOMEM.</summary>
    public Result Unmap(ulong address, ulong length)
    {
        if (!IsAligned(address) || length > UserMemory.Top || address > UserMemory.Top - length)
            return Errno.EINVAL;
        length = RoundUp(length);
        if (length == 0)
            return Errno.EINVAL;
        return RemoveRange(address, address + length);
    }

    /// <summary>
    /// Moves the end of the heap as brk(2) does. Returns the end as it is afterwards, which is the old one when the move was not possible.
    /// </summary>
    public Result SetBreak(ulong address)
    {
        if (address < BreakStart || BreakStart == 0)
            return Break;
        ulong oldEnd = RoundUp(Break);
        ulong newEnd = RoundUp(address);
        if (newEnd > UserMemory.Top || newEnd < address)
            return Break;
        if (newEnd < oldEnd)
        {
            if (RemoveRange(newEnd, oldEnd) != Errno.None)
                return Break;
        }
        else if (newEnd > oldEnd)
        {
            ulong pages = (newEnd - oldEnd) >> PageShift;
            VirtualMemoryArea* next = _areas.FindAtOrAbove(oldEnd);
            AreaFlags flags = _futureFlags;
            if (address - BreakStart > DataLimit || IsTooMuch(pages) || ExceedsAddressLimit(pages) || _areas.Count >= MaximumAreaCount ||
                (next != null && next->GuardedStart < newEnd) ||
                !Insert(oldEnd, newEnd, Protection.Read | Protection.Write, flags, null, 0, next, null))
                return Break;
            if ((flags & AreaFlags.Locked) != 0)
                _ = Populate(oldEnd, newEnd);
        }
        Break = address;
        return Break;
    }

    private readonly bool ExceedsAddressLimit(ulong morePages) => TotalPages + morePages > AddressLimit >> PageShift;

    private readonly Result CheckFixed(ulong address, ulong length, MapFlags flags)
    {
        if (address > UserMemory.Top - length)
            return Errno.ENOMEM;
        if (!IsAligned(address))
            return Errno.EINVAL;
        if (address < LowestAddress)
            return Errno.EPERM;
        if ((flags & MapFlags.FixedNoReplace) != 0)
        {
            VirtualMemoryArea* area = _areas.FindAtOrAbove(address);
            if (area != null && area->Start < address + length)
                return Errno.EEXIST;
        }
        return address;
    }

    /// <summary>The hint if it is free, otherwise the highest hole below <see cref="MmapBase"/>, otherwise any.</summary>
    private readonly Result FindPlace(ulong hint, ulong length, MapFlags flags)
    {
        hint = RoundUp(hint);
        if (hint != 0)
        {
            if (hint < LowestAddress)
                hint = LowestAddress;
            if (hint <= UserMemory.Top - length && IsFree(hint, hint + length))
                return hint;
        }
        ulong found;
        if ((flags & MapFlags.Low2GiB) != 0)
            found = _areas.FindGap(length, LowWindowStart, LowWindowEnd);
        else
        {
            found = _areas.FindGap(length, LowestAddress, MmapBase);
            if (found == 0)
                found = _areas.FindGap(length, LowestAddress, UserMemory.Top);
        }
        return found == 0 ? Errno.ENOMEM : found;
    }

    /// <summary>Whether nothing is mapped in the range, nor a stack's gap in it.</summary>
    private readonly bool IsFree(ulong start, ulong end)
    {
        VirtualMemoryArea* area = _areas.FindAtOrAbove(start);
        return area == null || (area->Start >= end && area->GuardedStart >= end);
    }

    private readonly Errno ToAreaFlags(MapFlags flags, MappedFile* file, out AreaFlags areaFlags)
    {
        areaFlags = _futureFlags;
        MapFlags type = flags & MapFlags.TypeMask;
        if (type == MapFlags.SharedValidate && file != null)
        {
            if ((flags & ~MapFlags.Known) != 0)
                return Errno.EOPNOTSUPP;
            type = MapFlags.Shared;
        }
        if (type == MapFlags.Shared)
            areaFlags |= file == null ? AreaFlags.Shared | AreaFlags.SharedMemory : AreaFlags.Shared;
        else if (type != MapFlags.Private)
            return Errno.EINVAL;
        if ((flags & MapFlags.GrowsDown) != 0)
        {
            if (file != null || type == MapFlags.Shared)
                return Errno.EINVAL;
            areaFlags |= AreaFlags.GrowsDown;
        }
        if ((flags & MapFlags.HugePages) != 0)
            return file != null ? Errno.EINVAL : Errno.ENOMEM;
        if ((flags & MapFlags.NoReserve) != 0)
            areaFlags |= AreaFlags.NoReserve;
        if ((flags & MapFlags.Locked) != 0)
            areaFlags |= AreaFlags.Locked;
        if (file != null && type == MapFlags.Shared && !file->IsWritable)
            areaFlags |= AreaFlags.NeverWritable;
        return Errno.None;
    }

    /// <summary>Replaces what is in the range by a new mapping. On ENOMEM nothing has changed.</summary>
    private Errno Place(ulong start, ulong end, Protection protection, AreaFlags flags, MappedFile* file, ulong filePage)
    {
        VirtualMemoryArea* next = _areas.FindAtOrAbove(start);
        VirtualMemoryArea* fresh = null;
        ulong pages = (end - start) >> PageShift;
        if (next != null && next->Start < end)
        {
            ulong replaced = MappedPages(start, end);
            if (pages > replaced && ExceedsAddressLimit(pages - replaced))
                return Errno.ENOMEM;
            // The old mapping goes only when it is certain that the new one can come.
            fresh = Pool<VirtualMemoryArea>.Allocate();
            if (fresh == null)
                return Errno.ENOMEM;
            Errno error = RemoveRange(start, end);
            if (error != Errno.None)
            {
                Pool<VirtualMemoryArea>.Free(fresh);
                return error;
            }
            next = _areas.FindAtOrAbove(start);
        }
        else if (ExceedsAddressLimit(pages))
            return Errno.ENOMEM;
        return Insert(start, end, protection, flags, file, filePage, next, fresh) ? Errno.None : Errno.ENOMEM;
    }

    private readonly ulong MappedPages(ulong start, ulong end)
    {
        ulong bytes = 0;
        for (VirtualMemoryArea* area = _areas.FindAtOrAbove(start); area != null && area->Start < end; area = area->Next)
        {
            ulong from = area->Start > start ? area->Start : start;
            ulong to = area->End < end ? area->End : end;
            bytes += to - from;
        }
        return bytes >> PageShift;
    }
}
