// madvise(2), mlock(2) and its family, msync(2), mincore(2).
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Memory;

public unsafe partial struct AddressSpace
{
    private const int SyncAsync = 1;
    private const int SyncInvalidate = 2;
    private const int SyncNow = 4;

    /// <summary>
    /// Takes advice as madvise(2) does. Advice about speed is accepted and has no effect. Errors: EINVAL, ENOMEM for a hole (the rest is done), EACCES, EFAULT.
    /// May block when it populates from a file.
    /// </summary>
    public Result Advise(ulong address, ulong length, Advice advice)
    {
        if (!IsKnown(advice) || !IsAligned(address))
            return Errno.EINVAL;
        ulong rounded = RoundUp(length);
        if ((length != 0 && rounded == 0) || address + rounded < address)
            return Errno.EINVAL;
        ulong end = address + rounded;

        bool hasHole = false;
        while (address < end)
        {
            VirtualMemoryArea* area = _areas.FindAtOrAbove(address);
            if (area == null || area->Start >= end)
                return Errno.ENOMEM;
            if (area->Start > address)
            {
                hasHole = true;
                address = area->Start;
            }
            ulong pieceEnd = area->End < end ? area->End : end;
            Errno error = AdvisePiece(area, address, pieceEnd, advice);
            if (error != Errno.None)
                return error;
            address = pieceEnd;
        }
        return hasHole ? Errno.ENOMEM : Result.Ok;
    }

    /// <summary>
    /// Locks a range as mlock(2) does: faults its pages in (there is no swap, so they stay). With <paramref name="onFault"/> they come when touched. Errors: EINVAL,
    /// ENOMEM, EAGAIN. May block when it populates from a file.
    /// </summary>
    public Result Lock(ulong address, ulong length, bool onFault)
    {
        Result marked = MarkLocked(address, length, isLocked: true);
        if (marked.IsError || onFault)
            return marked;
        ulong start = address & ~(PageSize - 1);
        return Populate(start, start + RoundUp(length + (address - start))) switch
        {
            FaultOutcome.OutOfMemory => Errno.EAGAIN,
            FaultOutcome.Resolved => Result.Ok,
            _ => Errno.ENOMEM,
        };
    }

    /// <summary>Ends <see cref="Lock"/>. Errors: EINVAL, ENOMEM.</summary>
    public Result Unlock(ulong address, ulong length) => MarkLocked(address, length, isLocked: false);

    /// <summary>
    /// Locks what is mapped (<paramref name="current"/>) and whatever will be (<paramref name="future"/>), as mlockall(2) does; with both false it unlocks all, as
    /// munlockall(2). Errors: ENOMEM, EAGAIN.
    /// </summary>
    public Result LockAll(bool current, bool future, bool onFault)
    {
        _futureFlags = future ? AreaFlags.Locked : AreaFlags.None;
        if (!current && future)
            return Result.Ok;
        for (VirtualMemoryArea* area = _areas.First; area != null;)
        {
            ulong end = area->End;
            AreaFlags flags = current ? area->Flags | AreaFlags.Locked : area->Flags & ~AreaFlags.Locked;
            Errno error = Change(area, area->Start, end, area->Protection, flags);
            if (error != Errno.None)
                return error;
            area = _areas.FindAtOrAbove(end);
        }
        if (current && !onFault)
            _ = Populate(0, UserMemory.Top);
        return Result.Ok;
    }

    /// <summary>
    /// Checks the arguments as msync(2) does. Writes are in the object at once, so there is nothing to wait for. Errors: EINVAL, ENOMEM for a hole, EBUSY.
    /// </summary>
    public readonly Result Sync(ulong address, ulong length, int flags)
    {
        if ((flags & ~(SyncAsync | SyncInvalidate | SyncNow)) != 0 || (flags & (SyncAsync | SyncNow)) == (SyncAsync | SyncNow) || !IsAligned(address))
            return Errno.EINVAL;
        ulong rounded = RoundUp(length);
        ulong end = address + rounded;
        if ((length != 0 && rounded == 0) || end < address)
            return Errno.ENOMEM;
        ulong at = address;
        bool hasHole = false;
        for (VirtualMemoryArea* area = _areas.FindAtOrAbove(address); at < end; area = area->Next)
        {
            if (area == null || area->Start >= end)
                return Errno.ENOMEM;
            hasHole |= area->Start > at;
            if ((flags & SyncInvalidate) != 0 && (area->Flags & AreaFlags.Locked) != 0)
                return Errno.EBUSY;
            at = area->End;
        }
        return hasHole ? Errno.ENOMEM : Result.Ok;
    }

