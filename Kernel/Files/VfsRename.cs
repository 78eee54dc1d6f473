// Moving names. Source: rename(2).
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Files;

public static unsafe partial class Vfs
{
    /// <summary>Moves a name to another place, replacing what is there unless the flags say otherwise.</summary>
    public static Result Rename(VfsCaller caller, int oldDirectory, PathText* oldText, int newDirectory, PathText* newText, RenameFlags flags)
    {
        const RenameFlags known = RenameFlags.NoReplace | RenameFlags.Exchange | RenameFlags.Whiteout;
        if ((flags & ~known) != 0)
            return Errno.EINVAL;
        if ((flags & RenameFlags.Exchange) != 0 && flags != RenameFlags.Exchange)
            return Errno.EINVAL;
        PathWalk from;
        Errno error = PathWalk.Begin(&from, caller.Context, caller.Files, oldDirectory, oldText);
        if (error != Errno.None)
            return error;
        PathWalk to = default;
        error = from.ToParent();
        if (error == Errno.None)
            error = PathWalk.Begin(&to, caller.Context, caller.Files, newDirectory, newText);
        if (error != Errno.None)
        {
            from.End();
            return error;
        }
        Path source = default;
        Path target = default;
        error = to.ToParent();
        if (error == Errno.None)
            error = FindRenamed(&from, &to, flags, out source, out target);
        if (error == Errno.None)
            error = CheckRename(caller, &from, &to, source, target, flags);
        Result result = error;
        if (error == Errno.None && (target.IsEmpty || source.Inode != target.Inode))
            result = Move(&from, &to, source, target, flags);
        source.Release();
        target.Release();
        to.End();
        from.End();
        return result;
    }

    private static Errno FindRenamed(PathWalk* from, PathWalk* to, RenameFlags flags, out Path source, out Path target)
    {
        source = default;
        target = default;
        if (from->Position.Mount != to->Position.Mount)
            return Errno.EXDEV;
        if (from->IsNameSpecial)
            return Errno.EBUSY;
        if (to->IsNameSpecial)
            return (flags & RenameFlags.NoReplace) != 0 ? Errno.EEXIST : Errno.EBUSY;
        Errno error = from->LookUp(out source);
        if (error != Errno.None)
            return error;
        error = to->LookUp(out target);
        if (error == Errno.None)
            return (flags & RenameFlags.NoReplace) != 0 ? Errno.EEXIST : Errno.None;
        return error == Errno.ENOENT && (flags & RenameFlags.Exchange) == 0 ? Errno.None : error;
    }

    private static Errno CheckRename(VfsCaller caller, PathWalk* from, PathWalk* to, in Path source, in Path target, RenameFlags flags)
    {
        bool isExchange = (flags & RenameFlags.Exchange) != 0;
        bool isDirectory = source.Inode->IsDirectory;
        // Slashes behind a name want a directory; the new name's may stand for one that is yet to be.
        if (!isDirectory && (from->HasTrailingSlash || (!isExchange && to->HasTrailingSlash)))
            return Errno.ENOTDIR;
        if (isExchange && to->HasTrailingSlash && !target.Inode->IsDirectory)
            return Errno.ENOTDIR;
        if (to->Position.Dentry == source.Dentry || to->Position.Dentry->IsBelow(source.Dentry))
            return Errno.EINVAL;
        if (!target.IsEmpty && (from->Position.Dentry == target.Dentry || from->Position.Dentry->IsBelow(target.Dentry)))
            return isExchange ? Errno.EINVAL : Errno.ENOTEMPTY;
        if (!target.IsEmpty && source.Inode == target.Inode)
            return Errno.None;
        Errno error = CheckRemove(caller, from->Position, source);
        if (error == Errno.None)
            error = target.IsEmpty ? CheckEnter(caller, to->Position) : CheckRemove(caller, to->Position, target);
        if (error != Errno.None || target.IsEmpty || isExchange)
            return error;
        if (isDirectory)
            return target.Inode->IsDirectory ? Errno.None : Errno.ENOTDIR;
        return target.Inode->IsDirectory ? Errno.EISDIR : Errno.None;
    }

    private static Result Move(PathWalk* from, PathWalk* to, in Path source, in Path target, RenameFlags flags)
    {
        Inode* inode = source.Inode;
        Inode* oldParent = from->Position.Inode;
        Inode* newParent = to->Position.Inode;
        Result result = oldParent->Operations->Rename(oldParent, from->Name, inode, newParent, to->Name, target.IsEmpty ? null : target.Inode, flags);
        if (result.IsError)
            return result;
        // The cache follows. A dentry that cannot be moved for want of memory is forgotten: the next lookup makes a new one.
        if ((flags & RenameFlags.Exchange) != 0)
        {
            MoveDentry(target.Dentry, from);
            MoveDentry(source.Dentry, to);
        }
        else
        {
            if (!target.IsEmpty)
                target.Dentry->Delete();
            MoveDentry(source.Dentry, to);
        }
        uint cookie = FileEvents.NextCookie();
        FileEvent kind = inode->IsDirectory ? FileEvent.IsDirectory : 0;
        FileEvents.RaiseEntry(oldParent, from->Name, FileEvent.MovedFrom | kind, cookie);
        FileEvents.RaiseEntry(newParent, to->Name, FileEvent.MovedTo | kind, cookie);
        FileEvents.RaiseSelf(inode, FileEvent.MoveSelf);
        if (!target.IsEmpty && (flags & RenameFlags.Exchange) == 0)
            FileEvents.RaiseSelf(target.Inode, target.Inode->LinkCount == 0 ? FileEvent.DeleteSelf : FileEvent.Attributes);
        return result;
    }

    private static void MoveDentry(Dentry* dentry, PathWalk* to)
    {
        if (!dentry->Move(to->Position.Dentry, to->Name))
            dentry->Delete();
    }
}
