// The bytes of a tmpfs file: pages in a tree; under them, for a file from the initramfs, the archive's own bytes until a page is written; under both, zeros.
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Files;

/// <summary>On which side of a copy the other memory is.</summary>
internal unsafe interface IMemorySide
{
    static abstract bool CopyTo(ulong address, void* from, nuint count);

    static abstract bool CopyFrom(void* to, ulong address, nuint count);

    static abstract bool Clear(ulong address, nuint count);
}

/// <summary>A program's memory: copies may fail with EFAULT.</summary>
internal unsafe struct UserSide : IMemorySide
{
    public static bool CopyTo(ulong address, void* from, nuint count) => UserMemory.CopyOut(address, from, count);

    public static bool CopyFrom(void* to, ulong address, nuint count) => UserMemory.CopyIn(to, address, count);

    public static bool Clear(ulong address, nuint count) => UserMemory.Clear(address, count);
}

/// <summary>The kernel's memory: copies never fail.</summary>
internal unsafe struct KernelSide : IMemorySide
{
    public static bool CopyTo(ulong address, void* from, nuint count)
    {
        new ReadOnlySpan<byte>(from, (int)count).CopyTo(new Span<byte>((void*)address, (int)count));
        return true;
    }

    public static bool CopyFrom(void* to, ulong address, nuint count) => CopyTo((ulong)to, (void*)address, count);

    public static bool Clear(ulong address, nuint count)
    {
        new Span<byte>((void*)address, (int)count).Clear();
        return true;
    }
}

/// <summary>The content of one file. The file passes itself along, because its size and its file system stand in the inode.</summary>
internal unsafe struct TmpfsContent
{
    private const int PageShift = PageAllocator.PageShift;
    private const ulong PageMask = PageAllocator.PageSize - 1;
    private const uint SealShrink = 2;
    private const uint SealGrow = 4;
    private const uint SealWrite = 8 | 16;

    private static ulong s_allPages;

    private PageTree _pages;
    private byte* _borrowed;
    private ulong _borrowedLength;
    private ulong _borrowedPages;

    /// <summary>Pages in memory of all files, and of the trees that find them.</summary>
    public static ulong MemoryPages => s_allPages + PageTree.NodePages;

    /// <summary>Pages that hold data, the archive's included.</summary>
    public readonly ulong PageCount => _pages.Count + _borrowedPages;

    /// <summary>Takes the archive's bytes as the content of an empty file. They must stay where they are for ever.</summary>
    public void Borrow(TmpfsInode* file, byte* bytes, ulong length)
    {
        _borrowed = bytes;
        _borrowedLength = length;
        _borrowedPages = PagesOf(length);
        file->Base.Size = length;
    }

    /// <summary>Reads up to <paramref name="count"/> bytes; fewer at the end of the file. EFAULT when nothing could be copied.</summary>
    public readonly Result Read<TSide>(TmpfsInode* file, ulong offset, ulong to, nuint count)
        where TSide : IMemorySide
    {
        ulong size = file->Base.Size;
        if (offset >= size)
            return 0;
        if (count > size - offset)
            count = (nuint)(size - offset);
        nuint done = 0;
        while (done < count)
        {
            ulong index = (offset + done) >> PageShift;
            var inPage = (nuint)((offset + done) & PageMask);
            nuint part = PageAllocator.PageSize - inPage;
            if (part > count - done)
                part = count - done;
            PhysicalAddress page = _pages.Find(index);
            if (page.IsNone ? !ReadBelow<TSide>(offset + done, to + done, part) : !ReadPage<TSide>(page, inPage, to + done, part))
                return done != 0 ? done : Errno.EFAULT;
            done += part;
        }
        return done;
    }

    /// <summary>Lends what lies together: the rest of a page, or the archive's bytes up to the next page that was written. False in holes.</summary>
    public readonly bool Lend(ulong offset, nuint count, FileLoan* loan)
    {
        ulong index = offset >> PageShift;
        PhysicalAddress page = _pages.Find(index);
        ulong end;
        if (!page.IsNone)
        {
            var inPage = (nuint)(offset & PageMask);
            loan->Frame = PageFrame.Of(page);
            loan->Frame->AddReference();
            loan->Bytes = (byte*)page.Pointer + inPage;
            end = (index + 1) << PageShift;
        }
        else
        {
            if (offset >= _borrowedLength)
                return false;
            ulong next = _pages.Next(index);
            loan->Frame = null;
            loan->Bytes = _borrowed + offset;
            end = next < PagesOf(_borrowedLength) ? next << PageShift : _borrowedLength;
        }
        loan->Length = end - offset < count ? (nuint)(end - offset) : count;
        return true;
    }

