// Sockets of UDP, of ping and of raw IP. Source: udp(7), icmp(7), raw(7).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net.Datagrams;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Sockets.Inet;

/// <summary>A datagram socket: what the socket layer adds to the protocol's.</summary>
internal unsafe struct InetDatagram
{
    /// <summary>What every socket has; first, so that the pointers are the same.</summary>
    internal Socket Base;

    /// <summary>The protocol's socket. Never null.</summary>
    internal DatagramSocket* Datagram;

    /// <summary>The interface that a link-local peer is on.</summary>
    internal uint PeerScope;

    /// <summary>Options of IPPROTO_IP and IPPROTO_IPV6.</summary>
    internal InetSettings Settings;

    internal static InetDatagram* Of(Socket* socket) => (InetDatagram*)socket;

    /// <summary>Makes a socket of AF_INET or AF_INET6 without file. <paramref name="protocol"/>: of a raw socket. ENOMEM.</summary>
    internal static Errno Create(NetworkStack* stack, DatagramKind kind, AddressFamily family, byte protocol, out Socket* socket)
    {
        socket = null;
        InetDatagram* created = Pool<InetDatagram>.Allocate();
        if (created == null)
            return Errno.ENOMEM;
        bool isV6 = family == AddressFamily.Inet6;
        stack->Enter();
        DatagramSocket* datagram = DatagramSockets.Create(stack, kind, protocol, isV6, created, &Notify);
        stack->Leave();
        if (datagram == null)
        {
            Pool<InetDatagram>.Free(created);
            return Errno.ENOMEM;
        }
        created->Base.Operations = SocketOperations.Of<DatagramSocketKind>();
        created->Base.Family = family;
        created->Base.Type = kind == DatagramKind.Raw ? SocketType.Raw : SocketType.Datagram;
        created->Base.Protocol = datagram->Protocol;
        created->Base.Settings = SocketSettings.Default;
        created->Settings = InetSettings.Default;
        created->Datagram = datagram;
        socket = &created->Base;
        return Errno.None;
    }

    internal static Result Bind(InetDatagram* socket, SocketAddress* address)
    {
        Errno error = InetNames.ReadLocal(&socket->Base, socket->Settings.IsV6Only, address, out InetName name);
        if (error != Errno.None)
            return error;
        DatagramSocket* datagram = socket->Datagram;
        datagram->Stack->Enter();
        error = DatagramSockets.Bind(datagram, name.Address, name.Port, PortFlagsOf(socket));
        datagram->Stack->Leave();
        return error;
    }

    internal static Result Connect(InetDatagram* socket, SocketAddress* address)
    {
        if (!address->HasFamily)
            return Errno.EINVAL;
        DatagramSocket* datagram = socket->Datagram;
        if (address->Family == AddressFamily.Unspecified)
        {
            datagram->Stack->Enter();
            DatagramSockets.Disconnect(datagram);
            datagram->Stack->Leave();
            return Result.Ok;
        }
        Errno error = ReadRemote(socket, address, out InetName name);
        if (error != Errno.None)
            return error;
        datagram->Stack->Enter();
        error = DatagramSockets.Connect(datagram, name.Address, name.Port, name.Scope);
        datagram->Stack->Leave();
        socket->PeerScope = name.Scope;
        return error;
    }

    internal static Result GetName(InetDatagram* socket, bool isPeer, SocketAddress* address)
    {
        DatagramSocket* datagram = socket->Datagram;
        if (isPeer && (!datagram->IsConnected || datagram->RemotePort == 0))
            return Errno.ENOTCONN;
        InetName name = isPeer
            ? new InetName { Address = datagram->Remote, Port = datagram->RemotePort, Scope = socket->PeerScope }
            : new InetName { Address = datagram->Local, Port = datagram->LocalPort, Scope = socket->PeerScope };
        InetNames.Write(&socket->Base, name, address);
        return Result.Ok;
    }

    internal static Result Shutdown(InetDatagram* socket, ShutdownDirections directions)
    {
        DatagramSocket* datagram = socket->Datagram;
        datagram->Stack->Enter();
        Errno error = DatagramSockets.Shutdown(datagram, (directions & ShutdownDirections.Receive) != 0, (directions & ShutdownDirections.Send) != 0);
        datagram->Stack->Leave();
        return error;
    }

    internal static Errno TakeError(InetDatagram* socket)
    {
        Errno error = socket->Base.TakeError();
        return error != Errno.None ? error : DatagramSockets.TakeError(socket->Datagram);
    }

    internal static void Close(InetDatagram* socket)
    {
        NetworkStack* stack = socket->Datagram->Stack;
        stack->Enter();
        DatagramSockets.Close(socket->Datagram);
        stack->Leave();
        Pool<InetDatagram>.Free(socket);
    }

    /// <summary>The receiver's address. A socket of AF_INET6 takes one of AF_INET as well.</summary>
    internal static Errno ReadRemote(InetDatagram* socket, SocketAddress* address, out InetName name)
    {
        if (socket->Base.Family == AddressFamily.Inet6 && address->Family == AddressFamily.Inet && address->TryGetInet(out IpAddress mapped, out ushort port))
        {
            name = new InetName { Address = mapped.IsAny ? IpAddress.Loopback4 : mapped, Port = port };
            return socket->Settings.IsV6Only ? Errno.ENETUNREACH : Errno.None;
        }
        return InetNames.ReadRemote(&socket->Base, socket->Settings.IsV6Only, address, out name);
    }

    internal static PortFlags PortFlagsOf(InetDatagram* socket)
    {
        ref SocketSettings settings = ref socket->Base.Settings;
        return (settings.Has(SocketSwitches.ReuseAddress) ? PortFlags.ReuseAddress : PortFlags.None) |
            (settings.Has(SocketSwitches.ReusePort) ? PortFlags.ReusePort : PortFlags.None) |
            (socket->Settings.IsV6Only ? PortFlags.IsV6Only : PortFlags.None);
    }

    private static void Notify(DatagramSocket* datagram, PollEvents events) => ((InetDatagram*)datagram->Owner)->Base.Wake(events);
}
