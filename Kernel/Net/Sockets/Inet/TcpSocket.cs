// Sockets of TCP. Source: tcp(7), connect(2), accept(2), shutdown(2), close(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net.Tcp;
using Ukl.Kernel.Tasks;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Net.Sockets.Inet;

/// <summary>How far connect(2) has come, as the socket remembers it.</summary>
internal enum ConnectStage : byte
{
    None,

    /// <summary>Begun, and its outcome not told yet.</summary>
    Begun,

    Done,
}

/// <summary>A socket of TCP: what the socket layer adds to a connection.</summary>
internal unsafe struct TcpSocket
{
    /// <summary>What every socket has; first, so that the pointers are the same.</summary>
    internal Socket Base;

    /// <summary>The connection, or what listens. Never null.</summary>
    internal TcpConnection* Connection;

    internal ConnectStage Stage;

    /// <summary>Options of IPPROTO_IP and IPPROTO_IPV6.</summary>
    internal InetSettings Settings;

    /// <summary>TCP_NOTSENT_LOWAT: kept and shown.</summary>
    internal uint NotSentLowWater;

    private const ulong NanosecondsPerSecond = 1_000_000_000;

    internal static TcpSocket* Of(Socket* socket) => (TcpSocket*)socket;

    /// <summary>Makes a socket of AF_INET or AF_INET6 without file. ENOMEM.</summary>
    internal static Errno Create(NetworkStack* stack, AddressFamily family, out Socket* socket)
    {
        socket = null;
        stack->Enter();
        TcpConnection* connection = TcpCalls.Create(stack, family == AddressFamily.Inet6);
        stack->Leave();
        if (connection == null)
            return Errno.ENOMEM;
        TcpSocket* created = Wrap(connection, family);
        if (created == null)
            return Errno.ENOMEM;
        created->Base.Settings = SocketSettings.Default;
        created->Settings = InetSettings.Default;
        socket = &created->Base;
        return Errno.None;
    }

    internal static Result Bind(TcpSocket* socket, SocketAddress* address)
    {
        Errno error = InetNames.ReadLocal(&socket->Base, socket->Settings.IsV6Only, address, out InetName name);
        if (error != Errno.None)
            return error;
        TcpConnection* connection = socket->Connection;
        if (name.Scope != 0)
            connection->Port.Interface = name.Scope;
        connection->Stack->Enter();
        error = TcpCalls.Bind(connection, name.Address, name.Port);
        connection->Stack->Leave();
        return error;
    }

    internal static Result Connect(TcpSocket* socket, SocketAddress* address, bool isNonBlocking)
    {
        if (!address->HasFamily)
            return Errno.EINVAL;
        TcpConnection* connection = socket->Connection;
        if (address->Family == AddressFamily.Unspecified)
        {
            // What was connected tells of its end once, as if the other end had done it.
            bool wasOpen = connection->State is not (ConnectionState.Closed or ConnectionState.Listen);
            socket->Stage = ConnectStage.None;
            return Disconnect(connection, wasOpen ? Errno.ECONNRESET : Errno.None);
        }
        if (socket->Stage == ConnectStage.Done)
            return Errno.EISCONN;
        Errno error = Errno.EALREADY;
        if (socket->Stage == ConnectStage.None)
        {
            error = Begin(socket, address);
            if (error is not (Errno.EINPROGRESS or Errno.None))
                return error;
            socket->Stage = ConnectStage.Begun;
            // Over lo the answer may be here already; it is told by the next call all the same.
            if (isNonBlocking)
                return Errno.EINPROGRESS;
        }
        ulong deadline = 0;
        while (connection->State is ConnectionState.SynSent or ConnectionState.SynReceived)
        {
            if (isNonBlocking)
                return error;
            Errno interruption = socket->Base.Sleep(PollEvents.All, socket->Base.Settings.SendTimeout, ref deadline);
            if (interruption != Errno.None)
                return interruption == Errno.EAGAIN ? error : interruption;
        }
        return Finish(socket);
    }

    internal static Result Listen(TcpSocket* socket, uint backlog)
    {
        TcpConnection* connection = socket->Connection;
        connection->Stack->Enter();
        Errno error = TcpCalls.Listen(connection, (int)backlog);
        connection->Stack->Leave();
        return error;
    }

    internal static Result Accept(TcpSocket* socket, bool isNonBlocking, Socket** accepted)
    {
        TcpConnection* listener = socket->Connection;
        ulong deadline = 0;
        while (true)
        {
            listener->Stack->Enter();
            TcpConnection* connection = TcpCalls.Accept(listener, out Errno error);
            listener->Stack->Leave();
            if (connection != null)
                return Adopt(socket, connection, accepted);
            if (error != Errno.EAGAIN || isNonBlocking)
                return error;
            error = Socket.SleepUnlessReady<TcpKind>(&socket->Base, Socket.ReadableEvents, socket->Base.Settings.ReceiveTimeout, ref deadline);
            if (error != Errno.None)
                return error;
        }
    }

