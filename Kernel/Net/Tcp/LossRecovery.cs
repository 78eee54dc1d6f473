// Finding out what was lost and sending it again. Sources of truth: RFC 5681 (fast retransmit), RFC 6675 (recovery with SACK), RFC 6582 (without: NewReno), RFC 3042 (limited
// transmit), RFC 6298 section 5 (timeouts). One set of variables serves all: what lies before LostUntil and has not arrived is lost; what lies before HighRxt
// was sent again; the rest is in flight.
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>Loss recovery of connections.</summary>
internal static unsafe class LossRecovery
{
    /// <summary>Takes the SACK blocks of a segment in; returns whether they told anything new.</summary>
    public static bool TakeBlocks(TcpConnection* c, ref TcpOptions options)
    {
        bool isNew = false;
        for (int i = 0; i < options.BlockCount; i++)
        {
            SackBlock block = options.Block(i);
            // Blocks at or below the acknowledgement report duplicates (RFC 2883); others must lie in what is in flight.
            if (!Sequence.IsBefore(block.Start, block.End) || Sequence.IsAtMost(block.End, c->SndUna) || Sequence.IsAfter(block.End, c->SndNxt))
                continue;
            if (Sequence.IsBefore(block.Start, c->SndUna))
                block.Start = c->SndUna;
            if (c->Loss.Board == null)
            {
                c->Loss.Board = Pool<SackScoreboard>.Allocate();
                if (c->Loss.Board == null)
                    return false;
            }
            isNew |= c->Loss.Board->Add(block.Start, block.End);
        }
        return isNew;
    }

    /// <summary>An acknowledgement came that shows that something behind SND.UNA has arrived.</summary>
    public static void OnDuplicate(TcpConnection* c)
    {
        ref LossState loss = ref c->Loss;
        if (loss.Duplicates < byte.MaxValue)
            loss.Duplicates++;
        Reconsider(c);
    }

    /// <summary>Decides again what is lost, after something new was heard of.</summary>
    public static void Reconsider(TcpConnection* c)
    {
        ref LossState loss = ref c->Loss;
        uint lostUntil = c->SndUna;
        if (loss.Board != null)
        {
            lostUntil = loss.Board->LostUntil(c->SndUna, c->SndMss);
            if (loss.Phase != LossPhase.Open)
            {
                loss.LostUntil = Sequence.Later(loss.LostUntil, lostUntil);
                // Enough that was sent after the last retransmission has arrived: what still is missing was lost again.
                if (Sequence.IsAfter(loss.HighRxt, c->SndUna)
                    && loss.Board->Within(loss.NxtAtRxt, c->SndNxt) > (SackScoreboard.DupThresh - 1) * c->SndMss)
                {
                    loss.HighRxt = c->SndUna;
                }
            }
        }
        if (loss.Phase == LossPhase.Open && (loss.Duplicates >= SackScoreboard.DupThresh || lostUntil != c->SndUna))
            Enter(c, lostUntil);
    }

    /// <summary>SND.UNA has moved by <paramref name="acked"/>.</summary>
    public static void OnAdvance(TcpConnection* c, uint acked)
    {
        ref LossState loss = ref c->Loss;
        if (loss.Board != null)
        {
            loss.Board->DropUntil(c->SndUna);
            if (loss.Board->Count == 0)
                FreeBoard(c);
        }
        loss.HighRxt = Sequence.Later(loss.HighRxt, c->SndUna);
        loss.LostUntil = Sequence.Later(loss.LostUntil, c->SndUna);
        if (loss.Phase == LossPhase.Open)
        {
            loss.Duplicates = 0;
            if (loss.Board != null)
                Reconsider(c);
            return;
        }
        if (Sequence.IsAtLeast(c->SndUna, loss.RecoveryPoint))
        {
            Leave(c);
            return;
        }
        if (!c->Has(ConnectionFlags.Sack) && loss.Phase == LossPhase.Recovery)
        {
            // A partial acknowledgement (RFC 6582 section 3.2 step 3): the next segment is lost too. Each duplicate stood for a segment that has left the network.
            uint segments = acked / c->SndMss;
            loss.Duplicates = segments > loss.Duplicates ? (byte)0 : (byte)(loss.Duplicates - (segments == 0 ? 0 : segments - 1));
            loss.LostUntil = Sequence.Earlier(c->SndUna + c->SndMss, c->SndNxt);
            loss.HighRxt = c->SndUna;
        }
        else
        {
            loss.Duplicates = 0;
        }
        Reconsider(c);
    }

    /// <summary>Nothing was heard for the length of a timeout: everything in flight is taken for lost and the window begins anew.</summary>
    public static void OnTimeout(TcpConnection* c)
    {
        ref LossState loss = ref c->Loss;
        // The head of what is missing cannot have arrived: the other end has dropped what it told of (RFC 2018 section 8).
        if (loss.Board != null && loss.Board->FirstStart == c->SndUna)
            FreeBoard(c);
        if (loss.Phase != LossPhase.Timeout || c->Retries == 0)
            c->Ssthresh = c->Cubic.OnLoss(c->Cwnd, c->SndMss);
        c->Cwnd = c->SndMss;
        MarkAllLost(c, LossPhase.Timeout);
    }

