// A host or router on the link, and what is known of its Ethernet address. One state machine for ARP and NDP. Source: RFC 4861 section 7.3, RFC 826.
using System.Runtime.CompilerServices;
using Ukl.Kernel.Net.Ethernet;

namespace Ukl.Kernel.Net.Ip;

/// <summary>What is known of a neighbour, in the words of RFC 4861 section 7.3.2. From <see cref="Stale"/> on there is an address to send to.</summary>
public enum NeighborState : byte
{
    /// <summary>Nothing, and nobody asks.</summary>
    None,

    /// <summary>It has been asked; packets wait for the answer.</summary>
    Incomplete,

    /// <summary>It did not answer.</summary>
    Failed,

    /// <summary>An address, not confirmed lately.</summary>
    Stale,

    /// <summary>As before, and in use: a confirmation should come soon.</summary>
    Delay,

    /// <summary>As before, and it is being asked.</summary>
    Probe,

    /// <summary>An address that was confirmed.</summary>
    Reachable,

    /// <summary>An address that follows from the IP address (groups), or was set.</summary>
    Permanent,
}

/// <summary>One neighbour. It stays where it is as long as <see cref="NetworkStack.RouteGeneration"/> does.</summary>
public unsafe struct Neighbor
{
    /// <summary>The first eight bytes of the header of frames to it, ready to store.</summary>
    internal ulong HeaderStart;

    /// <summary>The next four.</summary>
    internal uint HeaderMiddle;

    /// <summary>The last two: the type.</summary>
    internal ushort HeaderEnd;

    /// <summary>What is known of it.</summary>
    public NeighborState State;

    /// <summary>How often it was asked without an answer.</summary>
    internal byte ProbesSent;

    /// <summary>A <see cref="FlowRoute"/> may lead to it.</summary>
    internal bool IsReferenced;

    /// <summary>IPv6: it says that it is a router.</summary>
    public bool IsRouter;

    /// <summary>The link.</summary>
    public NetworkInterface* Interface;

    /// <summary>When it was known to be there the last time, in the stack's time. TCP sets it when the other end makes progress (RFC 4861 section 7.3.1).</summary>
    public ulong Confirmed;

    /// <summary>Its address.</summary>
    public IpAddress Address;

    /// <summary>Packets, complete from their IP header on, that wait for the address.</summary>
    internal PacketQueue Waiting;

    internal NetworkTimer Timer;
    internal Neighbor* NextInBucket;

    /// <summary>Its Ethernet address; meaningful from <see cref="NeighborState.Stale"/> on.</summary>
    public readonly MacAddress Mac => new(HeaderStart & 0xffff_ffff_ffff);

    /// <summary>Puts the Ethernet header in front of a packet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly void PutHeader(PacketBuffer* packet)
    {
        byte* frame = packet->Push(EthernetHeader.Size);
        *(ulong*)frame = HeaderStart;
        *(uint*)(frame + 8) = HeaderMiddle;
        *(ushort*)(frame + EthernetHeader.TypeOffset) = HeaderEnd;
    }
}
