// Types and codes of ICMP. Source: RFC 792, RFC 1122 section 3.2.2, RFC 4443, RFC 4861.
namespace Ukl.Kernel.Net.Icmp;

/// <summary>Of ICMP for IPv4.</summary>
internal static class IcmpType
{
    public const byte EchoReply = 0;
    public const byte DestinationUnreachable = 3;
    public const byte EchoRequest = 8;
    public const byte TimeExceeded = 11;
    public const byte ParameterProblem = 12;

    /// <summary>Codes of <see cref="DestinationUnreachable"/>.</summary>
    public const byte ProtocolUnreachable = 2;
    public const byte PortUnreachable = 3;
    public const byte FragmentationNeeded = 4;

    /// <summary>Code of <see cref="TimeExceeded"/>: not all pieces came.</summary>
    public const byte ReassemblyTime = 1;
}

/// <summary>Of ICMPv6.</summary>
internal static class Icmp6Type
{
    public const byte DestinationUnreachable = 1;
    public const byte PacketTooBig = 2;
    public const byte TimeExceeded = 3;
    public const byte ParameterProblem = 4;
    public const byte EchoRequest = 128;
    public const byte EchoReply = 129;
    public const byte ListenerQuery = 130;
    public const byte RouterSolicitation = 133;
    public const byte RouterAdvertisement = 134;
    public const byte NeighborSolicitation = 135;
    public const byte NeighborAdvertisement = 136;
    public const byte ListenerReport2 = 143;

    /// <summary>Messages below this are errors.</summary>
    public const byte FirstInformational = 128;

    /// <summary>Code of <see cref="DestinationUnreachable"/>.</summary>
    public const byte PortUnreachable = 4;

    /// <summary>Codes of <see cref="ParameterProblem"/>.</summary>
    public const byte ErroneousHeader = 0;
    public const byte UnknownNextHeader = 1;
    public const byte UnknownOption = 2;

    /// <summary>Code of <see cref="TimeExceeded"/>: not all pieces came.</summary>
    public const byte ReassemblyTime = 1;
}
