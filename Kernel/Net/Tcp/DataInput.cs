// The payload and the FIN of a segment (RFC 9293 section 3.10.7.4, seventh and eighth check).
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>Takes data in.</summary>
internal static unsafe class DataInput
{
    private const PollEvents Readable = PollEvents.In | PollEvents.ReadNormal;

    /// <summary>Takes what is new of a segment. The acknowledgement goes out at the end of the batch.</summary>
    public static void Process(TcpConnection* c, ref Segment segment)
    {
        bool hasFin = segment.Header.Has(TcpFlags.Fin);
        if (segment.Length == 0 && !hasFin)
            return;
        // After its FIN the other end has nothing to send; what looks like it is a repetition, or a lie.
        if (c->Has(ConnectionFlags.FinReceived))
        {
            c->Flags |= ConnectionFlags.AckNow;
            return;
        }
        uint sequence = segment.Header.Sequence;
        uint window = c->ReceiveWindow;
        uint end = sequence + segment.Length;
        uint edge = c->RcvNxt + window;
        if (Sequence.IsAfter(end, edge))
        {
            // More than was offered: a probe of a closed window for one.
            c->Flags |= ConnectionFlags.AckNow;
            hasFin = false;
            end = edge;
            if (Sequence.IsAtMost(edge, sequence))
                return;
        }
        if (Sequence.IsBefore(end, c->RcvNxt) || (end == c->RcvNxt && !hasFin))
        {
            c->Flags |= ConnectionFlags.AckNow;
            return;
        }
        if (Sequence.IsAfter(sequence, c->RcvNxt))
            KeepEarly(c, ref segment, end - sequence, hasFin);
        else
            Take(c, ref segment, end, hasFin);
    }

    private static void Take(TcpConnection* c, ref Segment segment, uint end, bool hasFin)
    {
        uint length = end - c->RcvNxt;
        if (length != 0)
        {
            if (!HasMemory(c, 2) && (c->ReceiveQueue.Bytes != 0 || !c->Stack->Packets.HasReserve))
            {
                c->Flags |= ConnectionFlags.AckNow;
                return;
            }
            uint wireLength = segment.WireLength;
            PacketBuffer* packet = TakePayload(ref segment, c->RcvNxt - segment.Header.Sequence, length);
            c->ReceiveQueue.Append(packet, length);
            c->RcvNxt += length;
            c->Counters.BytesReceived += length;
            AckPolicy.OnData(c, wireLength);
            c->Events |= Readable;
        }
        if (c->ReceiveQueue.HasEarly)
        {
            // A gap is being filled: the other end is waiting to hear of it (RFC 5681 section 4.2).
            uint next = c->ReceiveQueue.Drain(c->RcvNxt);
            c->Counters.BytesReceived += next - c->RcvNxt;
            c->RcvNxt = next;
            c->Flags |= ConnectionFlags.AckNow;
        }
        if (c->Urgent == UrgentState.Announced)
            UrgentInput.OnData(c);
        if (hasFin || (c->Has(ConnectionFlags.FinSeen) && c->RcvNxt == c->FinSequence))
            OnFin(c);
    }

    private static void KeepEarly(TcpConnection* c, ref Segment segment, uint length, bool hasFin)
    {
        c->Flags |= ConnectionFlags.AckNow;
        if (length != 0 && HasMemory(c, 1))
        {
            uint sequence = segment.Header.Sequence;
            c->ReceiveQueue.InsertEarly(TakePayload(ref segment, 0, length), sequence, length);
        }
        if (hasFin)
        {
            c->Flags |= ConnectionFlags.FinSeen;
            c->FinSequence = segment.Header.Sequence + length;
        }
        // Without SACK the number of duplicates is all that the other end learns.
        if (!c->Has(ConnectionFlags.Sack))
            SegmentSender.SendAcknowledgment(c);
    }

    private static PacketBuffer* TakePayload(ref Segment segment, uint known, uint length)
    {
        PacketBuffer* packet = segment.Packet;
        segment.Packet = null;
        packet->Pull(segment.Header.Size);
        if (known != 0)
            ReceiveQueue.DropFront(packet, known);
        if (known + length != segment.Length)
            ReceiveQueue.Cut(packet, length);
        return packet;
    }

    /// <summary>
    /// Blocks that are not full take more memory than was reckoned with when the window was offered. What is in order and was asked for is taken all the same, up to twice
    /// the buffer; what came early is not.
    /// </summary>
    private static bool HasMemory(TcpConnection* c, uint times) =>
        c->ReceiveQueue.Memory < times * c->RcvBuf && c->ReceiveQueue.Blocks < ReceiveRoom.PartOf(&c->Stack->Packets);

    private static void OnFin(TcpConnection* c)
    {
        c->RcvNxt++;
        c->Flags = (c->Flags & ~ConnectionFlags.FinSeen) | ConnectionFlags.FinReceived | ConnectionFlags.ReceiveShutdown | ConnectionFlags.AckNow;
        c->Prediction = 0;
        c->ReceiveQueue.ClearEarly();
        c->Events |= Readable | PollEvents.ReadHangUp;
        switch (c->State)
        {
            case ConnectionState.SynReceived:
            case ConnectionState.Established:
                c->State = ConnectionState.CloseWait;
                // A program that has read all will close too: its FIN may carry the acknowledgement.
                c->Flags = (c->Flags & ~ConnectionFlags.AckNow) | ConnectionFlags.AckOwed | ConnectionFlags.IsInteractive;
                break;
            case ConnectionState.FinWait1:
                c->State = ConnectionState.Closing;
                break;
            case ConnectionState.FinWait2:
                SegmentSender.SendAcknowledgment(c);
                ConnectionLife.EnterTimeWait(c);
                break;
            default:
                break;
        }
    }
}
