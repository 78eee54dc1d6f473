// When to acknowledge, and which window to offer. Sources of truth: RFC 9293 sections 3.8.6.2 and 3.8.6.3, RFC 5681 section 4.2, RFC 1122 section 4.2.3.2. At most one
// acknowledgement goes out for a batch of segments; when it can wait it waits for data to go with, up to 40 ms, but not at the beginning of a connection (as
// Linux: quick acknowledgements let the other end's window grow).
namespace Ukl.Kernel.Net.Tcp;

/// <summary>Acknowledgements and the receive window.</summary>
internal static unsafe class AckPolicy
{
    /// <summary>How long an acknowledgement waits for company (Linux: TCP_DELACK_MIN).</summary>
    public const ulong Delayed = 40_000_000;

    /// <summary>Acknowledgements that are not delayed at the beginning.</summary>
    private const byte QuickAcksAtStart = 16;

    /// <summary>Data came in order.</summary>
    public static void OnData(TcpConnection* c, uint segment)
    {
        ulong now = c->Stack->Now;
        if (c->QuickAcks == 0 && now - c->LastReceived > c->Rtt.Timeout)
            c->QuickAcks = QuickAcksAtStart;
        c->LastReceived = now;
        if (segment >= c->RcvMss)
        {
            c->RcvMss = segment;
            c->Flags |= ConnectionFlags.AckOwed;
        }
        else
        {
            c->Flags |= ConnectionFlags.AckOwed | ConnectionFlags.SmallOwed;
        }
    }

    /// <summary>The connection begins.</summary>
    public static void Initialize(TcpConnection* c)
    {
        c->QuickAcks = QuickAcksAtStart;
        c->RcvMss = 536;
    }

    /// <summary>
    /// The batch is over and nothing has carried the acknowledgement yet. More than a full segment is acknowledged at once, but not with a window that has shrunk: the program is
    /// about to read, and that opens it (as Linux).
    /// </summary>
    public static void OnBatchEnd(TcpConnection* c)
    {
        bool isQuick = c->QuickAcks != 0 && !c->Has(ConnectionFlags.IsInteractive);
        if (c->Has(ConnectionFlags.AckNow) || isQuick
            || (c->RcvNxt - c->RcvWup > c->RcvMss && (c->ReceiveQueue.Bytes < c->Settings.LowWatermark || Offer(c) >= c->RcvWnd)))
        {
            SegmentSender.SendAcknowledgment(c);
        }
        else if (!c->DelayedAckTimer.IsRunning)
        {
            Delay(c);
        }
    }

    /// <summary>The program has read: whether the other end should hear of it (what is read makes room).</summary>
    public static void OnRead(TcpConnection* c)
    {
        bool isDue = c->Has(ConnectionFlags.AckOwed)
            && (c->RcvNxt - c->RcvWup > c->RcvMss
                || (c->Has(ConnectionFlags.SmallOwed) && c->ReceiveQueue.Bytes == 0 && !c->Has(ConnectionFlags.IsInteractive)));
        if (!isDue && !c->Has(ConnectionFlags.ReceiveShutdown))
        {
            // Worth a segment when the window has at least doubled.
            uint known = c->ReceiveWindow;
            if (2 * (ulong)known <= c->RcvBuf / 2)
            {
                uint offer = Offer(c);
                isDue = offer != 0 && offer >= 2 * known;
            }
        }
        if (isDue && c->IsSynchronized)
            SegmentSender.SendAcknowledgment(c);
    }

    /// <summary>Waits for data to go with.</summary>
    public static void Delay(TcpConnection* c)
    {
        c->Flags = (c->Flags | ConnectionFlags.AckOwed) & ~ConnectionFlags.AckNow;
        c->Stack->Timers.Start(&c->DelayedAckTimer, c->Stack->Now + Delayed);
    }

    /// <summary>Nobody answered in time: data that comes is no longer expected to be answered.</summary>
    public static void OnTimer(NetworkTimer* timer)
    {
        var c = (TcpConnection*)timer->Context;
        c->Flags &= ~ConnectionFlags.IsInteractive;
        if (c->Has(ConnectionFlags.AckOwed) && c->IsSynchronized)
            SegmentSender.SendAcknowledgment(c);
    }

    /// <summary>A segment with an acknowledgement goes out; <paramref name="tellsAll"/> when the SACK blocks it should have are in it.</summary>
    public static void OnSent(TcpConnection* c, bool tellsAll)
    {
        if (!tellsAll && c->Has(ConnectionFlags.AckNow))
            return;
        if (c->QuickAcks != 0)
            c->QuickAcks--;
        c->Flags &= ~(ConnectionFlags.AckNow | ConnectionFlags.AckOwed | ConnectionFlags.SmallOwed);
        NetworkTimers.Suspend(&c->DelayedAckTimer);
    }

    /// <summary>The window field of a segment that goes out; from now on the other end knows of it.</summary>
    public static ushort NextWindow(TcpConnection* c)
    {
        c->RcvWnd = Offer(c);
        c->RcvWup = c->RcvNxt;
        return (ushort)(c->RcvWnd >> c->RcvScale);
    }

    /// <summary>The window that could be offered now: never less than what was, and no small advances (RFC 9293 section 3.8.6.2.2).</summary>
    public static uint Offer(TcpConnection* c)
    {
        uint known = c->ReceiveWindow;
        uint memory = c->ReceiveQueue.Memory;
        uint size = ReceiveRoom.SizeNow(c);
        uint all = size / 2;
        uint free = memory < size ? (size - memory) / 2 : 0;
        uint mss = c->RcvMss < all ? c->RcvMss : all;
        uint scaleMask = (1u << c->RcvScale) - 1;
        uint offer;
        if (free < mss || free < all >> 4)
            offer = 0;
        else if (c->RcvScale != 0)
            offer = free & ~scaleMask;
        else
            offer = known <= free && known + mss > free ? known : free - (free % mss);
        if (offer < known)
            offer = (known + scaleMask) & ~scaleMask;
        uint most = 65535u << c->RcvScale;
        return offer < most ? offer : most;
    }
}
