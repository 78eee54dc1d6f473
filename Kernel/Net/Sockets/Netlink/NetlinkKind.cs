using System.Runtime.InteropServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Sockets.Netlink;

/// <summary>The kind of AF_NETLINK's sockets. Source: netlink(7).</summary>
internal unsafe struct NetlinkKind : ISocketKind
{
    // SOL_NETLINK.
    private const int AddMembership = 1, DropMembership = 2, LastSwitch = 12, MostGroups = 32;

    // Of SO_SNDBUF, what a message cannot use; and what is looked at at once.
    private const uint MessageOverhead = 32, LargestRequest = 32768;

    /// <summary>struct sockaddr_nl.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct NetlinkAddress
    {
        public ushort Family;
        public ushort Padding;
        public uint PortId;
        public uint Groups;
    }

    /// <inheritdoc/>
    public static Result Bind(Socket* socket, SocketAddress* address)
    {
        Errno error = Read(address, out NetlinkAddress name);
        if (error != Errno.None)
            return error;
        NetlinkSocket* self = NetlinkSocket.Of(socket);
        error = self->Bind(name.PortId);
        if (error == Errno.None)
            self->Groups = name.Groups;
        return error;
    }

    /// <inheritdoc/>
    public static Result Connect(Socket* socket, SocketAddress* address, bool isNonBlocking)
    {
        NetlinkSocket* self = NetlinkSocket.Of(socket);
        if (!address->HasFamily)
            return Errno.EINVAL;
        if (address->Family == AddressFamily.Unspecified)
        {
            self->PeerPortId = self->PeerGroups = 0;
            return Result.Ok;
        }
        Errno error = Read(address, out NetlinkAddress name);
        if (error == Errno.None)
            error = self->Bind(0);
        if (error != Errno.None)
            return error;
        self->PeerPortId = name.PortId;
        self->PeerGroups = name.Groups;
        return Result.Ok;
    }

    /// <inheritdoc/>
    public static Result GetName(Socket* socket, bool isPeer, SocketAddress* address)
    {
        NetlinkSocket* self = NetlinkSocket.Of(socket);
        Write(address, isPeer ? self->PeerPortId : self->PortId, isPeer ? self->PeerGroups : self->Groups);
        return Result.Ok;
    }

    /// <inheritdoc/>
    public static PollEvents Poll(Socket* socket)
    {
        PollEvents ready = Socket.WritableEvents;
        if (NetlinkSocket.Of(socket)->Received != null)
            ready |= Socket.ReadableEvents;
        return socket->PendingError == Errno.None ? ready : ready | PollEvents.Error;
    }

    /// <inheritdoc/>
    public static Result SetOption(Socket* socket, int level, int name, OptionInput value)
    {
        if (level != OptionLevel.Netlink)
            return Errno.ENOPROTOOPT;
        NetlinkSocket* self = NetlinkSocket.Of(socket);
        Errno error = value.Read(out uint number);
        if (error != Errno.None)
            return error;
        if (name is AddMembership or DropMembership)
        {
            if (number is 0 or > MostGroups)
                return Errno.EINVAL;
            uint bit = 1u << ((int)number - 1);
            self->Groups = name == AddMembership ? self->Groups | bit : self->Groups & ~bit;
            return Result.Ok;
        }
        if ((uint)name > LastSwitch)
            return Errno.ENOPROTOOPT;
        self->Switches = number != 0 ? self->Switches | (1u << name) : self->Switches & ~(1u << name);
        return Result.Ok;
    }

    /// <inheritdoc/>
    public static Result GetOption(Socket* socket, int level, int name, OptionOutput* value)
    {
        if (level != OptionLevel.Netlink || (uint)name > LastSwitch || name is AddMembership or DropMembership)
            return Errno.ENOPROTOOPT;
        return value->Set((NetlinkSocket.Of(socket)->Switches >> name & 1) != 0);
    }

