// Sizes, and what is written through. Source: truncate(2), fallocate(2), fsync(2), sync(2), readahead(2), posix_fadvise(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Syscalls;

/// <summary>truncate(2), fallocate(2), fsync(2) and their relatives.</summary>
internal static unsafe class FileSizeCalls
{
    private const int LastAdvice = 5;

    [Syscall(76, "truncate"), MayBlock]
    internal static Result Truncate(UserString path, long length)
    {
        if (length < 0)
            return Errno.EINVAL;
        Errno error = FileArguments.Find(Fd.CurrentDirectory, path, AtFlags.None, true, out Path found);
        if (error != Errno.None)
            return error;
        Result result = Vfs.Truncate(VfsCaller.Current, found, (ulong)length);
        found.Release();
        return result;
    }

    [Syscall(77, "ftruncate"), MayBlock]
    internal static Result TruncateFile(Fd fd, long length)
    {
        if (length < 0)
            return Errno.EINVAL;
        if (!FileArguments.TryGet(fd, out OpenFile* file))
            return Errno.EBADF;
        if (!file->CanWrite)
            return Errno.EINVAL;
        file->AddReference();
        Result result = file->Operations->Truncate(file, (ulong)length);
        if (!result.IsError)
            FileEvents.Raise(file, FileEvent.Modify);
        OpenFile.Release(file);
        return result;
    }

    [Syscall(285, "fallocate", Limits = "FALLOC_FL_KEEP_SIZE and FALLOC_FL_PUNCH_HOLE"), MayBlock]
    internal static Result Allocate(Fd fd, int mode, long offset, long length)
    {
        if (!FileArguments.TryGet(fd, out OpenFile* file))
            return Errno.EBADF;
        if (offset < 0 || length <= 0)
            return Errno.EINVAL;
        if (!file->CanWrite)
            return Errno.EBADF;
        if (offset > long.MaxValue - length)
            return Errno.EFBIG;
        if ((file->Access & FileAccess.Seek) == 0)
            return Errno.ESPIPE;
        file->AddReference();
        Result result = file->Operations->Allocate(file, mode, (ulong)offset, (ulong)length);
        if (!result.IsError)
            FileEvents.Raise(file, FileEvent.Modify);
        OpenFile.Release(file);
        return result;
    }

    [Syscall(74, "fsync"), MayBlock]
    internal static Result Sync(Fd fd) => SyncFile(fd, false);

    [Syscall(75, "fdatasync"), MayBlock]
    internal static Result SyncData(Fd fd) => SyncFile(fd, true);

    [Syscall(162, "sync"), MayBlock]
    internal static Result SyncAll()
    {
        for (Mount* mount = Mount.First; mount != null; mount = mount->Next)
            mount->FileSystem->Operations->Sync(mount->FileSystem);
        return Result.Ok;
    }

    [Syscall(306, "syncfs"), MayBlock]
    internal static Result SyncFileSystem(Fd fd)
    {
        if (!FileArguments.TryGet(fd, out OpenFile* file))
            return Errno.EBADF;
        return file->Path.IsEmpty ? Result.Ok : file->Path.Mount->FileSystem->Operations->Sync(file->Path.Mount->FileSystem);
    }

    [Syscall(187, "readahead", Limits = "files are in memory: it has nothing to do")]
    internal static Result ReadAhead(Fd fd)
    {
        if (!FileTable.Current->TryGet(fd, out OpenFile* file) || !file->CanRead)
            return Errno.EBADF;
        return file->Inode != null && file->Inode->IsRegular ? Result.Ok : Errno.EINVAL;
    }

    [Syscall(221, "fadvise64", Limits = "files are in memory: advice changes nothing")]
    internal static Result Advise(Fd fd, long offset, long length, int advice)
    {
        _ = offset;
        if (!FileArguments.TryGet(fd, out OpenFile* file))
            return Errno.EBADF;
        if ((file->Access & FileAccess.Seek) == 0)
            return Errno.ESPIPE;
        return length < 0 || (uint)advice > LastAdvice ? Errno.EINVAL : Result.Ok;
    }

    private static Result SyncFile(Fd fd, bool dataOnly)
    {
        if (!FileArguments.TryGet(fd, out OpenFile* file))
            return Errno.EBADF;
        file->AddReference();
        Result result = file->Operations->Sync(file, dataOnly);
        OpenFile.Release(file);
        return result;
    }
}
