// SOCK_STREAM of AF_UNIX: bytes in order, without boundaries. Source: unix(7), recv(2), send(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Sockets.Unix;

/// <summary>The kind of stream sockets of AF_UNIX.</summary>
internal unsafe struct UnixStream : ISocketKind
{
    /// <inheritdoc/>
    public static Result Bind(Socket* socket, SocketAddress* address) => UnixNames.Bind(UnixSocket.Of(socket), address);

    /// <inheritdoc/>
    public static Result Connect(Socket* socket, SocketAddress* address, bool isNonBlocking) => UnixConnections.Connect(UnixSocket.Of(socket), address, isNonBlocking);

    /// <inheritdoc/>
    public static Result Pair(Socket* first, Socket* second) => UnixConnections.Pair(UnixSocket.Of(first), UnixSocket.Of(second));

    /// <inheritdoc/>
    public static Result Listen(Socket* socket, uint backlog) => UnixConnections.Listen(UnixSocket.Of(socket), backlog);

    /// <inheritdoc/>
    public static bool IsListening(Socket* socket) => UnixSocket.Of(socket)->State == UnixState.Listening;

    /// <inheritdoc/>
    public static Result Accept(Socket* socket, bool isNonBlocking, Socket** accepted) => UnixConnections.Accept(UnixSocket.Of(socket), isNonBlocking, accepted);

    /// <inheritdoc/>
    public static Result GetName(Socket* socket, bool isPeer, SocketAddress* address) => UnixCommon.GetName(UnixSocket.Of(socket), isPeer, address);

    /// <inheritdoc/>
    public static Result Shutdown(Socket* socket, ShutdownDirections directions) => UnixCommon.Shutdown(UnixSocket.Of(socket), directions);

    /// <inheritdoc/>
    public static PollEvents Poll(Socket* socket) => UnixCommon.Poll(UnixSocket.Of(socket));

    /// <inheritdoc/>
    public static void SettingChanged(Socket* socket, SocketOption option) => UnixCommon.SettingChanged(UnixSocket.Of(socket), option);

    /// <inheritdoc/>
    public static Result SetOption(Socket* socket, int level, int name, OptionInput value) => UnixCommon.SetOption(level);

    /// <inheritdoc/>
    public static Result GetOption(Socket* socket, int level, int name, OptionOutput* value) => UnixCommon.GetOption(UnixSocket.Of(socket), level, name, value);

    /// <inheritdoc/>
    public static Result Control(Socket* socket, uint command, ulong argument) => UnixCommon.Control(UnixSocket.Of(socket), command, argument);

    /// <inheritdoc/>
    public static void DescriptorClosed(Socket* socket) => UnixCollector.DescriptorClosed(UnixSocket.Of(socket));

    /// <inheritdoc/>
    public static void Close(Socket* socket) => UnixSocket.Close(UnixSocket.Of(socket));

    /// <inheritdoc/>
    public static Result SendBytes(Socket* socket, UserSpan from, MessageFlags flags)
    {
        var source = new UserCursor(from);
        return Send(UnixSocket.Of(socket), ref source, from.Length, flags, PeerCredentials.Real, null);
    }

    /// <inheritdoc/>
    public static Result SendKernel(Socket* socket, byte* from, nuint count, MessageFlags flags)
    {
        var source = new KernelBytes(from);
        return Send(UnixSocket.Of(socket), ref source, count, flags, PeerCredentials.Real, null);
    }

    /// <inheritdoc/>
    public static Result Send(Socket* socket, SocketMessage* message)
    {
        UnixSocket* sender = UnixSocket.Of(socket);
        Errno error = UnixCommon.ReadControl(message, out PeerCredentials credentials, out UnixRights* rights);
        if (error != Errno.None)
            return error;
        Result result;
        if (message->Address != null)
            result = sender->State == UnixState.Connected ? Errno.EISCONN : Errno.EOPNOTSUPP;
        else
            return Send(sender, ref message->Data, message->Length, message->Flags, credentials, rights);
        if (rights != null)
            UnixRights.Drop(rights);
        return result;
    }

