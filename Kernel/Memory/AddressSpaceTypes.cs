// Names and values of mmap(2), madvise(2), mremap(2), msync(2) and mlock(2) on x86-64. Source: include/uapi/asm-generic/mman*.h.
using System;

namespace Ukl.Kernel.Memory;

/// <summary>What a mapping allows, with Linux's values (mmap(2)).</summary>
[Flags]
public enum Protection : uint
{
    None = 0,
    Read = 1,
    Write = 2,
    Execute = 4,

    /// <summary>Every bit that means something here.</summary>
    All = Read | Write | Execute,

    /// <summary>PROT_SEM: accepted by mprotect, without effect.</summary>
    Semaphore = 8,

    /// <summary>mprotect: extend the change to the start of a mapping that grows down.</summary>
    GrowsDown = 0x0100_0000,

    /// <summary>mprotect: to the end of one that grows up; no such mappings exist.</summary>
    GrowsUp = 0x0200_0000,
}

/// <summary>How to map, with Linux's values (mmap(2)).</summary>
[Flags]
public enum MapFlags : uint
{
    None = 0,
    Shared = 0x01,
    Private = 0x02,

    /// <summary>Like <see cref="Shared"/>, but unknown flags are errors.</summary>
    SharedValidate = 0x03,

    /// <summary>The bits that hold one of the three above.</summary>
    TypeMask = 0x0f,
    Fixed = 0x10,
    Anonymous = 0x20,
    Low2GiB = 0x40,
    GrowsDown = 0x0100,
    DenyWrite = 0x0800,
    Executable = 0x1000,
    Locked = 0x2000,
    NoReserve = 0x4000,
    Populate = 0x8000,
    NonBlock = 0x1_0000,
    Stack = 0x2_0000,
    HugePages = 0x4_0000,
    Sync = 0x8_0000,
    FixedNoReplace = 0x10_0000,
    Uninitialized = 0x400_0000,

    /// <summary>What <see cref="SharedValidate"/> knows.</summary>
    Known = TypeMask | Fixed | Anonymous | Low2GiB | GrowsDown | DenyWrite | Executable | Locked | NoReserve | Populate | NonBlock | Stack | HugePages |
        FixedNoReplace | Uninitialized,
}

/// <summary>Flags of mremap(2), with Linux's values.</summary>
[Flags]
public enum RemapFlags : uint
{
    None = 0,
    MayMove = 1,
    Fixed = 2,
    DontUnmap = 4,
    All = MayMove | Fixed | DontUnmap,
}

/// <summary>Advice of madvise(2), with Linux's values.</summary>
public enum Advice
{
    Normal = 0,
    Random = 1,
    Sequential = 2,
    WillNeed = 3,
    DontNeed = 4,
    Free = 8,
    Remove = 9,
    DontFork = 10,
    DoFork = 11,
    Mergeable = 12,
    Unmergeable = 13,
    HugePage = 14,
    NoHugePage = 15,
    DontDump = 16,
    DoDump = 17,
    WipeOnFork = 18,
    KeepOnFork = 19,
    Cold = 20,
    PageOut = 21,
    PopulateRead = 22,
    PopulateWrite = 23,
    DontNeedLocked = 24,
    Collapse = 25,
}

/// <summary>What a virtual memory area is, apart from its protection.</summary>
[Flags]
public enum AreaFlags : uint
{
    None = 0,

    /// <summary>Writes go to the object, not to a private copy.</summary>
    Shared = 0x1,

    /// <summary>A fault below extends the area (stacks).</summary>
    GrowsDown = 0x2,

    /// <summary>A shared mapping of a file that is not open for writing: PROT_WRITE is refused.</summary>
    NeverWritable = 0x4,

    /// <summary>Mapped with MAP_NORESERVE: not counted against the machine's memory.</summary>
    NoReserve = 0x8,

    /// <summary>Counts as locked (mlock(2)); there is no swap, so it only forbids MADV_DONTNEED.</summary>
    Locked = 0x10,

    /// <summary>A child of fork does not get it.</summary>
    DontFork = 0x20,

    /// <summary>A child of fork gets zeros.</summary>
    WipeOnFork = 0x40,

    /// <summary>Left out of core dumps.</summary>
    DontDump = 0x80,

    /// <summary>Shared and without a name: MAP_SHARED | MAP_ANONYMOUS. Linux calls it /dev/zero (deleted).</summary>
    SharedMemory = 0x100,
}

/// <summary>Why an address was touched when it faulted.</summary>
public enum FaultAccess
{
    Read,
    Write,
    Execute,
}

/// <summary>What became of a page fault.</summary>
public enum FaultOutcome
{
    /// <summary>The page is there now; go on.</summary>
    Resolved,

    /// <summary>No mapping: SIGSEGV with SEGV_MAPERR.</summary>
    NotMapped,

    /// <summary>A mapping that forbids this access: SIGSEGV with SEGV_ACCERR.</summary>
    Forbidden,

    /// <summary>A file mapping beyond the end of its file: SIGBUS with BUS_ADRERR.</summary>
    BeyondFile,

    /// <summary>No memory left: the process is killed with a message.</summary>
    OutOfMemory,
}