    internal static Result GetName(TcpSocket* socket, bool isPeer, SocketAddress* address)
    {
        TcpConnection* connection = socket->Connection;
        InetName name = default;
        name.Scope = connection->Port.Interface;
        if (isPeer)
        {
            if (connection->State is ConnectionState.Closed or ConnectionState.Listen or ConnectionState.SynSent)
                return Errno.ENOTCONN;
            name.Address = connection->Flow.Remote;
            name.Port = connection->Flow.RemotePort;
        }
        else
        {
            bool isOpen = connection->State is not (ConnectionState.Closed or ConnectionState.Listen);
            name.Address = isOpen ? connection->Flow.Local : connection->Port.Address;
            name.Port = isOpen ? connection->Flow.LocalPort : connection->Port.Port;
        }
        InetNames.Write(&socket->Base, name, address);
        return Result.Ok;
    }

    internal static Result Shutdown(TcpSocket* socket, ShutdownDirections directions)
    {
        TcpConnection* connection = socket->Connection;
        connection->Stack->Enter();
        Errno error = TcpCalls.Shutdown(connection, (ShutdownHow)directions);
        connection->Stack->Leave();
        socket->Base.Waiters.WakeAll();
        return error;
    }

    internal static Errno TakeError(TcpSocket* socket)
    {
        Errno error = socket->Base.TakeError();
        return error != Errno.None ? error : TcpCalls.TakeError(socket->Connection);
    }

    /// <summary>SO_LINGER: waits until the other end has everything, or the time is over.</summary>
    internal static void Linger(TcpSocket* socket)
    {
        ref SocketSettings settings = ref socket->Base.Settings;
        if (!settings.Has(SocketSwitches.Linger) || settings.LingerSeconds == 0 || Process.Current->IsEnding)
            return;
        TcpConnection* connection = socket->Connection;
        connection->Stack->Enter();
        TcpCalls.Shutdown(connection, ShutdownHow.Both);
        connection->Stack->Leave();
        ulong deadline = Clock.MonotonicNanoseconds + (settings.LingerSeconds * NanosecondsPerSecond);
        while (TcpCalls.IsClosing(connection))
        {
            if (socket->Base.Waiters.Sleep(PollEvents.All, deadline) != Errno.None)
                return;
        }
    }

    /// <summary>The file is gone: the connection ends in the background, or at once with SO_LINGER of 0 s.</summary>
    internal static void Close(TcpSocket* socket)
    {
        TcpConnection* connection = socket->Connection;
        bool isAbort = socket->Base.Settings.Has(SocketSwitches.Linger) && socket->Base.Settings.LingerSeconds == 0;
        NetworkStack* stack = connection->Stack;
        stack->Enter();
        TcpCalls.Close(connection, isAbort);
        TcpCalls.Release(connection);
        stack->Leave();
        Pool<TcpSocket>.Free(socket);
    }

    private static Errno Begin(TcpSocket* socket, SocketAddress* address)
    {
        Errno error = InetNames.ReadRemote(&socket->Base, socket->Settings.IsV6Only, address, out InetName name);
        if (error != Errno.None)
            return error;
        TcpConnection* connection = socket->Connection;
        if (name.Scope != 0)
            connection->Port.Interface = name.Scope;
        connection->Stack->Enter();
        error = TcpCalls.Connect(connection, name.Address, name.Port);
        connection->Stack->Leave();
        return error;
    }

    // The handshake is over, well or not.
    private static Result Finish(TcpSocket* socket)
    {
        TcpConnection* connection = socket->Connection;
        if (connection->State == ConnectionState.Closed)
        {
            socket->Stage = ConnectStage.None;
            Errno error = TakeError(socket);
            Disconnect(connection, Errno.None);
            return error != Errno.None ? error : Errno.ECONNABORTED;
        }
        socket->Stage = ConnectStage.Done;
        return Result.Ok;
    }

    // Makes the socket as new, but for what bind and options did and an error that is to be told.
    private static Errno Disconnect(TcpConnection* connection, Errno error)
    {
        connection->Stack->Enter();
        Errno result = TcpCalls.Disconnect(connection);
        connection->Error = error;
        // An address that connect chose goes with its port.
        if (connection->Port.Port == 0)
            connection->Port.Address = connection->Has(ConnectionFlags.IsIpv6Socket) ? IpAddress.Any6 : IpAddress.Any4;
        connection->Stack->Leave();
        return result;
    }

    private static Result Adopt(TcpSocket* listener, TcpConnection* connection, Socket** accepted)
    {
        TcpSocket* socket = Wrap(connection, listener->Base.Family);
        if (socket == null)
            return Errno.ENOMEM;
        socket->Base.Settings = listener->Base.Settings;
        socket->Settings = listener->Settings;
        socket->Stage = ConnectStage.Done;
        *accepted = &socket->Base;
        return Result.Ok;
    }

    // Ends the connection when there is no memory for a socket.
    private static TcpSocket* Wrap(TcpConnection* connection, AddressFamily family)
    {
        TcpSocket* socket = Pool<TcpSocket>.Allocate();
        if (socket == null)
        {
            connection->Stack->Enter();
            TcpCalls.Close(connection, true);
            TcpCalls.Release(connection);
            connection->Stack->Leave();
            return null;
        }
        socket->Base.Operations = SocketOperations.Of<TcpKind>();
        socket->Base.Family = family;
        socket->Base.Type = SocketType.Stream;
        socket->Base.Protocol = IpProtocol.Tcp;
        socket->Connection = connection;
        connection->Owner = socket;
        connection->Notify = &Notify;
        return socket;
    }

    private static void Notify(TcpConnection* connection, PollEvents events) => ((TcpSocket*)connection->Owner)->Base.Wake(events);
}