    /// <summary>Everything in flight is to be sent again.</summary>
    public static void MarkAllLost(TcpConnection* c, LossPhase phase)
    {
        ref LossState loss = ref c->Loss;
        loss.Phase = phase;
        loss.Duplicates = 0;
        loss.RecoveryPoint = c->SndNxt;
        loss.LostUntil = c->SndNxt;
        loss.HighRxt = c->SndUna;
        loss.NxtAtRxt = c->SndNxt;
        c->TimedAt = 0;
    }

    /// <summary>Sends again what is lost as far as the window allows; returns how much is in flight (RFC 6675: pipe).</summary>
    public static uint Retransmit(TcpConnection* c)
    {
        uint pipe = Pipe(c);
        ref LossState loss = ref c->Loss;
        while (loss.Phase != LossPhase.Open && pipe < c->Cwnd)
        {
            uint start = loss.HighRxt;
            uint end = loss.LostUntil;
            if (loss.Board != null)
                start = loss.Board->NextHole(start, loss.LostUntil, out end);
            if (!Sequence.IsBefore(start, end))
                break;
            uint sent = SendAgain(c, start, end);
            if (sent == 0)
                break;
            pipe += sent;
            loss.HighRxt = start + sent;
        }
        return pipe;
    }

    /// <summary>Sends one segment again, from <paramref name="start"/> to at most <paramref name="end"/>; returns the sequence numbers it took, 0 without memory.</summary>
    public static uint SendAgain(TcpConnection* c, uint start, uint end)
    {
        uint dataEnd = Sequence.Earlier(end, c->SendQueue.End);
        uint length = Sequence.IsBefore(start, dataEnd) ? dataEnd - start : 0;
        TcpFlags flags = TcpFlags.Acknowledgment;
        uint taken;
        if (length > c->SndMss)
        {
            length = c->SndMss;
            taken = length;
        }
        else
        {
            taken = end - start;
            if (start + length == c->SendQueue.End)
                flags |= TcpFlags.Push;
            if (taken != length)
                flags |= TcpFlags.Fin;
        }
        if (!SegmentSender.Send(c, start, length, flags))
            return 0;
        c->Counters.Retransmitted++;
        c->Stack->Statistics.Tcp.Retransmitted++;
        c->TimedAt = 0;
        c->Loss.NxtAtRxt = c->SndNxt;
        c->LastSent = c->Stack->Now;
        if (!c->RetransmitTimer.IsRunning)
            c->Stack->Timers.Start(&c->RetransmitTimer, c->Stack->Now + c->Rtt.CurrentTimeout);
        return taken;
    }

    /// <summary>The connection ends.</summary>
    public static void FreeBoard(TcpConnection* c)
    {
        Pool<SackScoreboard>.Free(c->Loss.Board);
        c->Loss.Board = null;
    }

    private static void Enter(TcpConnection* c, uint lostUntil)
    {
        ref LossState loss = ref c->Loss;
        // Without SACK, duplicates of what a timeout sent twice must not count (RFC 6582 section 4): the point must have been passed.
        if (!c->Has(ConnectionFlags.Sack) && loss.RecoveryPoint - c->SndUna <= c->InFlight)
            return;
        c->Ssthresh = c->Cubic.OnLoss(c->Cwnd, c->SndMss);
        c->Cwnd = c->Ssthresh;
        loss.Phase = LossPhase.Recovery;
        loss.RecoveryPoint = c->SndNxt;
        loss.NxtAtRxt = c->SndNxt;
        loss.HighRxt = c->SndUna;
        loss.LostUntil = Sequence.Later(lostUntil, Sequence.Earlier(c->SndUna + c->SndMss, c->SndNxt));
        c->TimedAt = 0;
        // The first goes out whatever the window says (RFC 6675 section 5 step 4.3).
        uint end = loss.LostUntil;
        uint start = loss.Board == null ? c->SndUna : loss.Board->NextHole(c->SndUna, loss.LostUntil, out end);
        if (Sequence.IsBefore(start, end))
            loss.HighRxt = start + SendAgain(c, start, end);
        c->Stack->Timers.Start(&c->RetransmitTimer, c->Stack->Now + c->Rtt.CurrentTimeout);
    }

    private static void Leave(TcpConnection* c)
    {
        ref LossState loss = ref c->Loss;
        if (loss.Phase == LossPhase.Recovery)
        {
            uint reached = c->InFlight + c->SndMss;
            if (reached < c->Cwnd)
                c->Cwnd = reached > 2 * c->SndMss ? reached : 2 * c->SndMss;
        }
        loss.Phase = LossPhase.Open;
        loss.Duplicates = 0;
        if (loss.Board != null)
            Reconsider(c);
    }

    /// <summary>What is in flight: neither arrived, nor lost and not sent again.</summary>
    private static uint Pipe(TcpConnection* c)
    {
        ref LossState loss = ref c->Loss;
        uint again = Sequence.Earlier(loss.HighRxt, loss.LostUntil);
        uint pipe = (again - c->SndUna) + (c->SndNxt - loss.LostUntil);
        if (loss.Phase == LossPhase.Open)
            pipe = c->InFlight;
        if (loss.Board != null)
        {
            SackScoreboard* board = loss.Board;
            if (loss.Phase == LossPhase.Open)
                return pipe - board->Bytes;
            return pipe - board->Within(c->SndUna, again) - board->Within(loss.LostUntil, c->SndNxt);
        }
        if (c->Has(ConnectionFlags.Sack))
            return pipe;
        uint left = loss.Duplicates * c->SndMss;
        return left < pipe ? pipe - left : 0;
    }
}
