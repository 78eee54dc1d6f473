using System.Runtime.CompilerServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net.Tcp;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Sockets.Inet;

/// <summary>
/// The kind of TCP's sockets, and the way of their bytes: from the descriptor's file to here is one call, from here to the connection another. Source: tcp(7), send(2), recv(2).
/// </summary>
internal unsafe struct TcpKind : ISocketKind
{
    /// <inheritdoc/>
    public static Result Bind(Socket* socket, SocketAddress* address) => TcpSocket.Bind(TcpSocket.Of(socket), address);

    /// <inheritdoc/>
    public static Result Connect(Socket* socket, SocketAddress* address, bool isNonBlocking) => TcpSocket.Connect(TcpSocket.Of(socket), address, isNonBlocking);

    /// <inheritdoc/>
    public static Result Listen(Socket* socket, uint backlog) => TcpSocket.Listen(TcpSocket.Of(socket), backlog);

    /// <inheritdoc/>
    public static Result Accept(Socket* socket, bool isNonBlocking, Socket** accepted) => TcpSocket.Accept(TcpSocket.Of(socket), isNonBlocking, accepted);

    /// <inheritdoc/>
    public static Result GetName(Socket* socket, bool isPeer, SocketAddress* address) => TcpSocket.GetName(TcpSocket.Of(socket), isPeer, address);

    /// <inheritdoc/>
    public static Result Shutdown(Socket* socket, ShutdownDirections directions) => TcpSocket.Shutdown(TcpSocket.Of(socket), directions);

    /// <inheritdoc/>
    public static PollEvents Poll(Socket* socket)
    {
        PollEvents ready = TcpCalls.Poll(TcpSocket.Of(socket)->Connection);
        return socket->PendingError == Errno.None ? ready : ready | PollEvents.Error;
    }

    /// <inheritdoc/>
    public static Errno TakeError(Socket* socket) => TcpSocket.TakeError(TcpSocket.Of(socket));

    /// <inheritdoc/>
    public static bool IsListening(Socket* socket) => TcpSocket.Of(socket)->Connection->State == ConnectionState.Listen;

    /// <inheritdoc/>
    public static uint BufferSize(Socket* socket, bool isSend) => TcpSocketOptions.BufferSize(TcpSocket.Of(socket), isSend);

    /// <inheritdoc/>
    public static void SettingChanged(Socket* socket, SocketOption option) => TcpSocketOptions.SettingChanged(TcpSocket.Of(socket), option);

    /// <inheritdoc/>
    public static Result SetOption(Socket* socket, int level, int name, OptionInput value) => TcpSocketOptions.Set(TcpSocket.Of(socket), level, name, value);

    /// <inheritdoc/>
    public static Result GetOption(Socket* socket, int level, int name, OptionOutput* value) => TcpSocketOptions.Get(TcpSocket.Of(socket), level, name, value);

    /// <inheritdoc/>
    public static Result Control(Socket* socket, uint command, ulong argument) => TcpSocketOptions.Control(TcpSocket.Of(socket), command, argument);

    /// <inheritdoc/>
    public static void DescriptorClosed(Socket* socket)
    {
        if (socket->File->References == 1)
            TcpSocket.Linger(TcpSocket.Of(socket));
    }

    /// <inheritdoc/>
    public static void Close(Socket* socket) => TcpSocket.Close(TcpSocket.Of(socket));

    /// <inheritdoc/>
    public static Result SendBytes(Socket* socket, UserSpan from, MessageFlags flags)
    {
        var source = new UserCursor(from);
        return Send(socket, ref source, from.Length, flags);
    }

    /// <inheritdoc/>
    public static Result SendKernel(Socket* socket, byte* from, nuint count, MessageFlags flags)
    {
        var source = new KernelBytes(from);
        return Send(socket, ref source, count, flags);
    }

    /// <inheritdoc/>
    public static Result Send(Socket* socket, SocketMessage* message)
    {
        Errno error = InetControl.CheckStream(message);
        return error != Errno.None ? error : Send(socket, ref message->Data, message->Length, message->Flags);
    }

    /// <inheritdoc/>
    public static Result ReceiveBytes(Socket* socket, UserSpan to, MessageFlags flags)
    {
        var sink = new UserCursor(to);
        return Receive(socket, ref sink, to.Length, flags);
    }

    /// <inheritdoc/>
    public static Result ReceiveKernel(Socket* socket, byte* to, nuint count, MessageFlags flags)
    {
        var sink = new KernelBytes(to);
        return Receive(socket, ref sink, count, flags);
    }

    /// <inheritdoc/>
    public static Result Receive(Socket* socket, SocketMessage* message)
    {
        Result result = Receive(socket, ref message->Data, message->Length, message->Flags);
        if (result.Value > 0 && (message->Flags & MessageFlags.OutOfBand) != 0)
            message->Returned |= MessageFlags.OutOfBand;
        return result;
    }

