// A connection's state: the variables of RFC 9293 section 3.3.1 by their names, and those of the RFCs that the files beside this one name. What happens to
// them is in those files: TcpInput and its parts, TcpOutput, LossRecovery, AckPolicy, TcpTimers, TcpCalls.
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Ip;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>One end of a connection, or a socket that listens. Belongs to its stack; used with interrupts off.</summary>
public unsafe struct TcpConnection
{
    /// <summary>Addresses and ports, and the place in the table. The first field: the table's entries are connections.</summary>
    internal FlowEntry Flow;

    /// <summary>The stack it belongs to.</summary>
    public NetworkStack* Stack;

    /// <summary>For the socket.</summary>
    public void* Owner;

    /// <summary>
    /// Called when the connection may have become ready for something, once for each batch; must not sleep and must not call back. Null: nobody wants to know.
    /// </summary>
    public delegate*<TcpConnection*, PollEvents, void> Notify;

    /// <summary>The next in the list of connections that have something to do at the end of the batch.</summary>
    internal TcpConnection* NextPending;

    /// <summary>What <see cref="Notify"/> is to tell at the end of the batch.</summary>
    internal PollEvents Events;

    internal ConnectionFlags Flags;

    /// <summary>The state of RFC 9293.</summary>
    public ConnectionState State { get; internal set; }

    /// <summary>How the other end's window field is scaled, and this end's.</summary>
    internal byte SndScale;
    internal byte RcvScale;

    /// <summary>Acknowledgements to send at once before delaying begins.</summary>
    internal byte QuickAcks;

    // Sending (RFC 9293 section 3.3.1).
    internal uint SndUna;
    internal uint SndNxt;
    internal uint SndWnd;
    internal uint SndWl1;
    internal uint SndWl2;
    internal uint SndUp;
    internal uint Iss;

    /// <summary>The largest window the other end has offered.</summary>
    internal uint MaxWindow;

    /// <summary>Where the last segment that was not full ended (J. Minshall's variant of Nagle's algorithm).</summary>
    internal uint SndSmall;

    /// <summary>Payload of a full segment, its usual options taken off.</summary>
    internal uint SndMss;

    /// <summary>Payload one buffer of the send queue takes.</summary>
    internal uint BlockFill;

    /// <summary>Bytes waiting or not acknowledged.</summary>
    internal SendQueue SendQueue;

    // Receiving.

    /// <summary>What the next header's length and control bits are expected to be (see <see cref="TcpInput"/>); 0: nothing is expected.</summary>
    internal uint Prediction;
    internal uint RcvNxt;
    internal uint RcvWnd;

    /// <summary>RCV.NXT when the window was last told: Last.ACK.sent of RFC 7323.</summary>
    internal uint RcvWup;
    internal uint RcvUp;
    internal uint Irs;

    /// <summary>The payload of the other end's segments, as seen.</summary>
    internal uint RcvMss;

    /// <summary>Where the FIN stands that came before its time.</summary>
    internal uint FinSequence;

    /// <summary>Bytes that have come.</summary>
    internal ReceiveQueue ReceiveQueue;

    // Timestamps (RFC 7323): added to the clock; TS.Recent and when it was taken.
    internal uint TimestampOffset;
    internal uint TsRecent;
    internal ulong TsRecentTime;

    // Round trips (RFC 6298).
    internal RttEstimator Rtt;

    /// <summary>The segment being timed ends here; meaningful with <see cref="TimedAt"/>.</summary>
    internal uint TimedSequence;

    /// <summary>When it was sent; 0: none is being timed.</summary>
    internal ulong TimedAt;

    // Congestion (RFC 5681, 6675, 9438), in bytes.
    internal uint Cwnd;
    internal uint Ssthresh;
    internal LossState Loss;
    internal Cubic Cubic;

    /// <summary>What to send next to the other end's address.</summary>
    internal FlowRoute Route;
    internal IpSendOptions SendOptions;

    /// <summary>The path's MTU that <see cref="SndMss"/> was made from.</summary>
    internal uint KnownMtu;

    /// <summary>The sum of the pseudo header without the length.</summary>
    internal ushort PseudoSum;

    /// <summary>The other end's MSS option.</summary>
    internal ushort PeerMss;

    /// <summary>TCP_MAXSEG, or 0.</summary>
    internal ushort RequestedMss;

    /// <summary>The urgent byte that came last.</summary>
    internal UrgentState Urgent;
    internal byte UrgentByte;

    // Times.
    internal ulong LastReceived;
    internal ulong LastSent;
    internal ulong LastChallenge;

    /// <summary>When the oldest data in flight was first sent again, or probing began; 0: neither.</summary>
    internal ulong FirstRetry;

    /// <summary>Retransmission (RFC 6298), or asking about a closed window.</summary>
    internal NetworkTimer RetransmitTimer;
    internal NetworkTimer DelayedAckTimer;

    /// <summary>Keepalive; for an orphan in FIN-WAIT-2 its end.</summary>
    internal NetworkTimer KeepaliveTimer;

    internal byte Retries;
    internal byte KeepaliveProbes;

    /// <summary>Options that are kept as numbers.</summary>
    internal TcpSettings Settings;

    /// <summary>Buffer limits in bytes of memory, SO_SNDBUF and SO_RCVBUF as getsockopt tells them.</summary>
    internal uint SndBuf;
    internal uint RcvBuf;
    internal ReceiveTuning Tuning;

    /// <summary>The pending error (SO_ERROR).</summary>
    internal Errno Error;
    internal Errno SoftError;

    /// <summary>What a listening socket has beyond this.</summary>
    internal Listener* Listener;

    /// <summary>The next in the listener's queue of connections to accept.</summary>
    internal TcpConnection* NextAccept;

    /// <summary>The local address and port as bound; the flags decide who may share the port.</summary>
    internal PortBinding Port;

    internal TcpCounters Counters;

    /// <summary>Whether any of some flags is set.</summary>
    internal readonly bool Has(ConnectionFlags flag) => (Flags & flag) != 0;

    /// <summary>Sequence numbers sent and not acknowledged, a FIN included.</summary>
    internal readonly uint InFlight => SndNxt - SndUna;

    /// <summary>The window the other end still knows of (RFC 9293: RCV.NXT + RCV.WND is not taken back).</summary>
    internal readonly uint ReceiveWindow
    {
        get
        {
            uint edge = RcvWup + RcvWnd;
            return Sequence.IsAfter(edge, RcvNxt) ? edge - RcvNxt : 0;
        }
    }

    /// <summary>Whether the handshake is complete and both ends may still send something.</summary>
    internal readonly bool IsSynchronized => State is not (ConnectionState.Closed or ConnectionState.Listen or ConnectionState.SynSent);
}
