// The options of a socket (tcp(7), socket(7)), with Linux's units, limits and defaults.
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>setsockopt and getsockopt.</summary>
public static unsafe partial class TcpCalls
{
    private const ulong Second = 1_000_000_000;
    private const ulong Millisecond = 1_000_000;

    /// <summary>MAX_TCP_KEEPIDLE and MAX_TCP_KEEPINTVL, in seconds.</summary>
    private const int LongestKeepalive = 32767;
    private const int MostKeepaliveProbes = 127;
    private const int MostSynRetries = 127;
    private const int SmallestMss = 88;
    private const int LargestMss = 32767;
    private const int LongestFinTimeout = 120;

    /// <summary>SOCK_MIN_SNDBUF and SOCK_MIN_RCVBUF, in bytes of memory.</summary>
    private const uint SmallestSendBuffer = 4608;
    private const uint SmallestReceiveBuffer = 2304;

    /// <summary>Sets or clears what decides who may share the port (SO_REUSEADDR, SO_REUSEPORT, IPV6_V6ONLY). Errors: EINVAL (IPV6_V6ONLY of a bound socket).</summary>
    public static Errno SetPortFlag(TcpConnection* c, PortFlags flag, bool isOn)
    {
        if (flag == PortFlags.IsV6Only && c->Port.Port != 0)
            return Errno.EINVAL;
        if (isOn)
            c->Port.Flags |= flag;
        else
            c->Port.Flags &= ~flag;
        return Errno.None;
    }

    /// <summary>Whether a flag of the port is set.</summary>
    public static bool HasPortFlag(TcpConnection* c, PortFlags flag) => (c->Port.Flags & flag) != 0;

    /// <summary>SO_BINDTODEVICE: the index of the interface, 0 for any.</summary>
    public static void SetInterface(TcpConnection* c, uint index) => c->Port.Interface = index;

    /// <summary>TCP_NODELAY. What waited goes out.</summary>
    public static void SetNoDelay(TcpConnection* c, bool isOn)
    {
        SetFlag(c, ConnectionFlags.NoDelay, isOn);
        if (isOn)
            TcpOutput.Push(c);
    }

    /// <summary>TCP_NODELAY.</summary>
    public static bool IsNoDelay(TcpConnection* c) => c->Has(ConnectionFlags.NoDelay);

    /// <summary>TCP_CORK. What waited goes out when it ends.</summary>
    public static void SetCork(TcpConnection* c, bool isOn)
    {
        SetFlag(c, ConnectionFlags.Cork, isOn);
        if (!isOn && c->IsSynchronized)
            TcpOutput.Transmit(c, true);
    }

    /// <summary>TCP_CORK.</summary>
    public static bool IsCorked(TcpConnection* c) => c->Has(ConnectionFlags.Cork);

    /// <summary>SO_OOBINLINE.</summary>
    public static void SetUrgentInline(TcpConnection* c, bool isOn) => SetFlag(c, ConnectionFlags.IsUrgentInline, isOn);

    /// <summary>SO_OOBINLINE.</summary>
    public static bool IsUrgentInline(TcpConnection* c) => c->Has(ConnectionFlags.IsUrgentInline);

    /// <summary>SO_KEEPALIVE.</summary>
    public static void SetKeepAlive(TcpConnection* c, bool isOn)
    {
        SetFlag(c, ConnectionFlags.KeepAlive, isOn);
        if (isOn)
            TcpTimers.StartKeepalive(c);
        else
            NetworkTimers.Suspend(&c->KeepaliveTimer);
    }

    /// <summary>SO_KEEPALIVE.</summary>
    public static bool IsKeepAlive(TcpConnection* c) => c->Has(ConnectionFlags.KeepAlive);

    /// <summary>TCP_KEEPIDLE, in seconds. Errors: EINVAL.</summary>
    public static Errno SetKeepIdle(TcpConnection* c, int seconds)
    {
        if (seconds is < 1 or > LongestKeepalive)
            return Errno.EINVAL;
        c->Settings.KeepIdle = (ulong)seconds * Second;
        TcpTimers.StartKeepalive(c);
        return Errno.None;
    }