    /// <inheritdoc/>
    public static Result ReceiveBytes(Socket* socket, UserSpan to, MessageFlags flags)
    {
        var sink = new UserCursor(to);
        return Receive(UnixSocket.Of(socket), ref sink, to.Length, flags, null);
    }

    /// <inheritdoc/>
    public static Result ReceiveKernel(Socket* socket, byte* to, nuint count, MessageFlags flags)
    {
        var sink = new KernelBytes(to);
        return Receive(UnixSocket.Of(socket), ref sink, count, flags, null);
    }

    /// <inheritdoc/>
    public static Result Receive(Socket* socket, SocketMessage* message) =>
        Receive(UnixSocket.Of(socket), ref message->Data, message->Length, message->Flags, message);

    // Takes over the rights, which travel with the first byte.
    private static Result Send<TSource>(UnixSocket* socket, ref TSource source, nuint count, MessageFlags flags, PeerCredentials credentials, UnixRights* rights)
        where TSource : unmanaged, IByteSource
    {
        Errno error = Errno.None;
        nuint sent = 0;
        ulong deadline = 0;
        if ((flags & MessageFlags.OutOfBand) != 0)
            error = Errno.EOPNOTSUPP;
        else if (socket->Peer == null)
            error = Errno.ENOTCONN;
        else if ((socket->Shutdown & ShutdownDirections.Send) != 0)
            error = Socket.BrokenPipe(flags);
        while (error == Errno.None && sent < count)
        {
            error = WaitForRoom(socket, flags, sent != 0, ref deadline);
            if (error != Errno.None)
                break;
            UnixBuffer* buffer = TailFor(socket, credentials, rights);
            bool isNew = buffer == null;
            if (isNew)
                buffer = UnixBuffer.Allocate(socket, count - sent);
            if (buffer == null)
            {
                error = Errno.ENOBUFS;
                break;
            }
            nuint part = buffer->Capacity - buffer->End < count - sent ? buffer->Capacity - buffer->End : count - sent;
            if (!UnixBuffer.Fill(buffer, ref source, part))
            {
                if (isNew)
                    UnixBuffer.Free(buffer);
                error = Errno.EFAULT;
                break;
            }
            sent += part;
            if (isNew)
            {
                buffer->Credentials = credentials;
                buffer->Rights = rights;
                rights = null;
                socket->Peer->Received.Add(buffer);
            }
            socket->Peer->Base.Wake(Socket.ReadableEvents);
        }
        if (rights != null)
            UnixRights.Drop(rights);
        return sent != 0 ? (Result)(ulong)sent : error;
    }

    // Until the socket may take memory for another piece, or can send no more. Without SIGPIPE when something was sent: that is told first.
    private static Errno WaitForRoom(UnixSocket* socket, MessageFlags flags, bool hasSent, ref ulong deadline)
    {
        while (true)
        {
            Errno error = socket->Base.TakeError();
            if (error != Errno.None)
                return error;
            UnixSocket* peer = socket->Peer;
            if ((socket->Shutdown & ShutdownDirections.Send) != 0 || peer->IsClosed || (peer->Shutdown & ShutdownDirections.Receive) != 0)
                return Socket.BrokenPipe(hasSent ? flags | MessageFlags.NoSignal : flags);
            if (socket->Charged < socket->Base.Settings.SendBuffer)
                return Errno.None;
            if ((flags & MessageFlags.DoNotWait) != 0)
                return Errno.EAGAIN;
            error = socket->Base.Sleep(Socket.WritableEvents, socket->Base.Settings.SendTimeout, ref deadline);
            if (error != Errno.None)
                return error;
        }
    }

