// /proc, /sys and /sys/fs/cgroup as file systems. Source: proc(5), sysfs(5), cgroups(7), statfs(2).
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Files.Proc;

/// <summary>Mounts the file systems that show the kernel's state.</summary>
public static unsafe class ProcFileSystems
{
    /// <summary>PROC_SUPER_MAGIC, by which statfs(2) knows /proc.</summary>
    internal const uint ProcMagic = 0x9fa0;

    private const uint SysfsMagic = 0x6265_6572, CgroupMagic = 0x6367_7270;
    private const ulong RootNumber = 1;

    /// <summary>Mounts /proc, /sys and the control group tree. Once, after the root is mounted. ENOMEM.</summary>
    public static Errno Start()
    {
        Result result = Mount<ProcKind>("/proc"u8, ProcMagic, &ProcRoot.Show);
        if (!result.IsError)
            result = Mount<SysfsKind>("/sys"u8, SysfsMagic, &SysfsEntries.ShowRoot);
        if (!result.IsError)
            result = Mount<CgroupKind>("/sys/fs/cgroup"u8, CgroupMagic, &CgroupEntries.Show);
        return result.Error;
    }

    private static Result Mount<TKind>(ReadOnlySpan<byte> path, uint magic, delegate*<ProcKey, ref ProcVisitor, void> entries)
        where TKind : unmanaged, IFileSystemKind
    {
        FileSystem* fileSystem = FileSystem.Create<TKind>(magic, FileSystemTraits.None);
        if (fileSystem == null)
            return Errno.ENOMEM;
        fileSystem->Root = ProcInode.Create(fileSystem, RootNumber, new ProcNode { Mode = ModeBits.Directory | 0x16d, Entries = entries });
        return fileSystem->Root == null ? Errno.ENOMEM : Vfs.MountAt(path, fileSystem);
    }

    private static void Free(FileSystem* fileSystem)
    {
        Inode.Release(fileSystem->Root);
        Pool<FileSystem>.Free(fileSystem);
    }

    private struct ProcKind : IFileSystemKind
    {
        public static int Describe(Span<byte> to) => AnonymousNames.Write(to, "proc"u8);

        public static void Unmount(FileSystem* fileSystem) => Free(fileSystem);
    }

    private struct SysfsKind : IFileSystemKind
    {
        public static int Describe(Span<byte> to) => AnonymousNames.Write(to, "sysfs"u8);

        public static void Unmount(FileSystem* fileSystem) => Free(fileSystem);
    }

    private struct CgroupKind : IFileSystemKind
    {
        public static int Describe(Span<byte> to) => AnonymousNames.Write(to, "cgroup2"u8);

        public static void Unmount(FileSystem* fileSystem) => Free(fileSystem);
    }
}
