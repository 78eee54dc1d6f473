// Sending and receiving whole messages: SOCK_DGRAM and SOCK_SEQPACKET of AF_UNIX. Source: unix(7), send(2), recv(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Net.Sockets.Unix;

/// <summary>What datagram and seqpacket sockets do alike.</summary>
internal static unsafe class UnixMessages
{
    // Of SO_SNDBUF, what a message cannot use.
    private const uint MessageOverhead = 32;

    /// <summary>
    /// Sends a message to <paramref name="address"/>, or to the peer when it is null. <paramref name="message"/>: control messages; null: none. EMSGSIZE, ENOTCONN, ECONNREFUSED, EPIPE (without
    /// SIGPIPE), EPERM, EAGAIN, ENOBUFS, EFAULT and what <see cref="UnixNames.Find"/> says.
    /// </summary>
    internal static Result Send<TSource>(UnixSocket* socket, ref TSource source, nuint length, MessageFlags flags, SocketAddress* address, SocketMessage* message)
        where TSource : unmanaged, IByteSource
    {
        PeerCredentials credentials = PeerCredentials.Real;
        UnixRights* rights = null;
        Errno error = Errno.None;
        if (message != null)
            error = UnixCommon.ReadControl(message, out credentials, out rights);
        if (error != Errno.None)
            return error;
        ulong deadline = 0;
        error = Prepare(socket, length, flags, address);
        if (error == Errno.None)
            error = WaitForMemory(socket, flags, ref deadline);
        UnixBuffer* buffer = null;
        if (error == Errno.None)
            error = Allocate(socket, length, out buffer);
        if (error != Errno.None)
        {
            if (rights != null)
                UnixRights.Drop(rights);
            return error;
        }
        buffer->Credentials = credentials;
        buffer->Rights = rights;
        if (UnixBuffer.Fill(buffer, ref source, length))
            error = Deliver(socket, buffer, flags, address, ref deadline);
        else
            error = Errno.EFAULT;
        if (error == Errno.None)
            return (ulong)length;
        UnixBuffer.Free(buffer);
        return error;
    }

    /// <summary>
    /// Receives a message into a sink; what does not fit is lost. <paramref name="message"/>: takes address and control messages; null: nobody asks. Returns 0 when the socket is shut. EAGAIN,
    /// EFAULT, ECONNRESET.
    /// </summary>
    internal static Result Receive<TSink>(UnixSocket* socket, ref TSink sink, nuint length, MessageFlags flags, SocketMessage* message)
        where TSink : unmanaged, IByteSink
    {
        if ((flags & MessageFlags.OutOfBand) != 0)
            return Errno.EOPNOTSUPP;
        Errno error = WaitForMessage(socket, flags);
        if (error != Errno.None)
            return error;
        UnixBuffer* buffer = socket->Received.First;
        if (buffer == null)
            return 0;
        bool isPeek = (flags & MessageFlags.Peek) != 0;
        if (!isPeek)
        {
            socket->Received.Take();
            if (!socket->Room.IsEmpty)
                socket->Room.WakeAll();
        }
        nuint total = UnixBuffer.TotalLength(buffer);
        nuint count = length < total ? length : total;
        bool isGiven = UnixBuffer.Copy(buffer, ref sink, count);
        if (isGiven && message != null)
            Describe(socket, buffer, message, isPeek, length < total);
        if (!isPeek)
            UnixSocket.Consume(buffer);
        if (!isGiven)
            return Errno.EFAULT;
        return (ulong)((flags & MessageFlags.Truncated) != 0 ? total : count);
    }

    /// <summary>The socket's peer is another, or none, from now on: what is on the way from the old one is lost, and the old one is told if it was connected back.</summary>
    internal static void Disconnect(UnixSocket* socket, UnixSocket* old)
    {
        if (socket->Received.First != null)
        {
            UnixSocket.DropReceived(socket);
            socket->Room.WakeAll();
            if (!old->IsClosed && old->Peer == socket)
            {
                old->Base.PendingError = Errno.ECONNRESET;
                old->Base.Wake(Tasks.PollEvents.Error);
            }
        }
    }

    // What can be said before memory is taken.
    private static Errno Prepare(UnixSocket* socket, nuint length, MessageFlags flags, SocketAddress* address)
    {
        if ((flags & MessageFlags.OutOfBand) != 0)
            return Errno.EOPNOTSUPP;
        if (address != null)
        {
            Errno error = UnixNames.Check(address);
            if (error != Errno.None)
                return error;
        }
        else if (socket->Peer == null)
        {
            return Errno.ENOTCONN;
        }
        if (socket->Base.Settings.Has(SocketSwitches.PassCredentials))
        {
            Errno error = UnixNames.BindAutomatic(socket);
            if (error != Errno.None)
                return error;
        }
        return length > socket->Base.Settings.SendBuffer - MessageOverhead ? Errno.EMSGSIZE : Errno.None;
    }

