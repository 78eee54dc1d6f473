// The way of a segment that was not the expected one. The order is that of RFC 9293 section 3.10.7: sequence number and PAWS (RFC 7323 section 5), RST and SYN (with RFC
// 5961), ACK, URG, data, FIN.
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>Processes segments by the state of what they belong to.</summary>
internal static unsafe class SegmentInput
{
    /// <summary>A timestamp this old says nothing any more (RFC 7323 section 5.5): 24 days.</summary>
    private const ulong LongestTimestampAge = 24UL * 24 * 3600 * 1_000_000_000;

    /// <summary>Finds out what the segment means. Whoever keeps the packet sets <see cref="Segment.Packet"/> to null.</summary>
    public static void Process(NetworkStack* stack, FlowEntry* flow, ref Segment segment, in IpPacket ip)
    {
        if (flow != null)
        {
            switch (flow->Kind)
            {
                case FlowKind.Connection:
                    ProcessConnection((TcpConnection*)flow, ref segment);
                    return;
                case FlowKind.Request:
                    ListenerInput.ProcessRequest((ConnectionRequest*)flow, ref segment, ip);
                    return;
                default:
                    if (!TimeWait.Process((TimeWait*)flow, ref segment, out uint sequence))
                        return;
                    ListenerInput.ProcessSyn(stack, ref segment, ip, sequence);
                    return;
            }
        }
        ListenerInput.Process(stack, ref segment, ip);
    }

    /// <summary>A segment for a connection that has its own state.</summary>
    public static void ProcessConnection(TcpConnection* c, ref Segment segment)
    {
        c->Counters.SegmentsIn++;
        TcpState.AddPending(c);
        if (c->State == ConnectionState.SynSent)
            SynSentInput.Process(c, ref segment);
        else
            ProcessSynchronized(c, ref segment);
    }

    /// <summary>Whether the timestamps say that a segment is from long ago (PAWS).</summary>
    public static bool IsOld(ref Segment segment, uint tsRecent, ulong tsRecentTime, ulong now) =>
        segment.Options.Has(TcpOptionSet.Timestamps)
        && Sequence.IsBefore(segment.Options.TimestampValue, tsRecent)
        && now - tsRecentTime < LongestTimestampAge;

    private static void ProcessSynchronized(TcpConnection* c, ref Segment segment)
    {
        ref TcpHeader header = ref segment.Header;
        bool isReset = header.Has(TcpFlags.Reset);
        bool hasTimestamps = c->Has(ConnectionFlags.Timestamps);
        if (hasTimestamps && !isReset && IsOld(ref segment, c->TsRecent, c->TsRecentTime, c->Stack->Now))
        {
            Answer(c, ref segment);
            return;
        }
        if (!IsAcceptable(c, ref segment))
        {
            if (!isReset)
                Answer(c, ref segment);
            return;
        }
        if (isReset)
        {
            // RFC 5961 section 3.2: only the very next number ends the connection.
            if (header.Sequence == c->RcvNxt)
                ConnectionLife.OnReset(c);
            else
                ChallengeAck.Send(c);
            return;
        }
        if (header.Has(TcpFlags.Syn))
        {
            SynSentInput.OnLateSyn(c, ref segment);
            return;
        }
        if (!header.Has(TcpFlags.Acknowledgment))
            return;
        if (c->State == ConnectionState.SynReceived && !SynSentInput.CompleteSimultaneousOpen(c, ref segment))
            return;
        if (hasTimestamps && segment.Options.Has(TcpOptionSet.Timestamps) && Sequence.IsAtMost(header.Sequence, c->RcvWup)
            && Sequence.IsAtLeast(segment.Options.TimestampValue, c->TsRecent))
        {
            c->TsRecent = segment.Options.TimestampValue;
            c->TsRecentTime = c->Stack->Now;
        }
        if (!AckInput.Process(c, ref segment))
            return;
        if (segment.Length == 0)
            c->LastReceived = c->Stack->Now;
        if (!ConnectionLife.OnAcknowledged(c))
            return;
        if (IsDataUnwanted(c, ref segment))
        {
            ConnectionLife.Abort(c, Errno.ECONNRESET);
            return;
        }
        if (header.Has(TcpFlags.Urgent))
            UrgentInput.OnPointer(c, ref segment);
        DataInput.Process(c, ref segment);
    }

    /// <summary>
    /// RFC 9293 section 3.4; like Linux a segment that ends between the last number that was acknowledged and RCV.NXT passes, for its acknowledgement.
    /// </summary>
    private static bool IsAcceptable(TcpConnection* c, ref Segment segment) =>
        Sequence.IsAtLeast(segment.End, c->RcvWup) && Sequence.IsAtMost(segment.Header.Sequence, c->RcvNxt + c->ReceiveWindow);

    /// <summary>Tells the other end what is expected. Two ends that disagree must not do so for ever: only data is answered each time.</summary>
    private static void Answer(TcpConnection* c, ref Segment segment)
    {
        if (segment.Length == 0 || segment.Header.Has(TcpFlags.Syn))
            ChallengeAck.Send(c);
        else
            c->Flags |= ConnectionFlags.AckNow;
    }

    /// <summary>Data that nobody will read is answered with a reset (RFC 1122 section 4.2.2.13).</summary>
    private static bool IsDataUnwanted(TcpConnection* c, ref Segment segment) =>
        segment.Length != 0 && c->State is ConnectionState.FinWait1 or ConnectionState.FinWait2 or ConnectionState.Closing
        && c->Has(ConnectionFlags.IsOrphan) && Sequence.IsAfter(segment.Header.Sequence + segment.Length, c->RcvNxt);
}
