// Structures that file calls exchange with a program: stat(2), statx(2), statfs(2), getdents(2), fcntl(2). Layouts of x86-64 Linux.
using System.Runtime.InteropServices;

namespace Ukl.Kernel.Abi;

/// <summary>struct stat, 144 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct Stat
{
    public ulong Device;
    public ulong Inode;
    public ulong LinkCount;
    public uint Mode;
    public uint UserId;
    public uint GroupId;
    public uint Padding;
    public ulong SpecialDevice;
    public ulong Size;
    public ulong BlockSize;
    public ulong Blocks;
    public TimeSpec AccessTime;
    public TimeSpec ModifyTime;
    public TimeSpec ChangeTime;
    public fixed ulong Unused[3];
}

/// <summary>struct statfs, 120 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct StatFs
{
    public long Type;
    public long BlockSize;
    public ulong Blocks;
    public ulong BlocksFree;
    public ulong BlocksAvailable;
    public ulong Files;
    public ulong FilesFree;
    public ulong Id;
    public long NameLength;
    public long FragmentSize;
    public long Flags;
    public fixed long Spare[4];
}

/// <summary>struct statx_timestamp.</summary>
public struct StatxTime
{
    public long Seconds;
    public uint Nanoseconds;
    public int Padding;
}

/// <summary>struct statx, 256 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct Statx
{
    /// <summary>STATX_BASIC_STATS and STATX_BTIME.</summary>
    public const uint BasicStats = 0x7ff, BirthTimeValid = 0x800, MountIdValid = 0x1000;

    public uint Mask;
    public uint BlockSize;
    public ulong Attributes;
    public uint LinkCount;
    public uint UserId;
    public uint GroupId;
    public ushort Mode;
    public ushort Padding;
    public ulong Inode;
    public ulong Size;
    public ulong Blocks;
    public ulong AttributesMask;
    public StatxTime AccessTime;
    public StatxTime BirthTime;
    public StatxTime ChangeTime;
    public StatxTime ModifyTime;
    public uint SpecialMajor;
    public uint SpecialMinor;
    public uint DeviceMajor;
    public uint DeviceMinor;
    public ulong MountId;
    public fixed ulong Spare[13];
}

/// <summary>struct flock of fcntl(2)'s record locks, 32 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct RecordLock
{
    public short Type;
    public short Whence;
    public int Padding;
    public long Start;
    public long Length;
    public int ProcessId;
    public int Padding2;
}

/// <summary>struct open_how of openat2(2), its first version.</summary>
public struct OpenHow
{
    public ulong Flags;
    public ulong Mode;
    public ulong Resolve;
}

/// <summary>Device numbers as Linux packs them into dev_t (makedev(3)).</summary>
public static class DeviceNumber
{
    /// <summary>Packs major and minor.</summary>
    public static ulong Make(uint major, uint minor) =>
        (minor & 0xff) | (major & 0xfff) << 8 | ((ulong)(minor & ~0xffu) << 12) | ((ulong)(major & ~0xfffu) << 32);

    /// <summary>The major number: which driver.</summary>
    public static uint Major(ulong device) => (uint)(device >> 8 & 0xfff) | (uint)(device >> 32 & ~0xffful);

    /// <summary>The minor number: which of the driver's devices.</summary>
    public static uint Minor(ulong device) => (uint)(device & 0xff) | (uint)(device >> 12 & ~0xfful);
}
