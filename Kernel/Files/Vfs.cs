// The tree of all files: how it starts, and finding places in it. What is done to names, open files and attributes stands in the other Vfs files.
using System;
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Files;

/// <summary>The tree of all files.</summary>
public static unsafe partial class Vfs
{
    private static Path s_root;
    private static FileSystemContext* s_kernelContext;
    private static Mount* s_unnamedMount;

    /// <summary>The root of the tree; empty before a file system is mounted there.</summary>
    public static Path Root => s_root;

    /// <summary>The kernel as a caller: from the root of the tree, as root, without umask.</summary>
    public static VfsCaller Kernel => new(s_kernelContext, null);

    /// <summary>Prepares the dentry cache. ENOMEM.</summary>
    public static Result Initialize() => Dentry.Initialize() ? Result.Ok : Errno.ENOMEM;

    /// <summary>Mounts the root of the tree; once, after <see cref="Initialize"/>. ENOMEM, EBUSY.</summary>
    public static Result MountRoot(FileSystem* fileSystem)
    {
        if (!s_root.IsEmpty)
            return Errno.EBUSY;
        Result result = Mount.Attach(fileSystem, default, out Mount* mount);
        if (result.IsError)
            return result;
        s_root = new Path { Mount = mount, Dentry = mount->Root }.Share();
        s_kernelContext = FileSystemContext.Create();
        if (s_kernelContext == null)
            return Errno.ENOMEM;
        s_kernelContext->Umask = 0;
        return Result.Ok;
    }

    /// <summary>Finds a path of the kernel's own, following links. The place carries references.</summary>
    public static Errno Find(ReadOnlySpan<byte> path, out Path found)
    {
        found = default;
        PathText text;
        Errno error = PathText.Load(path, &text);
        if (error != Errno.None)
            return error;
        error = Find(Kernel, Fd.CurrentDirectory, &text, true, out found);
        text.Free();
        return error;
    }

    /// <summary>Finds a path, following a link at its end when <paramref name="follow"/> says so. The place carries references.</summary>
    public static Errno Find(VfsCaller caller, int directory, PathText* text, bool follow, out Path found)
    {
        found = default;
        PathWalk walk;
        Errno error = PathWalk.Begin(&walk, caller.Context, caller.Files, directory, text);
        if (error != Errno.None)
            return error;
        error = walk.Finish(follow);
        if (error == Errno.None)
            found = walk.TakePosition();
        walk.End();
        return error;
    }

    /// <summary>Whether a mount is the one of files made by <see cref="OpenMemory"/>.</summary>
    internal static bool IsUnnamed(Mount* mount) => mount == s_unnamedMount;

    /// <summary>Whether a place may be written at all. EROFS.</summary>
    public static Errno CheckWritable(in Path path) => path.Mount->IsReadOnly ? Errno.EROFS : Errno.None;

    /// <summary>Mounts a file system on a directory of the tree, making it first when it is missing.</summary>
    public static Result MountAt(ReadOnlySpan<byte> path, FileSystem* fileSystem)
    {
        Result result = EnsureDirectory(path, Permissions755);
        if (result.IsError)
            return result;
        Errno error = Find(path, out Path point);
        if (error != Errno.None)
            return error;
        result = Mount.Attach(fileSystem, point, out _);
        point.Release();
        return result;
    }

    /// <summary>
    /// Fills the root from an initramfs: plain cpio (newc), several in a row if need be. The bytes must stay where they are for ever: files read from them until they are
    /// written. EINVAL when the archive is damaged (what came before the damage is there); ENOSPC. <paramref name="problem"/>: a sentence about what is wrong, or empty.
    /// </summary>
    public static Result Populate(ReadOnlySpan<byte> initramfs, out ReadOnlySpan<byte> problem) => Initramfs.Unpack(initramfs, out problem);

    /// <summary>Makes the directories that other file systems are mounted on, and /tmp, where they are missing.</summary>
    public static Result MakeMountPoints()
    {
        const uint everyone = ModeBits.Sticky | ModeBits.AccessMask;
        Result result = EnsureDirectory("/dev"u8, Permissions755);
        if (!result.IsError)
            result = EnsureDirectory("/proc"u8, Permissions755);
        if (!result.IsError)
            result = EnsureDirectory("/sys"u8, Permissions755);
        return result.IsError ? result : EnsureDirectory("/tmp"u8, everyone);
    }

    /// <summary>Reads a file's content into kernel memory. Returns the bytes read, 0 at the end. EINVAL when it is not a regular file. May sleep.</summary>
    public static Result ReadInode(Inode* inode, ulong offset, void* to, nuint count) => inode->Operations->ReadKernel(inode, offset, to, count);
}
