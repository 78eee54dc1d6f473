// Connections of stream and seqpacket sockets. Source: unix(7), connect(2), accept(2), listen(2), socketpair(2).
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Net.Sockets.Unix;

/// <summary>listen, connect and accept of sockets that have connections, and socketpair of all.</summary>
internal static unsafe class UnixConnections
{
    /// <summary>socketpair(2) of two new sockets.</summary>
    internal static Result Pair(UnixSocket* first, UnixSocket* second)
    {
        UnixSocket.SetPeer(first, second);
        UnixSocket.SetPeer(second, first);
        first->State = second->State = UnixState.Connected;
        first->PeerCredentials = second->PeerCredentials = PeerCredentials.Effective;
        return Result.Ok;
    }

    /// <summary>listen(2). EINVAL: it has no name, or is connected.</summary>
    internal static Result Listen(UnixSocket* socket, uint backlog)
    {
        if (socket->Address == null || socket->State == UnixState.Connected)
            return Errno.EINVAL;
        if (backlog > socket->Backlog)
            socket->Room.WakeAll();
        socket->Backlog = backlog;
        socket->State = UnixState.Listening;
        socket->PeerCredentials = PeerCredentials.Effective;
        return Result.Ok;
    }

    /// <summary>
    /// connect(2). The connection is there at once; it waits at the listening socket for accept. Sleeps while too many wait there (SO_SNDTIMEO). EAGAIN, ECONNREFUSED, EPROTOTYPE, EISCONN, EINVAL.
    /// </summary>
    internal static Result Connect(UnixSocket* socket, SocketAddress* address, bool isNonBlocking)
    {
        Errno error = UnixNames.Check(address);
        if (error == Errno.None && socket->Base.Settings.Has(SocketSwitches.PassCredentials))
            error = UnixNames.BindAutomatic(socket);
        ulong deadline = 0;
        while (error == Errno.None)
        {
            error = UnixNames.Find(address, socket->Base.Type, out UnixSocket* listener);
            if (error != Errno.None)
                break;
            if (listener->State != UnixState.Listening || (listener->Shutdown & ShutdownDirections.Receive) != 0)
                return Errno.ECONNREFUSED;
            if (listener->PendingCount <= listener->Backlog)
                return Connect(socket, listener);
            if (isNonBlocking)
                return Errno.EAGAIN;
            listener->References++;
            error = Socket.SleepIn(ref listener->Room, Tasks.PollEvents.All, socket->Base.Settings.SendTimeout, ref deadline);
            UnixSocket.Release(listener);
        }
        return error;
    }

    /// <summary>accept(2). EINVAL: it does not listen; EAGAIN.</summary>
    internal static Result Accept(UnixSocket* socket, bool isNonBlocking, Socket** accepted)
    {
        if (socket->State != UnixState.Listening)
            return Errno.EINVAL;
        ulong deadline = 0;
        while (socket->FirstPending == null)
        {
            if (isNonBlocking)
                return Errno.EAGAIN;
            if ((socket->Shutdown & ShutdownDirections.Receive) != 0)
                return Errno.EINVAL;
            Errno error = socket->Base.Sleep(Socket.ReadableEvents, socket->Base.Settings.ReceiveTimeout, ref deadline);
            if (error != Errno.None)
                return error;
        }
        *accepted = &UnixSocket.TakePending(socket)->Base;
        return Result.Ok;
    }

    private static Result Connect(UnixSocket* socket, UnixSocket* listener)
    {
        if (socket->State != UnixState.Unconnected)
            return socket->State == UnixState.Connected ? Errno.EISCONN : Errno.EINVAL;
        UnixSocket* connection = UnixSocket.Create(socket->Base.Type);
        if (connection == null)
            return Errno.ENOMEM;
        connection->Base.Settings.Switches = listener->Base.Settings.Switches & SocketSwitches.PassCredentials;
        connection->Address = listener->Address;
        connection->Address->References++;
        connection->Path = listener->Path.Share();
        connection->PeerCredentials = PeerCredentials.Effective;
        connection->State = UnixState.Connected;
        UnixSocket.SetPeer(connection, socket);
        UnixSocket.SetPeer(socket, connection);
        socket->PeerCredentials = listener->PeerCredentials;
        socket->State = UnixState.Connected;
        UnixSocket.AddPending(listener, connection);
        return Result.Ok;
    }
}
