// Descriptors. Source: close(2), close_range(2), dup(2), fcntl(2), flock(2), ioctl(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Syscalls;

/// <summary>close(2), dup(2), fcntl(2), ioctl(2) and their relatives.</summary>
internal static unsafe class FileDescriptorCalls
{
    private const int DuplicateFd = 0, GetFdFlags = 1, SetFdFlags = 2, GetFlags = 3, SetFlags = 4, GetLock = 5, SetLock = 6, SetLockWait = 7;
    private const int SetOwner = 8, GetOwner = 9, SetSignal = 10, GetSignal = 11, OfdGetLock = 36, OfdSetLock = 37, OfdSetLockWait = 38;
    private const int GetLease = 1025, DuplicateFdCloseOnExec = 1030, SetPipeSize = 1031, GetPipeSize = 1032, AddSeals = 1033, GetSeals = 1034;
    private const ulong CloseOnExecFlag = 1;
    private const OpenFlags Settable = OpenFlags.Append | OpenFlags.NonBlock | OpenFlags.Async | OpenFlags.Direct | OpenFlags.NoAccessTime;
    private const int NoLease = 2;
    private const uint SealSeal = 1, KnownSeals = 0x3f;
    private const uint RangeUnshare = 2, RangeCloseOnExec = 4;
    private const int LockShared = 1, LockExclusive = 2, LockNonBlocking = 4, LockRelease = 8;
    private const uint ControlNonBlocking = 0x5421, ControlClearCloseOnExec = 0x5450, ControlSetCloseOnExec = 0x5451, ControlAsync = 0x5452, ControlReadable = 0x541b;

    [Syscall(3, "close")]
    internal static Result Close(Fd fd)
    {
        FileTable* files = FileTable.Current;
        if (FileEvents.Listener != null && files->TryGet(fd, out OpenFile* file))
            FileEvents.Raise(file, file->CanWrite ? FileEvent.CloseWrite : FileEvent.CloseNoWrite);
        return files->Close(fd.Value);
    }

    [Syscall(436, "close_range")]
    internal static Result CloseRange(uint first, uint last, uint flags)
    {
        if ((flags & ~(RangeUnshare | RangeCloseOnExec)) != 0 || first > last)
            return Errno.EINVAL;
        // CLOSE_RANGE_UNSHARE only matters when the table is shared with another process.
        if ((flags & RangeUnshare) != 0 && FileTable.Current->References > 1)
        {
            FileTable* own = FileTable.Current->Clone();
            if (own == null)
                return Errno.ENOMEM;
            FileTable.Release(FileTable.Current);
            Tasks.Process.Current->Files = own;
        }
        if ((flags & RangeCloseOnExec) != 0)
            FileTable.Current->SetCloseOnExecRange(first, last);
        else
            FileTable.Current->CloseRange(first, last);
        return Result.Ok;
    }

    [Syscall(32, "dup")]
    internal static Result Duplicate(Fd fd) => DuplicateFrom(fd, 0, false);

    [Syscall(33, "dup2")]
    internal static Result DuplicateTo(Fd fd, Fd wanted)
    {
        FileTable* files = FileTable.Current;
        if (!files->TryGet(fd, out OpenFile* file))
            return Errno.EBADF;
        return fd.Value == wanted.Value ? fd.Value : files->Replace(wanted.Value, file, false);
    }

    [Syscall(292, "dup3")]
    internal static Result DuplicateTo3(Fd fd, Fd wanted, OpenFlags flags)
    {
        if ((flags & ~OpenFlags.CloseOnExec) != 0 || fd.Value == wanted.Value)
            return Errno.EINVAL;
        FileTable* files = FileTable.Current;
        return files->TryGet(fd, out OpenFile* file) ? files->Replace(wanted.Value, file, flags != 0) : Errno.EBADF;
    }

    [Syscall(72, "fcntl", Limits = "no leases, no directory notification, no read and write hints; F_SETOWN and F_SETSIG are kept but SIGIO is not sent"), MayBlock]
    internal static Result Control(Fd fd, int command, ulong argument)
    {
        FileTable* files = FileTable.Current;
        if (!files->TryGet(fd, out OpenFile* file))
            return Errno.EBADF;
        switch (command)
        {
            case DuplicateFd:
            case DuplicateFdCloseOnExec:
                return argument >= files->Limit ? Errno.EINVAL : DuplicateFrom(fd, (uint)argument, command == DuplicateFdCloseOnExec);
            case GetFdFlags:
                return files->IsCloseOnExec(fd.Value) ? 1 : 0;
            case SetFdFlags:
                files->SetCloseOnExec(fd.Value, (argument & CloseOnExecFlag) != 0);
                return Result.Ok;
            case GetFlags:
                return (long)(uint)file->Flags;
        }
        if ((file->Access & FileAccess.PathOnly) != 0)
            return Errno.EBADF;
        switch (command)
        {
            case SetFlags:
                file->Flags = (file->Flags & ~Settable) | ((OpenFlags)argument & Settable);
                return Result.Ok;
            case GetLock:
            case SetLock:
            case SetLockWait:
                return LockRecord(file, files, new UserPtr<RecordLock>(argument), command == GetLock, command == SetLockWait, false);
            case OfdGetLock:
            case OfdSetLock:
            case OfdSetLockWait:
                return LockRecord(file, file, new UserPtr<RecordLock>(argument), command == OfdGetLock, command == OfdSetLockWait, true);
            case SetOwner:
                file->Owner = (int)argument;
                return Result.Ok;
            case GetOwner:
                return file->Owner;
            case SetSignal:
                if (argument > 64)
                    return Errno.EINVAL;
                file->OwnerSignal = (int)argument;
                return Result.Ok;
            case GetSignal:
                return file->OwnerSignal;
            case GetLease:
                return NoLease;
            case GetPipeSize:
                return file->Operations->GetPipeSize(file);
            case SetPipeSize:
                return argument > uint.MaxValue ? Errno.EINVAL : file->Operations->SetPipeSize(file, (uint)argument);
            case AddSeals:
                return Seal(file, (uint)argument);
            case GetSeals:
                return file->IsMemoryFile ? (long)file->Inode->Seals : Errno.EINVAL;
            default:
                return Errno.EINVAL;
        }
    }

