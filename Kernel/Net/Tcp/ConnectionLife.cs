// How connections begin and end: the states of RFC 9293 section 3.3.2, and the memory behind them. An object lives until its program has let go of it and the protocol
// is done with it; it is freed at the end of the batch, so whoever works on it may finish.
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>State changes of connections.</summary>
internal static unsafe class ConnectionLife
{
    private const PollEvents Ended =
        PollEvents.In | PollEvents.ReadNormal | PollEvents.Out | PollEvents.WriteNormal | PollEvents.HangUp | PollEvents.ReadHangUp;

    /// <summary>Makes a closed connection without a port. Null when out of memory.</summary>
    public static TcpConnection* Create(NetworkStack* stack)
    {
        TcpConnection* c = Pool<TcpConnection>.Allocate();
        if (c == null)
            return null;
        c->Stack = stack;
        c->State = ConnectionState.Closed;
        c->Port.Owner = c;
        c->SndBuf = SendRoom.Initial;
        c->RcvBuf = ReceiveRoom.Initial;
        c->SendOptions = new Ip.IpSendOptions { DontFragment = true };
        c->Settings.Initialize();
        c->Rtt.Initialize();
        TcpTimers.Initialize(c);
        stack->Tcp.ConnectionCount++;
        return c;
    }

    /// <summary>The handshake is complete.</summary>
    public static void Establish(TcpConnection* c, uint window, uint sequence)
    {
        NetworkTimers.Suspend(&c->RetransmitTimer);
        c->State = ConnectionState.Established;
        c->SndWnd = window;
        c->MaxWindow = window;
        c->SndWl1 = sequence;
        c->SndWl2 = c->SndUna;
        c->SndSmall = c->SndUna;
        c->Loss.RecoveryPoint = c->Iss;
        PathMtu.Update(c);
        c->Ssthresh = uint.MaxValue;
        // A handshake that was lost more than once speaks of congestion (RFC 5681 section 3.1).
        c->Cwnd = c->Retries > 1 ? c->SndMss : TcpOutput.InitialWindow(c->SndMss);
        if (c->TimedAt != 0 && c->Retries == 0)
            c->Rtt.Measure(c->Stack->Now - c->TimedAt);
        c->TimedAt = 0;
        c->Retries = 0;
        c->FirstRetry = 0;
        c->Rtt.Backoff = 0;
        c->LastReceived = c->Stack->Now;
        c->Tuning.Since = c->Stack->Now;
        SendRoom.Follow(c);
        AckPolicy.Initialize(c);
        TcpTimers.StartKeepalive(c);
        if (c->Has(ConnectionFlags.FinQueued))
            c->State = ConnectionState.FinWait1;
        else
            c->Prediction = TcpInput.PredictionFor(c);
        c->Flags |= ConnectionFlags.OutputDue;
        c->Events |= PollEvents.Out | PollEvents.WriteNormal;
        TcpState.AddPending(c);
    }

    /// <summary>SND.UNA may have reached this end's FIN. False when the connection has ended by that.</summary>
    public static bool OnAcknowledged(TcpConnection* c)
    {
        if (!c->Has(ConnectionFlags.FinQueued) || c->SndUna != c->SendQueue.End + 1)
            return true;
        switch (c->State)
        {
            case ConnectionState.FinWait1:
                c->State = ConnectionState.FinWait2;
                c->Events |= PollEvents.Out;
                if (c->Has(ConnectionFlags.IsOrphan))
                    return TcpTimers.StartFinWait2(c);
                return true;
            case ConnectionState.Closing:
                EnterTimeWait(c);
                return false;
            case ConnectionState.LastAck:
                End(c);
                return false;
            default:
                return true;
        }
    }

    /// <summary>The other end has reset the connection.</summary>
    public static void OnReset(TcpConnection* c)
    {
        Errno error = c->State switch
        {
            ConnectionState.SynSent => Errno.ECONNREFUSED,
            ConnectionState.CloseWait => Errno.EPIPE,
            _ => Errno.ECONNRESET,
        };
        Fail(c, error);
    }

    /// <summary>Resets the other end and ends the connection with an error for the program.</summary>
    public static void Abort(TcpConnection* c, Errno error)
    {
        SendReset(c);
        Fail(c, error);
    }

    /// <summary>Ends the connection with an error for the program.</summary>
    public static void Fail(TcpConnection* c, Errno error)
    {
        c->Error = error;
        c->Events |= PollEvents.Error;
        c->ReceiveQueue.ClearEarly();
        End(c);
    }

    /// <summary>Tells the other end that the connection is over.</summary>
    public static void SendReset(TcpConnection* c)
    {
        if (!c->IsSynchronized || c->State == ConnectionState.TimeWait)
            return;
        BareSegment reset = default;
        reset.Flags = TcpFlags.Reset | TcpFlags.Acknowledgment;
        reset.Sequence = c->SndNxt;
        reset.Acknowledgment = c->RcvNxt;
        c->Counters.SegmentsOut++;
        reset.Send(c->Stack, &c->Route, &c->Flow, c->SendOptions);
    }

    /// <summary>Both FINs are through and this end's was acknowledged last: a small object answers what still comes.</summary>
    public static void EnterTimeWait(TcpConnection* c)
    {
        TimeWait.Create(c);
        End(c);
    }

    /// <summary>The protocol is done with the connection.</summary>
    public static void End(TcpConnection* c)
    {
        if (c->State == ConnectionState.Closed)
            return;
        if (c->State is ConnectionState.SynSent or ConnectionState.SynReceived)
            c->Stack->Statistics.Tcp.FailedAttempts++;
        else if (c->State is ConnectionState.Established or ConnectionState.CloseWait)
            c->Stack->Statistics.Tcp.Resets++;
        c->State = ConnectionState.Closed;
        c->Prediction = 0;
        c->Stack->Tcp.Flows.Remove(&c->Flow);
        TcpTimers.CancelAll(c);
        c->SendQueue.Clear();
        if (c->Loss.Board != null)
            LossRecovery.FreeBoard(c);
        c->Flags &= ~(ConnectionFlags.OutputDue | ConnectionFlags.AckNow | ConnectionFlags.AckOwed);
        c->Flags |= ConnectionFlags.ReceiveShutdown | ConnectionFlags.SendShutdown;
        if ((c->Port.Flags & PortFlags.IsAutomatic) != 0)
        {
            c->Stack->Tcp.Ports.Release(&c->Port);
            c->Port.Flags &= ~PortFlags.IsAutomatic;
            c->Port.Address = c->Has(ConnectionFlags.IsIpv6Socket) ? IpAddress.Any6 : IpAddress.Any4;
        }
        c->Events |= Ended;
        TcpState.AddPending(c);
        if (c->Has(ConnectionFlags.IsOrphan))
            Destroy(c);
    }

    /// <summary>No program has the connection any more; one that has ended goes with its batch.</summary>
    public static void Orphan(TcpConnection* c)
    {
        c->Notify = null;
        c->Owner = null;
        c->Flags |= ConnectionFlags.IsOrphan;
        c->Stack->Tcp.OrphanCount++;
        if (c->State == ConnectionState.Closed)
            Destroy(c);
    }

    private static void Destroy(TcpConnection* c)
    {
        if (c->Has(ConnectionFlags.IsDead))
            return;
        ref TcpState tcp = ref c->Stack->Tcp;
        c->ReceiveQueue.Clear();
        tcp.Ports.Release(&c->Port);
        tcp.OrphanCount--;
        tcp.ConnectionCount--;
        c->Flags |= ConnectionFlags.IsDead;
        TcpState.AddPending(c);
    }
}
