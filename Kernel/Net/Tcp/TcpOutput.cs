// Decides what of the send queue goes out now. Sources of truth: RFC 9293 sections 3.8.4 (urgent), 3.8.6.1 (closed windows), 3.8.6.2.1 (silly windows), 3.7.4 (Nagle, in
// J. Minshall's variant that Linux has), RFC 5681 (congestion window). Segments are as large as the device cuts them, the windows allow and full.
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>Sends data of connections.</summary>
internal static unsafe class TcpOutput
{
    /// <summary>The most payload of one packet that the device is to cut: with all headers it must stay below 64 KiB.</summary>
    private const uint LargestPacket = 65535 - 60 - 60;

    /// <summary>RFC 6928.</summary>
    private const uint InitialSegments = 10;

    /// <summary>A window this much smaller than the largest ever offered is not worth a segment (RFC 9293 section 3.8.6.2.1: Fs = 1/2).</summary>
    private const uint WorthwhileShare = 2;

    /// <summary>The end of a batch, or a program's call: sends what the windows and the options allow.</summary>
    public static void Push(TcpConnection* c)
    {
        c->Flags &= ~ConnectionFlags.OutputDue;
        if (c->State is ConnectionState.Established or ConnectionState.CloseWait or ConnectionState.FinWait1 or ConnectionState.LastAck
            or ConnectionState.Closing)
            Transmit(c, false);
    }

    /// <summary>Sends as much as is allowed. With <paramref name="isForced"/> (a timer's wish) nothing waits to become a full segment.</summary>
    public static void Transmit(TcpConnection* c, bool isForced)
    {
        if (!IpOutput.IsCurrent(c->Stack, &c->Route) || c->Route.Mtu != c->KnownMtu)
            PathMtu.Refresh(c);
        uint pipe = c->InFlight;
        if (c->Loss.Phase != LossPhase.Open || c->Loss.Duplicates != 0 || c->Loss.Board != null)
            pipe = LossRecovery.Retransmit(c);
        bool wasIdle = c->InFlight == 0;
        if (wasIdle)
            AfterIdle(c);

        bool isLimited = false;
        uint sent = 0;
        while (c->SndNxt - 1 != c->SendQueue.End)
        {
            uint unsent = c->SendQueue.End - c->SndNxt;
            bool hasFin = c->Has(ConnectionFlags.FinQueued);
            if (unsent == 0 && !hasFin)
                break;
            uint window = WindowLeft(c);
            uint room = c->Cwnd > pipe ? c->Cwnd - pipe : 0;
            if (room == 0 || (room < c->SndMss && room < unsent && pipe != 0))
            {
                isLimited = true;
                break;
            }
            if (window == 0)
                break;
            uint length = Choose(c, unsent, window, room, isForced, out bool isWindowFull);
            isLimited |= isWindowFull;
            if (length == 0 && unsent != 0)
                break;
            bool isLast = length == unsent;
            bool takesFin = isLast && hasFin && window > length;
            if (unsent == 0 && !takesFin)
                break;
            if (!Send(c, length, isLast, takesFin))
                break;
            sent += length;
            pipe += length;
        }
        if (isLimited)
            c->Flags |= ConnectionFlags.IsWindowLimited;
        else
            c->Flags &= ~ConnectionFlags.IsWindowLimited;
        if (sent != 0)
        {
            if (c->Stack->Now - c->LastReceived < AckPolicy.Delayed)
                c->Flags |= ConnectionFlags.IsInteractive;
            c->LastSent = c->Stack->Now;
        }
        ArmTimer(c, wasIdle);
    }

    /// <summary>Whether something waits that was never sent, a FIN included.</summary>
    public static bool HasUnsent(TcpConnection* c) =>
        c->SndNxt != c->SendQueue.End + (c->Has(ConnectionFlags.FinQueued) ? 1u : 0);

