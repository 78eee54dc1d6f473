// Flags of open(2) and their relatives. Source: include/uapi/asm-generic/fcntl.h, include/uapi/linux/fcntl.h, x86-64 values.
using System;

namespace Ukl.Kernel.Abi;

/// <summary>How a file is opened (O_*), and what F_GETFL shows of it.</summary>
[Flags]
public enum OpenFlags : uint
{
    ReadOnly = 0,
    WriteOnly = 1,
    ReadWrite = 2,
    AccessMask = 3,
    Create = 0x40,
    Exclusive = 0x80,
    NoControllingTerminal = 0x100,
    Truncate = 0x200,
    Append = 0x400,
    NonBlock = 0x800,
    DataSync = 0x1000,
    Async = 0x2000,
    Direct = 0x4000,
    LargeFile = 0x8000,
    Directory = 0x1_0000,
    NoFollow = 0x2_0000,
    NoAccessTime = 0x4_0000,
    CloseOnExec = 0x8_0000,
    Sync = 0x10_1000,
    Path = 0x20_0000,
    TemporaryFile = 0x41_0000,

    /// <summary>The bit of <see cref="TemporaryFile"/> that is not <see cref="Directory"/>.</summary>
    TemporaryFileBit = 0x40_0000,

    /// <summary>Every flag open(2) knows; openat2(2) refuses others.</summary>
    Known = 0x7f_ffc3,
}

/// <summary>Flags of the *at calls (AT_*). Values are shared between calls where Linux shares them.</summary>
[Flags]
public enum AtFlags : uint
{
    None = 0,
    SymlinkNoFollow = 0x100,
    EffectiveAccess = 0x200,
    RemoveDirectory = 0x200,
    SymlinkFollow = 0x400,
    NoAutomount = 0x800,
    EmptyPath = 0x1000,
    StatxSyncMask = 0x6000,
}
