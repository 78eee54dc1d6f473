// Making, removing and moving names. Source: mkdir(2), mknod(2), symlink(2), link(2), unlink(2), rmdir(2), rename(2).
using System;
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Files;

public static unsafe partial class Vfs
{
    private const uint Permissions755 = 0x1ed;

    /// <summary>Makes a directory. <paramref name="mode"/>: permissions before the umask.</summary>
    public static Result MakeDirectory(VfsCaller caller, int directory, PathText* text, uint mode)
    {
        PathWalk walk;
        Errno error = BeginCreate(&walk, caller, directory, text, true);
        if (error != Errno.None)
            return error;
        Inode* parent = walk.Position.Inode;
        Inode* created = null;
        uint inherited = parent->Mode & ModeBits.SetGroupId;
        Result result = parent->Operations->MakeDirectory(parent, walk.Name, ModeBits.Directory | (mode & (ModeBits.AccessMask | ModeBits.Sticky) & ~caller.Context->Umask) | inherited, &created);
        if (!result.IsError)
            result = FinishCreate(&walk, caller, created);
        walk.End();
        return result;
    }

    /// <summary>Makes a regular file, device node, FIFO or socket. Without type bits in <paramref name="mode"/> it is a regular file. EPERM for a directory.</summary>
    public static Result MakeNode(VfsCaller caller, int directory, PathText* text, uint mode, ulong device)
    {
        uint type = mode & ModeBits.TypeMask;
        if (type == ModeBits.Directory)
            return Errno.EPERM;
        if (type == 0)
            type = ModeBits.Regular;
        if (type is not (ModeBits.Regular or ModeBits.CharacterDevice or ModeBits.BlockDevice or ModeBits.Fifo or ModeBits.Socket))
            return Errno.EINVAL;
        bool isDevice = type is ModeBits.CharacterDevice or ModeBits.BlockDevice;
        if (isDevice && caller.Context->UserId != 0)
            return Errno.EPERM;
        PathWalk walk;
        Errno error = BeginCreate(&walk, caller, directory, text, false);
        if (error != Errno.None)
            return error;
        Inode* parent = walk.Position.Inode;
        Inode* created = null;
        Result result = parent->Operations->Create(parent, walk.Name, type | (mode & ModeBits.PermissionMask & ~caller.Context->Umask), isDevice ? device : 0, &created);
        if (!result.IsError)
            result = FinishCreate(&walk, caller, created);
        walk.End();
        return result;
    }

    /// <summary>Makes a symbolic link. ENOENT for an empty target.</summary>
    public static Result MakeSymbolicLink(VfsCaller caller, ReadOnlySpan<byte> target, int directory, PathText* text)
    {
        if (target.IsEmpty)
            return Errno.ENOENT;
        PathWalk walk;
        Errno error = BeginCreate(&walk, caller, directory, text, false);
        if (error != Errno.None)
            return error;
        Inode* parent = walk.Position.Inode;
        Inode* created = null;
        Result result = parent->Operations->MakeSymbolicLink(parent, walk.Name, target, &created);
        if (!result.IsError)
            result = FinishCreate(&walk, caller, created);
        walk.End();
        return result;
    }

    /// <summary>Gives what stands at <paramref name="source"/> another name. EPERM for a directory, EXDEV across mounts, ENOENT when it has no name any more.</summary>
    public static Result Link(VfsCaller caller, in Path source, int directory, PathText* text)
    {
        PathWalk walk;
        Errno error = BeginCreate(&walk, caller, directory, text, false);
        if (error != Errno.None)
            return error;
        Result result = source.Mount == walk.Position.Mount ? LinkInto(&walk, source.Inode) : Errno.EXDEV;
        walk.End();
        return result;
    }

    /// <summary>The same for an inode of the kernel's own.</summary>
    internal static Result LinkInode(VfsCaller caller, Inode* inode, int directory, PathText* text)
    {
        PathWalk walk;
        Errno error = BeginCreate(&walk, caller, directory, text, false);
        if (error != Errno.None)
            return error;
        Result result = LinkInto(&walk, inode);
        walk.End();
        return result;
    }

