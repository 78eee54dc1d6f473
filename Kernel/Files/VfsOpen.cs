// Opening files. Source: open(2), openat2(2), memfd_create(2).
using System;
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Files;

public static unsafe partial class Vfs
{
    /// <summary>
    /// Opens a path, making a regular file when O_CREAT asks for it. <paramref name="mode"/>: its permissions before the umask. The open file carries one reference. May sleep (FIFO).
    /// </summary>
    public static Errno Open(VfsCaller caller, int directory, PathText* text, OpenFlags flags, uint mode, ResolveFlags resolve, out OpenFile* file)
    {
        file = null;
        if ((flags & OpenFlags.Path) != 0)
            flags &= OpenFlags.Path | OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.CloseOnExec;
        if ((flags & OpenFlags.Create) != 0 && (flags & OpenFlags.Directory) != 0)
            return Errno.EINVAL;
        bool isUnnamed = (flags & OpenFlags.TemporaryFileBit) != 0;
        if (isUnnamed && ((flags & (OpenFlags.Directory | OpenFlags.Create)) != OpenFlags.Directory || (flags & OpenFlags.AccessMask) == OpenFlags.ReadOnly))
            return Errno.EINVAL;
        PathWalk walk;
        Errno error = PathWalk.Begin(&walk, caller.Context, caller.Files, directory, text, resolve);
        if (error != Errno.None)
            return error;
        if (isUnnamed)
            error = OpenUnnamed(&walk, caller, flags, mode, out file);
        else
            error = OpenNamed(&walk, caller, flags, mode, out file);
        walk.End();
        if (error == Errno.None)
            FileEvents.Raise(file, FileEvent.Open);
        return error;
    }

    /// <summary>Opens a path of the kernel's own.</summary>
    public static Errno Open(ReadOnlySpan<byte> path, OpenFlags flags, uint mode, out OpenFile* file)
    {
        file = null;
        PathText text;
        Errno error = PathText.Load(path, &text);
        if (error != Errno.None)
            return error;
        error = Open(Kernel, Fd.CurrentDirectory, &text, flags, mode, ResolveFlags.None, out file);
        text.Free();
        return error;
    }

    /// <summary>
    /// Makes a file in memory that has no name in the tree; /proc shows it as <paramref name="name"/>. The open file carries one reference. Null when out of memory.
    /// </summary>
    public static OpenFile* OpenMemory(ReadOnlySpan<byte> name, uint mode)
    {
        if (s_unnamedMount == null)
        {
            FileSystem* fileSystem = Tmpfs.Create(ModeBits.AccessMask);
            if (fileSystem == null)
                return null;
            s_unnamedMount = Mount.CreateUnattached(fileSystem);
            if (s_unnamedMount == null)
            {
                fileSystem->Operations->Unmount(fileSystem);
                return null;
            }
        }
        Dentry* root = s_unnamedMount->Root;
        Inode* inode = null;
        if (root->Inode->Operations->CreateUnnamed(root->Inode, ModeBits.Regular | mode, &inode).IsError)
            return null;
        Dentry* dentry = Dentry.AddDeleted(root, name, inode);
        if (dentry == null)
            return null;
        s_unnamedMount->References++;
        var path = new Path { Mount = s_unnamedMount, Dentry = dentry };
        OpenPlace(ref path, OpenFlags.ReadWrite | OpenFlags.LargeFile, out OpenFile* file);
        path.Release();
        return file;
    }

    private static Errno OpenNamed(PathWalk* walk, VfsCaller caller, OpenFlags flags, uint mode, out OpenFile* file)
    {
        file = null;
        bool isCreate = (flags & OpenFlags.Create) != 0;
        bool isExclusive = isCreate && (flags & OpenFlags.Exclusive) != 0;
        while (true)
        {
            Errno error = walk->ToParent();
            if (error != Errno.None)
                return error;
            if (walk->IsNameSpecial)
            {
                if (isCreate)
                    return isExclusive ? Errno.EEXIST : Errno.EISDIR;
                error = walk->FinishSpecial();
                return error != Errno.None ? error : OpenFound(caller, walk->TakePosition(), flags, out file);
            }
            if (isCreate && walk->HasTrailingSlash)
                return Errno.EISDIR;
            error = walk->LookUp(out Path child);
            if (error == Errno.ENOENT && isCreate)
                return CreateAndOpen(walk, caller, flags, mode, out file);
            if (error != Errno.None)
                return error;
            if (isExclusive)
                error = Errno.EEXIST;
            else if (child.Inode->IsSymbolicLink && ((flags & OpenFlags.NoFollow) == 0 || walk->HasTrailingSlash))
                error = FollowForOpen(walk, caller, child, flags, out file);
            else if (walk->HasTrailingSlash && !child.Inode->IsDirectory)
                error = Errno.ENOTDIR;
            else
                return OpenFound(caller, child, flags, out file);
            child.Release();
            if (error != Errno.None || file != null)
                return error;
        }
    }

    // Leaves file null when the walk is to go on along the link's text.
    private static Errno FollowForOpen(PathWalk* walk, VfsCaller caller, in Path link, OpenFlags flags, out OpenFile* file)
    {
        OpenFile* direct = null;
        Result opened = link.Inode->Operations->OpenLink(link.Inode, flags, &direct);
        file = direct;
        if (opened.Error != Errno.ENOSYS)
            return opened.Error;
        Errno error = walk->Follow(link.Inode);
        if (error != Errno.None || !walk->HasJumped)
            return error;
        return OpenFound(caller, walk->TakePosition(), flags, out file);
    }

