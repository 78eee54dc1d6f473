// The timers of a connection. Sources of truth: RFC 6298 (retransmission), RFC 9293 section 3.8.6.1 (asking about a closed window) and 3.8.4 (keepalive), RFC 5482 (user
// timeout). Numbers of retries are Linux's (tcp(7)).
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>What happens when time passes.</summary>
internal static unsafe class TcpTimers
{
    /// <summary>tcp_retries2: about 15 minutes.</summary>
    private const byte DataRetries = 15;

    /// <summary>tcp_orphan_retries.</summary>
    private const byte OrphanRetries = 8;

    /// <summary>tcp_synack_retries, for the simultaneous open.</summary>
    private const byte SynAckRetries = 5;

    /// <summary>Prepares the timers of a new connection.</summary>
    public static void Initialize(TcpConnection* c)
    {
        c->RetransmitTimer.Callback = &OnRetransmit;
        c->RetransmitTimer.Context = c;
        c->DelayedAckTimer.Callback = &OnDelayedAck;
        c->DelayedAckTimer.Context = c;
        c->KeepaliveTimer.Callback = &OnKeepalive;
        c->KeepaliveTimer.Context = c;
    }

    /// <summary>Stops all.</summary>
    public static void CancelAll(TcpConnection* c)
    {
        ref NetworkTimers timers = ref c->Stack->Timers;
        timers.Cancel(&c->RetransmitTimer);
        timers.Cancel(&c->DelayedAckTimer);
        timers.Cancel(&c->KeepaliveTimer);
    }

    /// <summary>Begins to watch whether the other end is there, if the program wants it.</summary>
    public static void StartKeepalive(TcpConnection* c)
    {
        if (c->Has(ConnectionFlags.KeepAlive) && IsKept(c))
            c->Stack->Timers.Start(&c->KeepaliveTimer, c->Stack->Now + c->Settings.KeepIdle);
    }

    /// <summary>An orphan waits for the other end's FIN, but not for ever. False: not at all, the connection has ended.</summary>
    public static bool StartFinWait2(TcpConnection* c)
    {
        if (c->Settings.FinTimeout == 0)
        {
            ConnectionLife.Abort(c, Errno.None);
            return false;
        }
        c->Stack->Timers.Start(&c->KeepaliveTimer, c->Stack->Now + c->Settings.FinTimeout);
        return true;
    }

    private static void OnDelayedAck(NetworkTimer* timer) => AckPolicy.OnTimer(timer);

    private static void OnRetransmit(NetworkTimer* timer)
    {
        var c = (TcpConnection*)timer->Context;
        TcpState.AddPending(c);
        switch (c->State)
        {
            case ConnectionState.Closed:
            case ConnectionState.Listen:
                return;
            case ConnectionState.SynSent:
            case ConnectionState.SynReceived:
                RepeatSyn(c);
                return;
            default:
                if (c->InFlight != 0)
                    Repeat(c);
                else
                    Probe(c);
                return;
        }
    }

    private static void RepeatSyn(TcpConnection* c)
    {
        byte limit = c->State == ConnectionState.SynSent ? c->Settings.SynRetries : SynAckRetries;
        if (HasGivenUp(c, limit))
            return;
        c->Retries++;
        c->Counters.Retransmitted++;
        c->Stack->Statistics.Tcp.Retransmitted++;
        SynSentInput.SendSyn(c);
        BackOff(c);
    }

    /// <summary>The oldest data in flight was not acknowledged in time.</summary>
    private static void Repeat(TcpConnection* c)
    {
        if (HasGivenUp(c, c->Has(ConnectionFlags.IsOrphan) ? OrphanRetries : DataRetries))
            return;
        LossRecovery.OnTimeout(c);
        c->Retries++;
        BackOff(c);
        uint end = Sequence.Earlier(c->SndUna + c->SndMss, c->SndNxt);
        uint start = c->SndUna;
        if (c->Loss.Board != null)
            start = c->Loss.Board->NextHole(start, end, out end);
        if (Sequence.IsBefore(start, end))
            c->Loss.HighRxt = start + LossRecovery.SendAgain(c, start, end);
    }