    /// <summary>Removes a name of something that is not a directory. EISDIR.</summary>
    public static Result Unlink(VfsCaller caller, int directory, PathText* text)
    {
        PathWalk walk;
        Errno error = PathWalk.Begin(&walk, caller.Context, caller.Files, directory, text);
        if (error != Errno.None)
            return error;
        error = walk.ToParent();
        Path child = default;
        if (error == Errno.None)
            error = walk.IsNameSpecial ? Errno.EISDIR : walk.LookUp(out child);
        if (error == Errno.None && child.Inode->IsDirectory)
            error = Errno.EISDIR;
        if (error == Errno.None && walk.HasTrailingSlash)
            error = Errno.ENOTDIR;
        if (error == Errno.None)
            error = CheckRemove(caller, walk.Position, child);
        Result result = error;
        if (error == Errno.None)
        {
            Inode* parent = walk.Position.Inode;
            Inode* inode = child.Inode;
            result = parent->Operations->Unlink(parent, walk.Name, inode);
            if (!result.IsError)
            {
                child.Dentry->Delete();
                FileEvents.RaiseSelf(inode, inode->LinkCount == 0 ? FileEvent.DeleteSelf : FileEvent.Attributes);
                FileEvents.RaiseEntry(parent, walk.Name, FileEvent.Delete);
            }
        }
        child.Release();
        walk.End();
        return result;
    }

    /// <summary>Removes an empty directory. ENOTDIR, ENOTEMPTY; EBUSY for a root or mount point; EINVAL for ".".</summary>
    public static Result RemoveDirectory(VfsCaller caller, int directory, PathText* text)
    {
        PathWalk walk;
        Errno error = PathWalk.Begin(&walk, caller.Context, caller.Files, directory, text);
        if (error != Errno.None)
            return error;
        error = walk.ToParent();
        if (error == Errno.None && walk.IsNameSpecial)
            error = walk.Name.Length switch { 0 => Errno.EBUSY, 1 => Errno.EINVAL, _ => Errno.ENOTEMPTY };
        Path child = default;
        if (error == Errno.None)
            error = walk.LookUp(out child);
        if (error == Errno.None && !child.Inode->IsDirectory)
            error = Errno.ENOTDIR;
        if (error == Errno.None)
            error = CheckRemove(caller, walk.Position, child);
        Result result = error;
        if (error == Errno.None)
        {
            Inode* parent = walk.Position.Inode;
            result = parent->Operations->RemoveDirectory(parent, walk.Name, child.Inode);
            if (!result.IsError)
            {
                child.Dentry->Delete();
                FileEvents.RaiseSelf(child.Inode, FileEvent.DeleteSelf);
                FileEvents.RaiseEntry(parent, walk.Name, FileEvent.Delete | FileEvent.IsDirectory);
            }
        }
        child.Release();
        walk.End();
        return result;
    }

    /// <summary>Makes a directory of the kernel's own path, and those above it, unless they are there. ENOTDIR.</summary>
    public static Result EnsureDirectory(ReadOnlySpan<byte> path, uint permissions)
    {
        for (int end = 1; end <= path.Length; end++)
        {
            if (end != path.Length && path[end] != '/')
                continue;
            PathText text;
            Errno error = PathText.Load(path[..end], &text);
            if (error != Errno.None)
                return error;
            Result result = MakeDirectory(Kernel, Fd.CurrentDirectory, &text, end == path.Length ? permissions : Permissions755);
            text.Free();
            if (result.IsError && result.Error != Errno.EEXIST)
                return result;
        }
        Errno found = Find(path, out Path place);
        if (found != Errno.None)
            return found;
        bool isDirectory = place.Inode->IsDirectory;
        place.Release();
        return isDirectory ? Result.Ok : Errno.ENOTDIR;
    }

    /// <summary>Makes a device node, FIFO or file at a path of the kernel's own. EEXIST.</summary>
    public static Result MakeNode(ReadOnlySpan<byte> path, uint mode, ulong device)
    {
        PathText text;
        Errno error = PathText.Load(path, &text);
        if (error != Errno.None)
            return error;
        Result result = MakeNode(Kernel, Fd.CurrentDirectory, &text, mode, device);
        text.Free();
        return result;
    }

