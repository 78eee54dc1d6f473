// Where segments come in. First the path that nearly all take (header prediction: V. Jacobson, Congestion Avoidance and Control, 1988, appendix; RFC 7323 appendix B):
// an established connection, the next segment in order, nothing lost, no option but timestamps. Everything else goes the way of RFC 9293 section 3.10.7.
using System.Runtime.CompilerServices;
using Ukl.Kernel.Net.Ip;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>Receives segments from IP.</summary>
public static unsafe class TcpInput
{
    /// <summary>The bits of the header's fourth word that are predicted: its length and all control bits but PSH.</summary>
    private const uint PredictedBits = 0xf0f7_0000;

    private const PollEvents Readable = PollEvents.In | PollEvents.ReadNormal;

    /// <summary>Takes a segment, its reference included. The packet's data is the header; its length is that of the segment.</summary>
    public static void Receive(NetworkStack* stack, PacketBuffer* packet, in IpPacket ip)
    {
        ref TcpStatistics counted = ref stack->Statistics.Tcp;
        counted.SegmentsIn++;
        byte* header = packet->Data;
        if (packet->Length < TcpHeader.MinimumSize || ip.Kind != DestinationKind.Local
            || !InternetChecksum.IsRight(packet, ip.Source, ip.Destination, IpProtocol.Tcp))
        {
            CountError(packet, ip, ref counted);
            PacketBuffer.Release(packet);
            return;
        }
        ushort remotePort = TcpHeader.ReadUInt16(header);
        ushort localPort = TcpHeader.ReadUInt16(header + 2);
        ref FlowTable flows = ref stack->Tcp.Flows;
        FlowEntry* flow = flows.Find(ip.Destination, ip.Source, localPort, remotePort);
        if (flow != null && flow->Kind == FlowKind.Connection && TryPredicted((TcpConnection*)flow, packet, header))
            return;

        Segment segment = default;
        segment.Packet = packet;
        if (TcpHeader.TryRead(header, packet->Length, out segment.Header))
        {
            segment.Length = packet->TotalLength - segment.Header.Size;
            TcpOptions.Read(header + TcpHeader.MinimumSize, segment.Header.Size - TcpHeader.MinimumSize, out segment.Options);
            SegmentInput.Process(stack, flow, ref segment, ip);
        }
        else
        {
            counted.Errors++;
        }
        if (segment.Packet != null)
            PacketBuffer.Release(segment.Packet);
    }

    /// <summary>Takes what ICMP says of a segment that was sent.</summary>
    public static void ReceiveError(NetworkStack* stack, in TransportError error) => ErrorInput.Process(stack, error);

    /// <summary>What <see cref="TcpConnection.Prediction"/> is for a connection in good order: the words of its headers, and the ACK bit.</summary>
    internal static uint PredictionFor(TcpConnection* c)
    {
        uint size = TcpHeader.MinimumSize + (c->Has(ConnectionFlags.Timestamps) ? TcpOptions.TimestampsSize : 0);
        return (size << 26) | ((uint)TcpFlags.Acknowledgment << 16);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CountError(PacketBuffer* packet, in IpPacket ip, ref TcpStatistics counted)
    {
        if (ip.Kind != DestinationKind.Local)
            return;
        counted.Errors++;
        if (packet->Length >= TcpHeader.MinimumSize)
            counted.ChecksumErrors++;
    }

    /// <summary>The expected segment. False, and nothing was done, when it is not.</summary>
    private static bool TryPredicted(TcpConnection* c, PacketBuffer* packet, byte* header)
    {
        uint word = TcpHeader.ReadUInt32(header + 12);
        uint sequence = TcpHeader.ReadUInt32(header + 4);
        if ((word & PredictedBits) != c->Prediction || sequence != c->RcvNxt)
            return false;
        uint acked = TcpHeader.ReadUInt32(header + 8) - c->SndUna;
        uint size = word >> 28 << 2;
        uint length = packet->TotalLength - size;
        uint window = (uint)(ushort)word << c->SndScale;
        if (acked > c->InFlight || (acked | length) == 0 || length > c->ReceiveWindow || window == 0 || packet->Length < size)
            return false;
        if (c->Loss.Phase != LossPhase.Open || c->Loss.Board != null || c->ReceiveQueue.HasEarly || c->ReceiveQueue.Memory >= c->RcvBuf)
            return false;
        if (length != 0 && c->Stack->Packets.IsScarce)
            return false;

        uint echo = 0;
        ulong now = c->Stack->Now;
        if (size != TcpHeader.MinimumSize)
        {
            uint value = TcpHeader.ReadUInt32(header + 24);
            if (*(uint*)(header + 20) != TcpOptions.AlignedTimestamps || Sequence.IsBefore(value, c->TsRecent))
                return false;
            echo = TcpHeader.ReadUInt32(header + 28);
            if (sequence == c->RcvWup || Sequence.IsBefore(sequence, c->RcvWup))
            {
                c->TsRecent = value;
                c->TsRecentTime = now;
            }
        }

        c->Counters.SegmentsIn++;
        c->KeepaliveProbes = 0;
        if (window != c->SndWnd)
        {
            c->SndWnd = window;
            if (window > c->MaxWindow)
                c->MaxWindow = window;
            c->Flags |= ConnectionFlags.OutputDue;
        }
        c->SndWl1 = sequence;
        c->SndWl2 = c->SndUna + acked;
        if (acked != 0)
        {
            AckInput.Advance(c, acked, echo);
            c->Loss.Duplicates = 0;
            if (c->SndNxt != c->SendQueue.End)
                c->Flags |= ConnectionFlags.OutputDue;
        }
        if (length != 0)
        {
            uint wireLength = packet->SegmentSize != 0 ? packet->SegmentSize : length;
            packet->Pull(size);
            c->ReceiveQueue.Append(packet, length);
            c->RcvNxt += length;
            c->Counters.BytesReceived += length;
            AckPolicy.OnData(c, wireLength);
            c->Events |= Readable;
        }
        else
        {
            c->LastReceived = now;
            PacketBuffer.Release(packet);
        }
        TcpState.AddPending(c);
        return true;
    }
}
