// A file system as a whole (Linux's super block).
using System;
using System.Runtime.CompilerServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Files;

/// <summary>Fixed properties of a file system.</summary>
[Flags]
public enum FileSystemTraits : uint
{
    None = 0,

    /// <summary>Names change only through the VFS, so the dentry cache may keep them.</summary>
    StableNames = 1,
}

/// <summary>The behaviour of a type of file system.</summary>
public unsafe interface IFileSystemKind
{
    /// <summary>Its name in /proc/mounts.</summary>
    static abstract int Describe(Span<byte> to);

    /// <summary>statfs(2). The type, block size 4096 and name length 255 are set already.</summary>
    static virtual Result GetStatus(FileSystem* fileSystem, StatFs* status) => Result.Ok;

    /// <summary>sync(2), syncfs(2). May sleep.</summary>
    static virtual Result Sync(FileSystem* fileSystem) => Result.Ok;

    /// <summary>It is no longer mounted: free everything, the <see cref="FileSystem"/> too.</summary>
    static abstract void Unmount(FileSystem* fileSystem);
}

/// <summary>The operations of a type of file system; see <see cref="IFileSystemKind"/>.</summary>
public unsafe struct FileSystemOperations
{
    public delegate*<Span<byte>, int> Describe;
    public delegate*<FileSystem*, StatFs*, Result> GetStatus;
    public delegate*<FileSystem*, Result> Sync;
    public delegate*<FileSystem*, void> Unmount;

    /// <summary>The table of <typeparamref name="TKind"/>, filled on first use. It lives for ever and never moves.</summary>
    public static FileSystemOperations* Of<TKind>()
        where TKind : unmanaged, IFileSystemKind
    {
        var table = (FileSystemOperations*)Unsafe.AsPointer(ref Holder<TKind>.Table);
        if (table->Describe == null)
        {
            table->Describe = &TKind.Describe;
            table->GetStatus = &TKind.GetStatus;
            table->Sync = &TKind.Sync;
            table->Unmount = &TKind.Unmount;
        }
        return table;
    }

    private static class Holder<TKind>
        where TKind : unmanaged, IFileSystemKind
    {
        [FixedAddressValueType]
        internal static FileSystemOperations Table;
    }
}

/// <summary>A file system: a set of inodes with a root directory.</summary>
public unsafe struct FileSystem
{
    /// <summary>st_dev of files without inode (Linux's anon_inodefs and pipefs).</summary>
    public const ulong AnonymousDevice = 1;

    private static uint s_lastDevice;

    /// <summary>What its type does.</summary>
    public FileSystemOperations* Operations;

    /// <summary>The type's own data.</summary>
    public void* Object;

    /// <summary>The root directory's inode, with a reference.</summary>
    public Inode* Root;

    /// <summary>st_dev.</summary>
    public ulong DeviceNumber;

    /// <summary>f_type of statfs(2).</summary>
    public uint Magic;

    public FileSystemTraits Traits;

    /// <summary>A file system of a type, without root yet; null when out of memory.</summary>
    public static FileSystem* Create<TKind>(uint magic, FileSystemTraits traits)
        where TKind : unmanaged, IFileSystemKind
    {
        FileSystem* fileSystem = Pool<FileSystem>.Allocate();
        if (fileSystem == null)
            return null;
        fileSystem->Operations = FileSystemOperations.Of<TKind>();
        fileSystem->Magic = magic;
        fileSystem->Traits = traits;
        // Minors of major 0 are what Linux gives file systems without a device.
        if (s_lastDevice == 0)
            s_lastDevice = (uint)AnonymousDevice;
        fileSystem->DeviceNumber = Abi.DeviceNumber.Make(0, ++s_lastDevice);
        return fileSystem;
    }
}
