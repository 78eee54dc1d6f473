// Errors that others report of packets of this host, and those it finds itself. Source: RFC 792, RFC 1122 section 3.2.2, RFC 4443 section 3; what each means to a program
// is icmp_err_convert of Linux, as in ip(7) and ipv6(7).
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Datagrams;
using Ukl.Kernel.Net.Tcp;

namespace Ukl.Kernel.Net.Icmp;

/// <summary>Finds whose packet an error is about.</summary>
internal static unsafe class IcmpErrors
{
    private const int HardBit = 0x100;

    /// <summary>Errno values of the codes of "destination unreachable" of IPv4; the bit says that the error is hard.</summary>
    private static ReadOnlySpan<ushort> Unreachable4 =>
    [
        (ushort)Errno.ENETUNREACH, (ushort)Errno.EHOSTUNREACH, (ushort)Errno.ENOPROTOOPT | HardBit, (ushort)Errno.ECONNREFUSED | HardBit,
        (ushort)Errno.EMSGSIZE, (ushort)Errno.EOPNOTSUPP, (ushort)Errno.ENETUNREACH | HardBit, (ushort)Errno.EHOSTDOWN | HardBit,
        (ushort)Errno.ENONET | HardBit, (ushort)Errno.ENETUNREACH | HardBit, (ushort)Errno.EHOSTUNREACH | HardBit, (ushort)Errno.ENETUNREACH,
        (ushort)Errno.EHOSTUNREACH, (ushort)Errno.EHOSTUNREACH | HardBit, (ushort)Errno.EHOSTUNREACH | HardBit, (ushort)Errno.EHOSTUNREACH | HardBit,
    ];

    /// <summary>The same for IPv6.</summary>
    private static ReadOnlySpan<ushort> Unreachable6 =>
    [
        (ushort)Errno.ENETUNREACH, (ushort)Errno.EACCES | HardBit, (ushort)Errno.EHOSTUNREACH, (ushort)Errno.EHOSTUNREACH,
        (ushort)Errno.ECONNREFUSED | HardBit, (ushort)Errno.EACCES | HardBit, (ushort)Errno.EACCES | HardBit,
    ];

    /// <summary>An error of ICMP for IPv4 came in.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="reporter">Who sent it.</param>
    /// <param name="type">The type.</param>
    /// <param name="code">The code.</param>
    /// <param name="mtu">What the MTU field holds.</param>
    /// <param name="quote">The packet it quotes.</param>
    public static void Receive4(NetworkStack* stack, in IpAddress reporter, byte type, byte code, uint mtu, ReadOnlySpan<byte> quote)
    {
        uint meaning;
        switch (type)
        {
            case IcmpType.DestinationUnreachable when code < Unreachable4.Length:
                meaning = Unreachable4[code];
                break;
            case IcmpType.TimeExceeded:
                meaning = (uint)Errno.EHOSTUNREACH;
                break;
            case IcmpType.ParameterProblem:
                meaning = (uint)Errno.EPROTO | HardBit;
                break;
            default:
                return;
        }
        bool isTooBig = type == IcmpType.DestinationUnreachable && code == IcmpType.FragmentationNeeded;
        // Routers from before RFC 1191 do not say how much passes.
        if (isTooBig && mtu == 0)
            mtu = Ip.PathMtuTable.Minimum4;
        Receive(stack, reporter, type, code, meaning, isTooBig ? mtu : 0, quote);
    }

    /// <summary>An error of ICMPv6 came in; parameters as <see cref="Receive4"/>.</summary>
    public static void Receive6(NetworkStack* stack, in IpAddress reporter, byte type, byte code, uint mtu, ReadOnlySpan<byte> quote)
    {
        uint meaning;
        switch (type)
        {
            case Icmp6Type.DestinationUnreachable when code < Unreachable6.Length:
                meaning = Unreachable6[code];
                break;
            case Icmp6Type.PacketTooBig:
                Receive(stack, reporter, type, code, (uint)Errno.EMSGSIZE, mtu == 0 ? 1 : mtu, quote);
                return;
            case Icmp6Type.TimeExceeded:
                meaning = (uint)Errno.EHOSTUNREACH;
                break;
            case Icmp6Type.ParameterProblem:
                meaning = (uint)Errno.EPROTO | HardBit;
                break;
            default:
                return;
        }
        Receive(stack, reporter, type, code, meaning, 0, quote);
    }

    /// <summary>This host found out that a packet of its own does not get there. Its data begins with the IP header; it stays the caller's.</summary>
    public static void ReportToSender(NetworkStack* stack, PacketBuffer* packet, Errno error)
    {
        if (!QuotedPacket.TryRead(packet->Bytes, out QuotedPacket quoted))
            return;
        Report(stack, quoted, new TransportError
        {
            Local = quoted.Source,
            Remote = quoted.Destination,
            LocalPort = quoted.SourcePort,
            RemotePort = quoted.DestinationPort,
            Sequence = quoted.Sequence,
            Error = error,
            IsHard = true,
            Reporter = quoted.Source,
        });
    }

    private static void Receive(NetworkStack* stack, in IpAddress reporter, byte type, byte code, uint meaning, uint mtu, ReadOnlySpan<byte> quote)
    {
        // Somebody who was never written to cannot know what this host sent; its own address must stand there.
        if (!QuotedPacket.TryRead(quote, out QuotedPacket quoted) || !stack->IsLocal(quoted.Source) || quoted.Source.IsV4 != reporter.IsV4)
            return;
        Report(stack, quoted, new TransportError
        {
            Local = quoted.Source,
            Remote = quoted.Destination,
            LocalPort = quoted.SourcePort,
            RemotePort = quoted.DestinationPort,
            Sequence = quoted.Sequence,
            Error = (Errno)(meaning & ~HardBit),
            IsHard = (meaning & HardBit) != 0,
            Mtu = mtu,
            Reporter = reporter,
            Type = type,
            Code = code,
        });
    }

    private static void Report(NetworkStack* stack, in QuotedPacket quoted, in TransportError error)
    {
        switch (quoted.Protocol)
        {
            case IpProtocol.Tcp:
                TcpInput.ReceiveError(stack, error);
                break;
            case IpProtocol.Udp:
                UdpInput.ReceiveError(stack, error);
                break;
            case IpProtocol.Icmp when quoted.IcmpType == IcmpType.EchoRequest:
            case IpProtocol.IcmpV6 when quoted.IcmpType == Icmp6Type.EchoRequest:
                PingInput.ReceiveError(stack, error);
                break;
        }
    }
}
