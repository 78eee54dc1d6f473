// The ACK field of a segment (RFC 9293 section 3.10.7.4, fifth check), with RFC 5961 section 5, RFC 6298 (timing), RFC 7323 section 4 and RFC 5681.
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>Processes acknowledgements.</summary>
internal static unsafe class AckInput
{
    /// <summary>Takes the acknowledgement, the window and the SACK blocks of a segment. False: the segment is not to be processed further.</summary>
    public static bool Process(TcpConnection* c, ref Segment segment)
    {
        uint ack = segment.Header.Acknowledgment;
        if (Sequence.IsAfter(ack, c->SndNxt) || Sequence.IsBefore(ack, c->SndUna - c->MaxWindow))
        {
            ChallengeAck.Send(c);
            return false;
        }
        // Any answer shows that the other end is there.
        c->KeepaliveProbes = 0;
        if (c->Has(ConnectionFlags.IsProbing))
        {
            c->Retries = 0;
            c->FirstRetry = 0;
        }
        if (Sequence.IsBefore(ack, c->SndUna))
            return true;

        uint window = (uint)segment.Header.Window << c->SndScale;
        bool isSameWindow = window == c->SndWnd;
        UpdateWindow(c, ref segment, window, ack);
        bool isNews = segment.Options.BlockCount != 0 && c->Has(ConnectionFlags.Sack) && LossRecovery.TakeBlocks(c, ref segment.Options);
        uint acked = ack - c->SndUna;
        if (acked != 0)
        {
            Advance(c, acked, segment.Options.Has(TcpOptionSet.Timestamps) ? segment.Options.TimestampEcho : 0);
            LossRecovery.OnAdvance(c, acked);
        }
        else if (c->InFlight != 0)
        {
            bool isDuplicate = c->Has(ConnectionFlags.Sack)
                ? isNews
                : segment.Length == 0 && isSameWindow && !segment.Header.Has(TcpFlags.Syn | TcpFlags.Fin);
            if (isDuplicate)
                LossRecovery.OnDuplicate(c);
        }
        c->Flags |= ConnectionFlags.OutputDue;
        return true;
    }

    /// <summary>SND.UNA moves: new data is acknowledged.</summary>
    public static void Advance(TcpConnection* c, uint acked, uint timestampEcho)
    {
        uint ack = c->SndUna + acked;
        ulong now = c->Stack->Now;
        if (c->TimedAt != 0)
        {
            if (Sequence.IsAtLeast(ack, c->TimedSequence))
            {
                c->Rtt.Measure(now - c->TimedAt);
                c->TimedAt = 0;
            }
        }
        else if (timestampEcho != 0 && c->Loss.Phase != LossPhase.Open)
        {
            // Segments that were sent again are timed by their timestamps only (Karn's algorithm, RFC 6298 section 3).
            uint ticks = SegmentSender.TimestampNow(c) - timestampEcho;
            if (ticks < 1u << 20)
                c->Rtt.Measure((ulong)ticks << NetworkTimers.TickShift);
        }
        c->Rtt.Backoff = 0;
        c->Retries = 0;
        c->FirstRetry = 0;
        c->Flags &= ~ConnectionFlags.IsProbing;
        c->Counters.BytesAcknowledged += acked;

        if (c->Loss.Phase != LossPhase.Recovery)
            Grow(c, acked);
        c->SndUna = ack;
        c->SendQueue.FreeUntil(ack);
        if (Sequence.IsBefore(c->SndSmall, ack))
            c->SndSmall = ack;
        if (c->Has(ConnectionFlags.IsSendingUrgent) && Sequence.IsAtLeast(ack, c->SndUp))
            c->Flags &= ~ConnectionFlags.IsSendingUrgent;

        Neighbor* neighbor = c->Route.NextHop;
        if (neighbor != null && IpOutput.IsCurrent(c->Stack, &c->Route))
            neighbor->Confirmed = now;

        if (ack == c->SndNxt)
            NetworkTimers.Suspend(&c->RetransmitTimer);
        else
            c->Stack->Timers.Start(&c->RetransmitTimer, now + c->Rtt.CurrentTimeout);

        if (c->Has(ConnectionFlags.WantsRoom))
            SendRoom.Tell(c);
    }

    /// <summary>RFC 5681 section 3.1 with byte counting; only while the window is what holds the connection back (RFC 7661).</summary>
    private static void Grow(TcpConnection* c, uint acked)
    {
        if (c->Cwnd < c->Ssthresh)
        {
            if (c->Cwnd < Cubic.Limit && (c->Cwnd < 2 * c->InFlight || c->Loss.Phase == LossPhase.Timeout))
                c->Cwnd += acked;
        }
        else if (c->Has(ConnectionFlags.IsWindowLimited))
        {
            c->Cwnd = c->Cubic.OnAck(c->Cwnd, c->SndMss, acked, c->Stack->Now, c->Rtt.Smoothed);
        }
        else
        {
            return;
        }
        SendRoom.Follow(c);
    }

    private static void UpdateWindow(TcpConnection* c, ref Segment segment, uint window, uint ack)
    {
        uint sequence = segment.Header.Sequence;
        if (!Sequence.IsBefore(c->SndWl1, sequence) && !(c->SndWl1 == sequence && Sequence.IsAtMost(c->SndWl2, ack)))
            return;
        if (window > c->SndWnd && c->InFlight == 0)
        {
            // What waited for the window goes out by itself, or the timer is set anew.
            NetworkTimers.Suspend(&c->RetransmitTimer);
            c->Rtt.Backoff = 0;
            if (c->Has(ConnectionFlags.WantsRoom))
                SendRoom.Tell(c);
        }
        c->SndWnd = window;
        c->SndWl1 = sequence;
        c->SndWl2 = ack;
        if (window > c->MaxWindow)
            c->MaxWindow = window;
    }
}