    /// <summary>
    /// Nothing is in flight and something waits: a window that is closed or too small, a corked segment, no memory at the last attempt. Sends what may be sent
    /// now; otherwise asks for the window, in growing intervals.
    /// </summary>
    private static void Probe(TcpConnection* c)
    {
        TcpOutput.Transmit(c, true);
        if (c->Has(ConnectionFlags.WantsRoom))
            SendRoom.Tell(c);
        if (c->InFlight != 0 || !TcpOutput.HasUnsent(c))
            return;
        if (HasGivenUp(c, c->Has(ConnectionFlags.IsOrphan) ? OrphanRetries : DataRetries))
            return;
        c->Flags |= ConnectionFlags.IsProbing;
        c->Retries++;
        SegmentSender.SendProbe(c);
        BackOff(c);
    }

    private static void BackOff(TcpConnection* c)
    {
        if (c->FirstRetry == 0)
            c->FirstRetry = c->Stack->Now;
        c->Rtt.BackOff();
        c->Stack->Timers.Start(&c->RetransmitTimer, c->Stack->Now + c->Rtt.CurrentTimeout);
    }

    /// <summary>Whether nobody has answered for too long. A closed window is asked about for ever while there are answers, but not for an orphan.</summary>
    private static bool HasGivenUp(TcpConnection* c, byte limit)
    {
        ulong userTimeout = c->Settings.UserTimeout;
        bool isOver = userTimeout != 0 && !c->Has(ConnectionFlags.IsOrphan)
            ? c->FirstRetry != 0 && c->Stack->Now - c->FirstRetry + c->Rtt.Timeout >= userTimeout
            : c->Retries >= limit || (c->Has(ConnectionFlags.IsOrphan) && c->Rtt.Backoff >= limit);
        if (!isOver)
            return false;
        if (c->State is not (ConnectionState.SynSent or ConnectionState.SynReceived))
            ConnectionLife.SendReset(c);
        ConnectionLife.Fail(c, c->SoftError != Errno.None ? c->SoftError : Errno.ETIMEDOUT);
        return true;
    }

    private static bool IsKept(TcpConnection* c) =>
        c->State is ConnectionState.Established or ConnectionState.CloseWait or ConnectionState.FinWait1 or ConnectionState.FinWait2
            or ConnectionState.Closing or ConnectionState.LastAck;

    private static void OnKeepalive(NetworkTimer* timer)
    {
        var c = (TcpConnection*)timer->Context;
        TcpState.AddPending(c);
        if (c->State == ConnectionState.FinWait2 && c->Has(ConnectionFlags.IsOrphan))
        {
            ConnectionLife.End(c);
            return;
        }
        if (!c->Has(ConnectionFlags.KeepAlive) || !IsKept(c))
            return;
        ref NetworkTimers timers = ref c->Stack->Timers;
        ulong now = c->Stack->Now;
        ulong idle = now - c->LastReceived;
        // While data is on its way the retransmission timer watches.
        if (c->InFlight != 0 || TcpOutput.HasUnsent(c))
        {
            timers.Start(timer, now + c->Settings.KeepIdle);
            return;
        }
        if (idle < c->Settings.KeepIdle)
        {
            timers.Start(timer, c->LastReceived + c->Settings.KeepIdle);
            return;
        }
        ulong userTimeout = c->Settings.UserTimeout;
        bool isOver = userTimeout != 0 ? idle >= userTimeout && c->KeepaliveProbes != 0 : c->KeepaliveProbes >= c->Settings.KeepCount;
        if (isOver)
        {
            ConnectionLife.Abort(c, c->SoftError != Errno.None ? c->SoftError : Errno.ETIMEDOUT);
            return;
        }
        c->KeepaliveProbes++;
        SegmentSender.SendProbe(c);
        timers.Start(timer, now + c->Settings.KeepInterval);
    }
}