    /// <summary>Makes a symbolic link at a path of the kernel's own. EEXIST.</summary>
    public static Result MakeSymbolicLink(ReadOnlySpan<byte> target, ReadOnlySpan<byte> path)
    {
        PathText text;
        Errno error = PathText.Load(path, &text);
        if (error != Errno.None)
            return error;
        Result result = MakeSymbolicLink(Kernel, target, Fd.CurrentDirectory, &text);
        text.Free();
        return result;
    }

    // Walks to where a new name is to stand and checks that it may. The walk is ended on failure.
    private static Errno BeginCreate(PathWalk* walk, VfsCaller caller, int directory, PathText* text, bool isDirectory)
    {
        Errno error = PathWalk.Begin(walk, caller.Context, caller.Files, directory, text);
        if (error != Errno.None)
            return error;
        error = walk->ToParent();
        if (error == Errno.None)
            error = CheckCreate(walk, caller, isDirectory);
        if (error != Errno.None)
            walk->End();
        return error;
    }

    private static Errno CheckCreate(PathWalk* walk, VfsCaller caller, bool isDirectory)
    {
        if (walk->IsNameSpecial)
            return Errno.EEXIST;
        Errno error = walk->LookUp(out Path child);
        if (error == Errno.None)
        {
            child.Release();
            return Errno.EEXIST;
        }
        if (error != Errno.ENOENT)
            return error;
        if (walk->HasTrailingSlash && !isDirectory)
            return Errno.ENOENT;
        return CheckEnter(caller, walk->Position);
    }

    // Whether a name may be added to a directory.
    private static Errno CheckEnter(VfsCaller caller, in Path directory)
    {
        if (directory.Dentry->IsDeleted)
            return Errno.ENOENT;
        Errno error = CheckWritable(directory);
        return error != Errno.None ? error : Files.Permissions.Check(caller.Context, directory.Inode, Permission.Write | Permission.Execute);
    }

    // Whether a name may be taken from a directory. A place that is a mount's root is a mount point.
    private static Errno CheckRemove(VfsCaller caller, in Path directory, in Path child)
    {
        Errno error = CheckWritable(directory);
        if (error == Errno.None)
            error = Files.Permissions.CheckRemove(caller.Context, directory.Inode, child.Inode);
        if (error == Errno.None && (child.Mount != directory.Mount || child.Dentry->MountCount != 0))
            error = Errno.EBUSY;
        return error;
    }

    private static Errno FinishCreate(PathWalk* walk, VfsCaller caller, Inode* created)
    {
        SetOwner(caller, walk->Position.Inode, created);
        bool isDirectory = created->IsDirectory;
        Dentry* dentry = Dentry.Add(walk->Position.Dentry, walk->Name, created);
        // Without memory for a dentry the file is there all the same; the next lookup makes one.
        if (dentry != null)
            Dentry.Release(dentry);
        FileEvents.RaiseEntry(walk->Position.Inode, walk->Name, isDirectory ? FileEvent.Create | FileEvent.IsDirectory : FileEvent.Create);
        return Errno.None;
    }

    private static void SetOwner(VfsCaller caller, Inode* parent, Inode* created)
    {
        bool inherits = (parent->Mode & ModeBits.SetGroupId) != 0;
        uint group = inherits ? parent->GroupId : caller.Context->GroupId;
        if (caller.Context->UserId == 0 && group == 0)
            return;
        var change = new AttributeChange { Mask = AttributeMask.UserId | AttributeMask.GroupId, UserId = caller.Context->UserId, GroupId = group };
        created->Operations->SetAttributes(created, &change);
    }

    private static Result LinkInto(PathWalk* walk, Inode* inode)
    {
        Inode* parent = walk->Position.Inode;
        if (inode->FileSystem != parent->FileSystem)
            return Errno.EXDEV;
        if (inode->IsDirectory)
            return Errno.EPERM;
        if (inode->LinkCount == 0 && !inode->IsLinkable)
            return Errno.ENOENT;
        Result result = parent->Operations->Link(parent, walk->Name, inode);
        if (result.IsError)
            return result;
        inode->IsLinkable = false;
        inode->AddReference();
        Dentry* dentry = Dentry.Add(walk->Position.Dentry, walk->Name, inode);
        if (dentry != null)
            Dentry.Release(dentry);
        FileEvents.RaiseSelf(inode, FileEvent.Attributes);
        FileEvents.RaiseEntry(parent, walk->Name, FileEvent.Create);
        return Result.Ok;
    }
}
