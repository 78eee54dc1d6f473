using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net.Datagrams;
using Ukl.Kernel.Tasks;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Net.Sockets.Inet;

/// <summary>The kind of UDP's, ping's and raw sockets, and the way of their datagrams. Source: udp(7), send(2), recv(2).</summary>
internal unsafe struct DatagramSocketKind : ISocketKind
{
    /// <inheritdoc/>
    public static Result Bind(Socket* socket, SocketAddress* address) => InetDatagram.Bind(InetDatagram.Of(socket), address);

    /// <inheritdoc/>
    public static Result Connect(Socket* socket, SocketAddress* address, bool isNonBlocking) => InetDatagram.Connect(InetDatagram.Of(socket), address);

    /// <inheritdoc/>
    public static Result GetName(Socket* socket, bool isPeer, SocketAddress* address) => InetDatagram.GetName(InetDatagram.Of(socket), isPeer, address);

    /// <inheritdoc/>
    public static Result Shutdown(Socket* socket, ShutdownDirections directions) => InetDatagram.Shutdown(InetDatagram.Of(socket), directions);

    /// <inheritdoc/>
    public static PollEvents Poll(Socket* socket)
    {
        PollEvents ready = DatagramSockets.Poll(InetDatagram.Of(socket)->Datagram);
        return socket->PendingError == Errno.None ? ready : ready | PollEvents.Error;
    }

    /// <inheritdoc/>
    public static Errno TakeError(Socket* socket) => InetDatagram.TakeError(InetDatagram.Of(socket));

    /// <inheritdoc/>
    public static void SettingChanged(Socket* socket, SocketOption option) => DatagramSocketOptions.SettingChanged(InetDatagram.Of(socket), option);

    /// <inheritdoc/>
    public static Result SetOption(Socket* socket, int level, int name, OptionInput value) => DatagramSocketOptions.Set(InetDatagram.Of(socket), level, name, value);

    /// <inheritdoc/>
    public static Result GetOption(Socket* socket, int level, int name, OptionOutput* value) => DatagramSocketOptions.Get(InetDatagram.Of(socket), level, name, value);

    /// <inheritdoc/>
    public static Result Control(Socket* socket, uint command, ulong argument)
    {
        DatagramSocket* datagram = InetDatagram.Of(socket)->Datagram;
        return command switch
        {
            SocketControl.BytesReadable => SocketControl.Give(argument, DatagramSockets.Unread(datagram)),
            // Nothing waits to be sent: a datagram goes to the device, or is lost.
            SocketControl.BytesUnsent => SocketControl.Give(argument, 0),
            _ => Errno.ENOTTY,
        };
    }

    /// <inheritdoc/>
    public static void Close(Socket* socket) => InetDatagram.Close(InetDatagram.Of(socket));

    /// <inheritdoc/>
    public static Result SendBytes(Socket* socket, UserSpan from, MessageFlags flags)
    {
        var source = new UserCursor(from);
        return Send(socket, ref source, from.Length, flags, default);
    }

    /// <inheritdoc/>
    public static Result SendKernel(Socket* socket, byte* from, nuint count, MessageFlags flags)
    {
        var source = new KernelBytes(from);
        return Send(socket, ref source, count, flags, default);
    }

    /// <inheritdoc/>
    public static Result Send(Socket* socket, SocketMessage* message)
    {
        InetDatagram* self = InetDatagram.Of(socket);
        DatagramTarget target = default;
        if (message->Address != null)
        {
            Errno error = InetDatagram.ReadRemote(self, message->Address, out InetName name);
            if (error != Errno.None)
                return error;
            target.HasAddress = true;
            target.Address = name.Address;
            target.Port = name.Port;
            target.Interface = name.Scope;
        }
        Errno said = InetControl.Read(message, socket->Family == AddressFamily.Inet6, ref target);
        return said != Errno.None ? said : Send(socket, ref message->Data, message->Length, message->Flags, target);
    }

    /// <inheritdoc/>
    public static Result ReceiveBytes(Socket* socket, UserSpan to, MessageFlags flags)
    {
        var sink = new UserCursor(to);
        DatagramInformation information;
        return Receive(socket, ref sink, to.Length, flags, &information);
    }

    /// <inheritdoc/>
    public static Result ReceiveKernel(Socket* socket, byte* to, nuint count, MessageFlags flags)
    {
        var sink = new KernelBytes(to);
        DatagramInformation information;
        return Receive(socket, ref sink, count, flags, &information);
    }

    /// <inheritdoc/>
    public static Result Receive(Socket* socket, SocketMessage* message)
    {
        InetDatagram* self = InetDatagram.Of(socket);
        DatagramInformation information;
        Result result = Receive(socket, ref message->Data, message->Length, message->Flags, &information);
        // A socket that is shut gives nothing, from nowhere.
        if (result.IsError || information.Interface == 0)
            return result;
        if (information.Length > message->Length)
            message->Returned |= MessageFlags.Truncated;
        if (message->Address != null)
            InetNames.Write(socket, new InetName { Address = information.Source, Port = information.SourcePort, Scope = information.Interface }, message->Address);
        bool isAsked = self->Settings.Has(InetSwitches.Told) || (socket->Settings.Switches & (SocketSwitches.Timestamp | SocketSwitches.TimestampNanoseconds)) != 0;
        if (!isAsked)
            return result;
        message->PutTimestamp(socket->Settings.Switches, information.Time + Clock.RealtimeOffset);
        NetworkInterface* arrived = self->Datagram->Stack->FindInterface(information.Interface);
        InetControl.Write(self->Settings.Switches, message, information, arrived == null ? 0 : arrived->PrimaryV4);
        return result;
    }

    private static Result Send<TSource>(Socket* socket, ref TSource source, nuint count, MessageFlags flags, in DatagramTarget target)
        where TSource : unmanaged, IByteSource
    {
        if ((flags & MessageFlags.OutOfBand) != 0)
            return Errno.EOPNOTSUPP;
        DatagramSocket* datagram = InetDatagram.Of(socket)->Datagram;
        datagram->Stack->Enter();
        Result result = DatagramSockets.Send(datagram, ref source, count, target);
        datagram->Stack->Leave();
        return result;
    }

    private static Result Receive<TSink>(Socket* socket, ref TSink sink, nuint count, MessageFlags flags, DatagramInformation* information)
        where TSink : unmanaged, IByteSink
    {
        if ((flags & MessageFlags.ErrorQueue) != 0)
            return Errno.EAGAIN;
        if (socket->PendingError != Errno.None)
            return socket->TakeError();
        DatagramSocket* datagram = InetDatagram.Of(socket)->Datagram;
        information->Length = 0;
        information->Interface = 0;
        ulong deadline = 0;
        while (true)
        {
            datagram->Stack->Enter();
            Result result = DatagramSockets.Receive(datagram, ref sink, count, (flags & MessageFlags.Peek) != 0, information);
            datagram->Stack->Leave();
            if (!result.IsError)
                return (flags & MessageFlags.Truncated) != 0 ? (ulong)information->Length : result;
            if (result.Error != Errno.EAGAIN || (flags & MessageFlags.DoNotWait) != 0)
                return result;
            Errno error = Socket.SleepUnlessReady<DatagramSocketKind>(socket, Socket.ReadableEvents, socket->Settings.ReceiveTimeout, ref deadline);
            if (error != Errno.None)
                return error;
        }
    }
}
