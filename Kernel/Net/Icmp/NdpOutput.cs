// What this host says in neighbour discovery. Source: RFC 4861 sections 4.1, 4.3, 4.4, 7.2.
using System;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Icmp;

/// <summary>Sends messages of neighbour discovery.</summary>
internal static unsafe class NdpOutput
{
    /// <summary>A message that was forwarded is none.</summary>
    public const byte HopLimit = 255;

    private const int LinkAddressOptionSize = 8;

    /// <summary>ff02::1.</summary>
    private static IpAddress AllNodes => new(0xff02_0000_0000_0000, 1);

    /// <summary>ff02::2.</summary>
    private static IpAddress AllRouters => new(0xff02_0000_0000_0000, 2);

    /// <summary>The group of those whose address ends like this one (RFC 4291 section 2.7.1).</summary>
    public static IpAddress SolicitedNodeGroup(in IpAddress address) => new(0xff02_0000_0000_0000, 0x1_ff00_0000 | (address.Low & 0xff_ffff));

    /// <summary>Asks for a neighbour's Ethernet address, or whether somebody has an address.</summary>
    /// <param name="on">The link.</param>
    /// <param name="target">Whom.</param>
    /// <param name="source">This host's address; "any" when it would like to have the target's.</param>
    /// <param name="isProbe">Only the neighbour itself is asked, by the address that is known.</param>
    public static void Solicit(NetworkInterface* on, in IpAddress target, in IpAddress source, bool isProbe)
    {
        Span<byte> message = stackalloc byte[NdpMessage.NeighborSize + LinkAddressOptionSize];
        message[..8].Clear();
        message[0] = Icmp6Type.NeighborSolicitation;
        target.WriteV6(message[8..]);
        int length = source.IsAny ? NdpMessage.NeighborSize : AddLinkAddress(on, message, NdpMessage.NeighborSize, NdpOptionType.SourceLinkAddress);
        Send(on, message[..length], source, isProbe ? target : SolicitedNodeGroup(target));
    }

    /// <summary>Tells of an address of this host: to who asked, or to all.</summary>
    public static void Advertise(NetworkInterface* on, in IpAddress address, in IpAddress to)
    {
        Span<byte> message = stackalloc byte[NdpMessage.NeighborSize + LinkAddressOptionSize];
        message[..8].Clear();
        message[0] = Icmp6Type.NeighborAdvertisement;
        message[4] = to.IsAny ? NdpMessage.OverrideFlag : (byte)(NdpMessage.OverrideFlag | NdpMessage.SolicitedFlag);
        address.WriteV6(message[8..]);
        int length = AddLinkAddress(on, message, NdpMessage.NeighborSize, NdpOptionType.TargetLinkAddress);
        Send(on, message[..length], address, to.IsAny ? AllNodes : to);
    }

    /// <summary>Asks routers to say what they know.</summary>
    public static void SolicitRouters(NetworkInterface* on)
    {
        IpAddress source = SourceAddress.Choose(on, AllRouters, AllRouters);
        Span<byte> message = stackalloc byte[NdpMessage.RouterSolicitationSize + LinkAddressOptionSize];
        message[..8].Clear();
        message[0] = Icmp6Type.RouterSolicitation;
        int length = source.IsAny
            ? NdpMessage.RouterSolicitationSize
            : AddLinkAddress(on, message, NdpMessage.RouterSolicitationSize, NdpOptionType.SourceLinkAddress);
        Send(on, message[..length], source, AllRouters);
    }

    private static int AddLinkAddress(NetworkInterface* on, Span<byte> message, int at, byte type)
    {
        message[at] = type;
        message[at + 1] = 1;
        on->Mac.Write(message[(at + 2)..]);
        return at + LinkAddressOptionSize;
    }

    private static void Send(NetworkInterface* on, ReadOnlySpan<byte> message, in IpAddress source, in IpAddress destination)
    {
        NetworkStack* stack = on->Stack;
        Neighbor* nextHop = stack->Neighbors.Get(on, destination);
        PacketBuffer* packet = nextHop == null ? null : stack->Packets.Allocate();
        if (packet == null)
            return;
        packet->Length = (uint)message.Length;
        message.CopyTo(packet->Bytes);
        var route = new FlowRoute
        {
            Source = source,
            Destination = destination,
            Interface = on,
            NextHop = nextHop,
            Mtu = on->Mtu,
            Kind = destination.IsMulticast ? DestinationKind.Multicast : DestinationKind.Unicast,
            Generation = stack->RouteGeneration,
        };
        IcmpOutput.Send(stack, &route, packet, new IpSendOptions { HopLimit = HopLimit, DontLoop = true });
    }
}
