// What a program can set of a datagram socket. Source: ip(7), ipv6(7), udp(7), socket(7).
namespace Ukl.Kernel.Net.Datagrams;

/// <summary>IP_MTU_DISCOVER and IPV6_MTU_DISCOVER.</summary>
public enum PathMtuDiscovery : byte
{
    /// <summary>Packets are cut anywhere.</summary>
    Never = 0,

    /// <summary>What the path does not carry is cut here (the default).</summary>
    Want = 1,

    /// <summary>What the path does not carry is refused with EMSGSIZE.</summary>
    Always = 2,

    /// <summary>What the link does not carry is refused; the path's limit is the program's matter.</summary>
    Probe = 3,
}

/// <summary>The options of a socket; all zero but what <see cref="DatagramSockets.Create"/> sets.</summary>
public struct DatagramOptions
{
    /// <summary>IP_TTL, IPV6_UNICAST_HOPS; 0: the default.</summary>
    public byte HopLimit;

    /// <summary>IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS; 1 at first.</summary>
    public byte MulticastHopLimit;

    /// <summary>IP_TOS, IPV6_TCLASS.</summary>
    public byte TrafficClass;

    /// <summary>IP_MTU_DISCOVER; <see cref="PathMtuDiscovery.Want"/> at first.</summary>
    public PathMtuDiscovery Discovery;

    /// <summary>SO_BROADCAST.</summary>
    public bool IsBroadcastAllowed;

    /// <summary>IP_MULTICAST_LOOP; true at first.</summary>
    public bool IsMulticastLooped;

    /// <summary>IP_MULTICAST_ALL; true at first: a socket gets what is for any group some socket of this host joined.</summary>
    public bool IsForAllGroups;

    /// <summary>IP_RECVERR: errors that may pass are reported too.</summary>
    public bool ReportsSoftErrors;

    /// <summary>IP_MULTICAST_IF: the interface groups are sent by; 0: the route's.</summary>
    public uint MulticastInterface;

    /// <summary>SO_BINDTODEVICE; 0: any.</summary>
    public uint Interface;

    /// <summary>ICMP6_FILTER and ICMP_FILTER, raw sockets: a set bit keeps a type out (of ICMP for IPv4 only the first word counts).</summary>
    public ulong FilterLow, FilterMiddleLow, FilterMiddleHigh, FilterHigh;
}
