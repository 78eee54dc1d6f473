// Permissions, owners, times and extended attributes. Source: chmod(2), chown(2), umask(2), utimensat(2), xattr(7).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Syscalls;

/// <summary>chmod(2), chown(2), utimensat(2), setxattr(2) and their relatives.</summary>
internal static unsafe class FileAttributeCalls
{
    private const long TimeNow = 0x3fff_ffff;
    private const long TimeOmit = 0x3fff_fffe;

    /// <summary>struct utimbuf.</summary>
    internal struct UTimeBuffer
    {
        public long AccessTime;
        public long ModifyTime;
    }

    /// <summary>Two points in time: access and modification.</summary>
    internal struct TimePair<T>
        where T : unmanaged
    {
        public T Access;
        public T Modify;
    }

    [Syscall(90, "chmod")]
    internal static Result ChangeMode(UserString path, uint mode) => ChangeModeAt2(Fd.CurrentDirectory, path, mode, AtFlags.None);

    [Syscall(268, "fchmodat")]
    internal static Result ChangeModeAt(int directory, UserString path, uint mode) => ChangeModeAt2(directory, path, mode, AtFlags.None);

    [Syscall(452, "fchmodat2")]
    internal static Result ChangeModeAt2(int directory, UserString path, uint mode, AtFlags flags)
    {
        if ((flags & ~(AtFlags.SymlinkNoFollow | AtFlags.EmptyPath)) != 0)
            return Errno.EINVAL;
        Errno error = FileArguments.Find(directory, path, flags, (flags & AtFlags.SymlinkNoFollow) == 0, out Path found);
        if (error != Errno.None)
            return error;
        // A symbolic link's permissions mean nothing and cannot be set.
        Result result = found.Inode->IsSymbolicLink ? Errno.EOPNOTSUPP : Vfs.ChangeMode(VfsCaller.Current, found, mode);
        found.Release();
        return result;
    }

    [Syscall(91, "fchmod")]
    internal static Result ChangeFileMode(Fd fd, uint mode)
    {
        if (!FileArguments.TryGet(fd, out OpenFile* file))
            return Errno.EBADF;
        // Anonymous files take a mode and show it nowhere.
        return file->Path.IsEmpty ? Result.Ok : Vfs.ChangeMode(VfsCaller.Current, file->Path, mode);
    }

    [Syscall(92, "chown")]
    internal static Result ChangeOwner(UserString path, uint user, uint group) => ChangeOwnerAt(Fd.CurrentDirectory, path, user, group, AtFlags.None);

    [Syscall(94, "lchown")]
    internal static Result ChangeLinkOwner(UserString path, uint user, uint group) =>
        ChangeOwnerAt(Fd.CurrentDirectory, path, user, group, AtFlags.SymlinkNoFollow);

    [Syscall(260, "fchownat")]
    internal static Result ChangeOwnerAt(int directory, UserString path, uint user, uint group, AtFlags flags)
    {
        if ((flags & ~(AtFlags.SymlinkNoFollow | AtFlags.EmptyPath)) != 0)
            return Errno.EINVAL;
        Errno error = FileArguments.Find(directory, path, flags, (flags & AtFlags.SymlinkNoFollow) == 0, out Path found);
        if (error != Errno.None)
            return error;
        Result result = Vfs.ChangeOwner(VfsCaller.Current, found, user, group);
        found.Release();
        return result;
    }

    [Syscall(93, "fchown")]
    internal static Result ChangeFileOwner(Fd fd, uint user, uint group)
    {
        if (!FileArguments.TryGet(fd, out OpenFile* file))
            return Errno.EBADF;
        return file->Path.IsEmpty ? Result.Ok : Vfs.ChangeOwner(VfsCaller.Current, file->Path, user, group);
    }

    [Syscall(95, "umask")]
    internal static Result SetUmask(uint mask)
    {
        FileSystemContext* context = FileSystemContext.Current;
        uint old = context->Umask;
        context->Umask = mask & ModeBits.AccessMask;
        return (long)old;
    }

    [Syscall(132, "utime")]
    internal static Result SetTimesOld(UserString path, UserPtr<UTimeBuffer> times)
    {
        if (times.IsNull)
            return SetTimes(Fd.CurrentDirectory, path, AtFlags.None, NowPair);
        if (!times.TryRead(out UTimeBuffer given))
            return Errno.EFAULT;
        var pair = new TimePair<TimeSpec> { Access = new TimeSpec { Seconds = given.AccessTime }, Modify = new TimeSpec { Seconds = given.ModifyTime } };
        return SetTimes(Fd.CurrentDirectory, path, AtFlags.None, pair);
    }

    [Syscall(235, "utimes")]
    internal static Result SetTimesMicro(UserString path, UserPtr<TimePair<TimeValue>> times) => SetTimesMicroAt(Fd.CurrentDirectory, path, times);

    [Syscall(261, "futimesat")]
    internal static Result SetTimesMicroAt(int directory, UserString path, UserPtr<TimePair<TimeValue>> times)
    {
        if (times.IsNull)
            return SetTimesOf(directory, path, AtFlags.None, NowPair);
        if (!times.TryRead(out TimePair<TimeValue> given))
            return Errno.EFAULT;
        if (!given.Access.IsValid || !given.Modify.IsValid)
            return Errno.EINVAL;
        var pair = new TimePair<TimeSpec>
        {
            Access = TimeSpec.FromNanoseconds(given.Access.ToNanoseconds()),
            Modify = TimeSpec.FromNanoseconds(given.Modify.ToNanoseconds()),
        };
        return SetTimesOf(directory, path, AtFlags.None, pair);
    }

