// mprotect(2), and the way every call changes what an area is: cut it at the range's ends, change the piece, join it with equal neighbours.
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Memory;

public unsafe partial struct AddressSpace
{
    /// <summary>
    /// Changes what a range allows, as mprotect(2) does. Errors: EINVAL; ENOMEM for a hole (what lies before it is changed) or lack of memory; EACCES for
    /// writing to a shared file that is not open for it.
    /// </summary>
    public Result Protect(ulong address, ulong length, Protection protection)
    {
        Protection grows = protection & (Protection.GrowsDown | Protection.GrowsUp);
        protection &= ~grows;
        if (grows == (Protection.GrowsDown | Protection.GrowsUp) || !IsAligned(address))
            return Errno.EINVAL;
        if (length == 0)
            return Result.Ok;
        ulong end = address + RoundUp(length);
        if (end <= address)
            return Errno.ENOMEM;
        if ((protection & ~(Protection.All | Protection.Semaphore)) != 0)
            return Errno.EINVAL;
        protection &= Protection.All;

        VirtualMemoryArea* area = _areas.FindAtOrAbove(address);
        if (area == null || area->Start >= end)
            return Errno.ENOMEM;
        if (grows == Protection.GrowsDown)
        {
            if ((area->Flags & AreaFlags.GrowsDown) == 0)
                return Errno.EINVAL;
            address = area->Start;
        }
        else if (area->Start > address)
            return Errno.ENOMEM;
        else if (grows == Protection.GrowsUp)
            return Errno.EINVAL;

        while (true)
        {
            ulong pieceEnd = area->End < end ? area->End : end;
            Errno error = ProtectPiece(area, address, pieceEnd, protection);
            if (error != Errno.None)
                return error;
            address = pieceEnd;
            if (address >= end)
                return Result.Ok;
            area = FindArea(address);
            if (area == null)
                return Errno.ENOMEM;
        }
    }

    private Errno ProtectPiece(VirtualMemoryArea* area, ulong start, ulong end, Protection protection)
    {
        if (area->Protection == protection)
            return Errno.None;
        bool isShared = area->IsShared;
        if ((protection & Protection.Write) != 0)
        {
            if ((area->Flags & AreaFlags.NeverWritable) != 0)
                return Errno.EACCES;
            if (!area->IsAccounted && !isShared && (area->Flags & AreaFlags.NoReserve) == 0 && IsTooMuch((end - start) >> PageShift))
                return Errno.ENOMEM;
        }
        Errno error = Change(area, start, end, protection, area->Flags);
        if (error == Errno.None)
            ProtectPages(start, end, protection, isShared);
        return error;
    }

    /// <summary>
    /// Gives [<paramref name="start"/>, <paramref name="end"/>) of an area other properties. Fails with ENOMEM, having changed nothing, when that takes a new area
    /// and there is none. The area may be gone afterwards.
    /// </summary>
    private Errno Change(VirtualMemoryArea* area, ulong start, ulong end, Protection protection, AreaFlags flags)
    {
        if (area->Protection == protection && area->Flags == flags)
            return Errno.None;
        if (((area->Flags ^ flags) & AreaFlags.Locked) != 0)
        {
            AreaFlags oldFlags = area->Flags;
            Errno error = ChangeBounds(area, start, end, protection, flags);
            if (error == Errno.None)
            {
                var pages = (nuint)((end - start) >> PageShift);
                LockedPages += (oldFlags & AreaFlags.Locked) != 0 ? (nuint)0 - pages : pages;
            }
            return error;
        }
        return ChangeBounds(area, start, end, protection, flags);
    }

    private Errno ChangeBounds(VirtualMemoryArea* area, ulong start, ulong end, Protection protection, AreaFlags flags)
    {
        bool fromStart = area->Start == start;
        bool toEnd = area->End == end;
        VirtualMemoryArea* previous = area->Previous;
        VirtualMemoryArea* next = area->Next;
        void* file = area->File.Object;
        bool joinsPrevious = fromStart && previous != null && previous->End == start && previous->CanContinueWith(file, area->FilePage, protection, flags);
        bool joinsNext = toEnd && next != null && next->Start == end &&
            next->CanFollow(file, area->FilePageAt(start), (end - start) >> PageShift, protection, flags);

        // With an equal neighbour only a border moves, which needs no memory: a heap that commits page after page stays two areas.
        if (joinsPrevious)
        {
            previous->End = end;
            if (!toEnd)
                area->MoveStart(end);
            else
            {
                Discard(area);
                if (joinsNext)
                {
                    previous->End = next->End;
                    Discard(next);
                }
            }
            AreaTree.BoundsChanged(previous);
            return Errno.None;
        }
        if (joinsNext)
        {
            next->MoveStart(start);
            if (fromStart)
            {
                Discard(area);
                AreaTree.BoundsChanged(next);
            }
            else
            {
                area->End = start;
                AreaTree.BoundsChanged(area);
            }
            return Errno.None;
        }

        VirtualMemoryArea* piece = area;
        if (!fromStart)
        {
            piece = Split(area, start);
            if (piece == null)
                return Errno.ENOMEM;
        }
        if (!toEnd && Split(piece, end) == null)
        {
            JoinWithNext(area);
            return Errno.ENOMEM;
        }
        piece->Protection = protection;
        piece->Flags = flags;
        piece->EntryFlags = EntryFlagsFor(protection);
        return Errno.None;
    }

    /// <summary>Brings the entries of pages in memory in line with a new protection.</summary>
    private void ProtectPages(ulong start, ulong end, Protection protection, bool isShared)
    {
        ulong flags = EntryFlagsFor(protection);
        bool isWritable = (protection & Protection.Write) != 0;
        var flush = new TlbFlush(IsActive);
        PageTableCursor cursor = _table.Walk(start, end);
        while (cursor.MoveNext())
        {
            ulong old = *cursor.Entry;
            ulong changed = (old & (PageEntry.AddressMask | PageEntry.Owned | PageEntry.Zero)) | flags;
            // A shared page becomes writable by a fault, so that its object learns of it; a private one at once, unless it must be copied first.
            if (isWritable && (isShared
                ? (old & PageEntry.Writable) != 0
                : (old & PageEntry.Owned) != 0 && PageFrame.Of(PageEntry.PageOf(old))->ReferenceCount == 1))
                changed |= PageEntry.Writable;
            *cursor.Entry = changed;
            flush.Add(cursor.Address, old);
        }
        flush.Finish();
    }
}
