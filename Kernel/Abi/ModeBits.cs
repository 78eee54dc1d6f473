namespace Ukl.Kernel.Abi;

/// <summary>The bits of a file's mode (inode(7)): its type and its permissions.</summary>
public static class ModeBits
{
    public const uint TypeMask = 0xf000;
    public const uint Fifo = 0x1000;
    public const uint CharacterDevice = 0x2000;
    public const uint Directory = 0x4000;
    public const uint BlockDevice = 0x6000;
    public const uint Regular = 0x8000;
    public const uint SymbolicLink = 0xa000;
    public const uint Socket = 0xc000;
    public const uint SetUserId = 0x800;
    public const uint SetGroupId = 0x400;
    public const uint Sticky = 0x200;
    public const uint GroupExecute = 0x8;
    public const uint AnyExecute = 0x49;
    public const uint PermissionMask = 0xfff;
    public const uint AccessMask = 0x1ff;

    /// <summary>The type as a directory entry shows it (DT_*): the mode's top four bits.</summary>
    public static byte DirectoryEntryType(uint mode) => (byte)((mode & TypeMask) >> 12);
}
