// What a file system does with its inodes. Members it leaves out answer as Linux does for a file system that lacks the operation.
using System;
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Files;

/// <summary>Which attributes a change sets.</summary>
[Flags]
public enum AttributeMask : uint
{
    None = 0,
    Mode = 1,
    UserId = 2,
    GroupId = 4,
    Size = 8,
    AccessTime = 16,
    ModifyTime = 32,
}

/// <summary>New attributes of an inode (chmod, chown, truncate, utimensat).</summary>
public struct AttributeChange
{
    public AttributeMask Mask;
    public uint Mode;
    public uint UserId;
    public uint GroupId;
    public ulong Size;
    public ulong AccessTime;
    public ulong ModifyTime;
}

/// <summary>Flags of renameat2(2).</summary>
[Flags]
public enum RenameFlags : uint
{
    None = 0,
    NoReplace = 1,
    Exchange = 2,
    Whiteout = 4,
}

/// <summary>
/// The behaviour of the inodes of one file system. The VFS has checked names, types, permissions and mounts; a member does the work or says why not. "Directory"
/// members are called on directories only. An inode given back through a pointer carries a reference for the caller.
/// </summary>
public unsafe interface IInodeKind
{
    /// <summary>Finds a name. ENOENT when there is none. May sleep.</summary>
    static virtual Result Lookup(Inode* directory, ReadOnlySpan<byte> name, Inode** found) => Errno.ENOENT;

    /// <summary>Makes a file of the type in <paramref name="mode"/> (not a directory, not a link); the name does not exist. <paramref name="device"/>: number of a device node.</summary>
    static virtual Result Create(Inode* directory, ReadOnlySpan<byte> name, uint mode, ulong device, Inode** created) => Errno.EPERM;

    /// <summary>Makes an empty directory; the name does not exist.</summary>
    static virtual Result MakeDirectory(Inode* directory, ReadOnlySpan<byte> name, uint mode, Inode** created) => Errno.EPERM;

    /// <summary>Makes a symbolic link; the name does not exist.</summary>
    static virtual Result MakeSymbolicLink(Inode* directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, Inode** created) => Errno.EPERM;

    /// <summary>Makes a file without name (O_TMPFILE, memfd).</summary>
    static virtual Result CreateUnnamed(Inode* directory, uint mode, Inode** created) => Errno.EOPNOTSUPP;

    /// <summary>Gives an inode of the same file system another name, which does not exist.</summary>
    static virtual Result Link(Inode* directory, ReadOnlySpan<byte> name, Inode* inode) => Errno.EPERM;

    /// <summary>Removes a name of something that is not a directory.</summary>
    static virtual Result Unlink(Inode* directory, ReadOnlySpan<byte> name, Inode* inode) => Errno.EPERM;

    /// <summary>Removes a directory. ENOTEMPTY when it has entries.</summary>
    static virtual Result RemoveDirectory(Inode* directory, ReadOnlySpan<byte> name, Inode* inode) => Errno.EPERM;

    /// <summary>
    /// Moves a name; <paramref name="replaced"/> is what the new name is now, or null. Types agree and neither is an ancestor of the other. ENOTEMPTY when a directory
    /// to be replaced has entries. With <see cref="RenameFlags.Exchange"/> the two change places.
    /// </summary>
    static virtual Result Rename(Inode* oldDirectory, ReadOnlySpan<byte> oldName, Inode* inode, Inode* newDirectory, ReadOnlySpan<byte> newName, Inode* replaced, RenameFlags flags) =>
        Errno.EPERM;

    /// <summary>Copies a symbolic link's target, cut to <paramref name="capacity"/>. Returns the bytes copied.</summary>
    static virtual Result ReadLink(Inode* inode, byte* buffer, nuint capacity) => Errno.EINVAL;

    /// <summary>
    /// Where a link leads that is more than text (/proc/self/fd/3): fills <paramref name="target"/> with references for the caller. ENOSYS: it is text; use ReadLink.
    /// </summary>
    static virtual Result FollowLink(Inode* inode, Path* target) => Errno.ENOSYS;

    /// <summary>
    /// Opens what a link leads to that has no path (/proc/self/fd/3 of a pipe): gives the open file with a reference for the caller. ENOSYS: follow the link instead.
    /// </summary>
    static virtual Result OpenLink(Inode* inode, OpenFlags flags, OpenFile** file) => Errno.ENOSYS;

    /// <summary>Fills struct stat.</summary>
    static virtual Result GetAttributes(Inode* inode, Stat* status)
    {
        inode->FillStatus(status);
        return Result.Ok;
    }

    /// <summary>Changes attributes; the VFS sets ChangeTime.</summary>
    static virtual Result SetAttributes(Inode* inode, AttributeChange* change) => InodeAttributes.Apply(inode, change);

    /// <summary>Reads a regular file's content into kernel memory (ELF loader, sendfile). Returns the bytes read; 0 at the end. May sleep.</summary>
    static virtual Result ReadKernel(Inode* inode, ulong offset, void* to, nuint count) => Errno.EINVAL;

    /// <summary>
    /// Lends bytes of a regular file, from an offset before its end on and at most <paramref name="count"/> of them. False: they lie nowhere as they are; read them.
    /// </summary>
    static virtual bool Lend(Inode* inode, ulong offset, nuint count, FileLoan* loan) => false;

    /// <summary>The last reference is gone: keep or free what it holds, and the inode.</summary>
    static virtual void Evict(Inode* inode)
    {
    }
}
