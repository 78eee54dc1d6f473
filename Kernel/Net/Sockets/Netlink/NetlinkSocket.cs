// Sockets of AF_NETLINK. Source: netlink(7).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Sockets.Netlink;

/// <summary>A socket that asks the kernel about its network (NETLINK_ROUTE).</summary>
internal unsafe struct NetlinkSocket
{
    /// <summary>What every socket has; first, so that the pointers are the same.</summary>
    internal Socket Base;

    /// <summary>Its address; 0: it has none yet.</summary>
    internal uint PortId;

    /// <summary>Groups it listens to, the first one lowest.</summary>
    internal uint Groups;

    /// <summary>Whom connect named.</summary>
    internal uint PeerPortId, PeerGroups;

    /// <summary>Options of SOL_NETLINK that are on, by number.</summary>
    internal uint Switches;

    internal NetlinkSocket* Next;

    private NetlinkDatagram* _first;
    private NetlinkDatagram* _last;
    private uint _queued;

    private static NetlinkSocket* s_first;

    /// <summary>The oldest datagram; null: there is none.</summary>
    internal readonly NetlinkDatagram* Received => _first;

    internal static NetlinkSocket* Of(Socket* socket) => (NetlinkSocket*)socket;

    /// <summary>Makes a socket without file. ENOMEM.</summary>
    internal static Errno Create(SocketType type, int protocol, out Socket* socket)
    {
        socket = null;
        NetlinkSocket* created = Pool<NetlinkSocket>.Allocate();
        if (created == null)
            return Errno.ENOMEM;
        created->Base.Operations = SocketOperations.Of<NetlinkKind>();
        created->Base.Family = AddressFamily.Netlink;
        created->Base.Type = type;
        created->Base.Protocol = protocol;
        created->Base.Settings = SocketSettings.Default;
        created->Next = s_first;
        s_first = created;
        socket = &created->Base;
        return Errno.None;
    }

    /// <summary>The file is gone.</summary>
    internal static void Close(NetlinkSocket* socket)
    {
        if (s_first == socket)
        {
            s_first = socket->Next;
        }
        else
        {
            NetlinkSocket* before = s_first;
            while (before->Next != socket)
                before = before->Next;
            before->Next = socket->Next;
        }
        while (socket->_first != null)
            KernelHeap.Free(socket->Take());
        Pool<NetlinkSocket>.Free(socket);
    }

    /// <summary>Takes an address; 0 chooses one: the process's id, or when that is taken another. EADDRINUSE; EINVAL: it has another one.</summary>
    internal Errno Bind(uint portId)
    {
        if (PortId != 0)
            return portId == 0 || portId == PortId ? Errno.None : Errno.EINVAL;
        if (portId != 0 && IsTaken(portId))
            return Errno.EADDRINUSE;
        if (portId == 0)
        {
            portId = (uint)Process.Current->Id;
            // From the middle down, far from the ids of processes.
            for (uint other = 0x8000_0000; IsTaken(portId); other--)
                portId = other;
        }
        PortId = portId;
        return Errno.None;
    }

    /// <summary>Adds a datagram, which becomes the socket's. Beyond SO_RCVBUF it is dropped, and ENOBUFS is told.</summary>
    internal void Deliver(NetlinkDatagram* datagram)
    {
        if (_queued + PageAllocator.PageSize > Base.Settings.ReceiveBuffer)
        {
            KernelHeap.Free(datagram);
            Base.PendingError = Errno.ENOBUFS;
            Base.Wake(PollEvents.Error);
            return;
        }
        if (_first == null)
            _first = datagram;
        else
            _last->Next = datagram;
        _last = datagram;
        _queued += PageAllocator.PageSize;
        Base.Wake(Socket.ReadableEvents);
    }

    /// <summary>Takes the oldest datagram, which there is.</summary>
    internal NetlinkDatagram* Take()
    {
        NetlinkDatagram* datagram = _first;
        _first = datagram->Next;
        _queued -= PageAllocator.PageSize;
        return datagram;
    }

    private static bool IsTaken(uint portId)
    {
        for (NetlinkSocket* each = s_first; each != null; each = each->Next)
        {
            if (each->PortId == portId)
                return true;
        }
        return false;
    }
}
