using System;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>The states of RFC 9293 section 3.3.2, with the numbers of Linux's tcp_info and /proc/net/tcp.</summary>
public enum ConnectionState : byte
{
    Established = 1,
    SynSent = 2,
    SynReceived = 3,
    FinWait1 = 4,
    FinWait2 = 5,
    TimeWait = 6,
    Closed = 7,
    CloseWait = 8,
    LastAck = 9,
    Listen = 10,
    Closing = 11,
}

/// <summary>What a send may ask for (send(2)).</summary>
[Flags]
public enum TcpSendFlags : byte
{
    None = 0,

    /// <summary>MSG_MORE: do not send a segment that is not full; more comes.</summary>
    More = 1,

    /// <summary>MSG_OOB: the last byte is urgent.</summary>
    OutOfBand = 2,
}

/// <summary>What a receive may ask for (recv(2)).</summary>
[Flags]
public enum TcpReceiveFlags : byte
{
    None = 0,

    /// <summary>MSG_PEEK: leave the bytes in the queue.</summary>
    Peek = 1,

    /// <summary>MSG_TRUNC: drop the bytes instead of copying them.</summary>
    Truncate = 2,

    /// <summary>MSG_OOB: the urgent byte.</summary>
    OutOfBand = 4,
}

/// <summary>Which halves of a connection to end (shutdown(2)); the values are those of the call plus one.</summary>
[Flags]
public enum ShutdownHow : byte
{
    Receive = 1,
    Send = 2,
    Both = 3,
}

/// <summary>What a connection knows of itself beyond its state.</summary>
[Flags]
internal enum ConnectionFlags : uint
{
    None = 0,

    /// <summary>Made by a socket of AF_INET6.</summary>
    IsIpv6Socket = 1 << 0,

    /// <summary>Both ends send timestamps.</summary>
    Timestamps = 1 << 1,

    /// <summary>Both ends understand SACK.</summary>
    Sack = 1 << 2,

    /// <summary>The program has ended sending: a FIN follows the last byte of the send queue.</summary>
    FinQueued = 1 << 3,

    /// <summary>The other end's FIN has arrived.</summary>
    FinReceived = 1 << 4,

    /// <summary>A FIN lies behind data that is missing, at <see cref="TcpConnection.FinSequence"/>.</summary>
    FinSeen = 1 << 5,

    ReceiveShutdown = 1 << 6,
    SendShutdown = 1 << 7,

    /// <summary>An ACK goes out at the end of the batch if nothing else carries it.</summary>
    AckNow = 1 << 8,

    /// <summary>Data arrived that has not been acknowledged.</summary>
    AckOwed = 1 << 9,

    /// <summary>Of what is not acknowledged, something came in a segment that was not full: the other end has no more for now.</summary>
    SmallOwed = 1 << 27,

    /// <summary>There may be something to send at the end of the batch.</summary>
    OutputDue = 1 << 10,

    /// <summary>In the list of connections that have something to do at the end of the batch.</summary>
    IsPending = 1 << 11,

    /// <summary>The program answers what it receives, so acknowledgements wait for the answer.</summary>
    IsInteractive = 1 << 12,

    /// <summary>The congestion window, not the program, held back the last transmission.</summary>
    IsWindowLimited = 1 << 13,

    /// <summary>No program has the connection any more.</summary>
    IsOrphan = 1 << 14,

    /// <summary>Freed at the end of the batch.</summary>
    IsDead = 1 << 15,

    /// <summary>TCP_NODELAY.</summary>
    NoDelay = 1 << 16,

    /// <summary>TCP_CORK, or the last send said MSG_MORE (<see cref="MoreComes"/>).</summary>
    Cork = 1 << 17,

    MoreComes = 1 << 18,

    /// <summary>SO_KEEPALIVE.</summary>
    KeepAlive = 1 << 19,

    /// <summary>SO_RCVBUF was set: its size does not follow the traffic.</summary>
    IsReceiveBufferFixed = 1 << 20,

    /// <summary>SO_SNDBUF was set.</summary>
    IsSendBufferFixed = 1 << 21,

    /// <summary>SO_OOBINLINE.</summary>
    IsUrgentInline = 1 << 22,

    /// <summary>Urgent data is on its way out, up to <see cref="TcpConnection.SndUp"/>.</summary>
    IsSendingUrgent = 1 << 23,

    /// <summary>A send found no room: POLLOUT is to be told of.</summary>
    WantsRoom = 1 << 24,

    /// <summary>The device cuts large segments for this route.</summary>
    CanSegment = 1 << 25,

    /// <summary>Was opened by this end.</summary>
    IsActive = 1 << 26,

    /// <summary>The window was closed and the other end is being asked about it.</summary>
    IsProbing = 1 << 28,
}
