using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Tasks;

/// <summary>A soft and a hard limit (getrlimit(2)).</summary>
public struct ResourceLimit
{
    /// <summary>The limit in force.</summary>
    public ulong Soft;

    /// <summary>How far the soft limit may be raised.</summary>
    public ulong Hard;
}

/// <summary>A process's resource limits, by Linux's numbers.</summary>
[InlineArray(Count)]
public struct ResourceLimits
{
    /// <summary>How many resources there are.</summary>
    public const int Count = 16;

    /// <summary>RLIM_INFINITY.</summary>
    public const ulong Infinity = ulong.MaxValue;

    public const int Data = 2;
    public const int Stack = 3;
    public const int Core = 4;
    public const int Processes = 6;
    public const int OpenFiles = 7;
    public const int LockedMemory = 8;
    public const int AddressSpace = 9;
    public const int PendingSignals = 11;
    public const int Nice = 13;
    public const int RealTimePriority = 14;

    private const ulong DefaultStack = 8 << 20;
    private const ulong DefaultOpenFiles = 1024;
    private const ulong MostOpenFiles = 1048576;
    private const ulong MostPendingSignals = 4096;

    private ResourceLimit _first;

    /// <summary>Linux's defaults for a first process with root's credentials.</summary>
    public void SetDefaults()
    {
        for (int i = 0; i < Count; i++)
            this[i] = new ResourceLimit { Soft = Infinity, Hard = Infinity };
        this[Stack] = new ResourceLimit { Soft = DefaultStack, Hard = Infinity };
        this[Core] = new ResourceLimit { Soft = 0, Hard = Infinity };
        this[OpenFiles] = new ResourceLimit { Soft = DefaultOpenFiles, Hard = MostOpenFiles };
        this[PendingSignals] = new ResourceLimit { Soft = MostPendingSignals, Hard = MostPendingSignals };
        this[Nice] = default;
        this[RealTimePriority] = default;
    }
}
