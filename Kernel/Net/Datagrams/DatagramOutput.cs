using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Icmp;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Datagrams;

/// <summary>Makes packets of what programs send.</summary>
internal static unsafe class DatagramOutput
{
    /// <summary>Bytes of payload that fit into the 16-bit lengths of IPv4 and IPv6.</summary>
    private const uint LargestPayload4 = 65535 - Ipv4Header.Size;
    private const uint LargestPayload6 = 65535;

    private const uint IcmpHeaderSize = 8;

    /// <summary>Sends one datagram; see <see cref="DatagramSockets.Send"/>.</summary>
    public static Result Send<TSource>(DatagramSocket* socket, ref TSource source, nuint count, in DatagramTarget target)
        where TSource : struct, IByteSource
    {
        // Also what cannot be sent gives the socket a port.
        Errno error = Errno.None;
        if (socket->Kind != DatagramKind.Raw && socket->Binding.Port == 0)
            error = DatagramSockets.TakePort(socket, 0);
        if (error == Errno.None)
            error = DatagramSockets.TakeError(socket);
        if (error != Errno.None)
            return error;
        if (socket->IsWriteShut)
            return Errno.EPIPE;
        if (!target.HasAddress && !socket->IsConnected)
            return Errno.EDESTADDRREQ;
        ushort port = target.HasAddress ? target.Port : socket->RemotePort;
        if (socket->Kind == DatagramKind.Udp && port == 0)
            return Errno.EINVAL;
        if (count > LargestPayload6)
            return Errno.EMSGSIZE;
        FlowRoute* route = &socket->Route;
        error = FindRoute(socket, target, route);
        if (error != Errno.None)
        {
            route->Generation = 0;
            return error;
        }
        uint header = socket->Kind == DatagramKind.Udp ? (uint)UdpHeader.Size : 0;
        var length = (uint)count + header;
        if (length > (route->Destination.IsV4 ? LargestPayload4 : LargestPayload6))
            return Errno.EMSGSIZE;
        if (socket->Kind == DatagramKind.Ping && count < IcmpHeaderSize)
            return Errno.EINVAL;
        PacketBuffer* packet;
        error = Build(socket->Stack, ref source, (uint)count, &packet);
        if (error != Errno.None)
            return error;

        IpSendOptions options = OptionsFor(socket, target, route, length);
        switch (socket->Kind)
        {
            case DatagramKind.Udp:
                ushort sum = InternetChecksum.PseudoHeader(route->Source, route->Destination, IpProtocol.Udp, length);
                UdpHeader.Write(packet->Push(UdpHeader.Size), socket->Binding.Port, port, (ushort)length, sum);
                packet->Checksum = ChecksumState.Partial;
                packet->ChecksumOffset = UdpHeader.ChecksumOffset;
                error = IpOutput.Send(socket->Stack, route, packet, IpProtocol.Udp, options);
                if (error == Errno.None)
                    socket->Stack->Statistics.Udp(route->Destination.IsV4).Sent++;
                break;
            case DatagramKind.Ping:
                error = PingOutput.Send(socket, route, packet, options);
                break;
            default:
                error = socket->Protocol == IpProtocol.IcmpV6 && packet->Length >= IcmpHeaderSize
                    ? IcmpOutput.Send(socket->Stack, route, packet, options)
                    : IpOutput.Send(socket->Stack, route, packet, socket->Protocol, options);
                break;
        }
        return error == Errno.None ? new Result((long)count) : error;
    }

    /// <summary>Finds a way that the socket may use. Errors as <see cref="IpOutput.Resolve"/>, EACCES for a broadcast that is not allowed.</summary>
    public static Errno Resolve(DatagramSocket* socket, in IpAddress destination, in IpAddress source, uint by, FlowRoute* route)
    {
        if (destination.IsV4 && (socket->Binding.Flags & PortFlags.IsV6Only) != 0)
            return Errno.ENETUNREACH;
        if (!source.IsAny && source.IsV4 != destination.IsV4)
            return Errno.ENETUNREACH;
        Errno error = IpOutput.Resolve(socket->Stack, destination, source, by, route);
        if (error == Errno.None && route->Kind == DestinationKind.Broadcast && !socket->Options.IsBroadcastAllowed)
            return Errno.EACCES;
        return error;
    }

    /// <summary>The interface a socket's options ask for; 0 when they do not.</summary>
    public static uint InterfaceFor(DatagramSocket* socket, in IpAddress destination) =>
        socket->Options.Interface != 0 ? socket->Options.Interface : destination.IsMulticast ? socket->Options.MulticastInterface : 0;

