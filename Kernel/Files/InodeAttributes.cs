using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Files;

/// <summary>Sets the attributes that every file system keeps in the inode itself.</summary>
public static unsafe class InodeAttributes
{
    /// <summary>Takes over everything but the size; EINVAL when the size is asked for, which is the file system's affair.</summary>
    public static Result Apply(Inode* inode, AttributeChange* change)
    {
        AttributeMask mask = change->Mask;
        if ((mask & AttributeMask.Size) != 0)
            return Errno.EINVAL;
        if ((mask & AttributeMask.Mode) != 0)
            inode->Mode = inode->Type | (change->Mode & ModeBits.PermissionMask);
        if ((mask & AttributeMask.UserId) != 0)
            inode->UserId = change->UserId;
        if ((mask & AttributeMask.GroupId) != 0)
            inode->GroupId = change->GroupId;
        if ((mask & AttributeMask.AccessTime) != 0)
            inode->AccessTime = change->AccessTime;
        if ((mask & AttributeMask.ModifyTime) != 0)
            inode->ModifyTime = change->ModifyTime;
        return Result.Ok;
    }
}
