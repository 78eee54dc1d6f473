// SOCK_DGRAM of AF_UNIX: messages, to whoever is named or to the one it is connected to. Source: unix(7).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Sockets.Unix;

/// <summary>The kind of datagram sockets of AF_UNIX.</summary>
internal unsafe struct UnixDatagram : ISocketKind
{
    /// <inheritdoc/>
    public static Result Bind(Socket* socket, SocketAddress* address) => UnixNames.Bind(UnixSocket.Of(socket), address);

    /// <inheritdoc/>
    public static Result Pair(Socket* first, Socket* second) => UnixConnections.Pair(UnixSocket.Of(first), UnixSocket.Of(second));

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
    public static Result Connect(Socket* socket, SocketAddress* address, bool isNonBlocking)
    {
        UnixSocket* self = UnixSocket.Of(socket);
        if (!address->HasFamily)
            return Errno.EINVAL;
        UnixSocket* other = null;
        if (address->Family != AddressFamily.Unspecified)
        {
            Errno error = UnixNames.Check(address);
            if (error == Errno.None && socket->Settings.Has(SocketSwitches.PassCredentials))
                error = UnixNames.BindAutomatic(self);
            if (error == Errno.None)
                error = UnixNames.Find(address, SocketType.Datagram, out other);
            if (error == Errno.None && other->Peer != null && other->Peer != self)
                error = Errno.EPERM;
            if (error != Errno.None)
                return error;
        }
        self->State = other == null ? UnixState.Unconnected : UnixState.Connected;
        UnixSocket* old = self->Peer;
        if (old == null || old == other)
        {
            UnixSocket.SetPeer(self, other);
            return Result.Ok;
        }
        old->References++;
        UnixSocket.SetPeer(self, other);
        UnixMessages.Disconnect(self, old);
        UnixSocket.Release(old);
        return Result.Ok;
    }

    /// <inheritdoc/>
    public static Result SendBytes(Socket* socket, UserSpan from, MessageFlags flags)
    {
        var source = new UserCursor(from);
        return UnixMessages.Send(UnixSocket.Of(socket), ref source, from.Length, flags, null, null);
    }

    /// <inheritdoc/>
    public static Result SendKernel(Socket* socket, byte* from, nuint count, MessageFlags flags)
    {
        var source = new KernelBytes(from);
        return UnixMessages.Send(UnixSocket.Of(socket), ref source, count, flags, null, null);
    }

    /// <inheritdoc/>
    public static Result Send(Socket* socket, SocketMessage* message) =>
        UnixMessages.Send(UnixSocket.Of(socket), ref message->Data, message->Length, message->Flags, message->Address, message);

    /// <inheritdoc/>
    public static Result ReceiveBytes(Socket* socket, UserSpan to, MessageFlags flags)
    {
        var sink = new UserCursor(to);
        return UnixMessages.Receive(UnixSocket.Of(socket), ref sink, to.Length, flags, null);
    }

    /// <inheritdoc/>
    public static Result ReceiveKernel(Socket* socket, byte* to, nuint count, MessageFlags flags)
    {
        var sink = new KernelBytes(to);
        return UnixMessages.Receive(UnixSocket.Of(socket), ref sink, count, flags, null);
    }

    /// <inheritdoc/>
    public static Result Receive(Socket* socket, SocketMessage* message) =>
        UnixMessages.Receive(UnixSocket.Of(socket), ref message->Data, message->Length, message->Flags, message);
}
