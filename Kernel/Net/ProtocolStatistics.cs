// What the protocols of one stack count. Source: the MIBs that /proc/net/snmp and snmp6 show: RFC 4293 (IP, ICMP), RFC 4022 (TCP), RFC 4113 (UDP).
using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Net;

/// <summary>Of one version of IP.</summary>
public struct IpStatistics
{
    /// <summary>Packets that came in, good or not.</summary>
    public ulong Received;

    /// <summary>Of those: no packets, wrong lengths or header checksums.</summary>
    public ulong HeaderErrors;

    /// <summary>Of those: not for this host, or from where nothing can come.</summary>
    public ulong AddressErrors;

    /// <summary>Of those: for a transport that is not there.</summary>
    public ulong UnknownProtocols;

    /// <summary>Of those: handed to a transport.</summary>
    public ulong Delivered;

    /// <summary>Packets that transports sent.</summary>
    public ulong Sent;

    /// <summary>How often somebody wanted to send where no way leads.</summary>
    public ulong NoRoutes;

    /// <summary>Pieces that came in.</summary>
    public ulong Pieces;

    /// <summary>Packets put together from pieces.</summary>
    public ulong Reassembled;

    /// <summary>Packets that were given up before they were whole, and those of them whose time was over.</summary>
    public ulong ReassemblyFailures, ReassemblyTimeouts;

    /// <summary>Packets that were cut, and those that could not be.</summary>
    public ulong Fragmented, FragmentationFailures;

    /// <summary>Pieces they were cut into.</summary>
    public ulong PiecesSent;
}

/// <summary>Of one version of ICMP.</summary>
public struct IcmpStatistics
{
    /// <summary>Messages that came in, good or not.</summary>
    public ulong Received;

    /// <summary>Of those: too short or with wrong checksums, and the latter alone.</summary>
    public ulong Errors, ChecksumErrors;

    /// <summary>Messages sent.</summary>
    public ulong Sent;

    /// <summary>Good messages that came in, and messages sent, by type.</summary>
    public IcmpTypeCounters ReceivedByType, SentByType;
}

/// <summary>A number for each type of message.</summary>
[InlineArray(256)]
public struct IcmpTypeCounters
{
    private uint _first;
}

/// <summary>Of TCP, over both versions of IP.</summary>
public struct TcpStatistics
{
    /// <summary>Connections begun here, and by others.</summary>
    public ulong ActiveOpens, PassiveOpens;

    /// <summary>Connections that did not come about.</summary>
    public ulong FailedAttempts;

    /// <summary>Connections that ended without both sides having closed them.</summary>
    public ulong Resets;

    /// <summary>Segments that came in, good or not; several that were put together are one.</summary>
    public ulong SegmentsIn;

    /// <summary>Segments sent; one that the card cuts is one.</summary>
    public ulong SegmentsOut;

    /// <summary>Of those: not for the first time.</summary>
    public ulong Retransmitted;

    /// <summary>Segments that came in wrong, and those of them whose checksum was.</summary>
    public ulong Errors, ChecksumErrors;

    /// <summary>Resets sent.</summary>
    public ulong ResetsSent;
}

/// <summary>Of UDP over one version of IP.</summary>
public struct UdpStatistics
{
    /// <summary>Datagrams that sockets got.</summary>
    public ulong Received;

    /// <summary>Datagrams for ports at which nobody is.</summary>
    public ulong NoPorts;

    /// <summary>Datagrams dropped for any other reason, and those of them with wrong checksums, and for which their socket had no room.</summary>
    public ulong Errors, ChecksumErrors, NoRoom;

    /// <summary>Datagrams sent.</summary>
    public ulong Sent;
}

/// <summary>Of one stack.</summary>
public struct ProtocolStatistics
{
    /// <summary>Of IPv4 and IPv6.</summary>
    public IpStatistics V4, V6;

    /// <summary>Of ICMP and ICMPv6.</summary>
    public IcmpStatistics Icmp4, Icmp6;

    /// <summary>Of TCP.</summary>
    public TcpStatistics Tcp;

    /// <summary>Of UDP over IPv4 and IPv6.</summary>
    public UdpStatistics Udp4, Udp6;

    /// <summary>Those of a version of IP.</summary>
    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    public ref IpStatistics Ip(bool isV4) => ref isV4 ? ref V4 : ref V6;

    /// <summary>Those of a version of ICMP.</summary>
    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    public ref IcmpStatistics Icmp(bool isV4) => ref isV4 ? ref Icmp4 : ref Icmp6;

    /// <summary>Those of UDP over a version of IP.</summary>
    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    public ref UdpStatistics Udp(bool isV4) => ref isV4 ? ref Udp4 : ref Udp6;
}
