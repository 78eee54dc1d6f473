namespace Ukl.Kernel.Net.Ip;

/// <summary>What the IP header of a packet that came in says, for the transport that gets it. Addresses are checked: the source is one host.</summary>
public readonly unsafe struct IpPacket
{
    /// <summary>Who sent it.</summary>
    public IpAddress Source { get; init; }

    /// <summary>Which address of this host, or which group, it is for.</summary>
    public IpAddress Destination { get; init; }

    /// <summary>The interface it came in by.</summary>
    public NetworkInterface* Interface { get; init; }

    /// <summary>The transport, as in <see cref="IpProtocol"/>.</summary>
    public byte Protocol { get; init; }

    /// <summary>Type of service, or traffic class.</summary>
    public byte TrafficClass { get; init; }

    /// <summary>Time to live, or hop limit, as it arrived.</summary>
    public byte HopLimit { get; init; }

    /// <summary>Whom it is for: <see cref="DestinationKind.Local"/>, or a group. Neither TCP nor errors answer a group.</summary>
    public DestinationKind Kind { get; init; }
}
