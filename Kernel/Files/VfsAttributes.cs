// Changing attributes of files. Source: chmod(2), chown(2), utimensat(2), truncate(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Files;

public static unsafe partial class Vfs
{
    /// <summary>uid or gid -1 of chown(2): leave it.</summary>
    private const uint Unchanged = uint.MaxValue;

    /// <summary>Sets the permissions. EPERM unless owner; EROFS.</summary>
    public static Result ChangeMode(VfsCaller caller, in Path path, uint mode)
    {
        Errno error = CheckWritable(path);
        if (error == Errno.None)
            error = Files.Permissions.CheckOwner(caller.Context, path.Inode);
        if (error != Errno.None)
            return error;
        var change = new AttributeChange { Mask = AttributeMask.Mode, Mode = mode };
        return Change(path, &change);
    }

    /// <summary>Sets owner and group; -1 leaves one. EPERM: only root gives files away, others may only set their own group.</summary>
    public static Result ChangeOwner(VfsCaller caller, in Path path, uint user, uint group)
    {
        Inode* inode = path.Inode;
        Errno error = CheckWritable(path);
        if (error != Errno.None)
            return error;
        uint self = caller.Context->UserId;
        bool mayUser = user == Unchanged || self == 0 || (user == inode->UserId && self == user);
        bool mayGroup = group == Unchanged || self == 0 || (self == inode->UserId && (group == inode->GroupId || group == caller.Context->GroupId));
        if (!mayUser || !mayGroup)
            return Errno.EPERM;
        var change = new AttributeChange { UserId = user, GroupId = group, Mode = inode->Mode };
        if (user != Unchanged)
            change.Mask |= AttributeMask.UserId;
        if (group != Unchanged)
            change.Mask |= AttributeMask.GroupId;
        // A new owner must not inherit the old one's powers; Linux takes them away even when nothing else changes.
        if (!inode->IsDirectory && (inode->Mode & (ModeBits.SetUserId | ModeBits.SetGroupId)) != 0)
        {
            change.Mask |= AttributeMask.Mode;
            change.Mode &= ~ModeBits.SetUserId;
            if ((inode->Mode & ModeBits.GroupExecute) != 0)
                change.Mode &= ~ModeBits.SetGroupId;
        }
        return Change(path, &change);
    }

    /// <summary>
    /// Sets access and modification time as far as the mask says. Setting both to now needs write permission (EACCES) or ownership, anything else ownership (EPERM).
    /// </summary>
    public static Result ChangeTimes(VfsCaller caller, in Path path, AttributeChange* change, bool isNow)
    {
        Errno error = CheckWritable(path);
        if (error == Errno.None && change->Mask != AttributeMask.None)
        {
            error = Files.Permissions.CheckOwner(caller.Context, path.Inode);
            if (error != Errno.None && isNow)
                error = Files.Permissions.Check(caller.Context, path.Inode, Permission.Write);
        }
        return error != Errno.None ? error : Change(path, change);
    }

    /// <summary>Sets the size of a regular file by its path. EISDIR, EINVAL, EACCES.</summary>
    public static Result Truncate(VfsCaller caller, in Path path, ulong size)
    {
        if (path.Inode->IsDirectory)
            return Errno.EISDIR;
        if (!path.Inode->IsRegular)
            return Errno.EINVAL;
        Errno error = Files.Permissions.Check(caller.Context, path.Inode, Permission.Write);
        if (error == Errno.None)
            error = CheckWritable(path);
        if (error != Errno.None)
            return error;
        var change = new AttributeChange { Mask = AttributeMask.Size, Size = size };
        return Change(path, &change, FileEvent.Modify);
    }

    private static Result Change(in Path path, AttributeChange* change, FileEvent what = FileEvent.Attributes)
    {
        if (change->Mask == AttributeMask.None)
            return Result.Ok;
        Inode* inode = path.Inode;
        Result result = inode->Operations->SetAttributes(inode, change);
        if (result.IsError)
            return result;
        inode->ChangeTime = Clock.RealtimeNanoseconds;
        FileEvents.Raise(path.Dentry, what);
        return result;
    }
}
