// The way out: finds the route of a flow once, and puts headers in front of its packets.
using System.Runtime.CompilerServices;
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Net.Ip;

/// <summary>Sends packets of transports. Never sleeps.</summary>
public static unsafe class IpOutput
{
    /// <summary>The hop limit of packets to one host (RFC 1700), and to groups.</summary>
    public const byte DefaultHopLimit = 64;
    private const byte GroupHopLimit = 1;

    /// <summary>
    /// Finds the way to an address. Errors: ENETUNREACH (no route), EADDRNOTAVAIL (the source is not this host's, or there is none), EINVAL (no such
    /// interface, addresses of two kinds, from 127.0.0.1 to elsewhere), ENOBUFS. A broadcast or group is found too: <see cref="FlowRoute.Kind"/> says so, and the caller decides whether that is allowed.
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
        if (!source.IsAny && source.IsLoopback && !destination.IsLoopback && !stack->IsLocal(destination))
            return Errno.EINVAL;
        route->Destination = destination;
        route->RequestedInterface = interfaceIndex;
        route->IsSourceGiven = !source.IsAny;
        route->Source = source;
        if (stack->IsLocal(destination))
        {
            route->Kind = DestinationKind.Local;
            route->Interface = stack->Loopback;
            route->NextHop = null;
            route->Mtu = stack->Loopback->Mtu;
            route->Generation = stack->RouteGeneration;
            if (source.IsAny)
                route->Source = destination;
            return Errno.None;
        }
        Errno error = ResolveRemote(stack, by, route);
        if (error == Errno.ENETUNREACH)
            stack->Statistics.Ip(destination.IsV4).NoRoutes++;
        return error;
    }

    /// <summary>The interface a group is reached by when nobody says: where the route leads, or the first that is none of the machine's own. Null when there is none.</summary>
    public static NetworkInterface* InterfaceForGroup(NetworkStack* stack, in IpAddress group)
    {
        int number = stack->Routes.Lookup(group, null);
        if (number >= 0)
            return stack->Routes[number].Interface;
        NetworkInterface* first = stack->Loopback->Next;
        while (first != null && !first->Device->IsLinkUp)
            first = first->Next;
        return first;
    }

    /// <summary>A path was found to carry less; what is remembered of routes is found again. The caller has made sure that the report is about a packet of its own.</summary>
    public static void LowerPathMtu(NetworkStack* stack, in IpAddress destination, uint mtu)
    {
        if (mtu >= stack->PathMtus.Get(destination, uint.MaxValue, stack->Now))
            return;
        stack->PathMtus.Lower(destination, mtu, stack->Now);
        stack->RouteGeneration++;
    }

    /// <summary>The way to somebody else, with destination and source of <paramref name="route"/> given.</summary>
    private static Errno ResolveRemote(NetworkStack* stack, NetworkInterface* by, FlowRoute* route)
    {
        IpAddress destination = route->Destination;
        IpAddress nextHop = destination;
        IpAddress preferred = default;
        route->Kind = destination.IsMulticast ? DestinationKind.Multicast : stack->IsBroadcast(destination) ? DestinationKind.Broadcast : DestinationKind.Unicast;
        int number = -1;
        if (route->Kind == DestinationKind.Unicast)
        {
            // A link-local address is on every link; one without an interface is looked for on the first.
            if (!destination.IsLinkLocal6 || by == null)
                number = stack->Routes.Lookup(destination, by);
            if (number < 0 && !(by != null && destination.IsLinkLocal6))
                return Errno.ENETUNREACH;
        }
        else if (by == null)
        {
            if (route->IsSourceGiven)
                by = stack->FindLocal(route->Source);
            if (by == null || by->IsLoopback)
                by = InterfaceForGroup(stack, destination);
        }
        if (number >= 0)
        {
            ref Route found = ref stack->Routes[number];
            by = found.Interface;
            preferred = found.Source;
            if (found.HasGateway)
                nextHop = found.Gateway;
        }
        if (by == null || by->IsLoopback)
            return Errno.ENETUNREACH;
        if (!route->IsSourceGiven)
        {
            route->Source = preferred != default ? preferred : ChooseSource(stack, by, destination, nextHop);
            if (route->Source == default)
                return Errno.EADDRNOTAVAIL;
        }
        route->Interface = by;
        route->Mtu = stack->PathMtus.Get(destination, by->Mtu, stack->Now);
        route->NextHop = stack->Neighbors.Get(by, nextHop);
        if (route->NextHop == null)
            return Errno.ENOBUFS;
        route->NextHop->IsReferenced = true;
        route->Generation = stack->RouteGeneration;
        return Errno.None;
    }

    /// <summary>An address of the interface; of any other one when it has none that reaches so far.</summary>
    private static IpAddress ChooseSource(NetworkStack* stack, NetworkInterface* by, in IpAddress destination, in IpAddress nextHop)
    {
        IpAddress chosen = SourceAddress.Choose(by, destination, nextHop);
        if (chosen != default && (!chosen.IsLinkLocal6 || destination.IsLinkLocal6 || destination.IsMulticast))
            return chosen;
        for (NetworkInterface* other = stack->Loopback->Next; other != null; other = other->Next)
        {
            IpAddress candidate = other == by ? default : SourceAddress.Choose(other, destination, nextHop);
            if (candidate != default && !candidate.IsLinkLocal6)
                return candidate;
        }
        return chosen;
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
        packet->TransportHeader = packet->Data;
        if (packet->Checksum == ChecksumState.Partial && (route->Interface->Device->Features & NetworkFeatures.TransmitChecksum) == 0)
            InternetChecksum.Finish(packet);

        byte hopLimit = options.HopLimit;
        if (hopLimit == 0)
            hopLimit = route->Kind >= DestinationKind.Broadcast ? GroupHopLimit : DefaultHopLimit;
        uint payload = packet->TotalLength;
        if (route->Destination.IsV4)
        {
            stack->Statistics.V4.Sent++;
            if (payload + Ipv4Header.Size > route->Mtu && packet->Segmentation == SegmentationKind.None)
                return SendLarge(stack, route, packet, protocol, hopLimit, options);
            byte* header = packet->Push(Ipv4Header.Size);
            packet->NetworkHeader = header;
            // Only a packet that routers may cut needs a number (RFC 6864).
            ushort identification = 0;
            ushort flags = Ipv4Header.DontFragment;
            if (!options.DontFragment)
            {
                identification = (ushort)stack->Identifications.Next(route->Destination);
                flags = 0;
            }
            Ipv4Header.Write(header, payload + Ipv4Header.Size, identification, flags, hopLimit, protocol, options.TrafficClass, route->Source.V4,
                route->Destination.V4);
        }
        else
        {
            stack->Statistics.V6.Sent++;
            if (payload + Ipv6Header.Size > route->Mtu && packet->Segmentation == SegmentationKind.None)
                return SendLarge(stack, route, packet, protocol, hopLimit, options);
            if (options.HopLimit == 0 && route->Interface->AutoConfiguration.HopLimit != 0 && route->Kind == DestinationKind.Unicast)
                hopLimit = route->Interface->AutoConfiguration.HopLimit;
            byte* header = packet->Push(Ipv6Header.Size);
            packet->NetworkHeader = header;
            Ipv6Header.Write(header, payload, hopLimit, protocol, options.TrafficClass, route->Source, route->Destination);
        }

        if (route->Kind == DestinationKind.Multicast && !options.DontLoop)
            LoopBack(stack, route, packet);
        SendLink(route, packet);
        return Errno.None;
    }

    /// <summary>Sends a packet that is complete from its IP header on, and takes its reference.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void SendLink(FlowRoute* route, PacketBuffer* packet)
    {
        Neighbor* nextHop = route->NextHop;
        if (nextHop != null)
        {
            if (nextHop->State < NeighborState.Reachable)
            {
                NeighborDiscovery.Send(nextHop, packet);
                return;
            }
            nextHop->PutHeader(packet);
        }
        route->Interface->Transmit(packet);
    }

    /// <summary>Gives this host its own copy of what it sends to a group that it listens to.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void LoopBack(NetworkStack* stack, FlowRoute* route, PacketBuffer* packet)
    {
        if (!MulticastGroups.IsMember(route->Interface, route->Destination))
            return;
        PacketBuffer* copy = PacketCopy.OfSent(&stack->Packets, packet);
        if (copy != null)
            stack->Loopback->Transmit(copy);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Errno SendLarge(NetworkStack* stack, FlowRoute* route, PacketBuffer* packet, byte protocol, byte hopLimit, IpSendOptions options)
    {
        if (options.DontFragment)
        {
            stack->Statistics.Ip(route->Destination.IsV4).FragmentationFailures++;
            PacketBuffer.Release(packet);
            return Errno.EMSGSIZE;
        }
        if (packet->Checksum == ChecksumState.Partial)
            InternetChecksum.Finish(packet);
        return IpFragmenter.Send(stack, route, packet, protocol, hopLimit, options.TrafficClass);
    }
}