    /// <summary>Writes, growing the file. ENOSPC, EFAULT when nothing could be written; EFBIG, EPERM when sealed.</summary>
    public Result Write<TSide>(TmpfsInode* file, ulong offset, ulong from, nuint count)
        where TSide : IMemorySide
    {
        if (offset > long.MaxValue - count)
        {
            if (offset >= long.MaxValue)
                return Errno.EFBIG;
            count = (nuint)(long.MaxValue - offset);
        }
        uint seals = file->Base.Seals;
        if (seals != 0 && ((seals & SealWrite) != 0 || ((seals & SealGrow) != 0 && offset + count > file->Base.Size)))
            return Errno.EPERM;
        nuint done = 0;
        var error = Errno.None;
        while (done < count && error == Errno.None)
        {
            ulong index = (offset + done) >> PageShift;
            var inPage = (nuint)((offset + done) & PageMask);
            nuint part = PageAllocator.PageSize - inPage;
            if (part > count - done)
                part = count - done;
            PhysicalAddress page = _pages.Find(index);
            if (page.IsNone)
                page = AddPage(file, index);
            if (page.IsNone)
            {
                error = Errno.ENOSPC;
                break;
            }
            // The copy may let another thread truncate the file once faults can sleep: the page is held.
            PageFrame.Of(page)->AddReference();
            if (TSide.CopyFrom((byte*)page.Pointer + inPage, from + done, part))
                done += part;
            else
                error = RevokeBeyondEnd(file, page, offset + done, part);
            PageFrame.Release(page);
        }
        if (done == 0)
            return error;
        if (offset + done > file->Base.Size)
            file->Base.Size = offset + done;
        file->Base.ModifyTime = Clock.RealtimeNanoseconds;
        file->Base.ChangeTime = file->Base.ModifyTime;
        return done;
    }

    /// <summary>Sets the size (truncate). EFBIG, EPERM when sealed.</summary>
    public Result SetSize(TmpfsInode* file, ulong size)
    {
        if (size > long.MaxValue)
            return Errno.EFBIG;
        uint seals = file->Base.Seals;
        if ((seals & SealShrink) != 0 && size < file->Base.Size || (seals & SealGrow) != 0 && size > file->Base.Size)
            return Errno.EPERM;
        if (size < file->Base.Size)
            Shrink(file, size);
        file->Base.Size = size;
        file->Base.ModifyTime = Clock.RealtimeNanoseconds;
        file->Base.ChangeTime = file->Base.ModifyTime;
        return Result.Ok;
    }

    /// <summary>
    /// Gives a range pages of its own (fallocate). ENOSPC: nothing changes when it is clear beforehand that memory will not do.
    /// </summary>
    public Result Reserve(TmpfsInode* file, ulong offset, ulong length)
    {
        ulong first = offset >> PageShift;
        ulong end = PagesOf(offset + length);
        ulong needed = 0;
        for (ulong index = first; index < end; index++)
        {
            if (!IsData(index))
                needed++;
            if (needed > PageAllocator.FreePages || needed + file->FileSystem->UsedPages > file->FileSystem->MaximumPages)
                return Errno.ENOSPC;
        }
        for (ulong index = first; index < end; index++)
        {
            if (!IsData(index) && AddPage(file, index).IsNone)
                return Errno.ENOSPC;
        }
        return Result.Ok;
    }

    /// <summary>Makes a range read as zeros, freeing whole pages. ENOSPC: a page of the archive could not be covered.</summary>
    public Result PunchHole(TmpfsInode* file, ulong offset, ulong length)
    {
        if ((file->Base.Seals & SealWrite) != 0)
            return Errno.EPERM;
        ulong end = offset + length;
        for (ulong index = offset >> PageShift; index << PageShift < end; index++)
        {
            if (!IsBorrowed(index))
                index = _pages.Next(index);
            if (index > (end - 1) >> PageShift)
                break;
            ulong start = index << PageShift;
            ulong from = start < offset ? offset : start;
            ulong to = start + PageAllocator.PageSize < end ? start + PageAllocator.PageSize : end;
            PhysicalAddress page = _pages.Find(index);
            if (page.IsNone)
                page = AddPage(file, index);
            if (page.IsNone)
                return Errno.ENOSPC;
            bool isWhole = to - from == PageAllocator.PageSize;
            // A page that is mapped somewhere stays, so that file and mapping keep seeing the same.
            if (isWhole && !IsBorrowed(index) && PageFrame.Of(page)->ReferenceCount == 1)
                RemovePages(file, index, index);
            else
                new Span<byte>((byte*)page.Pointer + (from - start), (int)(to - from)).Clear();
        }
        file->Base.ModifyTime = Clock.RealtimeNanoseconds;
        file->Base.ChangeTime = file->Base.ModifyTime;
        return Result.Ok;
    }

