using Ukl.Kernel.Net.Datagrams;

namespace Ukl.Kernel.Net.Sockets.Inet;

/// <summary>The options of IPPROTO_IP and IPPROTO_IPV6 that TCP's and datagram sockets share.</summary>
internal struct InetSettings
{
    /// <summary>What IP_TTL and IPV6_UNICAST_HOPS tell when nothing was set.</summary>
    internal const int DefaultHopLimit = 64;

    /// <summary>What is on.</summary>
    internal InetSwitches Switches;

    /// <summary>IPV6_V6ONLY.</summary>
    internal bool IsV6Only;

    /// <summary>IP_TTL and IPV6_UNICAST_HOPS; 0: the default.</summary>
    internal byte HopLimit4, HopLimit6;

    /// <summary>IP_TOS and IPV6_TCLASS.</summary>
    internal byte TrafficClass4, TrafficClass6;

    /// <summary>IP_MTU_DISCOVER and IPV6_MTU_DISCOVER.</summary>
    internal PathMtuDiscovery Discovery;

    /// <summary>What a new socket has.</summary>
    internal static InetSettings Default => new() { Discovery = PathMtuDiscovery.Want };

    /// <summary>Whether any of these is on.</summary>
    internal readonly bool Has(InetSwitches switches) => (Switches & switches) != 0;

    /// <summary>The hop limit for a socket's own family; 0: the default.</summary>
    internal readonly byte HopLimitFor(AddressFamily family) => family == AddressFamily.Inet6 ? HopLimit6 : HopLimit4;

    /// <summary>The type of service or traffic class for a socket's own family.</summary>
    internal readonly byte TrafficClassFor(AddressFamily family) => family == AddressFamily.Inet6 ? TrafficClass6 : TrafficClass4;
}
