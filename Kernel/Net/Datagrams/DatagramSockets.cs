// What a program can do with a datagram socket. Source: udp(7), ip(7), ipv6(7), raw(7), icmp(7); errors are Linux's.
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net.Ip;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Datagrams;

/// <summary>The operations of datagram sockets. None sleeps; all are called between <see cref="NetworkStack.Enter"/> and <see cref="NetworkStack.Leave"/>.</summary>
public static unsafe class DatagramSockets
{
    /// <summary>net.core.rmem_default of Linux, in bytes.</summary>
    public const uint DefaultReceiveLimit = 212_992;

    /// <summary>Makes a socket. Null when out of memory.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="kind">What it speaks.</param>
    /// <param name="protocol">Raw: the protocol of IP.</param>
    /// <param name="isV6">AF_INET6.</param>
    /// <param name="owner">For <paramref name="notify"/>.</param>
    /// <param name="notify">Told when readiness may have changed.</param>
    public static DatagramSocket* Create(
        NetworkStack* stack, DatagramKind kind, byte protocol, bool isV6, void* owner, delegate*<DatagramSocket*, PollEvents, void> notify)
    {
        DatagramSocket* socket = Pool<DatagramSocket>.Allocate();
        if (socket == null)
            return null;
        socket->Stack = stack;
        socket->Owner = owner;
        socket->Notify = notify;
        socket->Kind = kind;
        socket->Protocol = kind switch
        {
            DatagramKind.Udp => IpProtocol.Udp,
            DatagramKind.Ping => isV6 ? IpProtocol.IcmpV6 : IpProtocol.Icmp,
            _ => protocol,
        };
        socket->IsV6 = isV6;
        socket->Binding.Owner = socket;
        socket->Binding.Address = AnyOf(socket);
        socket->Remote = AnyOf(socket);
        socket->ReceiveLimit = DefaultReceiveLimit;
        socket->Options.MulticastHopLimit = 1;
        socket->Options.Discovery = PathMtuDiscovery.Want;
        socket->Options.IsMulticastLooped = true;
        socket->Options.IsForAllGroups = true;
        if (kind == DatagramKind.Raw)
        {
            socket->NextRaw = stack->Datagrams.FirstRaw;
            stack->Datagrams.FirstRaw = socket;
        }
        return socket;
    }

    /// <summary>Ends a socket: port, groups and what it received are given up.</summary>
    public static void Close(DatagramSocket* socket)
    {
        if (socket->Kind == DatagramKind.Raw)
        {
            DatagramSocket** link = &socket->Stack->Datagrams.FirstRaw;
            while (*link != socket)
                link = &(*link)->NextRaw;
            *link = socket->NextRaw;
        }
        DatagramGroups.LeaveAll(socket);
        Table(socket).Release(&socket->Binding);
        socket->Received.Clear();
        Pool<DatagramSocket>.Free(socket);
    }

    /// <summary>
    /// Gives the socket an address and a port; port 0: any. Errors: EADDRNOTAVAIL (not this host's), EINVAL (bound already), EADDRINUSE, ENOMEM.
    /// </summary>
    public static Errno Bind(DatagramSocket* socket, in IpAddress address, ushort port, PortFlags flags)
    {
        if (socket->Binding.Port != 0 || socket->IsAddressBound)
            return Errno.EINVAL;
        if (!IsBindable(socket, address))
            return Errno.EADDRNOTAVAIL;
        socket->Binding.Flags = flags;
        socket->Binding.Address = address;
        Errno error = TakePort(socket, port);
        if (error != Errno.None)
        {
            socket->Binding.Address = AnyOf(socket);
            return error;
        }
        socket->IsAddressBound = !address.IsAny;
        socket->IsPortBound = port != 0;
        return Errno.None;
    }

    /// <summary>
    /// From now on datagrams go to, and come from, this other end only. Errors: those of <see cref="IpOutput.Resolve"/>, EACCES (a broadcast without
    /// SO_BROADCAST), EADDRINUSE (no port left), ENOMEM.
    /// </summary>
    public static Errno Connect(DatagramSocket* socket, in IpAddress address, ushort port, uint interfaceIndex)
    {
        IpAddress source = socket->IsAddressBound ? socket->Binding.Address : AnyOf(socket);
        uint by = interfaceIndex != 0 ? interfaceIndex : DatagramOutput.InterfaceFor(socket, address);
        FlowRoute route;
        Errno error = DatagramOutput.Resolve(socket, address, source, by, &route);
        if (error == Errno.None && socket->Binding.Port == 0)
            error = TakePort(socket, 0);
        if (error != Errno.None)
            return error;
        socket->Route = route;
        socket->Remote = route.Destination;
        socket->RemotePort = port;
        socket->IsConnected = true;
        if (!socket->IsAddressBound)
            socket->Binding.Address = route.Source;
        return Errno.None;
    }

