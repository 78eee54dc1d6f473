// What files are. Source: stat(2), statx(2), access(2), statfs(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Syscalls;

/// <summary>stat(2), access(2), statfs(2) and their relatives.</summary>
internal static unsafe class FileStatusCalls
{
    private const uint KnownAccess = 7;
    private const uint AnonymousMagic = 0x0904_1934;
    private const uint StatxReserved = 0x8000_0000;

    [Syscall(4, "stat")]
    internal static Result Status(UserString path, UserPtr<Stat> to) => StatusOf(Fd.CurrentDirectory, path, AtFlags.None, to);

    [Syscall(6, "lstat")]
    internal static Result LinkStatus(UserString path, UserPtr<Stat> to) => StatusOf(Fd.CurrentDirectory, path, AtFlags.SymlinkNoFollow, to);

    [Syscall(5, "fstat")]
    internal static Result FileStatus(Fd fd, UserPtr<Stat> to)
    {
        if (!FileTable.Current->TryGet(fd, out OpenFile* file))
            return Errno.EBADF;
        Stat status;
        Result result = file->Operations->GetStatus(file, &status);
        return result.IsError || to.TryWrite(status) ? result : Errno.EFAULT;
    }

    [Syscall(262, "newfstatat")]
    internal static Result StatusAt(int directory, UserString path, UserPtr<Stat> to, AtFlags flags)
    {
        const AtFlags known = AtFlags.SymlinkNoFollow | AtFlags.NoAutomount | AtFlags.EmptyPath;
        return (flags & ~known) != 0 ? Errno.EINVAL : StatusOf(directory, path, flags, to);
    }

    [Syscall(332, "statx", Limits = "basic fields, birth time and mount id")]
    internal static Result StatusX(int directory, UserString path, AtFlags flags, uint mask, UserPtr<Statx> to)
    {
        const AtFlags known = AtFlags.SymlinkNoFollow | AtFlags.NoAutomount | AtFlags.EmptyPath | AtFlags.StatxSyncMask;
        if ((flags & ~known) != 0 || (flags & AtFlags.StatxSyncMask) == AtFlags.StatxSyncMask || (mask & StatxReserved) != 0)
            return Errno.EINVAL;
        Stat status;
        Errno error = GetStatus(directory, path, flags, &status, out ulong birthTime, out uint mountId);
        if (error != Errno.None)
            return error;
        Statx extended = Extend(status);
        if (birthTime != 0)
        {
            extended.Mask |= Statx.BirthTimeValid;
            extended.BirthTime = Convert(TimeSpec.FromNanoseconds(birthTime));
        }
        if (mountId != 0)
        {
            extended.Mask |= Statx.MountIdValid;
            extended.MountId = mountId;
        }
        return to.TryWrite(extended) ? Result.Ok : Errno.EFAULT;
    }

    [Syscall(21, "access")]
    internal static Result Access(UserString path, uint mode) => AccessAt2(Fd.CurrentDirectory, path, mode, AtFlags.None);

    [Syscall(269, "faccessat")]
    internal static Result AccessAt(int directory, UserString path, uint mode) => AccessAt2(directory, path, mode, AtFlags.None);

    [Syscall(439, "faccessat2", Limits = "real and effective ids are not told apart")]
    internal static Result AccessAt2(int directory, UserString path, uint mode, AtFlags flags)
    {
        const AtFlags known = AtFlags.EffectiveAccess | AtFlags.SymlinkNoFollow | AtFlags.EmptyPath;
        if ((mode & ~KnownAccess) != 0 || (flags & ~known) != 0)
            return Errno.EINVAL;
        Errno error = FileArguments.Find(directory, path, flags, (flags & AtFlags.SymlinkNoFollow) == 0, out Path found, out OpenFile* file);
        if (error != Errno.None || found.IsEmpty)
            return error;
        Inode* inode = found.Inode;
        error = Permissions.Check(FileSystemContext.Current, inode, (Permission)mode);
        bool isWrite = ((Permission)mode & Permission.Write) != 0;
        if (error == Errno.None && isWrite && (inode->IsRegular || inode->IsDirectory || inode->IsSymbolicLink))
            error = Vfs.CheckWritable(found);
        found.Release();
        return error;
    }

