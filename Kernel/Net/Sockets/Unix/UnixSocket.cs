// A socket of AF_UNIX, whatever its type. Source: unix(7).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Sockets.Unix;

/// <summary>Where a socket is in its life.</summary>
internal enum UnixState : byte
{
    Unconnected,
    Listening,
    Connected,
}

/// <summary>
/// A socket of AF_UNIX. Its file holds a reference, as do its peer and every buffer it sent that was not read yet; <see cref="IsClosed"/> says that the file is gone.
/// </summary>
internal unsafe struct UnixSocket
{
    /// <summary>net.unix.max_dgram_qlen: how many messages wait at a socket for one that is not connected back to the sender.</summary>
    internal const uint LongestQueue = 10;

    /// <summary>What every socket has; first, so that the pointers are the same.</summary>
    internal Socket Base;

    internal int References;
    internal UnixState State;
    internal ShutdownDirections Shutdown;
    internal bool IsClosed;

    /// <summary>Whom it is connected to, with a reference; may be closed.</summary>
    internal UnixSocket* Peer;

    /// <summary>Its name, with a reference; null: it has none.</summary>
    internal UnixAddress* Address;

    /// <summary>Where its name stands in the tree; empty for abstract names.</summary>
    internal Path Path;

    /// <summary>What it has received.</summary>
    internal UnixQueue Received;

    /// <summary>Bytes of memory that what it sent occupies until it is read.</summary>
    internal uint Charged;

    /// <summary>listen(2)'s backlog.</summary>
    internal uint Backlog;

    /// <summary>Who waits for room in <see cref="Received"/> or in the queue of connections.</summary>
    internal WaitQueue Room;

    /// <summary>Stands in the peer's <see cref="Room"/> while poll said that the peer's queue is full.</summary>
    internal Waiter PeerRoom;

    /// <summary>Connections that wait for accept(2).</summary>
    internal UnixSocket* FirstPending, LastPending;

    /// <summary>The next connection in that queue.</summary>
    internal UnixSocket* NextPending;

    /// <summary>How many there are.</summary>
    internal uint PendingCount;

    /// <summary>How many times its file is on the way in SCM_RIGHTS messages.</summary>
    internal int InFlight;

    /// <summary>For <see cref="UnixCollector"/>: references not accounted for, and whether it may be garbage.</summary>
    internal int Outside;

    /// <summary>See <see cref="Outside"/>.</summary>
    internal bool IsSuspect;

    /// <summary>Who is at the other end (SO_PEERCRED); of a listening socket: who called listen.</summary>
    internal PeerCredentials PeerCredentials;

    /// <summary>Links of the list of all sockets.</summary>
    internal UnixSocket* NextInList, PreviousInList;

    private static UnixSocket* s_first;

    /// <summary>How many sockets of AF_UNIX there are.</summary>
    internal static uint Count { get; private set; }

    /// <summary>The first of all sockets of AF_UNIX; the next is <see cref="NextInList"/>.</summary>
    internal static UnixSocket* First => s_first;

    /// <summary>Whether connections are made with accept(2) and listen(2).</summary>
    internal readonly bool IsConnectionOriented => Base.Type != SocketType.Datagram;

    /// <summary>Whether poll calls it writable: at least three quarters of its buffer are free.</summary>
    internal readonly bool HasRoomToSend => State != UnixState.Listening && (ulong)Charged * 4 <= Base.Settings.SendBuffer;

    /// <summary>Whether senders that it is not connected to must wait.</summary>
    internal readonly bool IsQueueFull => Received.Count > LongestQueue;

    internal static UnixSocket* Of(Socket* socket) => (UnixSocket*)socket;

    /// <summary>Makes a socket with one reference. Null when out of memory.</summary>
    internal static UnixSocket* Create(SocketType type)
    {
        UnixSocket* socket = Pool<UnixSocket>.Allocate();
        if (socket == null)
            return null;
        socket->Base.Operations = type switch
        {
            SocketType.Stream => SocketOperations.Of<UnixStream>(),
            SocketType.SeqPacket => SocketOperations.Of<UnixSeqPacket>(),
            _ => SocketOperations.Of<UnixDatagram>(),
        };
        socket->Base.Family = AddressFamily.Unix;
        socket->Base.Type = type;
        socket->Base.Settings = SocketSettings.Default;
        socket->References = 1;
        socket->PeerCredentials = PeerCredentials.None;
        socket->PeerRoom.Callback = &OnPeerRoom;
        socket->PeerRoom.Context = socket;
        socket->PeerRoom.Interest = PollEvents.All;
        socket->NextInList = s_first;
        if (s_first != null)
            s_first->PreviousInList = socket;
        s_first = socket;
        Count++;
        return socket;
    }