    /// <summary>Undoes <see cref="Connect"/> (AF_UNSPEC).</summary>
    public static void Disconnect(DatagramSocket* socket)
    {
        socket->IsConnected = false;
        socket->Remote = AnyOf(socket);
        socket->RemotePort = 0;
        socket->Route = default;
        if (!socket->IsAddressBound)
            socket->Binding.Address = AnyOf(socket);
        if (!socket->IsPortBound)
            Table(socket).Release(&socket->Binding);
    }

    /// <summary>
    /// Sends one datagram. Returns its length. Errors: EPIPE (shut down), EDESTADDRREQ, EMSGSIZE, EACCES, EFAULT, ENOBUFS, those of <see cref="IpOutput.Resolve"/>, and
    /// what an earlier datagram met.
    /// </summary>
    public static Result Send<TSource>(DatagramSocket* socket, ref TSource source, nuint count, in DatagramTarget target)
        where TSource : struct, IByteSource => DatagramOutput.Send(socket, ref source, count, target);

    /// <summary>
    /// Receives one datagram, or what of it fits. Returns how many bytes were given. Errors: EAGAIN (none is there), EFAULT (the datagram is lost, as on Linux), and what an
    /// earlier one met.
    /// </summary>
    /// <param name="socket">The socket.</param>
    /// <param name="sink">Where the bytes go.</param>
    /// <param name="count">How many may be given.</param>
    /// <param name="isPeek">The datagram stays for the next call.</param>
    /// <param name="information">What is known of it.</param>
    public static Result Receive<TSink>(DatagramSocket* socket, ref TSink sink, nuint count, bool isPeek, DatagramInformation* information)
        where TSink : struct, IByteSink
    {
        Errno error = TakeError(socket);
        if (error != Errno.None)
            return error;
        PacketBuffer* packet = socket->Received.First;
        if (packet == null)
            return socket->IsReadShut ? Result.Ok : Errno.EAGAIN;
        if (!isPeek)
            DatagramQueue.Take(socket);
        *information = DatagramOutput.Describe(socket, packet);
        nuint given = 0;
        bool isGiven = true;
        for (PacketBuffer* part = packet; part != null && given < count && isGiven; part = part->NextPart)
        {
            nuint room = count - given;
            nuint length = part->Length < room ? part->Length : room;
            isGiven = length == 0 || sink.TryGive(part->Data, length);
            given += length;
        }
        if (!isPeek)
            PacketBuffer.Release(packet);
        return isGiven ? new Result((long)given) : Errno.EFAULT;
    }

    /// <summary>What a poll would find.</summary>
    public static PollEvents Poll(DatagramSocket* socket)
    {
        PollEvents events = PollEvents.Out | PollEvents.WriteNormal | PollEvents.WriteBand;
        if (!socket->Received.IsEmpty || socket->IsReadShut)
            events |= PollEvents.In | PollEvents.ReadNormal;
        if (socket->IsReadShut)
            events |= PollEvents.ReadHangUp;
        if (socket->IsReadShut && socket->IsWriteShut)
            events |= PollEvents.HangUp;
        return socket->Error == Errno.None ? events : events | PollEvents.Error;
    }

    /// <summary>The error that waits (SO_ERROR), which is forgotten.</summary>
    public static Errno TakeError(DatagramSocket* socket)
    {
        Errno error = socket->Error;
        socket->Error = Errno.None;
        return error;
    }

    /// <summary>Ends one or both directions. ENOTCONN when it is not connected; it ends all the same, as on Linux.</summary>
    public static Errno Shutdown(DatagramSocket* socket, bool isRead, bool isWrite)
    {
        if (!socket->IsConnected)
            return Errno.ENOTCONN;
        socket->IsReadShut |= isRead;
        socket->IsWriteShut |= isWrite;
        socket->Notify(socket, PollEvents.All);
        return Errno.None;
    }

    /// <summary>The length of the datagram that is next (FIONREAD); 0 when there is none.</summary>
    public static uint Unread(DatagramSocket* socket) => socket->Received.IsEmpty ? 0 : socket->Received.First->TotalLength;

    internal static ref PortTable Table(DatagramSocket* socket)
    {
        if (socket->Kind == DatagramKind.Udp)
            return ref socket->Stack->Datagrams.Ports;
        return ref socket->Stack->Datagrams.Identifiers;
    }

    /// <summary>Takes a port, any when 0; raw sockets have none.</summary>
    internal static Errno TakePort(DatagramSocket* socket, ushort port)
    {
        if (socket->Kind == DatagramKind.Raw)
            return Errno.None;
        socket->Binding.Interface = socket->Options.Interface;
        return port != 0 ? Table(socket).Bind(&socket->Binding, port) : Table(socket).BindAny(&socket->Binding, socket->Stack->NextRandom());
    }

    private static IpAddress AnyOf(DatagramSocket* socket) => socket->IsV6 ? IpAddress.Any6 : IpAddress.Any4;

    private static bool IsBindable(DatagramSocket* socket, in IpAddress address) =>
        address.IsAny || address.IsMulticast || socket->Stack->IsBroadcast(address) || socket->Stack->IsLocal(address);
}