    [Syscall(73, "flock"), MayBlock]
    internal static Result Lock(Fd fd, int operation)
    {
        if (!FileArguments.TryGet(fd, out OpenFile* file))
            return Errno.EBADF;
        bool isWaiting = (operation & LockNonBlocking) == 0;
        LockKind kind;
        switch (operation & ~LockNonBlocking)
        {
            case LockShared:
                kind = LockKind.Read;
                break;
            case LockExclusive:
                kind = LockKind.Write;
                break;
            case LockRelease:
                kind = LockKind.None;
                break;
            default:
                return Errno.EINVAL;
        }
        // Files without inode belong to nobody else: a lock on them always succeeds.
        if (file->Inode == null)
            return Result.Ok;
        file->AddReference();
        Result result = FileLocks.SetWhole(file, kind, isWaiting);
        OpenFile.Release(file);
        return result;
    }

    [Syscall(16, "ioctl"), MayBlock]
    internal static Result DeviceControl(Fd fd, uint command, ulong argument)
    {
        FileTable* files = FileTable.Current;
        if (!FileArguments.TryGet(fd, out OpenFile* file))
            return Errno.EBADF;
        switch (command)
        {
            case ControlSetCloseOnExec:
            case ControlClearCloseOnExec:
                files->SetCloseOnExec(fd.Value, command == ControlSetCloseOnExec);
                return Result.Ok;
            case ControlNonBlocking:
                return SetFlag(file, OpenFlags.NonBlock, argument);
            case ControlAsync:
                return SetFlag(file, OpenFlags.Async, argument);
            case ControlReadable when file->Inode != null && file->Inode->IsRegular:
                long left = (long)file->Inode->Size - (long)file->Position;
                return new UserPtr<int>(argument).TryWrite((int)left) ? Result.Ok : Errno.EFAULT;
        }
        file->AddReference();
        Result result = file->Operations->Control(file, command, argument);
        OpenFile.Release(file);
        return result;
    }

    private static Result DuplicateFrom(Fd fd, uint lowest, bool closeOnExec)
    {
        FileTable* files = FileTable.Current;
        if (!files->TryGet(fd, out OpenFile* file))
            return Errno.EBADF;
        Result copy = files->Reserve(lowest);
        if (copy.IsError)
            return copy;
        file->AddReference();
        files->Install((int)copy.Value, file, closeOnExec);
        return copy;
    }

    private static Result SetFlag(OpenFile* file, OpenFlags flag, ulong argument)
    {
        if (!new UserPtr<int>(argument).TryRead(out int value))
            return Errno.EFAULT;
        file->Flags = value != 0 ? file->Flags | flag : file->Flags & ~flag;
        return Result.Ok;
    }

    private static Result LockRecord(OpenFile* file, void* owner, UserPtr<RecordLock> address, bool isQuery, bool isWaiting, bool isOfd)
    {
        if (!address.TryRead(out RecordLock record))
            return Errno.EFAULT;
        if (isOfd && record.ProcessId != 0)
            return Errno.EINVAL;
        if (file->Inode == null)
            return Errno.EBADF;
        file->AddReference();
        Result result = isQuery ? FileLocks.Query(file, owner, ref record) : FileLocks.Set(file, owner, record, isWaiting, isOfd);
        OpenFile.Release(file);
        if (isQuery && !result.IsError && !address.TryWrite(record))
            return Errno.EFAULT;
        return result;
    }

    private static Result Seal(OpenFile* file, uint seals)
    {
        if (!file->CanWrite)
            return Errno.EPERM;
        if (!file->IsMemoryFile || (seals & ~KnownSeals) != 0)
            return Errno.EINVAL;
        if ((file->Inode->Seals & SealSeal) != 0)
            return Errno.EPERM;
        file->Inode->Seals |= seals;
        return Result.Ok;
    }
}