    /// <summary>TCP_KEEPIDLE, in seconds.</summary>
    public static int GetKeepIdle(TcpConnection* c) => (int)(c->Settings.KeepIdle / Second);

    /// <summary>TCP_KEEPINTVL, in seconds. Errors: EINVAL.</summary>
    public static Errno SetKeepInterval(TcpConnection* c, int seconds)
    {
        if (seconds is < 1 or > LongestKeepalive)
            return Errno.EINVAL;
        c->Settings.KeepInterval = (ulong)seconds * Second;
        return Errno.None;
    }

    /// <summary>TCP_KEEPINTVL, in seconds.</summary>
    public static int GetKeepInterval(TcpConnection* c) => (int)(c->Settings.KeepInterval / Second);

    /// <summary>TCP_KEEPCNT. Errors: EINVAL.</summary>
    public static Errno SetKeepCount(TcpConnection* c, int count)
    {
        if (count is < 1 or > MostKeepaliveProbes)
            return Errno.EINVAL;
        c->Settings.KeepCount = (byte)count;
        return Errno.None;
    }

    /// <summary>TCP_KEEPCNT.</summary>
    public static int GetKeepCount(TcpConnection* c) => c->Settings.KeepCount;

    /// <summary>TCP_USER_TIMEOUT, in milliseconds; 0 is none. Errors: EINVAL.</summary>
    public static Errno SetUserTimeout(TcpConnection* c, int milliseconds)
    {
        if (milliseconds < 0)
            return Errno.EINVAL;
        c->Settings.UserTimeout = (ulong)milliseconds * Millisecond;
        return Errno.None;
    }

    /// <summary>TCP_USER_TIMEOUT, in milliseconds.</summary>
    public static int GetUserTimeout(TcpConnection* c) => (int)(c->Settings.UserTimeout / Millisecond);

    /// <summary>TCP_SYNCNT. Errors: EINVAL.</summary>
    public static Errno SetSynRetries(TcpConnection* c, int count)
    {
        if (count is < 1 or > MostSynRetries)
            return Errno.EINVAL;
        c->Settings.SynRetries = (byte)count;
        return Errno.None;
    }

    /// <summary>TCP_SYNCNT.</summary>
    public static int GetSynRetries(TcpConnection* c) => c->Settings.SynRetries;

    /// <summary>TCP_LINGER2, in seconds: how long an orphan stays in FIN-WAIT-2; negative: not at all; 0 or more than 120: the default.</summary>
    public static void SetFinTimeout(TcpConnection* c, int seconds) =>
        c->Settings.FinTimeout = seconds < 0 ? 0 : (ulong)(seconds is 0 or > LongestFinTimeout ? 60 : seconds) * Second;

    /// <summary>TCP_LINGER2, in seconds; -1: not at all.</summary>
    public static int GetFinTimeout(TcpConnection* c) => c->Settings.FinTimeout == 0 ? -1 : (int)(c->Settings.FinTimeout / Second);

    /// <summary>TCP_DEFER_ACCEPT, in seconds; 0 or less: accept at once.</summary>
    public static void SetDeferAccept(TcpConnection* c, int seconds) => c->Settings.DeferAccept = seconds <= 0 ? 0 : (ulong)seconds * Second;

    /// <summary>TCP_DEFER_ACCEPT, in seconds.</summary>
    public static int GetDeferAccept(TcpConnection* c) => (int)(c->Settings.DeferAccept / Second);

    /// <summary>TCP_QUICKACK: acknowledge at once, for a while, or delay.</summary>
    public static void SetQuickAck(TcpConnection* c, bool isOn)
    {
        if (!isOn)
        {
            c->Flags |= ConnectionFlags.IsInteractive;
            return;
        }
        c->Flags &= ~ConnectionFlags.IsInteractive;
        c->QuickAcks = byte.MaxValue;
        if (c->Has(ConnectionFlags.AckOwed) && c->IsSynchronized)
            SegmentSender.SendAcknowledgment(c);
    }

