// The end of a datagram protocol: UDP (udp(7)), echo by ICMP ("ping" sockets, icmp(7)), or raw IP (raw(7)).
using System.Runtime.CompilerServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Ip;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Datagrams;

/// <summary>What a datagram socket speaks.</summary>
public enum DatagramKind : byte
{
    Udp,

    /// <summary>SOCK_DGRAM with IPPROTO_ICMP or IPPROTO_ICMPV6: echo requests out, their replies in; the port is the identifier.</summary>
    Ping,

    /// <summary>SOCK_RAW: everything of one protocol.</summary>
    Raw,
}

/// <summary>A group that a socket joined.</summary>
public struct DatagramMembership
{
    /// <summary>The group; all zero is a free entry.</summary>
    public IpAddress Group;

    /// <summary>The interface it was joined on.</summary>
    public uint Interface;
}

/// <summary>The groups of a socket.</summary>
[InlineArray(Capacity)]
public struct DatagramMembershipArray
{
    /// <summary>IP_MAX_MEMBERSHIPS of Linux.</summary>
    public const int Capacity = 20;

    private DatagramMembership _first;
}

/// <summary>One datagram socket. Made and used through <see cref="DatagramSockets"/>.</summary>
public unsafe struct DatagramSocket
{
    /// <summary>The stack.</summary>
    public NetworkStack* Stack;

    /// <summary>For the socket's owner.</summary>
    public void* Owner;

    /// <summary>Told when readiness may have changed; must not sleep.</summary>
    public delegate*<DatagramSocket*, PollEvents, void> Notify;

    /// <summary>The port (ping: the identifier) and the address it is bound to.</summary>
    public PortBinding Binding;

    /// <summary>The other end; "any" when it is not connected.</summary>
    public IpAddress Remote;

    /// <summary>The way to <see cref="Remote"/>, or to whom was sent last.</summary>
    internal FlowRoute Route;

    /// <summary>What came in and was not fetched.</summary>
    internal PacketQueue Received;

    /// <summary>Memory of <see cref="Received"/>, in bytes of whole buffers.</summary>
    public uint ReceivedMemory;

    /// <summary>SO_RCVBUF: how far <see cref="ReceivedMemory"/> may go.</summary>
    public uint ReceiveLimit;

    /// <summary>Datagrams that were dropped because of <see cref="ReceiveLimit"/> (SO_RXQ_OVFL).</summary>
    public uint Dropped;

    /// <summary>The error that the next call reports (SO_ERROR).</summary>
    internal Errno Error;

    /// <summary>The port of <see cref="Remote"/>.</summary>
    public ushort RemotePort;

    /// <summary>What it speaks.</summary>
    public DatagramKind Kind;

    /// <summary>Raw: the protocol of IP.</summary>
    public byte Protocol;

    /// <summary>A socket of AF_INET6: all its addresses are of IPv6, also mapped ones.</summary>
    public bool IsV6;

    /// <summary>connect was called.</summary>
    public bool IsConnected;

    /// <summary>The address was set by bind, not by connect.</summary>
    internal bool IsAddressBound;

    /// <summary>The port was set by bind, not by connect or send.</summary>
    internal bool IsPortBound;

    /// <summary>shutdown was called.</summary>
    public bool IsReadShut, IsWriteShut;

    /// <summary>The options.</summary>
    public DatagramOptions Options;

    /// <summary>The groups it joined.</summary>
    internal DatagramMembershipArray Memberships;

    /// <summary>Raw sockets: the next one of the stack.</summary>
    internal DatagramSocket* NextRaw;

    /// <summary>The local address: what it is bound to, or what connect chose; "any" otherwise.</summary>
    public readonly IpAddress Local => Binding.Address;

    /// <summary>The local port, or 0.</summary>
    public readonly ushort LocalPort => Binding.Port;
}
