// Addresses of AF_INET and AF_INET6 as bind, connect and sendto take them. Source: ip(7), ipv6(7), tcp(7), udp(7).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Sockets.Inet;

/// <summary>One end of a flow as a program names it.</summary>
internal struct InetName
{
    internal IpAddress Address;
    internal ushort Port;

    /// <summary>sin6_scope_id of a link-local address: the interface; 0: none.</summary>
    internal uint Scope;
}

/// <summary>Reads and writes addresses of the internet families.</summary>
internal static unsafe class InetNames
{
    private const ushort FirstUnprivilegedPort = 1024;

    /// <summary>The address of bind(2). EINVAL, EAFNOSUPPORT, EACCES (a port below 1024).</summary>
    internal static Errno ReadLocal(Socket* socket, bool isV6Only, SocketAddress* address, out InetName name)
    {
        name = default;
        Errno error;
        if (socket->Family == AddressFamily.Inet)
        {
            if (!address->TryGetInet(out name.Address, out name.Port))
                return Errno.EINVAL;
            // For old programs: no family at all, with the address that means none in particular.
            bool isNone = address->Family == AddressFamily.Unspecified && name.Address.IsAny;
            error = address->Family == AddressFamily.Inet || isNone ? Errno.None : Errno.EAFNOSUPPORT;
        }
        else
        {
            error = ReadInet6(address, out name);
            if (error == Errno.None && isV6Only && name.Address.IsV4)
                error = Errno.EINVAL;
        }
        if (error != Errno.None)
            return error;
        bool isPrivileged = name.Port is not 0 and < FirstUnprivilegedPort;
        return isPrivileged && Process.Current->Credentials.EffectiveUserId != 0 ? Errno.EACCES : CheckScope(socket, ref name);
    }

    /// <summary>
    /// The address of connect(2) and sendto(2), which has a family. "Any" means this host. EINVAL, EAFNOSUPPORT; ENETUNREACH: an address of IPv4 for a socket of IPv6 alone.
    /// </summary>
    internal static Errno ReadRemote(Socket* socket, bool isV6Only, SocketAddress* address, out InetName name)
    {
        name = default;
        Errno error = Errno.None;
        if (socket->Family == AddressFamily.Inet)
        {
            if (!address->TryGetInet(out name.Address, out name.Port))
                return Errno.EINVAL;
            if (address->Family != AddressFamily.Inet)
                return Errno.EAFNOSUPPORT;
        }
        else
        {
            error = ReadInet6(address, out name);
            if (error == Errno.None && isV6Only && name.Address.IsV4)
                error = Errno.ENETUNREACH;
        }
        if (error != Errno.None)
            return error;
        if (name.Address.IsAny)
            name.Address = name.Address.IsV4 ? IpAddress.Loopback4 : IpAddress.Loopback6;
        return CheckScope(socket, ref name);
    }

    /// <summary>Writes an address in the socket's own family.</summary>
    internal static void Write(Socket* socket, in InetName name, SocketAddress* address)
    {
        if (socket->Family == AddressFamily.Inet)
            address->SetInet(name.Address, name.Port);
        else
            address->SetInet6(name.Address, name.Port, name.Address.IsLinkLocal6 ? name.Scope : 0);
    }

    private static Errno ReadInet6(SocketAddress* address, out InetName name)
    {
        name = default;
        if (address->Length < SocketAddress.Inet6SizeWithoutScope)
            return Errno.EINVAL;
        return address->TryGetInet6(out name.Address, out name.Port, out name.Scope) ? Errno.None : Errno.EAFNOSUPPORT;
    }

    // A link-local address means nothing without its link.
    private static Errno CheckScope(Socket* socket, ref InetName name)
    {
        if (!name.Address.IsLinkLocal6)
        {
            name.Scope = 0;
            return Errno.None;
        }
        uint bound = socket->Settings.BoundInterface;
        if (name.Scope == 0)
            name.Scope = bound;
        return name.Scope == 0 || (bound != 0 && bound != name.Scope) ? Errno.EINVAL : Errno.None;
    }
}