    /// <summary>A page for a mapping, with a reference for the caller; holes get a page of zeros, so that writes to file and mapping meet.</summary>
    public FaultOutcome GetPage(TmpfsInode* file, ulong index, PhysicalAddress* page)
    {
        if (index >= PagesOf(file->Base.Size))
            return FaultOutcome.BeyondFile;
        *page = _pages.Find(index);
        if (page->IsNone)
            *page = AddPage(file, index);
        if (page->IsNone)
            return FaultOutcome.OutOfMemory;
        PageFrame.Of(*page)->AddReference();
        return FaultOutcome.Resolved;
    }

    /// <summary>Where data begins, or a hole, from an offset within the file on. <see cref="ulong.MaxValue"/>: no more data.</summary>
    public readonly ulong Seek(TmpfsInode* file, ulong offset, bool isData)
    {
        ulong index = offset >> PageShift;
        ulong pages = PagesOf(file->Base.Size);
        if (isData && !IsData(index))
            index = _pages.Next(index);
        while (!isData && index < pages && IsData(index))
            index++;
        if (index >= pages)
            return isData ? ulong.MaxValue : file->Base.Size;
        ulong start = index << PageShift;
        return start < offset ? offset : start;
    }

    /// <summary>Gives back every page.</summary>
    public void Free(Tmpfs* tmpfs)
    {
        tmpfs->UsedPages -= _pages.Count;
        s_allPages -= _pages.Count;
        _pages.Remove(0, ulong.MaxValue);
    }

    private static ulong PagesOf(ulong bytes) => (bytes >> PageShift) + ((bytes & PageMask) != 0 ? 1ul : 0);

    private readonly bool IsBorrowed(ulong index) => index < PagesOf(_borrowedLength);

    private readonly bool IsData(ulong index) => IsBorrowed(index) || !_pages.Find(index).IsNone;

    private static bool ReadPage<TSide>(PhysicalAddress page, nuint inPage, ulong to, nuint count)
        where TSide : IMemorySide
    {
        PageFrame.Of(page)->AddReference();
        bool isCopied = TSide.CopyTo(to, (byte*)page.Pointer + inPage, count);
        PageFrame.Release(page);
        return isCopied;
    }

    // Reads where no page is: the archive's bytes as far as they go, then zeros.
    private readonly bool ReadBelow<TSide>(ulong offset, ulong to, nuint count)
        where TSide : IMemorySide
    {
        nuint borrowed = 0;
        if (offset < _borrowedLength)
        {
            borrowed = _borrowedLength - offset < count ? (nuint)(_borrowedLength - offset) : count;
            if (!TSide.CopyTo(to, _borrowed + offset, borrowed))
                return false;
        }
        return borrowed == count || TSide.Clear(to + borrowed, count - borrowed);
    }

    // Part of a failed copy may have landed behind the end of the file, where only zeros may be.
    private static Errno RevokeBeyondEnd(TmpfsInode* file, PhysicalAddress page, ulong offset, nuint count)
    {
        ulong start = offset < file->Base.Size ? file->Base.Size : offset;
        if (start < offset + count)
            new Span<byte>((byte*)page.Pointer + (start & PageMask), (int)(offset + count - start)).Clear();
        return Errno.EFAULT;
    }

    private PhysicalAddress AddPage(TmpfsInode* file, ulong index)
    {
        Tmpfs* tmpfs = file->FileSystem;
        PhysicalAddress page = tmpfs->UsedPages < tmpfs->MaximumPages ? PageAllocator.AllocateZeroed() : PhysicalAddress.None;
        if (page.IsNone)
            return page;
        if (!_pages.Insert(index, page))
        {
            PageFrame.Release(page);
            return PhysicalAddress.None;
        }
        tmpfs->UsedPages++;
        s_allPages++;
        if (IsBorrowed(index))
        {
            ReadBelow<KernelSide>(index << PageShift, (ulong)page.Pointer, PageAllocator.PageSize);
            _borrowedPages--;
        }
        return page;
    }

    private void RemovePages(TmpfsInode* file, ulong first, ulong last)
    {
        ulong before = _pages.Count;
        _pages.Remove(first, last);
        file->FileSystem->UsedPages -= before - _pages.Count;
        s_allPages -= before - _pages.Count;
    }

    private void Shrink(TmpfsInode* file, ulong size)
    {
        if (file->MappingCount != 0)
            AddressSpace.ForgetContent(&file->Base, PagesOf(size));
        RemovePages(file, PagesOf(size), ulong.MaxValue);
        PhysicalAddress last = _pages.Find(size >> PageShift);
        var kept = (int)(size & PageMask);
        if (kept != 0 && !last.IsNone)
            new Span<byte>((byte*)last.Pointer + kept, PageAllocator.PageSize - kept).Clear();
        if (size >= _borrowedLength)
            return;
        _borrowedLength = size;
        ulong own = 0;
        for (ulong index = _pages.Next(0); IsBorrowed(index); index = _pages.Next(index + 1))
            own++;
        _borrowedPages = PagesOf(size) - own;
    }
}
