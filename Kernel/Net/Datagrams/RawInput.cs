// Raw sockets. Source: raw(7), icmp(7) (ICMP_FILTER), RFC 3542 section 3.2 (ICMP6_FILTER): of IPv4 they see the IP header, of IPv6 they do not.
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Datagrams;

/// <summary>Gives raw sockets copies of what comes in.</summary>
internal static unsafe class RawInput
{
    /// <summary>
    /// Offers a packet whose data begins with the transport header; it stays the caller's. Returns whether some socket is for its protocol.
    /// </summary>
    public static bool Offer(NetworkStack* stack, PacketBuffer* packet, in IpPacket ip)
    {
        bool isWanted = false;
        for (DatagramSocket* socket = stack->Datagrams.FirstRaw; socket != null; socket = socket->NextRaw)
        {
            if (socket->Protocol != ip.Protocol || socket->IsV6 == ip.Source.IsV4 || !Matches(socket, packet, ip))
                continue;
            isWanted = true;
            PacketBuffer* copy = PacketCopy.OfReceived(&stack->Packets, packet);
            if (copy == null)
                continue;
            if (ip.Source.IsV4)
                copy->Push((uint)(copy->Data - copy->NetworkHeader));
            DatagramQueue.Add(socket, copy, ip);
        }
        return isWanted;
    }

    private static bool Matches(DatagramSocket* socket, PacketBuffer* packet, in IpPacket ip)
    {
        ref DatagramOptions options = ref socket->Options;
        if ((!socket->Binding.Address.IsAny && socket->Binding.Address != ip.Destination) || (socket->IsConnected && socket->Remote != ip.Source) ||
            (options.Interface != 0 && options.Interface != ip.Interface->Index) || (ip.Kind == DestinationKind.Multicast && !DatagramQueue.IsMember(socket, ip)))
        {
            return false;
        }
        if (ip.Protocol is not (IpProtocol.Icmp or IpProtocol.IcmpV6) || packet->Length == 0)
            return true;
        byte type = *packet->Data;
        ulong word = (type >> 6) switch
        {
            0 => options.FilterLow,
            1 => options.FilterMiddleLow,
            2 => options.FilterMiddleHigh,
            _ => options.FilterHigh,
        };
        return ((word >> (type & 63)) & 1) == 0;
    }
}
