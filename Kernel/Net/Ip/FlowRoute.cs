namespace Ukl.Kernel.Net.Ip;

/// <summary>Whom an address means.</summary>
public enum DestinationKind : byte
{
    /// <summary>One other host.</summary>
    Unicast,

    /// <summary>This host.</summary>
    Local,

    /// <summary>Everybody on a link of IPv4.</summary>
    Broadcast,

    /// <summary>A group.</summary>
    Multicast,
}

/// <summary>
/// The way of one flow of packets, found once by <see cref="IpOutput.Resolve"/> and used until <see cref="IpOutput.IsCurrent"/> says no;
/// <see cref="IpOutput.Send"/> finds it again by itself then.
/// </summary>
public unsafe struct FlowRoute
{
    /// <summary>This host's address.</summary>
    public IpAddress Source;

    /// <summary>The other end; never "any": connecting to 0.0.0.0 or :: means this host.</summary>
    public IpAddress Destination;

    /// <summary>The interface packets leave by.</summary>
    public NetworkInterface* Interface;

    /// <summary>Who takes them on the link: the other end or a router; null on lo.</summary>
    public Neighbor* NextHop;

    /// <summary>The largest packet that gets through, in bytes with its IP header.</summary>
    public uint Mtu;

    /// <summary><see cref="NetworkStack.RouteGeneration"/> when it was found; 0: not found yet.</summary>
    public uint Generation;

    /// <summary>The interface the caller insists on, or 0.</summary>
    public uint RequestedInterface;

    /// <summary>Whom the destination means.</summary>
    public DestinationKind Kind;

    /// <summary>The caller gave <see cref="Source"/>.</summary>
    public bool IsSourceGiven;
}
