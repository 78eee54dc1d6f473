// Moving bytes between a program and open files. Source: read(2), pread(2), readv(2), preadv2(2), lseek(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Syscalls;

/// <summary>read(2), write(2) and their relatives.</summary>
internal static unsafe class FileTransferCalls
{
    // Enough for what libc writes; longer vectors take kernel heap.
    private const int LocalRanges = 8;

    // RWF_* of preadv2(2).
    private const uint WithoutWaiting = 8, Append = 0x10, KnownVectorFlags = 0x1f;

    [Syscall(0, "read"), MayBlock]
    internal static Result Read(Fd fd, UserSpan buffer)
    {
        if (!FileTable.Current->TryGet(fd, out OpenFile* file) || !file->CanRead)
            return Errno.EBADF;
        if (buffer.Length > OpenFile.MaxTransfer && !Clip(ref buffer))
            return Errno.EFAULT;
        file->AddReference();
        Result result = file->Operations->Read(file, buffer, ref file->Position);
        return Finish(file, result, FileEvent.Access);
    }

    [Syscall(1, "write"), MayBlock]
    internal static Result Write(Fd fd, UserSpan buffer)
    {
        if (!FileTable.Current->TryGet(fd, out OpenFile* file) || !file->CanWrite)
            return Errno.EBADF;
        if (buffer.Length > OpenFile.MaxTransfer && !Clip(ref buffer))
            return Errno.EFAULT;
        file->AddReference();
        Result result = file->Operations->Write(file, buffer, ref file->Position);
        return Finish(file, result, FileEvent.Modify);
    }

    [Syscall(8, "lseek")]
    internal static Result Seek(Fd fd, long offset, SeekOrigin origin)
    {
        if (!FileArguments.TryGet(fd, out OpenFile* file))
            return Errno.EBADF;
        if ((uint)origin > (uint)SeekOrigin.Hole)
            return Errno.EINVAL;
        return (file->Access & FileAccess.Seek) != 0 ? file->Operations->Seek(file, offset, origin) : Errno.ESPIPE;
    }

    [Syscall(17, "pread64"), MayBlock]
    internal static Result ReadAt(Fd fd, UserSpan buffer, long offset)
    {
        if (offset < 0)
            return Errno.EINVAL;
        if (!FileTable.Current->TryGet(fd, out OpenFile* file))
            return Errno.EBADF;
        if ((file->Access & (FileAccess.Seek | FileAccess.PathOnly)) != FileAccess.Seek)
            return (file->Access & FileAccess.PathOnly) != 0 ? Errno.EBADF : Errno.ESPIPE;
        if (!file->CanRead)
            return Errno.EBADF;
        if (buffer.Length > OpenFile.MaxTransfer && !Clip(ref buffer))
            return Errno.EFAULT;
        file->AddReference();
        var position = (ulong)offset;
        Result result = file->Operations->Read(file, buffer, ref position);
        return Finish(file, result, FileEvent.Access);
    }

    [Syscall(18, "pwrite64"), MayBlock]
    internal static Result WriteAt(Fd fd, UserSpan buffer, long offset)
    {
        if (offset < 0)
            return Errno.EINVAL;
        if (!FileTable.Current->TryGet(fd, out OpenFile* file))
            return Errno.EBADF;
        if ((file->Access & (FileAccess.Seek | FileAccess.PathOnly)) != FileAccess.Seek)
            return (file->Access & FileAccess.PathOnly) != 0 ? Errno.EBADF : Errno.ESPIPE;
        if (!file->CanWrite)
            return Errno.EBADF;
        if (buffer.Length > OpenFile.MaxTransfer && !Clip(ref buffer))
            return Errno.EFAULT;
        file->AddReference();
        var position = (ulong)offset;
        Result result = file->Operations->Write(file, buffer, ref position);
        return Finish(file, result, FileEvent.Modify);
    }

    [Syscall(19, "readv"), MayBlock]
    internal static Result ReadVector(Fd fd, ulong ranges, ulong count)
    {
        if (!FileTable.Current->TryGet(fd, out OpenFile* file) || !file->CanRead)
            return Errno.EBADF;
        return TransferVector(file, ranges, count, false, ref file->Position);
    }

