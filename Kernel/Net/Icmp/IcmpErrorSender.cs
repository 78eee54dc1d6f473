// Tells others that a packet of theirs could not be used. Source: RFC 1122 section 3.2.2 and RFC 4443 section 2.4 (when not to), RFC 1812 section 4.3.2.3 (how much is quoted),
// section 4.3.2.8 (how often).
using System.Buffers.Binary;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Icmp;

/// <summary>Sends ICMP errors, so many a second and no more.</summary>
internal static unsafe class IcmpErrorSender
{
    /// <summary>Bytes of an error with everything, as every host takes them.</summary>
    private const uint MaximumSize4 = 576;
    private const uint MaximumSize6 = 1280;

    private const uint HeaderSize = 8;

    /// <summary>Like Linux's icmp_msgs_per_sec and icmp_msgs_burst.</summary>
    private const ulong TokenTime = 1_000_000;
    private const uint Burst = 50;

    /// <summary>Reports a packet that came in: the port is nobody's. It stays the caller's.</summary>
    public static void SendPortUnreachable(NetworkStack* stack, PacketBuffer* packet, in IpPacket ip)
    {
        if (ip.Source.IsV4)
            Send(stack, packet, ip, IcmpType.DestinationUnreachable, IcmpType.PortUnreachable, 0);
        else
            Send(stack, packet, ip, Icmp6Type.DestinationUnreachable, Icmp6Type.PortUnreachable, 0);
    }

    /// <summary>Reports a packet that came in: what it carries is unknown.</summary>
    public static void SendProtocolUnreachable(NetworkStack* stack, PacketBuffer* packet, in IpPacket ip, uint nextHeaderOffset)
    {
        if (ip.Source.IsV4)
            Send(stack, packet, ip, IcmpType.DestinationUnreachable, IcmpType.ProtocolUnreachable, 0);
        else
            Send(stack, packet, ip, Icmp6Type.ParameterProblem, Icmp6Type.UnknownNextHeader, nextHeaderOffset);
    }

    /// <summary>
    /// Reports a packet that came in. <see cref="PacketBuffer.NetworkHeader"/> and <see cref="PacketBuffer.Data"/> are known; it stays the caller's. Does nothing when
    /// errors must not be answered, or too many were.
    /// </summary>
    /// <param name="stack">The stack.</param>
    /// <param name="packet">The packet.</param>
    /// <param name="ip">What its header says.</param>
    /// <param name="type">The type.</param>
    /// <param name="code">The code.</param>
    /// <param name="parameter">The second word of the message.</param>
    public static void Send(NetworkStack* stack, PacketBuffer* packet, in IpPacket ip, byte type, byte code, uint parameter)
    {
        bool mayAnswerGroup = !ip.Source.IsV4 && type == Icmp6Type.ParameterProblem && code == Icmp6Type.UnknownOption;
        if ((ip.Kind != DestinationKind.Local && !mayAnswerGroup) || ip.Source.IsAny || ip.Source.IsMulticast || IsError(packet, ip))
            return;
        if (!TakeToken(stack))
            return;
        FlowRoute route;
        uint scope = ip.Interface->IsLoopback ? 0 : ip.Interface->Index;
        if (IpOutput.Resolve(stack, ip.Source, ip.Kind == DestinationKind.Local ? ip.Destination : default, ip.Source.IsLinkLocal6 ? scope : 0, &route) != Errno.None)
            return;
        PacketBuffer* message = stack->Packets.Allocate();
        if (message == null)
            return;
        bool isV4 = ip.Source.IsV4;
        byte* header = message->Data;
        *(uint*)header = (uint)(type | (code << 8));
        *(uint*)(header + 4) = BinaryPrimitives.ReverseEndianness(parameter);
        message->Length = HeaderSize;

        // What is quoted: this block only, which has the headers.
        var quoted = (uint)(packet->Data + packet->Length - packet->NetworkHeader);
        uint limit = isV4 ? MaximumSize4 - Ipv4Header.Size - HeaderSize : MaximumSize6 - Ipv6Header.Size - HeaderSize;
        if (quoted > limit)
            quoted = limit;
        new System.ReadOnlySpan<byte>(packet->NetworkHeader, (int)quoted).CopyTo(new System.Span<byte>(header + HeaderSize, (int)quoted));
        message->Length += quoted;
        IcmpOutput.Send(stack, &route, message, default);
    }

    private static bool IsError(PacketBuffer* packet, in IpPacket ip)
    {
        if (ip.Protocol == IpProtocol.Icmp)
            return packet->Length == 0 || *packet->Data is not (IcmpType.EchoRequest or IcmpType.EchoReply);
        return ip.Protocol == IpProtocol.IcmpV6 && (packet->Length == 0 || *packet->Data < Icmp6Type.FirstInformational);
    }

    private static bool TakeToken(NetworkStack* stack)
    {
        ref IcmpState state = ref stack->Icmp;
        ulong fresh = (stack->Now - state.TokensCounted) / TokenTime;
        if (fresh != 0)
        {
            ulong tokens = state.Tokens + fresh;
            state.Tokens = tokens > Burst ? Burst : (uint)tokens;
            state.TokensCounted += fresh * TokenTime;
        }
        if (state.Tokens == 0)
            return false;
        state.Tokens--;
        return true;
    }
}
