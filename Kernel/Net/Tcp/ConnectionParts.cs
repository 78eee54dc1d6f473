namespace Ukl.Kernel.Net.Tcp;

/// <summary>What is known of the urgent byte (RFC 9293 section 3.8.5, as Linux: the byte before the one the pointer names).</summary>
internal enum UrgentState : byte
{
    None,

    /// <summary>The pointer came, the byte did not.</summary>
    Announced,

    /// <summary>The byte is here and was not read.</summary>
    Present,

    /// <summary>The byte was read.</summary>
    Read,
}

/// <summary>Options of a socket that are numbers (tcp(7)); an accepted connection has its listener's.</summary>
internal struct TcpSettings
{
    private const ulong Second = 1_000_000_000;

    /// <summary>TCP_KEEPIDLE, in nanoseconds.</summary>
    public ulong KeepIdle;

    /// <summary>TCP_KEEPINTVL, in nanoseconds.</summary>
    public ulong KeepInterval;

    /// <summary>TCP_USER_TIMEOUT, in nanoseconds; 0: the number of retries decides.</summary>
    public ulong UserTimeout;

    /// <summary>How long an orphan stays in FIN-WAIT-2 (TCP_LINGER2), in nanoseconds; 0: it is reset at once.</summary>
    public ulong FinTimeout;

    /// <summary>TCP_DEFER_ACCEPT, in nanoseconds.</summary>
    public ulong DeferAccept;

    /// <summary>SO_RCVLOWAT, in bytes.</summary>
    public uint LowWatermark;

    /// <summary>TCP_KEEPCNT.</summary>
    public byte KeepCount;

    /// <summary>TCP_SYNCNT.</summary>
    public byte SynRetries;

    /// <summary>Linux's defaults.</summary>
    public void Initialize()
    {
        KeepIdle = 7200 * Second;
        KeepInterval = 75 * Second;
        KeepCount = 9;
        FinTimeout = 60 * Second;
        SynRetries = 6;
        LowWatermark = 1;
    }
}

/// <summary>How the receive buffer follows what the program reads (Linux: dynamic right-sizing).</summary>
internal struct ReceiveTuning
{
    /// <summary>When the measured round trip began.</summary>
    public ulong Since;

    /// <summary>Bytes read since.</summary>
    public uint Copied;

    /// <summary>The most that was read in one round trip.</summary>
    public uint Space;
}

/// <summary>What TCP_INFO tells and nothing else needs.</summary>
internal struct TcpCounters
{
    public ulong BytesAcknowledged;
    public ulong BytesReceived;
    public uint SegmentsIn;
    public uint SegmentsOut;
    public uint Retransmitted;
}
