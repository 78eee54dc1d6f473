// What all types of AF_UNIX sockets do alike. Source: unix(7), poll(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Sockets.Unix;

/// <summary>Names, shutdown, credentials and readiness of AF_UNIX sockets.</summary>
internal static unsafe class UnixCommon
{
    /// <summary>getsockname(2) and getpeername(2). ENOTCONN.</summary>
    internal static Result GetName(UnixSocket* socket, bool isPeer, SocketAddress* address)
    {
        if (isPeer)
        {
            socket = socket->Peer;
            if (socket == null)
                return Errno.ENOTCONN;
        }
        UnixAddress.CopyTo(socket->Address, address);
        return Result.Ok;
    }

    /// <summary>shutdown(2). A connected peer sees the other half of it.</summary>
    internal static Result Shutdown(UnixSocket* socket, ShutdownDirections directions)
    {
        socket->Shutdown |= directions;
        socket->Base.Waiters.WakeAll();
        UnixSocket* peer = socket->Peer;
        if (peer == null || peer->IsClosed || !socket->IsConnectionOriented)
            return Result.Ok;
        if ((directions & ShutdownDirections.Receive) != 0)
            peer->Shutdown |= ShutdownDirections.Send;
        if ((directions & ShutdownDirections.Send) != 0)
            peer->Shutdown |= ShutdownDirections.Receive;
        peer->Base.Waiters.WakeAll();
        return Result.Ok;
    }

    /// <summary>What is ready.</summary>
    internal static PollEvents Poll(UnixSocket* socket)
    {
        PollEvents ready = PollEvents.None;
        if (socket->Base.PendingError != Errno.None)
            ready |= PollEvents.Error;
        if (socket->Shutdown == ShutdownDirections.Both)
            ready |= PollEvents.HangUp;
        if ((socket->Shutdown & ShutdownDirections.Receive) != 0)
            ready |= PollEvents.ReadHangUp | Socket.ReadableEvents;
        if (socket->Received.First != null || socket->FirstPending != null)
            ready |= Socket.ReadableEvents;
        if (socket->IsConnectionOriented && socket->State == UnixState.Unconnected)
            ready |= PollEvents.HangUp;
        if (socket->HasRoomToSend && (socket->Base.Type == SocketType.Stream || PeerHasRoom(socket)))
            ready |= Socket.WritableEvents;
        return ready;
    }

    /// <summary>SO_PEERCRED.</summary>
    internal static Result GetOption(UnixSocket* socket, int level, int name, OptionOutput* value)
    {
        if (level != OptionLevel.Socket || name != (int)SocketOption.PeerCredentials)
            return level == OptionLevel.Socket ? Errno.ENOPROTOOPT : Errno.EOPNOTSUPP;
        return value->Set(socket->PeerCredentials);
    }

    /// <summary>A larger SO_SNDBUF may be what a sender waits for.</summary>
    internal static void SettingChanged(UnixSocket* socket, SocketOption option)
    {
        if (option is SocketOption.SendBuffer or SocketOption.SendBufferForce)
            socket->Base.Wake(Socket.WritableEvents);
    }

    /// <summary>No option of another level is known.</summary>
    internal static Result SetOption(int level) => level == OptionLevel.Socket ? Errno.ENOPROTOOPT : Errno.EOPNOTSUPP;

    /// <summary>FIONREAD and SIOCOUTQ.</summary>
    internal static Result Control(UnixSocket* socket, uint command, ulong argument)
    {
        switch (command)
        {
            case SocketControl.BytesReadable:
                if (socket->State == UnixState.Listening)
                    return Errno.EINVAL;
                nuint waiting = socket->IsConnectionOriented ? socket->Received.TotalLength() : UnixBuffer.TotalLength(socket->Received.First);
                return SocketControl.Give(argument, (long)waiting);
            case SocketControl.BytesUnsent:
                return socket->State == UnixState.Listening ? Errno.EINVAL : SocketControl.Give(argument, socket->Charged);
            default:
                return Errno.ENOTTY;
        }
    }

    /// <summary>
    /// Reads the control messages of a message to be sent: whose it says it is, and the files it carries. EINVAL; EPERM: it may not claim to be that; EBADF; ENOMEM. On an error there
    /// is nothing to drop.
    /// </summary>
    internal static Errno ReadControl(SocketMessage* message, out PeerCredentials credentials, out UnixRights* rights)
    {
        credentials = PeerCredentials.Real;
        rights = null;
        if (message->ControlLength == 0)
            return Errno.None;
        var reader = new ControlReader(message->Control, message->ControlLength);
        Errno error;
        while (reader.MoveNext(out error))
        {
            ControlHeader* header = reader.Current;
            if (header->Level != OptionLevel.Socket)
                continue;
            error = header->Type switch
            {
                ControlType.Rights => UnixRights.Add((int*)reader.Data, reader.DataLength / sizeof(int), ref rights),
                ControlType.Credentials => ReadCredentials(ref reader, out credentials),
                _ => Errno.EINVAL,
            };
            if (error != Errno.None)
                break;
        }
        if (error == Errno.None || rights == null)
            return error;
        UnixRights.Drop(rights);
        rights = null;
        return error;
    }

    /// <summary>Writes what came beside a message's bytes: credentials when asked for, and files, which it takes over.</summary>
    internal static void WriteControl(UnixSocket* socket, SocketMessage* message, PeerCredentials credentials, UnixRights* rights)
    {
        if (socket->Base.Settings.Has(SocketSwitches.PassCredentials))
            message->ControlOut.Put(OptionLevel.Socket, ControlType.Credentials, &credentials, (nuint)sizeof(PeerCredentials), ref message->Returned);
        if (rights != null)
            UnixRights.Receive(rights, ref message->ControlOut, message->Flags, ref message->Returned);
    }

    private static Errno ReadCredentials(ref ControlReader reader, out PeerCredentials credentials)
    {
        credentials = default;
        if (reader.DataLength != (nuint)sizeof(PeerCredentials))
            return Errno.EINVAL;
        credentials = *(PeerCredentials*)reader.Data;
        Credentials own = Process.Current->Credentials;
        if (own.EffectiveUserId != 0)
        {
            if (credentials.ProcessId != Process.Current->Id)
                return Errno.EPERM;
            if (credentials.UserId != own.UserId && credentials.UserId != own.EffectiveUserId && credentials.UserId != own.SavedUserId)
                return Errno.EPERM;
            if (credentials.GroupId != own.GroupId && credentials.GroupId != own.EffectiveGroupId && credentials.GroupId != own.SavedGroupId)
                return Errno.EPERM;
        }
        return ThreadTable.FindProcess(credentials.ProcessId) != null ? Errno.None : Errno.ESRCH;
    }

    // A full peer tells when it has room again, but only those that asked.
    private static bool PeerHasRoom(UnixSocket* socket)
    {
        UnixSocket* peer = socket->Peer;
        if (peer == null || peer->IsClosed || peer->Peer == socket || !peer->IsQueueFull)
            return true;
        if (!socket->PeerRoom.IsQueued)
            peer->Room.Add(&socket->PeerRoom);
        return false;
    }
}