    [Syscall(280, "utimensat")]
    internal static Result SetTimesAt(int directory, UserString path, UserPtr<TimePair<TimeSpec>> times, AtFlags flags)
    {
        if ((flags & ~(AtFlags.SymlinkNoFollow | AtFlags.EmptyPath)) != 0)
            return Errno.EINVAL;
        TimePair<TimeSpec> pair = NowPair;
        if (!times.IsNull && !times.TryRead(out pair))
            return Errno.EFAULT;
        return SetTimesOf(directory, path, flags, pair);
    }

    [Syscall(188, "setxattr", Limits = "no extended attributes: EOPNOTSUPP")]
    internal static Result SetExtended(UserString path) => ExtendedOf(path, true);

    [Syscall(189, "lsetxattr", Limits = "no extended attributes: EOPNOTSUPP")]
    internal static Result SetLinkExtended(UserString path) => ExtendedOf(path, false);

    [Syscall(190, "fsetxattr", Limits = "no extended attributes: EOPNOTSUPP")]
    internal static Result SetFileExtended(Fd fd) => ExtendedOf(fd);

    [Syscall(191, "getxattr", Limits = "no extended attributes: EOPNOTSUPP")]
    internal static Result GetExtended(UserString path) => ExtendedOf(path, true);

    [Syscall(192, "lgetxattr", Limits = "no extended attributes: EOPNOTSUPP")]
    internal static Result GetLinkExtended(UserString path) => ExtendedOf(path, false);

    [Syscall(193, "fgetxattr", Limits = "no extended attributes: EOPNOTSUPP")]
    internal static Result GetFileExtended(Fd fd) => ExtendedOf(fd);

    [Syscall(194, "listxattr", Limits = "no extended attributes: EOPNOTSUPP")]
    internal static Result ListExtended(UserString path) => ExtendedOf(path, true);

    [Syscall(195, "llistxattr", Limits = "no extended attributes: EOPNOTSUPP")]
    internal static Result ListLinkExtended(UserString path) => ExtendedOf(path, false);

    [Syscall(196, "flistxattr", Limits = "no extended attributes: EOPNOTSUPP")]
    internal static Result ListFileExtended(Fd fd) => ExtendedOf(fd);

    [Syscall(197, "removexattr", Limits = "no extended attributes: EOPNOTSUPP")]
    internal static Result RemoveExtended(UserString path) => ExtendedOf(path, true);

    [Syscall(198, "lremovexattr", Limits = "no extended attributes: EOPNOTSUPP")]
    internal static Result RemoveLinkExtended(UserString path) => ExtendedOf(path, false);

    [Syscall(199, "fremovexattr", Limits = "no extended attributes: EOPNOTSUPP")]
    internal static Result RemoveFileExtended(Fd fd) => ExtendedOf(fd);

    private static TimePair<TimeSpec> NowPair =>
        new() { Access = new TimeSpec { Nanoseconds = TimeNow }, Modify = new TimeSpec { Nanoseconds = TimeNow } };

    // A null path means the descriptor itself (futimens).
    private static Result SetTimesOf(int directory, UserString path, AtFlags flags, in TimePair<TimeSpec> times)
    {
        if (path.Address != 0)
            return SetTimes(directory, path, flags, times);
        if ((flags & ~AtFlags.EmptyPath) != 0)
            return Errno.EINVAL;
        if (directory == Fd.CurrentDirectory)
            return Errno.EFAULT;
        if (!FileArguments.TryGet(new Fd(directory), out OpenFile* file))
            return Errno.EBADF;
        return file->Path.IsEmpty ? Result.Ok : Apply(file->Path, times);
    }

    private static Result SetTimes(int directory, UserString path, AtFlags flags, in TimePair<TimeSpec> times)
    {
        if (times.Access.Nanoseconds == TimeOmit && times.Modify.Nanoseconds == TimeOmit)
            return Result.Ok;
        Errno error = FileArguments.Find(directory, path, flags, (flags & AtFlags.SymlinkNoFollow) == 0, out Path found);
        if (error != Errno.None)
            return error;
        Result result = Apply(found, times);
        found.Release();
        return result;
    }

    private static Result Apply(in Path path, in TimePair<TimeSpec> times)
    {
        ulong now = Clock.RealtimeNanoseconds;
        AttributeChange change = default;
        if (!TryTake(times.Access, now, out change.AccessTime) || !TryTake(times.Modify, now, out change.ModifyTime))
            return Errno.EINVAL;
        if (times.Access.Nanoseconds != TimeOmit)
            change.Mask |= AttributeMask.AccessTime;
        if (times.Modify.Nanoseconds != TimeOmit)
            change.Mask |= AttributeMask.ModifyTime;
        bool isNow = times.Access.Nanoseconds == TimeNow && times.Modify.Nanoseconds == TimeNow;
        return Vfs.ChangeTimes(VfsCaller.Current, path, &change, isNow);
    }

    // Times before 1970 become 1970.
    private static bool TryTake(TimeSpec time, ulong now, out ulong nanoseconds)
    {
        nanoseconds = now;
        if (time.Nanoseconds is TimeNow or TimeOmit)
            return true;
        if (time.Seconds < 0)
            time.Seconds = 0;
        nanoseconds = time.ToNanoseconds();
        return time.IsValid;
    }

    private static Result ExtendedOf(UserString path, bool follow)
    {
        Errno error = FileArguments.Find(Fd.CurrentDirectory, path, AtFlags.None, follow, out Path found);
        if (error != Errno.None)
            return error;
        found.Release();
        return Errno.EOPNOTSUPP;
    }

    private static Result ExtendedOf(Fd fd) => FileArguments.TryGet(fd, out _) ? Errno.EOPNOTSUPP : Errno.EBADF;
}