    /// <summary>One reference less; the last one frees the memory.</summary>
    internal static void Release(UnixSocket* socket)
    {
        if (--socket->References != 0)
            return;
        if (socket->Address != null)
            UnixAddress.Release(socket->Address);
        if (socket->PreviousInList == null)
            s_first = socket->NextInList;
        else
            socket->PreviousInList->NextInList = socket->NextInList;
        if (socket->NextInList != null)
            socket->NextInList->PreviousInList = socket->PreviousInList;
        Count--;
        Pool<UnixSocket>.Free(socket);
    }

    /// <summary>The file is gone, or a connection is dropped that was never accepted.</summary>
    internal static void Close(UnixSocket* socket, bool isNeverAccepted = false)
    {
        bool losesData = socket->Received.First != null || isNeverAccepted;
        UnixNames.Remove(socket);
        socket->Path.Release();
        socket->IsClosed = true;
        socket->State = UnixState.Unconnected;
        socket->Shutdown = ShutdownDirections.Both;
        UnixSocket* peer = socket->Peer;
        if (peer != null)
        {
            if (socket->IsConnectionOriented && !peer->IsClosed)
            {
                peer->Shutdown = ShutdownDirections.Both;
                if (losesData)
                    peer->Base.PendingError = Errno.ECONNRESET;
                peer->Base.Waiters.WakeAll();
            }
            SetPeer(socket, null);
        }
        socket->Room.WakeAll();
        while (socket->FirstPending != null)
            Close(TakePending(socket), true);
        DropReceived(socket);
        UnixCollector.SocketClosed();
        Release(socket);
    }

    /// <summary>Connects to another socket, or to none, moving references.</summary>
    internal static void SetPeer(UnixSocket* socket, UnixSocket* peer)
    {
        WaitQueue.Remove(&socket->PeerRoom);
        UnixSocket* old = socket->Peer;
        if (peer != null)
            peer->References++;
        socket->Peer = peer;
        if (old != null)
            Release(old);
    }

    /// <summary>Adds a connection for accept(2).</summary>
    internal static void AddPending(UnixSocket* listener, UnixSocket* connection)
    {
        if (listener->FirstPending == null)
            listener->FirstPending = connection;
        else
            listener->LastPending->NextPending = connection;
        listener->LastPending = connection;
        listener->PendingCount++;
        listener->Base.Wake(Socket.ReadableEvents);
    }

    /// <summary>Takes the oldest connection, which there is.</summary>
    internal static UnixSocket* TakePending(UnixSocket* listener)
    {
        UnixSocket* connection = listener->FirstPending;
        listener->FirstPending = connection->NextPending;
        connection->NextPending = null;
        listener->PendingCount--;
        if (!listener->Room.IsEmpty)
            listener->Room.WakeAll();
        return connection;
    }

    /// <summary>Frees a message that was read, and tells its sender that there is room.</summary>
    internal static void Consume(UnixBuffer* buffer)
    {
        UnixSocket* sender = buffer->Sender;
        bool hadRoom = sender->HasRoomToSend;
        sender->References++;
        UnixBuffer.Free(buffer);
        if (!hadRoom && !sender->IsClosed && sender->HasRoomToSend)
            sender->Base.Wake(Socket.WritableEvents);
        Release(sender);
    }

    /// <summary>Frees what was received and never read; its senders have room again.</summary>
    internal static void DropReceived(UnixSocket* socket)
    {
        while (socket->Received.First != null)
            Consume(socket->Received.Take());
    }

    // The peer that was full has room: whoever polls this socket looks again.
    private static void OnPeerRoom(Waiter* waiter, PollEvents events)
    {
        var socket = (UnixSocket*)waiter->Context;
        if (!socket->IsClosed)
            socket->Base.Wake(Socket.WritableEvents);
    }
}
