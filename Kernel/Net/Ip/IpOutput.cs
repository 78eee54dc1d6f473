// The way out: finds the route of a flow once, and puts headers in front of its packets.
using System.Runtime.CompilerServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Ethernet;

namespace Ukl.Kernel.Net.Ip;

/// <summary>Sends packets of transports. Never sleeps.</summary>
public static unsafe class IpOutput
{
    /// <summary>The hop limit of packets to one host (RFC 1700), and to groups.</summary>
    public const byte DefaultHopLimit = 64;
    private const byte GroupHopLimit = 1;

    /// <summary>
    /// Finds the way to an address. Errors: ENETUNREACH (no route), EADDRNOTAVAIL (the source is not this host's, or there is none), EINVAL (no such
    /// interface, addresses of two kinds). A broadcast or group is found too: <see cref="FlowRoute.Kind"/> says so, and the caller decides whether that is allowed.
    /// </summary>
    /// <param name="stack">The stack.</param>
    /// <param name="destination">Where to; "any" means this host.</param>
    /// <param name="source">The address to send from; "any": choose one.</param>
    /// <param name="interfaceIndex">The interface to leave by; 0: choose one.</param>
    /// <param name="route">What was found; not usable after an error.</param>
    public static Errno Resolve(NetworkStack* stack, IpAddress destination, IpAddress source, uint interfaceIndex, FlowRoute* route)
    {
        if (destination.IsAny)
            destination = destination.IsV4 ? IpAddress.Loopback4 : IpAddress.Loopback6;
        if (!source.IsAny && source.IsV4 != destination.IsV4)
            return Errno.EINVAL;
        if (!source.IsAny && !stack->IsLocal(source))
            return Errno.EADDRNOTAVAIL;
        NetworkInterface* by = null;
        if (interfaceIndex != 0)
        {
            by = stack->FindInterface(interfaceIndex);
            if (by == null)
                return Errno.EINVAL;
        }
        route->Destination = destination;
        route->RequestedInterface = interfaceIndex;
        route->Kind = DestinationKind.Unicast;
        if (stack->IsLocal(destination))
        {
            route->Kind = DestinationKind.Local;
            route->Source = source.IsAny ? destination : source;
            route->Interface = stack->Loopback;
            route->NextHop = null;
            route->Mtu = stack->Loopback->Mtu;
            route->Generation = stack->RouteGeneration;
            return Errno.None;
        }
        return Errno.ENETUNREACH;
    }

    /// <summary>Whether a route is still the one <see cref="Resolve"/> would find.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsCurrent(NetworkStack* stack, FlowRoute* route) => route->Generation == stack->RouteGeneration;

    /// <summary>Finds a route again, with the same source address; errors as <see cref="Resolve"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Errno Refresh(NetworkStack* stack, FlowRoute* route) =>
        Resolve(stack, route->Destination, route->Source, route->RequestedInterface, route);

    /// <summary>
    /// Sends a packet whose <see cref="PacketBuffer.Data"/> is the transport header, and takes its reference, also when it fails. Its checksum is complete or partial
    /// (<see cref="ChecksumState.Partial"/>). Errors: those of <see cref="Resolve"/> when the way has changed; EMSGSIZE when it is larger than the path allows and may not be cut.
    /// A packet that is lost further on, in a full queue for one, is no error.
    /// </summary>
    public static Errno Send(NetworkStack* stack, FlowRoute* route, PacketBuffer* packet, byte protocol, IpSendOptions options)
    {
        if (route->Generation != stack->RouteGeneration)
        {
            Errno error = Refresh(stack, route);
            if (error != Errno.None)
            {
                PacketBuffer.Release(packet);
                return error;
            }
        }
        NetworkInterface* by = route->Interface;
        packet->TransportHeader = packet->Data;
        if (packet->Checksum == ChecksumState.Partial && (by->Device->Features & NetworkFeatures.TransmitChecksum) == 0)
            InternetChecksum.Finish(packet);

        byte hopLimit = options.HopLimit;
        if (hopLimit == 0)
            hopLimit = route->Kind >= DestinationKind.Broadcast ? GroupHopLimit : DefaultHopLimit;
        uint payload = packet->TotalLength;
        if (route->Destination.IsV4)
        {
            if (payload + Ipv4Header.Size > route->Mtu && packet->Segmentation == SegmentationKind.None)
                return SendLarge(packet);
            byte* header = packet->Push(Ipv4Header.Size);
            packet->NetworkHeader = header;
            Ipv4Header.Write(header, payload + Ipv4Header.Size, 0, options.DontFragment ? Ipv4Header.DontFragment : (ushort)0, hopLimit, protocol,
                options.TrafficClass, route->Source.V4, route->Destination.V4);
        }
        else
        {
            if (payload + Ipv6Header.Size > route->Mtu && packet->Segmentation == SegmentationKind.None)
                return SendLarge(packet);
            byte* header = packet->Push(Ipv6Header.Size);
            packet->NetworkHeader = header;
            Ipv6Header.Write(header, payload, hopLimit, protocol, options.TrafficClass, route->Source, route->Destination);
        }

        Neighbor* nextHop = route->NextHop;
        if (nextHop != null)
        {
            byte* frame = packet->Push(EthernetHeader.Size);
            *(ulong*)frame = nextHop->HeaderStart;
            *(uint*)(frame + 8) = nextHop->HeaderMiddle;
            *(ushort*)(frame + EthernetHeader.TypeOffset) = nextHop->HeaderEnd;
        }
        by->Transmit(packet);
        return Errno.None;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Errno SendLarge(PacketBuffer* packet)
    {
        PacketBuffer.Release(packet);
        return Errno.EMSGSIZE;
    }
}