    private static Result Send<TSource>(Socket* socket, ref TSource source, nuint count, MessageFlags flags)
        where TSource : unmanaged, IByteSource
    {
        TcpConnection* connection = TcpSocket.Of(socket)->Connection;
        NetworkStack* stack = connection->Stack;
        var how = TcpSendFlags.None;
        if ((flags & (MessageFlags.More | MessageFlags.OutOfBand)) != 0)
            how = SendFlagsOf(flags);
        stack->Enter();
        Result result = TcpCalls.Send(connection, ref source, count, how);
        stack->Leave();
        if ((nuint)result.Value == count)
            return result;
        return SendRest(socket, ref source, count, flags, how, result);
    }

    // Not all went at once: waits for room, or says why not.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Result SendRest<TSource>(Socket* socket, ref TSource source, nuint count, MessageFlags flags, TcpSendFlags how, Result result)
        where TSource : unmanaged, IByteSource
    {
        TcpConnection* connection = TcpSocket.Of(socket)->Connection;
        nuint done = 0;
        ulong deadline = 0;
        while (true)
        {
            if (result.Value > 0)
            {
                done += (nuint)result.Value;
                if (done == count)
                    return (ulong)done;
            }
            else if (result.Error == Errno.EPIPE && done == 0)
            {
                return Socket.BrokenPipe(flags);
            }
            else if (result.Error != Errno.EAGAIN || (flags & MessageFlags.DoNotWait) != 0)
            {
                return done != 0 ? (Result)(ulong)done : result;
            }
            else
            {
                Errno error = Socket.SleepUnlessReady<TcpKind>(socket, Socket.WritableEvents, socket->Settings.SendTimeout, ref deadline);
                if (error != Errno.None)
                    return done != 0 ? (Result)(ulong)done : error;
            }
            // After a part was taken this says that there is no more room, so that the connection tells when there is.
            connection->Stack->Enter();
            result = TcpCalls.Send(connection, ref source, count - done, how);
            connection->Stack->Leave();
        }
    }

    private static Result Receive<TSink>(Socket* socket, ref TSink sink, nuint count, MessageFlags flags)
        where TSink : unmanaged, IByteSink
    {
        TcpConnection* connection = TcpSocket.Of(socket)->Connection;
        NetworkStack* stack = connection->Stack;
        var how = TcpReceiveFlags.None;
        if ((flags & ~MessageFlags.DoNotWait) != 0)
        {
            if ((flags & MessageFlags.ErrorQueue) != 0)
                return Errno.EAGAIN;
            how = ReceiveFlagsOf(flags);
        }
        if (socket->PendingError != Errno.None)
            return socket->TakeError();
        stack->Enter();
        Result result = TcpCalls.Receive(connection, ref sink, count, how);
        stack->Leave();
        if (result.Value > 0 && (socket->Settings.ReceiveLowWater <= 1) & ((flags & MessageFlags.WaitAll) == 0))
            return result;
        return ReceiveRest(socket, ref sink, count, flags, how, result);
    }

    // Nothing was there, or not all that is wanted: waits, or says why not.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Result ReceiveRest<TSink>(Socket* socket, ref TSink sink, nuint count, MessageFlags flags, TcpReceiveFlags how, Result result)
        where TSink : unmanaged, IByteSink
    {
        TcpConnection* connection = TcpSocket.Of(socket)->Connection;
        nuint target = socket->Settings.ReceiveTarget(flags, count);
        nuint done = 0;
        ulong deadline = 0;
        while (true)
        {
            if (result.Value >= 0)
            {
                done += (nuint)result.Value;
                // 0 is the end; what was peeked at is still there and would come again.
                if (result.Value == 0 || done >= target || (how & (TcpReceiveFlags.Peek | TcpReceiveFlags.OutOfBand)) != 0)
                    return (ulong)done;
            }
            else if (result.Error != Errno.EAGAIN)
            {
                if (done == 0)
                    return result;
                socket->PendingError = result.Error;
                return (ulong)done;
            }
            else
            {
                if ((flags & MessageFlags.DoNotWait) != 0 || (how & TcpReceiveFlags.OutOfBand) != 0)
                    return done != 0 ? (Result)(ulong)done : Errno.EAGAIN;
                Errno error = Socket.SleepUnlessReady<TcpKind>(socket, Socket.ReadableEvents, socket->Settings.ReceiveTimeout, ref deadline);
                if (error != Errno.None)
                    return done != 0 ? (Result)(ulong)done : error;
            }
            connection->Stack->Enter();
            result = TcpCalls.Receive(connection, ref sink, count - done, how);
            connection->Stack->Leave();
        }
    }

    private static TcpSendFlags SendFlagsOf(MessageFlags flags) =>
        ((flags & MessageFlags.More) != 0 ? TcpSendFlags.More : TcpSendFlags.None) |
        ((flags & MessageFlags.OutOfBand) != 0 ? TcpSendFlags.OutOfBand : TcpSendFlags.None);

    private static TcpReceiveFlags ReceiveFlagsOf(MessageFlags flags) =>
        ((flags & MessageFlags.Peek) != 0 ? TcpReceiveFlags.Peek : TcpReceiveFlags.None) |
        ((flags & MessageFlags.Truncated) != 0 ? TcpReceiveFlags.Truncate : TcpReceiveFlags.None) |
        ((flags & MessageFlags.OutOfBand) != 0 ? TcpReceiveFlags.OutOfBand : TcpReceiveFlags.None);
}