    private static Errno WaitForMemory(UnixSocket* socket, MessageFlags flags, ref ulong deadline)
    {
        while (true)
        {
            Errno error = socket->Base.TakeError();
            if (error != Errno.None)
                return error;
            if ((socket->Shutdown & ShutdownDirections.Send) != 0)
                return Errno.EPIPE;
            if (socket->Charged < socket->Base.Settings.SendBuffer)
                return Errno.None;
            if ((flags & MessageFlags.DoNotWait) != 0)
                return Errno.EAGAIN;
            error = socket->Base.Sleep(Socket.WritableEvents, socket->Base.Settings.SendTimeout, ref deadline);
            if (error != Errno.None)
                return error;
        }
    }

    private static Errno Allocate(UnixSocket* socket, nuint length, out UnixBuffer* message)
    {
        message = null;
        nuint capacity = 0;
        UnixBuffer* last = null;
        do
        {
            UnixBuffer* buffer = UnixBuffer.Allocate(socket, length - capacity);
            if (buffer == null)
            {
                if (message != null)
                    UnixBuffer.Free(message);
                return Errno.ENOBUFS;
            }
            capacity += buffer->Capacity;
            if (last == null)
                message = buffer;
            else
                last->More = buffer;
            last = buffer;
        }
        while (capacity < length);
        return Errno.None;
    }

    private static Errno Deliver(UnixSocket* socket, UnixBuffer* buffer, MessageFlags flags, SocketAddress* address, ref ulong deadline)
    {
        while (true)
        {
            UnixSocket* other = socket->Peer;
            Errno error = address != null ? UnixNames.Find(address, socket->Base.Type, out other) : Errno.None;
            if (error != Errno.None)
                return error;
            if (other == null)
                return Errno.ECONNRESET;
            if (other->Peer != null && other->Peer != socket)
                return Errno.EPERM;
            if (other->IsClosed)
                return LosePeer(socket, other);
            if ((other->Shutdown & ShutdownDirections.Receive) != 0)
                return Errno.EPIPE;
            if (other == socket || other->Peer == socket || !other->IsQueueFull)
            {
                if ((other->Base.Settings.Switches & (SocketSwitches.Timestamp | SocketSwitches.TimestampNanoseconds)) != 0)
                    buffer->Time = Clock.RealtimeNanoseconds;
                other->Received.Add(buffer);
                other->Base.Wake(Socket.ReadableEvents);
                return Errno.None;
            }
            if ((flags & MessageFlags.DoNotWait) != 0)
                return Errno.EAGAIN;
            other->References++;
            error = Socket.SleepIn(ref other->Room, Tasks.PollEvents.All, socket->Base.Settings.SendTimeout, ref deadline);
            UnixSocket.Release(other);
            if (error != Errno.None)
                return error;
        }
    }

    private static Errno LosePeer(UnixSocket* socket, UnixSocket* peer)
    {
        if (socket->Base.Type == SocketType.SeqPacket)
            return Errno.EPIPE;
        peer->References++;
        UnixSocket.SetPeer(socket, null);
        socket->State = UnixState.Unconnected;
        Disconnect(socket, peer);
        UnixSocket.Release(peer);
        return Errno.ECONNREFUSED;
    }

    // None: a message is there, or the socket is shut.
    private static Errno WaitForMessage(UnixSocket* socket, MessageFlags flags)
    {
        ulong deadline = 0;
        while (true)
        {
            Errno error = socket->Base.TakeError();
            if (error != Errno.None || socket->Received.First != null)
                return error;
            bool isShut = (socket->Shutdown & ShutdownDirections.Receive) != 0;
            // A datagram socket that does not wait sees no end, only that nothing is there.
            if (isShut && (socket->IsConnectionOriented || (flags & MessageFlags.DoNotWait) == 0))
                return Errno.None;
            if ((flags & MessageFlags.DoNotWait) != 0)
                return Errno.EAGAIN;
            error = socket->Base.Sleep(Socket.ReadableEvents, socket->Base.Settings.ReceiveTimeout, ref deadline);
            if (error != Errno.None)
                return error;
        }
    }

    private static void Describe(UnixSocket* socket, UnixBuffer* buffer, SocketMessage* message, bool isPeek, bool isCut)
    {
        if (isCut)
            message->Returned |= MessageFlags.Truncated;
        if (message->Address != null && buffer->Sender->Address != null)
            UnixAddress.CopyTo(buffer->Sender->Address, message->Address);
        if (buffer->Time != 0)
            message->PutTimestamp(socket->Base.Settings.Switches, buffer->Time);
        UnixRights* rights = buffer->Rights;
        if (rights != null && isPeek)
            rights = UnixRights.Clone(rights);
        else
            buffer->Rights = null;
        UnixCommon.WriteControl(socket, message, buffer->Credentials, rights);
    }
}