    /// <inheritdoc/>
    public static Result Control(Socket* socket, uint command, ulong argument) => Errno.ENOTTY;

    /// <inheritdoc/>
    public static void Close(Socket* socket) => NetlinkSocket.Close(NetlinkSocket.Of(socket));

    /// <inheritdoc/>
    public static Result SendBytes(Socket* socket, UserSpan from, MessageFlags flags)
    {
        SocketMessage message = SocketMessage.Of(from, flags);
        return Send(socket, &message);
    }

    /// <inheritdoc/>
    public static Result ReceiveBytes(Socket* socket, UserSpan to, MessageFlags flags)
    {
        SocketMessage message = SocketMessage.Of(to, flags);
        return Receive(socket, &message);
    }

    /// <inheritdoc/>
    public static Result Send(Socket* socket, SocketMessage* message)
    {
        NetlinkSocket* self = NetlinkSocket.Of(socket);
        if ((message->Flags & MessageFlags.OutOfBand) != 0)
            return Errno.EOPNOTSUPP;
        uint target = self->PeerPortId;
        if (message->Address != null)
        {
            Errno error = Read(message->Address, out NetlinkAddress name);
            if (error != Errno.None)
                return error;
            target = name.PortId;
        }
        Errno bound = self->Bind(0);
        if (bound != Errno.None)
            return bound;
        if (message->Length > socket->Settings.SendBuffer - MessageOverhead || message->Length > LargestRequest)
            return Errno.EMSGSIZE;
        // Only the kernel listens to messages.
        if (target != 0)
            return Errno.ECONNREFUSED;
        var request = (byte*)KernelHeap.Allocate(message->Length);
        if (request == null)
            return Errno.ENOBUFS;
        Result result = Errno.EFAULT;
        if (message->Data.TryTake(request, message->Length))
        {
            RouteRequests.Answer(self, request, (uint)message->Length);
            result = (ulong)message->Length;
        }
        KernelHeap.Free(request);
        return result;
    }

    /// <inheritdoc/>
    public static Result Receive(Socket* socket, SocketMessage* message)
    {
        NetlinkSocket* self = NetlinkSocket.Of(socket);
        if ((message->Flags & MessageFlags.OutOfBand) != 0)
            return Errno.EOPNOTSUPP;
        ulong deadline = 0;
        while (true)
        {
            Errno error = socket->TakeError();
            if (error != Errno.None)
                return error;
            if (self->Received != null)
                break;
            if (message->IsNonBlocking)
                return Errno.EAGAIN;
            error = socket->Sleep(Socket.ReadableEvents, socket->Settings.ReceiveTimeout, ref deadline);
            if (error != Errno.None)
                return error;
        }
        NetlinkDatagram* datagram = self->Received;
        nuint length = datagram->Length;
        nuint count = length < message->Length ? length : message->Length;
        bool isGiven = message->Data.TryGive(NetlinkDatagram.Bytes(datagram), count);
        if ((message->Flags & MessageFlags.Peek) == 0)
            KernelHeap.Free(self->Take());
        if (!isGiven)
            return Errno.EFAULT;
        if (count < length)
            message->Returned |= MessageFlags.Truncated;
        if (message->Address != null)
            Write(message->Address, 0, 0);
        return (ulong)((message->Flags & MessageFlags.Truncated) != 0 ? length : count);
    }

    private static Errno Read(SocketAddress* address, out NetlinkAddress name)
    {
        name = default;
        if (address->Length < sizeof(NetlinkAddress) || address->Family != AddressFamily.Netlink)
            return Errno.EINVAL;
        name = *(NetlinkAddress*)address->Bytes;
        return Errno.None;
    }

    private static void Write(SocketAddress* address, uint portId, uint groups)
    {
        *(NetlinkAddress*)address->Bytes = new NetlinkAddress { Family = (ushort)AddressFamily.Netlink, PortId = portId, Groups = groups };
        address->Length = sizeof(NetlinkAddress);
    }
}
