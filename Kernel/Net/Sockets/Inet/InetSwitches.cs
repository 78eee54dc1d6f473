using System;

namespace Ukl.Kernel.Net.Sockets.Inet;

/// <summary>Options of IPPROTO_IP and IPPROTO_IPV6 that are on or off and that the socket layer keeps.</summary>
[Flags]
internal enum InetSwitches : uint
{
    None = 0,

    /// <summary>IP_PKTINFO and IPV6_RECVPKTINFO: tell where a datagram came in.</summary>
    PacketInformation4 = 1,

    /// <inheritdoc cref="PacketInformation4"/>
    PacketInformation6 = 2,

    /// <summary>IP_RECVTTL and IPV6_RECVHOPLIMIT.</summary>
    HopLimit4 = 4,

    /// <inheritdoc cref="HopLimit4"/>
    HopLimit6 = 8,

    /// <summary>IP_RECVTOS and IPV6_RECVTCLASS.</summary>
    TrafficClass4 = 0x10,

    /// <inheritdoc cref="TrafficClass4"/>
    TrafficClass6 = 0x20,

    /// <summary>IP_RECVERR and IPV6_RECVERR: errors that may pass are told too.</summary>
    ReceiveErrors4 = 0x40,

    /// <inheritdoc cref="ReceiveErrors4"/>
    ReceiveErrors6 = 0x80,

    /// <summary>Whether errors that may pass are told.</summary>
    ReceiveErrors = ReceiveErrors4 | ReceiveErrors6,

    /// <summary>What control messages tell of a datagram.</summary>
    Told = PacketInformation4 | PacketInformation6 | HopLimit4 | HopLimit6 | TrafficClass4 | TrafficClass6,

    /// <summary>IP_FREEBIND, IP_TRANSPARENT, IP_BIND_ADDRESS_NO_PORT, IP_RECVOPTS, IP_ROUTER_ALERT: kept and shown.</summary>
    FreeBind = 0x100,
    Transparent = 0x200,
    BindWithoutPort = 0x400,
    ReceiveOptions = 0x800,
    RouterAlert = 0x1000,
}