    /// <summary>TCP_QUICKACK.</summary>
    public static bool IsQuickAck(TcpConnection* c) => !c->Has(ConnectionFlags.IsInteractive);

    /// <summary>TCP_MAXSEG. Errors: EINVAL.</summary>
    public static Errno SetMaximumSegment(TcpConnection* c, int bytes)
    {
        if (bytes != 0 && bytes is < SmallestMss or > LargestMss)
            return Errno.EINVAL;
        c->RequestedMss = (ushort)bytes;
        return Errno.None;
    }

    /// <summary>TCP_MAXSEG: of a connection what it sends, else what was asked for.</summary>
    public static int GetMaximumSegment(TcpConnection* c) =>
        c->IsSynchronized ? (int)c->SndMss : c->RequestedMss != 0 ? c->RequestedMss : PathMtu.DefaultMss4;

    /// <summary>SO_SNDBUF in bytes of memory, already doubled as Linux does it and within the system's limit; the size follows the traffic no longer.</summary>
    public static void SetSendBuffer(TcpConnection* c, uint bytes)
    {
        c->SndBuf = bytes < SmallestSendBuffer ? SmallestSendBuffer : bytes;
        c->Flags |= ConnectionFlags.IsSendBufferFixed;
    }

    /// <summary>SO_SNDBUF.</summary>
    public static uint GetSendBuffer(TcpConnection* c) => c->SndBuf;

    /// <summary>SO_RCVBUF in bytes of memory, already doubled as Linux does it and within the system's limit; the size follows the traffic no longer.</summary>
    public static void SetReceiveBuffer(TcpConnection* c, uint bytes)
    {
        c->RcvBuf = bytes < SmallestReceiveBuffer ? SmallestReceiveBuffer : bytes;
        c->Flags |= ConnectionFlags.IsReceiveBufferFixed;
    }

    /// <summary>SO_RCVBUF.</summary>
    public static uint GetReceiveBuffer(TcpConnection* c) => c->RcvBuf;

    /// <summary>SO_RCVLOWAT, in bytes.</summary>
    public static void SetLowWatermark(TcpConnection* c, int bytes) => c->Settings.LowWatermark = bytes <= 0 ? 1 : (uint)bytes;

    /// <summary>SO_RCVLOWAT.</summary>
    public static int GetLowWatermark(TcpConnection* c) => (int)c->Settings.LowWatermark;

    /// <summary>IP_TTL or IPV6_UNICAST_HOPS; 0: the default.</summary>
    public static void SetHopLimit(TcpConnection* c, byte hops) =>
        c->SendOptions = new Ip.IpSendOptions { HopLimit = hops, TrafficClass = c->SendOptions.TrafficClass, DontFragment = true };

    /// <summary>IP_TTL or IPV6_UNICAST_HOPS; 0: the default.</summary>
    public static byte GetHopLimit(TcpConnection* c) => c->SendOptions.HopLimit;

    /// <summary>IP_TOS or IPV6_TCLASS. The two lowest bits belong to ECN, which is not offered, and stay 0.</summary>
    public static void SetTrafficClass(TcpConnection* c, byte value) =>
        c->SendOptions = new Ip.IpSendOptions { HopLimit = c->SendOptions.HopLimit, TrafficClass = (byte)(value & ~3), DontFragment = true };

    /// <summary>IP_TOS or IPV6_TCLASS.</summary>
    public static byte GetTrafficClass(TcpConnection* c) => c->SendOptions.TrafficClass;

    private static void SetFlag(TcpConnection* c, ConnectionFlags flag, bool isOn)
    {
        if (isOn)
            c->Flags |= flag;
        else
            c->Flags &= ~flag;
    }
}
