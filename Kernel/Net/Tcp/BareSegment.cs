using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>A segment without data that goes out for something that is no full connection: SYN, SYN-ACK, RST, the acknowledgements of TIME-WAIT.</summary>
internal unsafe struct BareSegment
{
    public uint Sequence;
    public uint Acknowledgment;
    public TcpFlags Flags;

    /// <summary>The window field as it stands in the header.</summary>
    public ushort Window;

    /// <summary>What a SYN says, or timestamps.</summary>
    public TcpOptions Options;

    /// <summary>Sends it. False without memory.</summary>
    public readonly bool Send(NetworkStack* stack, FlowRoute* route, FlowEntry* flow, IpSendOptions sendOptions)
    {
        PacketBuffer* packet = stack->Packets.Allocate();
        if (packet == null)
            return false;
        byte* options = packet->Data;
        uint optionsSize = 0;
        if ((Flags & TcpFlags.Syn) != 0)
            optionsSize = Options.WriteSyn(options);
        else if (Options.Has(TcpOptionSet.Timestamps))
            optionsSize = TcpOptions.WriteTimestamps(options, Options.TimestampValue, Options.TimestampEcho);
        packet->Length = optionsSize;
        uint size = TcpHeader.MinimumSize + optionsSize;
        byte* header = packet->Push(TcpHeader.MinimumSize);
        TcpHeader.Write(header, flow->LocalPort, flow->RemotePort, Sequence, Acknowledgment, size, Flags, Window,
            InternetChecksum.PseudoHeader(flow->Local, flow->Remote, IpProtocol.Tcp, size), 0);
        packet->Checksum = ChecksumState.Partial;
        packet->ChecksumOffset = TcpHeader.ChecksumOffset;
        stack->Statistics.Tcp.SegmentsOut++;
        if ((Flags & TcpFlags.Reset) != 0)
            stack->Statistics.Tcp.ResetsSent++;
        IpOutput.Send(stack, route, packet, IpProtocol.Tcp, sendOptions);
        return true;
    }

    /// <summary>Answers a segment that belongs to nothing (RFC 9293 section 3.10.7.1). A reset is never answered.</summary>
    public static void SendReset(NetworkStack* stack, ref Segment segment, in IpPacket ip)
    {
        if (segment.Header.Has(TcpFlags.Reset))
            return;
        FlowEntry flow = FlowOf(ref segment, ip);
        FlowRoute route;
        if (ResolveBack(stack, ip, &route) != Abi.Errno.None)
            return;
        BareSegment reset = default;
        reset.Flags = TcpFlags.Reset;
        if (segment.Header.Has(TcpFlags.Acknowledgment))
        {
            reset.Sequence = segment.Header.Acknowledgment;
        }
        else
        {
            reset.Flags |= TcpFlags.Acknowledgment;
            reset.Acknowledgment = segment.End;
        }
        reset.Send(stack, &route, &flow, new IpSendOptions { DontFragment = true });
    }

    /// <summary>The two ends of a segment that came in.</summary>
    public static FlowEntry FlowOf(ref Segment segment, in IpPacket ip) => new()
    {
        Local = ip.Destination,
        Remote = ip.Source,
        LocalPort = segment.Header.DestinationPort,
        RemotePort = segment.Header.SourcePort,
    };

    /// <summary>The way back to where a segment came from. A link-local address means something on its own link only.</summary>
    public static Abi.Errno ResolveBack(NetworkStack* stack, in IpPacket ip, FlowRoute* route) =>
        IpOutput.Resolve(stack, ip.Source, ip.Destination, ip.Source.IsLinkLocal6 ? ip.Interface->Index : 0, route);
}
