// A file as its file system knows it, whatever its names.
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Files;

/// <summary>
/// An inode. Directory entries of the dentry cache and open files hold references; a file system may hold more. Allocated by its file system, which puts
/// whatever it needs behind <see cref="Object"/> or around this struct.
/// </summary>
public unsafe struct Inode
{
    /// <summary>What its file system does with it.</summary>
    public InodeOperations* Operations;

    /// <summary>How it behaves when opened (null for devices and FIFOs, which are looked up by number, and for symbolic links).</summary>
    public FileOperations* FileOperations;

    /// <summary>The file system it belongs to.</summary>
    public FileSystem* FileSystem;

    /// <summary>The file system's own data.</summary>
    public void* Object;

    /// <summary>st_ino.</summary>
    public ulong Number;

    /// <summary>Type and permissions; see <see cref="ModeBits"/>.</summary>
    public uint Mode;

    public uint UserId;
    public uint GroupId;

    /// <summary>st_nlink: how many names it has.</summary>
    public uint LinkCount;

    /// <summary>In bytes.</summary>
    public ulong Size;

    /// <summary>st_rdev of a device node.</summary>
    public ulong SpecialDevice;

    /// <summary>Times in nanoseconds since 1970.</summary>
    public ulong AccessTime, ModifyTime, ChangeTime, BirthTime;

    /// <summary>References; the last one evicts it.</summary>
    public int References;

    /// <summary>F_ADD_SEALS of a memfd.</summary>
    public uint Seals;

    /// <summary>It never had a name and may be given one (O_TMPFILE).</summary>
    public bool IsLinkable;

    /// <summary>What a FIFO's pipe or a bound socket hangs on its inode. Its owner clears it.</summary>
    public void* Attachment;

    /// <summary>inotify's watches; see <see cref="FileEvents"/>.</summary>
    public void* Watches;

    /// <summary>Advisory locks; see <see cref="FileLocks"/>. Null: none ever.</summary>
    public FileLocks* Locks;

    /// <summary>The type bits of the mode.</summary>
    public readonly uint Type => Mode & ModeBits.TypeMask;

    public readonly bool IsDirectory => Type == ModeBits.Directory;

    public readonly bool IsRegular => Type == ModeBits.Regular;

    public readonly bool IsSymbolicLink => Type == ModeBits.SymbolicLink;

    /// <summary>One more reference.</summary>
    public void AddReference() => References++;

    /// <summary>One reference less; the last one tells the file system to evict the inode.</summary>
    public static void Release(Inode* inode)
    {
        if (--inode->References != 0)
            return;
        FileLocks.Free(inode);
        FileEvents.Forget(inode);
        inode->Operations->Evict(inode);
    }

    /// <summary>Fills struct stat from these fields. 512-byte blocks are counted from the size; a file system that knows better sets them after.</summary>
    public readonly void FillStatus(Stat* status)
    {
        *status = default;
        status->Device = FileSystem->DeviceNumber;
        status->Inode = Number;
        status->LinkCount = LinkCount;
        status->Mode = Mode;
        status->UserId = UserId;
        status->GroupId = GroupId;
        status->SpecialDevice = SpecialDevice;
        status->Size = Size;
        status->BlockSize = 4096;
        status->Blocks = (Size + 511) / 512;
        status->AccessTime = TimeSpec.FromNanoseconds(AccessTime);
        status->ModifyTime = TimeSpec.FromNanoseconds(ModifyTime);
        status->ChangeTime = TimeSpec.FromNanoseconds(ChangeTime);
    }
}
