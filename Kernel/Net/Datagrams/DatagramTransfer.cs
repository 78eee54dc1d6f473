namespace Ukl.Kernel.Net.Datagrams;

/// <summary>Where a datagram is to go, beyond what the socket says: sendto's address and the control messages of sendmsg.</summary>
public struct DatagramTarget
{
    /// <summary>Whether <see cref="Address"/> and <see cref="Port"/> are given.</summary>
    public bool HasAddress;

    /// <summary>The receiver.</summary>
    public IpAddress Address;

    /// <summary>The receiver's port; not used by ping and raw sockets.</summary>
    public ushort Port;

    /// <summary>The interface to leave by: IP_PKTINFO, or the scope of a link-local address; 0: the socket's choice.</summary>
    public uint Interface;

    /// <summary>The address to send from (IP_PKTINFO); "any": the socket's choice.</summary>
    public IpAddress Source;

    /// <summary>IP_TTL, IPV6_HOPLIMIT; 0: the socket's.</summary>
    public byte HopLimit;

    /// <summary>IP_TOS, IPV6_TCLASS, with <see cref="HasTrafficClass"/>.</summary>
    public byte TrafficClass;

    /// <summary>Whether <see cref="TrafficClass"/> is given.</summary>
    public bool HasTrafficClass;
}

/// <summary>What is known of a datagram that was received.</summary>
public struct DatagramInformation
{
    /// <summary>Who sent it.</summary>
    public IpAddress Source;

    /// <summary>The sender's port; 0 for ping and raw sockets.</summary>
    public ushort SourcePort;

    /// <summary>The address it was sent to.</summary>
    public IpAddress Destination;

    /// <summary>The interface it came in by.</summary>
    public uint Interface;

    /// <summary>Its bytes, also those that did not fit.</summary>
    public uint Length;

    /// <summary>Time to live, or hop limit, as it arrived.</summary>
    public byte HopLimit;

    /// <summary>Type of service, or traffic class.</summary>
    public byte TrafficClass;

    /// <summary>When it arrived, in the stack's time.</summary>
    public ulong Time;
}