    /// <summary>What is known of a packet in a socket's queue: its headers are still in front of it.</summary>
    public static DatagramInformation Describe(DatagramSocket* socket, PacketBuffer* packet)
    {
        var information = new DatagramInformation { Interface = packet->OwnerFlags, Length = packet->TotalLength, Time = packet->Time };
        if (*packet->NetworkHeader >> 4 == 4)
        {
            var header = new Ipv4Header(new System.ReadOnlySpan<byte>(packet->NetworkHeader, Ipv4Header.Size));
            information.Source = header.Source;
            information.Destination = header.Destination;
            information.HopLimit = header.HopLimit;
            information.TrafficClass = header.TrafficClass;
        }
        else
        {
            var header = new Ipv6Header(new System.ReadOnlySpan<byte>(packet->NetworkHeader, Ipv6Header.Size));
            information.Source = header.Source;
            information.Destination = header.Destination;
            information.HopLimit = header.HopLimit;
            information.TrafficClass = header.TrafficClass;
        }
        if (socket->Kind == DatagramKind.Udp)
            information.SourcePort = new UdpHeader(new System.ReadOnlySpan<byte>(packet->TransportHeader, UdpHeader.Size)).SourcePort;
        return information;
    }

    /// <summary>The way to the receiver: the one used last when it is still good for this one.</summary>
    private static Errno FindRoute(DatagramSocket* socket, in DatagramTarget target, FlowRoute* route)
    {
        IpAddress destination = target.HasAddress ? target.Address : socket->Remote;
        // An address to receive groups by is none to send from.
        IpAddress source = socket->Binding.Address.IsMulticast || socket->Stack->IsBroadcast(socket->Binding.Address) ? default : socket->Binding.Address;
        if (!target.Source.IsAny)
            source = target.Source;
        uint by = target.Interface != 0 ? target.Interface : InterfaceFor(socket, destination);
        bool isUsable = IpOutput.IsCurrent(socket->Stack, route) && route->Destination == destination && route->RequestedInterface == by &&
            (source.IsAny ? !route->IsSourceGiven : route->Source == source);
        if (isUsable && (route->Kind != DestinationKind.Broadcast || socket->Options.IsBroadcastAllowed))
            return Errno.None;
        return Resolve(socket, destination, source, by, route);
    }

    private static IpSendOptions OptionsFor(DatagramSocket* socket, in DatagramTarget target, FlowRoute* route, uint length)
    {
        ref DatagramOptions options = ref socket->Options;
        byte hopLimit = target.HopLimit;
        if (hopLimit == 0)
            hopLimit = route->Kind == DestinationKind.Multicast ? options.MulticastHopLimit : options.HopLimit;
        uint whole = length + (uint)(route->Destination.IsV4 ? Ipv4Header.Size : Ipv6Header.Size);
        return new IpSendOptions
        {
            HopLimit = hopLimit,
            TrafficClass = target.HasTrafficClass ? target.TrafficClass : options.TrafficClass,
            DontFragment = options.Discovery switch
            {
                PathMtuDiscovery.Never => false,
                PathMtuDiscovery.Want => whole <= route->Mtu,
                _ => true,
            },
            DontLoop = !options.IsMulticastLooped,
        };
    }

    /// <summary>Copies what is sent behind room for headers: into one buffer, or into more that are parts of the first.</summary>
    private static Errno Build<TSource>(NetworkStack* stack, ref TSource source, uint count, PacketBuffer** built)
        where TSource : struct, IByteSource
    {
        PacketBuffer* packet = stack->Packets.Allocate();
        if (packet == null)
            return Errno.ENOBUFS;
        uint first = count < PacketBuffer.PayloadCapacity ? count : PacketBuffer.PayloadCapacity;
        if (count > PacketBuffer.PayloadCapacity)
        {
            // The table of parts takes the rest of this block, but for what ICMP and raw senders look at.
            first = IcmpHeaderSize;
        }
        packet->Length = first;
        bool isTaken = first == 0 || source.TryTake(packet->Data, first);
        for (uint done = first; done < count && isTaken;)
        {
            PacketBuffer* part = stack->Packets.Allocate(0);
            if (part == null)
            {
                PacketBuffer.Release(packet);
                return Errno.ENOBUFS;
            }
            uint room = part->Tailroom;
            part->Length = count - done < room ? count - done : room;
            packet->TryAddPart(part->Data, part->Length);
            PacketBuffer.Release(part);
            isTaken = source.TryTake(part->Data, part->Length);
            done += part->Length;
        }
        if (isTaken)
        {
            *built = packet;
            return Errno.None;
        }
        PacketBuffer.Release(packet);
        return Errno.EFAULT;
    }
}