    // The last piece on the way, when it is the same sender's and has room: small writes share memory.
    private static UnixBuffer* TailFor(UnixSocket* socket, in PeerCredentials credentials, UnixRights* rights)
    {
        UnixBuffer* last = socket->Peer->Received.Last;
        if (last == null || rights != null || last->Sender != socket || last->End == last->Capacity)
            return null;
        return last->Rights == null && IsSame(last->Credentials, credentials) ? last : null;
    }

    private static bool IsSame(in PeerCredentials left, in PeerCredentials right) =>
        left.ProcessId == right.ProcessId && left.UserId == right.UserId && left.GroupId == right.GroupId;

    private static Result Receive<TSink>(UnixSocket* socket, ref TSink sink, nuint length, MessageFlags flags, SocketMessage* message)
        where TSink : unmanaged, IByteSink
    {
        if (socket->State != UnixState.Connected)
            return Errno.EINVAL;
        if ((flags & MessageFlags.OutOfBand) != 0)
            return Errno.EOPNOTSUPP;
        nuint target = socket->Base.Settings.ReceiveTarget(flags, length);
        bool isPeek = (flags & MessageFlags.Peek) != 0;
        bool passesCredentials = socket->Base.Settings.Has(SocketSwitches.PassCredentials);
        nuint done = 0;
        ulong deadline = 0;
        PeerCredentials credentials = default;
        UnixRights* rights = null;
        UnixBuffer* peeked = null;
        Errno error = Errno.None;
        while (true)
        {
            UnixBuffer* buffer = peeked == null ? socket->Received.First : peeked->Next;
            if (buffer == null)
            {
                if (done >= target)
                    break;
                error = WaitForBytes(socket, flags, ref deadline);
                if (error != Errno.None || (socket->Received.First == null && (socket->Shutdown & ShutdownDirections.Receive) != 0))
                    break;
                // What was peeked at before may have been read by another thread meanwhile.
                if (isPeek && done != 0)
                    break;
                continue;
            }
            // Bytes of different writers are not mixed when the reader wants to know whose they are.
            if (done != 0 && passesCredentials && !IsSame(credentials, buffer->Credentials))
                break;
            credentials = buffer->Credentials;
            if (done == 0 && message != null && message->Address != null && buffer->Sender->Address != null)
                UnixAddress.CopyTo(buffer->Sender->Address, message->Address);
            nuint part = buffer->Length < length - done ? buffer->Length : length - done;
            if (!sink.TryGive(UnixBuffer.Bytes(buffer) + buffer->Start, part))
            {
                error = Errno.EFAULT;
                break;
            }
            done += part;
            bool hasRights = buffer->Rights != null;
            if (isPeek)
            {
                if (hasRights)
                    rights = UnixRights.Clone(buffer->Rights);
                peeked = buffer;
            }
            else
            {
                if (hasRights)
                {
                    rights = buffer->Rights;
                    buffer->Rights = null;
                }
                buffer->Start += (uint)part;
                if (buffer->Length == 0)
                    UnixSocket.Consume(socket->Received.Take());
            }
            if (done == length || hasRights)
                break;
        }
        if (message != null && (done != 0 || rights != null))
            UnixCommon.WriteControl(socket, message, credentials, rights);
        else if (rights != null)
            UnixRights.Drop(rights);
        return done != 0 ? (Result)(ulong)done : error;
    }

    // None: there are bytes, or there will be no more.
    private static Errno WaitForBytes(UnixSocket* socket, MessageFlags flags, ref ulong deadline)
    {
        Errno error = socket->Base.TakeError();
        if (error != Errno.None || (socket->Shutdown & ShutdownDirections.Receive) != 0)
            return error;
        if ((flags & MessageFlags.DoNotWait) != 0)
            return Errno.EAGAIN;
        return socket->Base.Sleep(Socket.ReadableEvents, socket->Base.Settings.ReceiveTimeout, ref deadline);
    }
}