    /// <summary>
    /// Says for each page whether it is in memory, one byte a page in <paramref name="vector"/>, as mincore(2) does. The whole range must be mapped: ENOMEM. A
    /// file's pages always are in memory.
    /// </summary>
    public readonly Errno GetResidency(ulong address, ulong pageCount, byte* vector)
    {
        VirtualMemoryArea* area = FindArea(address);
        for (ulong i = 0; i < pageCount; i++, address += PageSize)
        {
            if (area != null && address >= area->End)
                area = area->Next;
            if (area == null || address < area->Start)
                return Errno.ENOMEM;
            ulong* entry = _table.Find(address);
            vector[i] = (byte)(area->File.IsPresent || (entry != null && (*entry & PageEntry.Owned) != 0) ? 1 : 0);
        }
        return Errno.None;
    }

    private static bool IsKnown(Advice advice) =>
        advice is (>= Advice.Normal and <= Advice.DontNeed) or (>= Advice.Free and <= Advice.Collapse);

    private Errno AdvisePiece(VirtualMemoryArea* area, ulong start, ulong end, Advice advice)
    {
        AreaFlags flags = area->Flags;
        switch (advice)
        {
            case Advice.DontNeed when (flags & AreaFlags.Locked) != 0:
            case Advice.Free when area->File.IsPresent:
            case Advice.WipeOnFork when area->File.IsPresent:
                return Errno.EINVAL;
            case Advice.DontNeed:
            case Advice.DontNeedLocked:
            case Advice.Free:
                DropPages(start, end);
                return Errno.None;
            case Advice.Remove:
                return RemovePages(area, start, end);
            case Advice.PopulateRead:
                return PopulatePiece(area, start, end, FaultAccess.Read);
            case Advice.PopulateWrite:
                return PopulatePiece(area, start, end, FaultAccess.Write);
            case Advice.DontFork:
                return Change(area, start, end, area->Protection, flags | AreaFlags.DontFork);
            case Advice.DoFork:
                return Change(area, start, end, area->Protection, flags & ~AreaFlags.DontFork);
            case Advice.WipeOnFork:
                return Change(area, start, end, area->Protection, flags | AreaFlags.WipeOnFork);
            case Advice.KeepOnFork:
                return Change(area, start, end, area->Protection, flags & ~AreaFlags.WipeOnFork);
            case Advice.DontDump:
                return Change(area, start, end, area->Protection, flags | AreaFlags.DontDump);
            case Advice.DoDump:
                return Change(area, start, end, area->Protection, flags & ~AreaFlags.DontDump);
            default:
                return Errno.None;
        }
    }

    private Errno PopulatePiece(VirtualMemoryArea* area, ulong start, ulong end, FaultAccess access)
    {
        if (!Allows(area->Protection, access))
            return Errno.EINVAL;
        return Touch(area, start, end, access) switch
        {
            FaultOutcome.Resolved => Errno.None,
            FaultOutcome.OutOfMemory => Errno.ENOMEM,
            _ => Errno.EFAULT,
        };
    }

    /// <summary>Frees the object's pages too; only memory without a name can do that.</summary>
    private Errno RemovePages(VirtualMemoryArea* area, ulong start, ulong end)
    {
        if ((area->Flags & AreaFlags.Locked) != 0 || !area->File.IsPresent)
            return Errno.EINVAL;
        if (!area->IsShared || (area->Flags & AreaFlags.NeverWritable) != 0)
            return Errno.EACCES;
        if ((area->Flags & AreaFlags.SharedMemory) == 0)
            return Errno.EOPNOTSUPP;
        // Other mappings of the same object in this address space must not keep showing the old pages.
        ulong first = area->FilePageAt(start);
        ulong last = first + ((end - start) >> PageShift);
        void* shared = area->File.Object;
        for (VirtualMemoryArea* other = _areas.First; other != null; other = other->Next)
        {
            if (other->File.Object != shared || other->FilePage >= last || other->FilePage + other->PageCount <= first)
                continue;
            ulong from = first > other->FilePage ? first - other->FilePage : 0;
            ulong to = last - other->FilePage < other->PageCount ? last - other->FilePage : other->PageCount;
            DropPages(other->Start + (from << PageShift), other->Start + (to << PageShift));
        }
        SharedMemory.Remove(shared, first, last);
        return Errno.None;
    }

    private Result MarkLocked(ulong address, ulong length, bool isLocked)
    {
        ulong start = address & ~(PageSize - 1);
        ulong rounded = RoundUp(length + (address - start));
        ulong end = start + rounded;
        if (end < start || (length != 0 && rounded == 0))
            return Errno.EINVAL;
        while (start < end)
        {
            VirtualMemoryArea* area = FindArea(start);
            if (area == null)
                return Errno.ENOMEM;
            ulong pieceEnd = area->End < end ? area->End : end;
            AreaFlags flags = isLocked ? area->Flags | AreaFlags.Locked : area->Flags & ~AreaFlags.Locked;
            Errno error = Change(area, start, pieceEnd, area->Protection, flags);
            if (error != Errno.None)
                return error;
            start = pieceEnd;
        }
        return Result.Ok;
    }
}