    /// <summary>The window of a connection that begins (RFC 6928).</summary>
    public static uint InitialWindow(uint mss) => InitialSegments * mss;

    /// <summary>Bytes the other end's window still takes.</summary>
    private static uint WindowLeft(TcpConnection* c)
    {
        uint edge = c->SndUna + c->SndWnd;
        return Sequence.IsAfter(edge, c->SndNxt) ? edge - c->SndNxt : 0;
    }

    /// <summary>How much the next packet takes; 0: nothing now.</summary>
    private static uint Choose(TcpConnection* c, uint unsent, uint window, uint room, bool isForced, out bool isCongestion)
    {
        uint mss = c->SndMss;
        uint most = mss;
        if (c->Has(ConnectionFlags.CanSegment))
            most = mss < LargestPacket ? LargestPacket : mss;
        isCongestion = false;
        uint length = unsent < window ? unsent : window;
        if (length > room && room >= mss)
        {
            length = room;
            isCongestion = true;
        }
        if (length > most)
            length = most;
        uint partial = length < mss ? length : length % mss;
        if (partial == 0)
            return length;
        if (length == unsent && (isForced || MaySendSmall(c)))
            return length;
        length -= partial;
        // The window ends here: a worthwhile part of the largest one has to do.
        if (length == 0 && unsent > partial && (isForced || partial >= c->MaxWindow / WorthwhileShare))
            return partial;
        return length;
    }

    /// <summary>Nagle: a small segment may go out while no other small one is on its way.</summary>
    private static bool MaySendSmall(TcpConnection* c)
    {
        if (c->Has(ConnectionFlags.FinQueued))
            return true;
        if (c->Has(ConnectionFlags.Cork | ConnectionFlags.MoreComes))
            return false;
        return c->Has(ConnectionFlags.NoDelay | ConnectionFlags.IsSendingUrgent) || Sequence.IsAtMost(c->SndSmall, c->SndUna);
    }

    private static bool Send(TcpConnection* c, uint length, bool isLast, bool takesFin)
    {
        TcpFlags flags = TcpFlags.Acknowledgment;
        if (isLast)
            flags |= TcpFlags.Push;
        if (takesFin)
            flags |= TcpFlags.Fin;
        if (!SegmentSender.Send(c, c->SndNxt, length, flags))
            return false;
        if (c->TimedAt == 0 && c->Loss.Phase == LossPhase.Open)
        {
            c->TimedAt = c->Stack->Now;
            c->TimedSequence = c->SndNxt + length;
        }
        c->SndNxt += length;
        if (length % c->SndMss != 0)
            c->SndSmall = c->SndNxt;
        if (takesFin)
            c->SndNxt++;
        return true;
    }

    /// <summary>
    /// What is in flight is timed; when nothing is and something waits (a closed window, no memory, a corked segment), the timer asks or sends it.
    /// </summary>
    private static void ArmTimer(TcpConnection* c, bool wasIdle)
    {
        if (c->RetransmitTimer.IsRunning && !(wasIdle && c->InFlight != 0))
            return;
        if (c->InFlight != 0 || HasUnsent(c))
            c->Stack->Timers.Start(&c->RetransmitTimer, c->Stack->Now + c->Rtt.CurrentTimeout);
    }

    /// <summary>After a pause of a timeout's length the window that was earned before says little (RFC 5681 section 4.1).</summary>
    private static void AfterIdle(TcpConnection* c)
    {
        ulong idle = c->Stack->Now - c->LastSent;
        ulong timeout = c->Rtt.Timeout;
        if (idle <= timeout || c->LastSent == 0)
            return;
        uint restart = InitialWindow(c->SndMss);
        while (idle > timeout && c->Cwnd > restart)
        {
            idle -= timeout;
            c->Cwnd /= 2;
        }
        if (c->Cwnd < restart)
            c->Cwnd = restart;
        c->Cubic.OnIdle();
    }
}
