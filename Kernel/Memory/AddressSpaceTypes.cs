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
