// Who may do what with a file. Source: path_resolution(7), "Permissions"; capabilities(7), CAP_DAC_OVERRIDE and CAP_FOWNER, which uid 0 has.
using System;
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Files;

/// <summary>What is wanted of an inode, with the bits of a mode and of access(2).</summary>
[Flags]
public enum Permission : uint
{
    None = 0,
    Execute = 1,
    Write = 2,
    Read = 4,
}

/// <summary>The permission checks of the VFS.</summary>
public static unsafe class Permissions
{
    /// <summary>Whether the context's user may access an inode so. EACCES.</summary>
    public static Errno Check(FileSystemContext* context, Inode* inode, Permission wanted)
    {
        if (context->UserId == 0)
        {
            bool needsBit = (wanted & Permission.Execute) != 0 && !inode->IsDirectory;
            return needsBit && (inode->Mode & ModeBits.AnyExecute) == 0 ? Errno.EACCES : Errno.None;
        }
        uint bits = inode->UserId == context->UserId ? inode->Mode >> 6 : inode->GroupId == context->GroupId ? inode->Mode >> 3 : inode->Mode;
        return ((uint)wanted & ~bits) == 0 ? Errno.None : Errno.EACCES;
    }

    /// <summary>Whether the user owns the inode or is root. EPERM.</summary>
    public static Errno CheckOwner(FileSystemContext* context, Inode* inode) =>
        context->UserId == 0 || context->UserId == inode->UserId ? Errno.None : Errno.EPERM;

    /// <summary>Whether an entry of a directory may be removed: write permission, and in a sticky directory ownership. EACCES, EPERM.</summary>
    public static Errno CheckRemove(FileSystemContext* context, Inode* directory, Inode* inode)
    {
        Errno error = Check(context, directory, Permission.Write | Permission.Execute);
        if (error != Errno.None || (directory->Mode & ModeBits.Sticky) == 0)
            return error;
        return CheckOwner(context, directory) == Errno.None ? Errno.None : CheckOwner(context, inode);
    }
}
