// SOCK_SEQPACKET of AF_UNIX: connections that keep the boundaries of messages. Source: unix(7).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Sockets.Unix;

/// <summary>The kind of seqpacket sockets of AF_UNIX.</summary>
internal unsafe struct UnixSeqPacket : ISocketKind
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
    public static Result Connect(Socket* socket, SocketAddress* address, bool isNonBlocking) => UnixConnections.Connect(UnixSocket.Of(socket), address, isNonBlocking);

    /// <inheritdoc/>
    public static Result Listen(Socket* socket, uint backlog) => UnixConnections.Listen(UnixSocket.Of(socket), backlog);

    /// <inheritdoc/>
    public static bool IsListening(Socket* socket) => UnixSocket.Of(socket)->State == UnixState.Listening;

    /// <inheritdoc/>
    public static Result Accept(Socket* socket, bool isNonBlocking, Socket** accepted) => UnixConnections.Accept(UnixSocket.Of(socket), isNonBlocking, accepted);

    /// <inheritdoc/>
    public static Result SendBytes(Socket* socket, UserSpan from, MessageFlags flags)
    {
        var source = new UserCursor(from);
        return Send(UnixSocket.Of(socket), ref source, from.Length, flags, null);
    }

    /// <inheritdoc/>
    public static Result SendKernel(Socket* socket, byte* from, nuint count, MessageFlags flags)
    {
        var source = new KernelBytes(from);
        return Send(UnixSocket.Of(socket), ref source, count, flags, null);
    }

    /// <inheritdoc/>
    public static Result Send(Socket* socket, SocketMessage* message) => Send(UnixSocket.Of(socket), ref message->Data, message->Length, message->Flags, message);

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
    public static Result Receive(Socket* socket, SocketMessage* message) => Receive(UnixSocket.Of(socket), ref message->Data, message->Length, message->Flags, message);

    // An address that is given is not looked at.
    private static Result Send<TSource>(UnixSocket* socket, ref TSource source, nuint length, MessageFlags flags, SocketMessage* message)
        where TSource : unmanaged, IByteSource
    {
        Errno error = socket->Base.TakeError();
        if (error == Errno.None && socket->State != UnixState.Connected)
            error = Errno.ENOTCONN;
        return error != Errno.None ? error : UnixMessages.Send(socket, ref source, length, flags, null, message);
    }

    private static Result Receive<TSink>(UnixSocket* socket, ref TSink sink, nuint length, MessageFlags flags, SocketMessage* message)
        where TSink : unmanaged, IByteSink
        => socket->State != UnixState.Connected ? Errno.ENOTCONN : UnixMessages.Receive(socket, ref sink, length, flags, message);
}