    [Syscall(20, "writev"), MayBlock]
    internal static Result WriteVector(Fd fd, ulong ranges, ulong count)
    {
        if (!FileTable.Current->TryGet(fd, out OpenFile* file) || !file->CanWrite)
            return Errno.EBADF;
        return TransferVector(file, ranges, count, true, ref file->Position);
    }

    // On a 64-bit kernel the offset's low half is all of it; the high half is ignored.
    [Syscall(295, "preadv"), MayBlock]
    internal static Result ReadVectorAt(Fd fd, ulong ranges, ulong count, long offset) => VectorAt(fd, ranges, count, offset, false);

    [Syscall(296, "pwritev"), MayBlock]
    internal static Result WriteVectorAt(Fd fd, ulong ranges, ulong count, long offset) => VectorAt(fd, ranges, count, offset, true);

    [Syscall(327, "preadv2", Limits = "RWF_HIPRI, RWF_DSYNC and RWF_SYNC change nothing"), MayBlock]
    internal static Result ReadVectorAt2(Fd fd, ulong ranges, ulong count, long offset, ulong offsetHigh, uint flags)
    {
        _ = offsetHigh;
        if ((flags & ~KnownVectorFlags) != 0 || (flags & Append) != 0)
            return Errno.EOPNOTSUPP;
        if ((flags & WithoutWaiting) != 0 && FileArguments.TryGet(fd, out OpenFile* file) && (file->Operations->Poll(file) & PollEvents.In) == 0)
            return Errno.EAGAIN;
        return offset == -1 ? ReadVector(fd, ranges, count) : VectorAt(fd, ranges, count, offset, false);
    }

    [Syscall(328, "pwritev2", Limits = "RWF_HIPRI, RWF_DSYNC and RWF_SYNC change nothing"), MayBlock]
    internal static Result WriteVectorAt2(Fd fd, ulong ranges, ulong count, long offset, ulong offsetHigh, uint flags)
    {
        _ = offsetHigh;
        if ((flags & ~KnownVectorFlags) != 0)
            return Errno.EOPNOTSUPP;
        if (!FileArguments.TryGet(fd, out OpenFile* file))
            return Errno.EBADF;
        if ((flags & WithoutWaiting) != 0 && (file->Operations->Poll(file) & PollEvents.Out) == 0)
            return Errno.EAGAIN;
        OpenFlags own = file->Flags & OpenFlags.Append;
        if ((flags & Append) != 0)
            file->Flags |= OpenFlags.Append;
        file->AddReference();
        Result result = offset == -1 ? WriteVector(fd, ranges, count) : VectorAt(fd, ranges, count, offset, true);
        file->Flags = (file->Flags & ~OpenFlags.Append) | own;
        OpenFile.Release(file);
        return result;
    }

    private static Result VectorAt(Fd fd, ulong ranges, ulong count, long offset, bool isWrite)
    {
        if (offset < 0)
            return Errno.EINVAL;
        if (!FileArguments.TryGet(fd, out OpenFile* file))
            return Errno.EBADF;
        if ((file->Access & FileAccess.Seek) == 0)
            return Errno.ESPIPE;
        if (isWrite ? !file->CanWrite : !file->CanRead)
            return Errno.EBADF;
        var position = (ulong)offset;
        return TransferVector(file, ranges, count, isWrite, ref position);
    }

    private static Result TransferVector(OpenFile* file, ulong ranges, ulong count, bool isWrite, ref ulong position)
    {
        UserSpan* local = stackalloc UserSpan[LocalRanges];
        Errno error = UserVector.Load(ranges, count, local, LocalRanges, out UserVector vector);
        if (error != Errno.None)
            return error;
        file->AddReference();
        Result result = isWrite ? file->Operations->WriteVector(file, &vector, ref position) : file->Operations->ReadVector(file, &vector, ref position);
        vector.Free(local);
        return Finish(file, result, isWrite ? FileEvent.Modify : FileEvent.Access);
    }

    // False: more than a program's memory can hold.
    private static bool Clip(ref UserSpan buffer)
    {
        if (!UserMemory.IsValidRange(buffer.Address, buffer.Length))
            return false;
        buffer = buffer.Slice(0, OpenFile.MaxTransfer);
        return true;
    }

    private static Result Finish(OpenFile* file, Result result, FileEvent what)
    {
        if (result.Value > 0)
            FileEvents.Raise(file, what);
        OpenFile.Release(file);
        return result;
    }
}
