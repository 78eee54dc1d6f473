// "Ping" sockets: echo requests without a raw socket. Source: icmp(7), Linux's net/ipv4/ping.c as described there; RFC 792, RFC 4443 section 4.
using System.Buffers.Binary;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Datagrams;

/// <summary>Hands echo replies to the sockets whose identifier they have.</summary>
internal static unsafe class PingInput
{
    private const int IdentifierOffset = 4;

    /// <summary>Takes an echo reply and its reference; its data begins with the ICMP header, which is in this block.</summary>
    public static void Receive(NetworkStack* stack, PacketBuffer* packet, in IpPacket ip)
    {
        DatagramSocket* socket = Find(stack, BinaryPrimitives.ReverseEndianness(*(ushort*)(packet->Data + IdentifierOffset)), ip.Destination, ip.Source);
        if (socket != null)
            DatagramQueue.Add(socket, packet, ip);
        else
            PacketBuffer.Release(packet);
    }

    /// <summary>An error about an echo request that was sent.</summary>
    public static void ReceiveError(NetworkStack* stack, in TransportError error)
    {
        DatagramSocket* socket = Find(stack, error.LocalPort, error.Local, error.Remote);
        if (socket != null)
            DatagramQueue.Fail(socket, error);
    }

    private static DatagramSocket* Find(NetworkStack* stack, ushort identifier, in IpAddress local, in IpAddress remote)
    {
        PortEntry* entry = stack->Datagrams.Identifiers.Find(identifier);
        for (PortBinding* holder = entry == null ? null : entry->First; holder != null; holder = holder->Next)
        {
            var socket = (DatagramSocket*)holder->Owner;
            if (socket->IsV6 != local.IsV4 && (holder->Address.IsAny || holder->Address == local) && (!socket->IsConnected || socket->Remote == remote))
                return socket;
        }
        return null;
    }
}