    private static Errno CreateAndOpen(PathWalk* walk, VfsCaller caller, OpenFlags flags, uint mode, out OpenFile* file)
    {
        file = null;
        Errno error = CheckEnter(caller, walk->Position);
        if (error != Errno.None)
            return error;
        Inode* parent = walk->Position.Inode;
        Inode* created = null;
        Result result = parent->Operations->Create(parent, walk->Name, ModeBits.Regular | (mode & ModeBits.PermissionMask & ~caller.Context->Umask), 0, &created);
        if (result.IsError)
            return result.Error;
        SetOwner(caller, parent, created);
        Dentry* dentry = Dentry.Add(walk->Position.Dentry, walk->Name, created);
        if (dentry == null)
            return Errno.ENOMEM;
        FileEvents.RaiseEntry(parent, walk->Name, FileEvent.Create);
        walk->Position.Mount->References++;
        var path = new Path { Mount = walk->Position.Mount, Dentry = dentry };
        // Its creator may use it as asked, whatever the new file's permissions say.
        error = OpenPlace(ref path, flags & ~OpenFlags.Truncate, out file);
        path.Release();
        return error;
    }

    private static Errno OpenUnnamed(PathWalk* walk, VfsCaller caller, OpenFlags flags, uint mode, out OpenFile* file)
    {
        file = null;
        Errno error = walk->Finish(true);
        if (error != Errno.None)
            return error;
        if (!walk->Position.Inode->IsDirectory)
            return Errno.ENOTDIR;
        error = CheckEnter(caller, walk->Position);
        if (error != Errno.None)
            return error;
        Inode* parent = walk->Position.Inode;
        Inode* created = null;
        Result result = parent->Operations->CreateUnnamed(parent, ModeBits.Regular | (mode & ModeBits.PermissionMask & ~caller.Context->Umask), &created);
        if (result.IsError)
            return result.Error;
        SetOwner(caller, parent, created);
        created->IsLinkable = (flags & OpenFlags.Exclusive) == 0;
        Dentry* dentry = Dentry.AddDeleted(walk->Position.Dentry, "#unnamed"u8, created);
        if (dentry == null)
            return Errno.ENOMEM;
        walk->Position.Mount->References++;
        var path = new Path { Mount = walk->Position.Mount, Dentry = dentry };
        error = OpenPlace(ref path, flags & ~OpenFlags.Truncate, out file);
        path.Release();
        return error;
    }

    // Opens what stands at a place after checking type and permissions; the place's references are used up.
    private static Errno OpenFound(VfsCaller caller, Path path, OpenFlags flags, out OpenFile* file)
    {
        file = null;
        Errno error = (flags & OpenFlags.Path) != 0 ? CheckType(path.Inode, flags) : CheckOpen(caller, path, flags);
        if (error == Errno.None)
            error = OpenPlace(ref path, flags, out file);
        path.Release();
        return error;
    }

    private static Errno CheckType(Inode* inode, OpenFlags flags) =>
        (flags & OpenFlags.Directory) != 0 && !inode->IsDirectory ? Errno.ENOTDIR : Errno.None;

    private static Errno CheckOpen(VfsCaller caller, in Path path, OpenFlags flags)
    {
        Inode* inode = path.Inode;
        OpenFlags mode = flags & OpenFlags.AccessMask;
        bool isWrite = mode != OpenFlags.ReadOnly || (flags & OpenFlags.Truncate) != 0;
        if (inode->IsDirectory && (isWrite || (flags & OpenFlags.Create) != 0))
            return Errno.EISDIR;
        if (inode->IsSymbolicLink)
            return (flags & OpenFlags.Directory) != 0 ? Errno.ENOTDIR : Errno.ELOOP;
        Errno error = CheckType(inode, flags);
        if (error != Errno.None)
            return error;
        Permission wanted = mode switch
        {
            OpenFlags.ReadOnly => Permission.Read,
            OpenFlags.WriteOnly => Permission.Write,
            _ => Permission.Read | Permission.Write,
        };
        if (isWrite)
            wanted |= Permission.Write;
        error = Files.Permissions.Check(caller.Context, inode, wanted);
        if (error == Errno.None && isWrite && (inode->IsRegular || inode->IsDirectory))
            error = CheckWritable(path);
        if (error == Errno.None && (flags & OpenFlags.NoAccessTime) != 0)
            error = Files.Permissions.CheckOwner(caller.Context, inode);
        return error;
    }

    // Makes the open file of a place, taking over its references when it succeeds.
    private static Errno OpenPlace(ref Path path, OpenFlags flags, out OpenFile* file)
    {
        Inode* inode = path.Inode;
        file = OpenFile.Allocate(flags);
        if (file == null)
            return Errno.ENFILE;
        file->Inode = inode;
        file->Object = inode->Object;
        FileOperations* operations = inode->FileOperations;
        if ((flags & OpenFlags.Path) != 0)
            operations = FileOperations.Of<PathOnlyFile>();
        else if (operations == null)
            operations = FindSpecial(file);
        Result result = Errno.ENXIO;
        if (operations != null)
        {
            file->SetOperations(operations);
            file->Path = path.Share();
            result = operations->Open(file);
        }
        if (!result.IsError && (flags & OpenFlags.Truncate) != 0 && inode->IsRegular)
        {
            result = file->Operations->Truncate(file, 0);
            if (!result.IsError)
                FileEvents.Raise(file, FileEvent.Modify);
        }
        if (!result.IsError)
            return Errno.None;
        OpenFile.Discard(file);
        file = null;
        return result.Error;
    }

    private static FileOperations* FindSpecial(OpenFile* file)
    {
        if (file->Inode->Type == ModeBits.Fifo)
            return SpecialFiles.Fifo;
        if (file->Inode->Type != ModeBits.CharacterDevice || !SpecialFiles.TryFindCharacter(file->Inode->SpecialDevice, out FileOperations* operations, out void* data))
            return null;
        file->Object = data;
        return operations;
    }
}
