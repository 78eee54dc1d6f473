// Makes sockets of every family. Source: socket(2), unix(7), ip(7), ipv6(7), netlink(7).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Datagrams;
using Ukl.Kernel.Net.Sockets.Inet;
using Ukl.Kernel.Net.Sockets.Netlink;
using Ukl.Kernel.Net.Sockets.Unix;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Sockets;

/// <summary>From family, type and protocol to a socket of the right kind.</summary>
internal static unsafe class SocketFactory
{
    // One more than the highest family and type there are names for (NPROTO, SOCK_MAX).
    private const uint FamilyCount = 46, TypeCount = 11;

    /// <summary>
    /// Makes a socket without file. EAFNOSUPPORT: no such family; EINVAL: no such type; ESOCKTNOSUPPORT, EPROTONOSUPPORT: the family lacks that type or protocol; EPERM; ENOMEM.
    /// </summary>
    internal static Errno Create(AddressFamily family, SocketType type, int protocol, out Socket* socket)
    {
        socket = null;
        if ((uint)family >= FamilyCount)
            return Errno.EAFNOSUPPORT;
        if ((uint)type >= TypeCount)
            return Errno.EINVAL;
        return family switch
        {
            AddressFamily.Unix => CreateUnix(type, protocol, out socket),
            AddressFamily.Inet or AddressFamily.Inet6 => CreateInet(family, type, protocol, out socket),
            AddressFamily.Netlink => CreateNetlink(type, protocol, out socket),
            _ => Errno.EAFNOSUPPORT,
        };
    }

    private static Errno CreateInet(AddressFamily family, SocketType type, int protocol, out Socket* socket)
    {
        socket = null;
        if ((uint)protocol > byte.MaxValue)
            return Errno.EINVAL;
        byte ping = family == AddressFamily.Inet6 ? IpProtocol.IcmpV6 : IpProtocol.Icmp;
        DatagramKind kind = DatagramKind.Udp;
        switch (type)
        {
            case SocketType.Stream:
                if (protocol is not (0 or IpProtocol.Tcp))
                    return Errno.EPROTONOSUPPORT;
                break;
            case SocketType.Datagram:
                if (protocol == ping)
                    kind = DatagramKind.Ping;
                else if (protocol is not (0 or IpProtocol.Udp))
                    return Errno.EPROTONOSUPPORT;
                break;
            case SocketType.Raw:
                if (protocol == 0)
                    return Errno.EPROTONOSUPPORT;
                if (Process.Current->Credentials.EffectiveUserId != 0)
                    return Errno.EPERM;
                kind = DatagramKind.Raw;
                break;
            default:
                return Errno.ESOCKTNOSUPPORT;
        }
        NetworkStack* stack = KernelNetwork.GetStack();
        if (stack == null)
            return Errno.ENOMEM;
        return type == SocketType.Stream ? TcpSocket.Create(stack, family, out socket) : InetDatagram.Create(stack, kind, family, (byte)protocol, out socket);
    }

    // NETLINK_ROUTE is the only protocol there is.
    private static Errno CreateNetlink(SocketType type, int protocol, out Socket* socket)
    {
        socket = null;
        if (type is not (SocketType.Raw or SocketType.Datagram))
            return Errno.ESOCKTNOSUPPORT;
        return protocol != 0 ? Errno.EPROTONOSUPPORT : NetlinkSocket.Create(type, protocol, out socket);
    }

    private static Errno CreateUnix(SocketType type, int protocol, out Socket* socket)
    {
        socket = null;
        if (protocol != 0 && protocol != (int)AddressFamily.Unix)
            return Errno.EPROTONOSUPPORT;
        // SOCK_RAW is another name for SOCK_DGRAM here.
        if (type == SocketType.Raw)
            type = SocketType.Datagram;
        if (type is not (SocketType.Stream or SocketType.Datagram or SocketType.SeqPacket))
            return Errno.ESOCKTNOSUPPORT;
        socket = (Socket*)UnixSocket.Create(type);
        return socket != null ? Errno.None : Errno.ENOMEM;
    }
}
