// What TCP_INFO tells. Source of truth for the layout: include/uapi/linux/tcp.h, struct tcp_info.
using System.Runtime.InteropServices;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>struct tcp_info up to tcpi_min_rtt. Times are in microseconds unless named otherwise.</summary>
[StructLayout(LayoutKind.Explicit, Size = 152)]
public struct TcpInformation
{
    private const byte TimestampsOption = 1;
    private const byte SackOption = 2;
    private const byte WindowScaleOption = 4;

    [FieldOffset(0)] public byte State;

    /// <summary>0: open, 3: recovery, 4: loss.</summary>
    [FieldOffset(1)] public byte CongestionState;
    [FieldOffset(2)] public byte Retransmits;
    [FieldOffset(3)] public byte Probes;
    [FieldOffset(4)] public byte Backoff;
    [FieldOffset(5)] public byte Options;

    /// <summary>This end's scale of the other's window in the low four bits, the other's of this end's in the high ones.</summary>
    [FieldOffset(6)] public byte WindowScales;
    [FieldOffset(8)] public uint RetransmissionTimeout;
    [FieldOffset(12)] public uint DelayedAckTimeout;
    [FieldOffset(16)] public uint SendMss;
    [FieldOffset(20)] public uint ReceiveMss;

    /// <summary>Segments in flight; of a listening socket the connections that wait for accept.</summary>
    [FieldOffset(24)] public uint Unacknowledged;

    /// <summary>Segments told of by SACK; of a listening socket the backlog.</summary>
    [FieldOffset(28)] public uint Sacked;
    [FieldOffset(32)] public uint Lost;
    [FieldOffset(36)] public uint Retransmitted;

    /// <summary>Milliseconds ago.</summary>
    [FieldOffset(44)] public uint LastDataSent;
    [FieldOffset(52)] public uint LastDataReceived;
    [FieldOffset(56)] public uint LastAckReceived;
    [FieldOffset(60)] public uint PathMtu;
    [FieldOffset(64)] public uint ReceiveThreshold;
    [FieldOffset(68)] public uint RoundTrip;
    [FieldOffset(72)] public uint RoundTripVariation;

    /// <summary>In segments.</summary>
    [FieldOffset(76)] public uint SendThreshold;

    /// <summary>In segments.</summary>
    [FieldOffset(80)] public uint CongestionWindow;
    [FieldOffset(84)] public uint AdvertisedMss;
    [FieldOffset(88)] public uint Reordering;
    [FieldOffset(96)] public uint ReceiveSpace;
    [FieldOffset(100)] public uint TotalRetransmitted;
    [FieldOffset(120)] public ulong BytesAcknowledged;
    [FieldOffset(128)] public ulong BytesReceived;
    [FieldOffset(136)] public uint SegmentsOut;
    [FieldOffset(140)] public uint SegmentsIn;
    [FieldOffset(144)] public uint NotSentBytes;
    [FieldOffset(148)] public uint LeastRoundTrip;

    /// <summary>Describes a connection.</summary>
    public static unsafe TcpInformation Of(TcpConnection* c)
    {
        const uint microsecond = 1000;
        const uint millisecond = 1_000_000;
        TcpInformation information = default;
        information.State = (byte)c->State;
        if (c->State == ConnectionState.Listen)
        {
            information.Unacknowledged = c->Listener->AcceptCount;
            information.Sacked = c->Listener->Backlog;
            return information;
        }
        ulong now = c->Stack->Now;
        uint mss = c->SndMss == 0 ? Tcp.PathMtu.DefaultMss4 : c->SndMss;
        information.CongestionState = c->Loss.Phase == LossPhase.Open ? (byte)0 : c->Loss.Phase == LossPhase.Recovery ? (byte)3 : (byte)4;
        information.Retransmits = c->Retries;
        information.Probes = c->KeepaliveProbes;
        information.Backoff = c->Rtt.Backoff;
        if (c->Has(ConnectionFlags.Timestamps))
            information.Options |= TimestampsOption;
        if (c->Has(ConnectionFlags.Sack))
            information.Options |= SackOption;
        if ((c->SndScale | c->RcvScale) != 0)
            information.Options |= WindowScaleOption;
        information.WindowScales = (byte)(c->SndScale | (c->RcvScale << 4));
        information.RetransmissionTimeout = (uint)(c->Rtt.CurrentTimeout / microsecond);
        information.DelayedAckTimeout = (uint)(AckPolicy.Delayed / microsecond);
        information.SendMss = mss;
        information.ReceiveMss = c->RcvMss;
        information.Unacknowledged = (c->InFlight + mss - 1) / mss;
        if (c->Loss.Board != null)
            information.Sacked = (c->Loss.Board->Bytes + mss - 1) / mss;
        information.LastDataSent = (uint)((now - c->LastSent) / millisecond);
        information.LastDataReceived = (uint)((now - c->LastReceived) / millisecond);
        information.LastAckReceived = information.LastDataReceived;
        information.PathMtu = c->KnownMtu;
        information.ReceiveThreshold = c->RcvBuf / 2;
        information.RoundTrip = (uint)(c->Rtt.Smoothed / microsecond);
        information.RoundTripVariation = (uint)(c->Rtt.Variation / microsecond);
        information.SendThreshold = c->Ssthresh / mss;
        information.CongestionWindow = c->Cwnd / mss;
        information.AdvertisedMss = c->RcvMss;
        information.Reordering = SackScoreboard.DupThresh;
        information.ReceiveSpace = c->Tuning.Space;
        information.TotalRetransmitted = c->Counters.Retransmitted;
        information.BytesAcknowledged = c->Counters.BytesAcknowledged;
        information.BytesReceived = c->Counters.BytesReceived;
        information.SegmentsOut = c->Counters.SegmentsOut;
        information.SegmentsIn = c->Counters.SegmentsIn;
        information.NotSentBytes = Sequence.IsAfter(c->SendQueue.End, c->SndNxt) ? c->SendQueue.End - c->SndNxt : 0;
        information.LeastRoundTrip = (uint)(c->Rtt.Least / microsecond);
        return information;
    }
}
