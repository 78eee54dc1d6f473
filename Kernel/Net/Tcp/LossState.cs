namespace Ukl.Kernel.Net.Tcp;

/// <summary>Where a sender stands with losses.</summary>
internal enum LossPhase : byte
{
    /// <summary>Nothing is known to be lost.</summary>
    Open,

    /// <summary>Fast recovery (RFC 6675, RFC 6582).</summary>
    Recovery,

    /// <summary>After a retransmission timeout, until what was in flight then is acknowledged.</summary>
    Timeout,
}

/// <summary>The variables of loss recovery. See <see cref="LossRecovery"/>.</summary>
internal unsafe struct LossState
{
    /// <summary>Where it stands.</summary>
    public LossPhase Phase;

    /// <summary>Duplicate acknowledgements since SND.UNA moved.</summary>
    public byte Duplicates;

    /// <summary>RecoveryPoint: the phase ends when this is acknowledged.</summary>
    public uint RecoveryPoint;

    /// <summary>HighRxt: everything lost before this was sent again.</summary>
    public uint HighRxt;

    /// <summary>Everything before this that has not arrived is lost.</summary>
    public uint LostUntil;

    /// <summary>SND.NXT at the last retransmission: when data beyond it arrives, the retransmission itself is lost or has come.</summary>
    public uint NxtAtRxt;

    /// <summary>What the other end told by SACK; null while it told nothing.</summary>
    public SackScoreboard* Board;
}