    [Syscall(137, "statfs")]
    internal static Result FileSystemStatus(UserString path, UserPtr<StatFs> to)
    {
        Errno error = FileArguments.Find(Fd.CurrentDirectory, path, AtFlags.None, true, out Path found);
        if (error != Errno.None)
            return error;
        Result result = FillFileSystem(found.Mount, to);
        found.Release();
        return result;
    }

    [Syscall(138, "fstatfs")]
    internal static Result FileFileSystemStatus(Fd fd, UserPtr<StatFs> to)
    {
        if (!FileTable.Current->TryGet(fd, out OpenFile* file))
            return Errno.EBADF;
        return FillFileSystem(file->Path.Mount, to);
    }

    private static Result StatusOf(int directory, UserString path, AtFlags flags, UserPtr<Stat> to)
    {
        Stat status;
        Errno error = GetStatus(directory, path, flags, &status, out _, out _);
        if (error != Errno.None)
            return error;
        return to.TryWrite(status) ? Result.Ok : Errno.EFAULT;
    }

    private static Errno GetStatus(int directory, UserString path, AtFlags flags, Stat* status, out ulong birthTime, out uint mountId)
    {
        birthTime = 0;
        mountId = 0;
        Errno error = FileArguments.Find(directory, path, flags, (flags & AtFlags.SymlinkNoFollow) == 0, out Path found, out OpenFile* file);
        if (error != Errno.None)
            return error;
        if (found.IsEmpty)
            return file->Operations->GetStatus(file, status).Error;
        Inode* inode = found.Inode;
        Result result = inode->Operations->GetAttributes(inode, status);
        birthTime = inode->BirthTime;
        mountId = found.Mount->Id;
        found.Release();
        return result.Error;
    }

    private static Statx Extend(in Stat status) => new()
    {
        Mask = Statx.BasicStats,
        BlockSize = (uint)status.BlockSize,
        LinkCount = (uint)status.LinkCount,
        UserId = status.UserId,
        GroupId = status.GroupId,
        Mode = (ushort)status.Mode,
        Inode = status.Inode,
        Size = status.Size,
        Blocks = status.Blocks,
        AccessTime = Convert(status.AccessTime),
        ChangeTime = Convert(status.ChangeTime),
        ModifyTime = Convert(status.ModifyTime),
        SpecialMajor = DeviceNumber.Major(status.SpecialDevice),
        SpecialMinor = DeviceNumber.Minor(status.SpecialDevice),
        DeviceMajor = DeviceNumber.Major(status.Device),
        DeviceMinor = DeviceNumber.Minor(status.Device),
    };

    private static StatxTime Convert(TimeSpec time) => new() { Seconds = time.Seconds, Nanoseconds = (uint)time.Nanoseconds };

    private static Result FillFileSystem(Mount* mount, UserPtr<StatFs> to)
    {
        const long readOnly = 1, isValid = 0x20;
        var status = new StatFs { BlockSize = PageAllocator.PageSize, FragmentSize = PageAllocator.PageSize, NameLength = FileNames.MaximumLength, Type = AnonymousMagic };
        if (mount != null)
        {
            FileSystem* fileSystem = mount->FileSystem;
            status.Type = fileSystem->Magic;
            status.Id = fileSystem->DeviceNumber;
            status.Flags = isValid | (mount->IsReadOnly ? readOnly : 0);
            Result result = fileSystem->Operations->GetStatus(fileSystem, &status);
            if (result.IsError)
                return result;
        }
        return to.TryWrite(status) ? Result.Ok : Errno.EFAULT;
    }
}
