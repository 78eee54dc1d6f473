// The memory calls: arguments are taken apart here, the work is AddressSpace's. Source of truth: mmap(2), mprotect(2), mremap(2), madvise(2), mlock(2), msync(2),
// mincore(2), brk(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Syscalls;

/// <summary>mmap(2) and its family.</summary>
internal static unsafe class MemoryCalls
{
    private const int LockCurrent = 1;
    private const int LockFuture = 2;
    private const int LockAllOnFault = 4;
    private const int LockOnFault = 1;

    /// <summary>Pages whose state mincore(2) finds out before it copies to the program.</summary>
    private const int ResidencyChunk = 256;

    private static AddressSpace* Current => Process.Current->Memory;

    [Syscall(9, "mmap", Limits = "MAP_HUGETLB gives ENOMEM, MAP_SYNC gives EOPNOTSUPP"), MayBlock]
    internal static Result Map(ulong address, ulong length, ulong protection, ulong flags, Fd fd, ulong offset)
    {
        var mapFlags = (MapFlags)flags;
        if ((offset & (PageAllocator.PageSize - 1)) != 0)
            return Errno.EINVAL;
        if ((mapFlags & MapFlags.Anonymous) != 0)
            return Current->Map(address, length, (Protection)protection, mapFlags);
        return FileTable.Current->TryGet(fd, out OpenFile* file)
            ? MapFile(address, length, (Protection)protection, mapFlags, file, offset)
            : Errno.EBADF;
    }

    [Syscall(10, "mprotect")]
    internal static Result Protect(ulong address, ulong length, ulong protection)
    {
        // A linked program's constants and variables lie in the image; its runtime seals some of them after it has set them.
        if (length != 0 && UserAccess.IsLinkedProgramRange(address, address + length))
            return Paging.ProtectImage(address, length, (Protection)protection);
        return Current->Protect(address, length, (Protection)protection);
    }

    [Syscall(11, "munmap")]
    internal static Result Unmap(ulong address, ulong length) => Current->Unmap(address, length);

    [Syscall(12, "brk")]
    internal static Result SetBreak(ulong address) => Current->SetBreak(address);

    [Syscall(25, "mremap")]
    internal static Result Remap(ulong oldAddress, ulong oldLength, ulong newLength, ulong flags, ulong newAddress) =>
        Current->Remap(oldAddress, oldLength, newLength, (RemapFlags)flags, newAddress);

    [Syscall(26, "msync")]
    internal static Result Sync(ulong address, ulong length, int flags) => Current->Sync(address, length, flags);

    [Syscall(27, "mincore")]
    internal static Result GetResidency(ulong address, ulong length, UserPtr<byte> vector)
    {
        if ((address & (PageAllocator.PageSize - 1)) != 0)
            return Errno.EINVAL;
        if (length > UserMemory.Top || address > UserMemory.Top - length)
            return Errno.ENOMEM;
        ulong pages = (length + PageAllocator.PageSize - 1) / PageAllocator.PageSize;
        byte* chunk = stackalloc byte[ResidencyChunk];
        for (ulong done = 0; done < pages;)
        {
            ulong count = pages - done < ResidencyChunk ? pages - done : ResidencyChunk;
            Errno error = Current->GetResidency(address + (done * PageAllocator.PageSize), count, chunk);
            if (error != Errno.None)
                return error;
            if (!new UserSpan(vector.Address + done, (nuint)count).CopyFrom(chunk, (nuint)count))
                return Errno.EFAULT;
            done += count;
        }
        return Result.Ok;
    }

    [Syscall(28, "madvise", Limits = "advice about speed is accepted without effect; MADV_REMOVE works on anonymous memory only"), MayBlock]
    internal static Result Advise(ulong address, ulong length, int advice) => Current->Advise(address, length, (Advice)advice);

    [Syscall(149, "mlock"), MayBlock]
    internal static Result Lock(ulong address, ulong length) => Current->Lock(address, length, onFault: false);

    [Syscall(150, "munlock")]
    internal static Result Unlock(ulong address, ulong length) => Current->Unlock(address, length);

    [Syscall(151, "mlockall"), MayBlock]
    internal static Result LockAll(int flags)
    {
        if (flags == 0 || flags == LockAllOnFault || (flags & ~(LockCurrent | LockFuture | LockAllOnFault)) != 0)
            return Errno.EINVAL;
        return Current->LockAll((flags & LockCurrent) != 0, (flags & LockFuture) != 0, (flags & LockAllOnFault) != 0);
    }

    [Syscall(152, "munlockall")]
    internal static Result UnlockAll() => Current->LockAll(current: false, future: false, onFault: false);

    [Syscall(325, "mlock2"), MayBlock]
    internal static Result Lock2(ulong address, ulong length, int flags) =>
        (flags & ~LockOnFault) != 0 ? Errno.EINVAL : Current->Lock(address, length, onFault: (flags & LockOnFault) != 0);

    private static Result MapFile(ulong address, ulong length, Protection protection, MapFlags flags, OpenFile* file, ulong offset)
    {
        MapFlags type = flags & MapFlags.TypeMask;
        bool isShared = type is MapFlags.Shared or MapFlags.SharedValidate;
        if (!isShared && type != MapFlags.Private)
            return Errno.EINVAL;
        if (!file->CanRead || (isShared && (protection & Protection.Write) != 0 && !file->CanWrite))
            return Errno.EACCES;
        MappedFile mapping = default;
        Result found = file->Operations->GetMapping(file, &mapping);
        if (found.IsError)
            return found;
        // A device without pages of its own, /dev/zero, is another name for anonymous memory.
        if (!mapping.IsPresent)
            return Current->Map(address, length, protection, flags);
        mapping.IsWritable = file->CanWrite;
        Result mapped = Current->Map(address, length, protection, flags, &mapping, offset);
        mapping.Release(mapping.Object);
        return mapped;
    }
}
