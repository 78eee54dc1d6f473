namespace Ukl.Kernel.Net.Ip;

/// <summary>Who made a route.</summary>
public enum RouteOrigin : byte
{
    /// <summary>The command line or a program.</summary>
    Static,

    /// <summary>It comes with an address: the others of its prefix are on the link.</summary>
    Connected,

    /// <summary>DHCP.</summary>
    Dhcp,

    /// <summary>A router's announcement.</summary>
    RouterAdvertisement,
}

/// <summary>One way out.</summary>
public unsafe struct Route
{
    /// <summary>Whom it leads to.</summary>
    public IpAddress Prefix;

    /// <summary>The router; all zero when the destination itself is on the link.</summary>
    public IpAddress Gateway;

    /// <summary>The address to send from; all zero: the rules choose.</summary>
    public IpAddress Source;

    /// <summary>The interface.</summary>
    public NetworkInterface* Interface;

    /// <summary>Bits of <see cref="Prefix"/> that count: of 128, also for IPv4.</summary>
    public byte PrefixLength;

    /// <summary>Who made it.</summary>
    public RouteOrigin Origin;

    /// <summary>Of routes to the same prefix the lowest wins.</summary>
    public uint Metric;

    /// <summary>When it goes away, in the stack's time; ulong.MaxValue: never.</summary>
    public ulong ValidUntil;

    /// <summary>Whether a router stands between.</summary>
    public readonly bool HasGateway => Gateway != default;

    /// <summary>Whether it leads to an address. The default route of IPv6 does not lead to IPv4.</summary>
    public readonly bool Matches(in IpAddress destination) => destination.IsIn(Prefix, PrefixLength) && (PrefixLength >= 96 || !destination.IsV4);

    /// <summary>Whether two are the same route, whatever their lifetimes and sources.</summary>
    public readonly bool IsSame(in Route other) =>
        Prefix == other.Prefix && PrefixLength == other.PrefixLength && Gateway == other.Gateway && Interface == other.Interface && Metric == other.Metric;
}
