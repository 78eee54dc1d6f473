using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Net;

/// <summary>What ICMP, or this host itself, says of a packet that was sent: for the connection or socket it came from.</summary>
public readonly struct TransportError
{
    /// <summary>This host's address of that packet.</summary>
    public IpAddress Local { get; init; }

    /// <summary>Where the packet was meant to go.</summary>
    public IpAddress Remote { get; init; }

    /// <summary>The port it came from; the identifier for an echo request.</summary>
    public ushort LocalPort { get; init; }

    /// <summary>The port it was meant for.</summary>
    public ushort RemotePort { get; init; }

    /// <summary>TCP: the packet's sequence number; a connection believes only one that is in flight (RFC 5927).</summary>
    public uint Sequence { get; init; }

    /// <summary>What Linux reports for it.</summary>
    public Errno Error { get; init; }

    /// <summary>Whether it ends a connection attempt or is reported to a socket that did not ask for such errors (RFC 1122 section 4.2.3.9).</summary>
    public bool IsHard { get; init; }

    /// <summary>With <see cref="Errno.EMSGSIZE"/>: the largest packet that passes, in bytes with the IP header; otherwise 0.</summary>
    public uint Mtu { get; init; }

    /// <summary>Who said so: the router or host that sent the ICMP message; this host when nobody did.</summary>
    public IpAddress Reporter { get; init; }

    /// <summary>The ICMP type; 0 with <see cref="Code"/> 0 when this host found out by itself.</summary>
    public byte Type { get; init; }

    /// <summary>The ICMP code.</summary>
    public byte Code { get; init; }
}
