using Ukl.Kernel.Net.Datagrams;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Dhcp;

/// <summary>Sends messages of the client, also from an interface that has no address yet.</summary>
internal static unsafe class DhcpOutput
{
    /// <summary>Room for the longest message the client writes.</summary>
    private const int MaximumSize = 400;

    /// <summary>Sends a message (RFC 2131 table 5). Without memory or a route it is lost; it will be repeated.</summary>
    public static void Send(NetworkInterface* on, DhcpState state, DhcpMessageType type, uint transaction, in DhcpLease lease)
    {
        NetworkStack* stack = on->Stack;
        PacketBuffer* packet = stack->Packets.Allocate();
        if (packet == null)
            return;
        bool hasAddress = state >= DhcpState.Renewing;
        packet->Length = MaximumSize;
        packet->Bytes.Clear();
        var writer = new DhcpWriter(packet->Bytes, type, transaction, on->Mac, hasAddress ? lease.Address : IpAddress.Any4);
        if (state == DhcpState.Requesting)
        {
            writer.Add(DhcpOption.RequestedAddress, lease.Address);
            writer.Add(DhcpOption.ServerIdentifier, lease.Server);
        }
        writer.End();
        packet->Length = (uint)writer.Length;

        var route = new FlowRoute();
        bool isUnicast = state == DhcpState.Renewing;
        if (isUnicast && IpOutput.Resolve(stack, lease.Server, lease.Address, on->Index, &route) != Abi.Errno.None)
        {
            PacketBuffer.Release(packet);
            return;
        }
        if (!isUnicast)
        {
            IpAddress everybody = IpAddress.FromV4(0xffff_ffff);
            route.Source = hasAddress ? lease.Address : IpAddress.Any4;
            route.Destination = everybody;
            route.Interface = on;
            route.Mtu = on->Mtu;
            route.Kind = DestinationKind.Broadcast;
            route.NextHop = stack->Neighbors.Get(on, everybody);
            route.Generation = stack->RouteGeneration;
            if (route.NextHop == null)
            {
                PacketBuffer.Release(packet);
                return;
            }
        }
        uint length = packet->Length + UdpHeader.Size;
        ushort sum = InternetChecksum.PseudoHeader(route.Source, route.Destination, IpProtocol.Udp, length);
        UdpHeader.Write(packet->Push(UdpHeader.Size), DhcpMessage.ClientPort, DhcpMessage.ServerPort, (ushort)length, sum);
        packet->Checksum = ChecksumState.Partial;
        packet->ChecksumOffset = UdpHeader.ChecksumOffset;
        IpOutput.Send(stack, &route, packet, IpProtocol.Udp, new IpSendOptions { HopLimit = IpOutput.DefaultHopLimit });
    }
}
