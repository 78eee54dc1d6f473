// Opening a connection from this end: SYN-SENT (RFC 9293 section 3.10.7.3) and the simultaneous open (section 3.5, figure 7).

namespace Ukl.Kernel.Net.Tcp;

/// <summary>The handshake as the end that begins it sees it.</summary>
internal static unsafe class SynSentInput
{
    /// <summary>Sends the SYN, or in SYN-RECEIVED the SYN with the acknowledgement.</summary>
    public static void SendSyn(TcpConnection* c)
    {
        bool isAnswer = c->State == ConnectionState.SynReceived;
        BareSegment syn = default;
        syn.Sequence = c->Iss;
        syn.Flags = TcpFlags.Syn;
        syn.Options.Present = TcpOptionSet.MaximumSegmentSize;
        syn.Options.MaximumSegmentSize = PathMtu.OfferedMss(&c->Route, c->RequestedMss);
        if (!isAnswer || c->Has(ConnectionFlags.Timestamps))
        {
            syn.Options.Present |= TcpOptionSet.Timestamps;
            syn.Options.TimestampValue = SegmentSender.TimestampNow(c);
            syn.Options.TimestampEcho = isAnswer ? c->TsRecent : 0;
        }
        if (!isAnswer || c->Has(ConnectionFlags.Sack))
            syn.Options.Present |= TcpOptionSet.SackPermitted;
        if (!isAnswer || c->RcvScale != 0)
        {
            syn.Options.Present |= TcpOptionSet.WindowScale;
            syn.Options.WindowScale = c->RcvScale;
        }
        if (isAnswer)
        {
            syn.Flags |= TcpFlags.Acknowledgment;
            syn.Acknowledgment = c->RcvNxt;
            c->RcvWup = c->RcvNxt;
        }
        syn.Window = (ushort)c->RcvWnd;
        c->Counters.SegmentsOut++;
        syn.Send(c->Stack, &c->Route, &c->Flow, c->SendOptions);
        c->LastSent = c->Stack->Now;
    }

    /// <summary>SYN-SENT: an answer to the SYN, a SYN from the other side, or a refusal.</summary>
    public static void Process(TcpConnection* c, ref Segment segment)
    {
        ref TcpHeader header = ref segment.Header;
        bool hasAck = header.Has(TcpFlags.Acknowledgment);
        if (hasAck && header.Acknowledgment != c->SndNxt)
        {
            ResetWith(c, ref segment);
            return;
        }
        if (header.Has(TcpFlags.Reset))
        {
            if (hasAck)
                ConnectionLife.OnReset(c);
            return;
        }
        if (!header.Has(TcpFlags.Syn))
            return;

        TakeSyn(c, ref segment);
        if (!hasAck)
        {
            c->State = ConnectionState.SynReceived;
            c->Retries = 0;
            SendSyn(c);
            return;
        }
        c->SndUna = header.Acknowledgment;
        ConnectionLife.Establish(c, header.Window, header.Sequence);
        if (c->State != ConnectionState.FinWait1)
            SegmentSender.SendAcknowledgment(c);
    }

    /// <summary>A SYN where none is expected (RFC 5961 section 4), unless it belongs to a simultaneous open.</summary>
    public static void OnLateSyn(TcpConnection* c, ref Segment segment)
    {
        ref TcpHeader header = ref segment.Header;
        if (c->State == ConnectionState.SynReceived && header.Has(TcpFlags.Acknowledgment) && header.Sequence + 1 == c->RcvNxt
            && header.Acknowledgment == c->SndNxt)
        {
            CompleteSimultaneousOpen(c, ref segment);
            c->Flags |= ConnectionFlags.AckNow;
            return;
        }
        ChallengeAck.Send(c);
    }

    /// <summary>SYN-RECEIVED: the SYN is acknowledged. False: the segment is not to be processed further.</summary>
    public static bool CompleteSimultaneousOpen(TcpConnection* c, ref Segment segment)
    {
        if (segment.Header.Acknowledgment != c->Iss + 1)
        {
            ResetWith(c, ref segment);
            return false;
        }
        c->SndUna = c->Iss + 1;
        uint scale = segment.Header.Has(TcpFlags.Syn) ? 0u : c->SndScale;
        ConnectionLife.Establish(c, (uint)segment.Header.Window << (int)scale, segment.Header.Sequence);
        return true;
    }

    /// <summary>Takes over what the other end's SYN says.</summary>
    private static void TakeSyn(TcpConnection* c, ref Segment segment)
    {
        ref TcpOptions options = ref segment.Options;
        c->Irs = segment.Header.Sequence;
        c->RcvNxt = c->Irs + 1;
        c->RcvWup = c->RcvNxt;
        if (options.Has(TcpOptionSet.MaximumSegmentSize))
            c->PeerMss = options.MaximumSegmentSize;
        if (options.Has(TcpOptionSet.WindowScale))
            c->SndScale = options.WindowScale;
        else
            c->RcvScale = 0;
        if (options.Has(TcpOptionSet.SackPermitted))
            c->Flags |= ConnectionFlags.Sack;
        if (options.Has(TcpOptionSet.Timestamps))
        {
            c->Flags |= ConnectionFlags.Timestamps;
            c->TsRecent = options.TimestampValue;
            c->TsRecentTime = c->Stack->Now;
        }
    }

    /// <summary>An acknowledgement of what was never sent: left over from another connection.</summary>
    private static void ResetWith(TcpConnection* c, ref Segment segment)
    {
        if (segment.Header.Has(TcpFlags.Reset))
            return;
        BareSegment reset = default;
        reset.Sequence = segment.Header.Acknowledgment;
        reset.Flags = TcpFlags.Reset;
        reset.Send(c->Stack, &c->Route, &c->Flow, c->SendOptions);
    }
}
