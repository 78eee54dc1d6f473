// ICMPv6 that comes in. Source: RFC 4443; RFC 4861 section 6.1 and 7.1 (what of neighbour discovery is believed is in Ndp).
using System;
using System.Buffers.Binary;
using Ukl.Kernel.Net.Datagrams;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Icmp;

/// <summary>Answers and hands on.</summary>
internal static unsafe class Icmp6Input
{
    private const int HeaderSize = 8;

    /// <summary>Takes a message and its reference; its data begins with the ICMP header.</summary>
    public static void Receive(NetworkStack* stack, PacketBuffer* packet, in IpPacket ip)
    {
        ref IcmpStatistics counted = ref stack->Statistics.Icmp6;
        counted.Received++;
        if (packet->Length < HeaderSize || !InternetChecksum.IsRight(packet, ip.Source, ip.Destination, IpProtocol.IcmpV6))
        {
            counted.Errors++;
            if (packet->Length >= HeaderSize)
                counted.ChecksumErrors++;
            ip.Interface->Statistics.ReceiveErrors++;
            PacketBuffer.Release(packet);
            return;
        }
        ReadOnlySpan<byte> message = packet->Bytes;
        counted.ReceivedByType[message[0]]++;
        switch (message[0])
        {
            case Icmp6Type.EchoRequest when !ip.Source.IsAny:
                IcmpInput.Echo(stack, packet, ip, Icmp6Type.EchoReply);
                break;
            case Icmp6Type.EchoReply:
                PingInput.Receive(stack, packet, ip);
                return;
            case Icmp6Type.ListenerQuery:
                GroupReports.Receive6(message, ip);
                break;
            case >= Icmp6Type.RouterSolicitation and <= Icmp6Type.NeighborAdvertisement:
                NdpInput.Receive(packet, ip);
                break;
            case Icmp6Type.DestinationUnreachable or Icmp6Type.PacketTooBig or Icmp6Type.TimeExceeded or Icmp6Type.ParameterProblem:
                IcmpErrors.Receive6(stack, ip.Source, message[0], message[1], BinaryPrimitives.ReadUInt32BigEndian(message[4..]), message[HeaderSize..]);
                break;
        }
        PacketBuffer.Release(packet);
    }
}
