using System.Runtime.CompilerServices;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net.Ip;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>What a listening socket has: requests whose handshake is not complete, and connections that wait for accept. Both are bounded, the latter by the backlog (listen(2)).</summary>
internal unsafe struct Listener
{
    /// <summary>
    /// Requests that are kept; further ones are answered with cookies, which remember less (Linux: tcp_max_syn_backlog, and there the backlog too, which is often too short for
    /// the first moment of a rush).
    /// </summary>
    public const uint MostRequests = 2048;

    /// <summary>The next with the same hash of the port.</summary>
    public Listener* Next;

    /// <summary>The socket.</summary>
    public TcpConnection* Connection;

    /// <summary>The requests, the newest first.</summary>
    public ConnectionRequest* Requests;
    public uint RequestCount;

    public uint Backlog;
    public uint AcceptCount;

    /// <summary>When a request was last answered with a cookie instead of being kept; 0: never.</summary>
    public ulong CookieTime;

    private TcpConnection* _acceptFirst;
    private TcpConnection* _acceptLast;

    /// <summary>Linux: one more than the backlog may wait.</summary>
    public readonly bool IsAcceptFull => AcceptCount > Backlog;

    /// <summary>Whether requests get cookies.</summary>
    public readonly bool IsRequestFull => RequestCount >= MostRequests;

    /// <summary>Adds a connection that waits for accept.</summary>
    public void AddAccept(TcpConnection* c)
    {
        c->NextAccept = null;
        if (_acceptFirst == null)
            _acceptFirst = c;
        else
            _acceptLast->NextAccept = c;
        _acceptLast = c;
        AcceptCount++;
        Connection->Events |= PollEvents.In | PollEvents.ReadNormal;
        TcpState.AddPending(Connection);
    }

    /// <summary>Takes the connection that has waited for longest; null when none waits.</summary>
    public TcpConnection* TakeAccept()
    {
        TcpConnection* c = _acceptFirst;
        if (c == null)
            return null;
        _acceptFirst = c->NextAccept;
        c->NextAccept = null;
        AcceptCount--;
        return c;
    }
}

/// <summary>The listeners of one stack by their port.</summary>
internal unsafe struct ListenerTable
{
    private const uint BucketCount = 64;

    private Listener** _buckets;

    /// <summary>Prepares an empty table. False when out of memory.</summary>
    public bool Initialize()
    {
        _buckets = (Listener**)KernelHeap.Allocate(BucketCount * 8);
        return _buckets != null;
    }

    /// <summary>Gives the table's memory back; it is empty.</summary>
    public void Clear()
    {
        KernelHeap.Free(_buckets);
        _buckets = null;
    }

    /// <summary>Adds a listener whose connection has its port.</summary>
    public readonly void Add(Listener* listener)
    {
        Listener** bucket = BucketOf(listener->Connection->Port.Port);
        listener->Next = *bucket;
        *bucket = listener;
    }

    /// <summary>The first listener in or after a bucket, which becomes the bucket behind it: a walk over everything, in no order. Null at the end.</summary>
    public readonly Listener* Walk(ref uint bucket)
    {
        while (bucket < BucketCount)
        {
            Listener* first = _buckets[bucket++];
            if (first != null)
                return first;
        }
        return null;
    }

    /// <summary>Takes a listener out.</summary>
    public readonly void Remove(Listener* listener)
    {
        Listener** link = BucketOf(listener->Connection->Port.Port);
        while (*link != listener)
            link = &(*link)->Next;
        *link = listener->Next;
    }

    /// <summary>
    /// The listener for a segment: the one bound most closely; of several that share a port by SO_REUSEPORT the one that <paramref name="hash"/>, which
    /// depends on the other end only, falls on. Null when there is none.
    /// </summary>
    public readonly Listener* Find(ushort port, in IpAddress local, NetworkInterface* by, uint hash)
    {
        Listener* best = null;
        int bestScore = 0;
        uint equals = 0;
        for (Listener* each = *BucketOf(port); each != null; each = each->Next)
        {
            if (each->Connection->Port.Port != port)
                continue;
            int score = Score(&each->Connection->Port, local, by);
            if (score > bestScore)
            {
                best = each;
                bestScore = score;
                equals = 1;
            }
            else if (score != 0 && score == bestScore)
            {
                // The n-th of equals takes the place with a probability of 1/n: all get the same share.
                equals++;
                hash = (hash * 0x9e37_79b1) + 1;
                if (((ulong)hash * equals) >> 32 == 0)
                    best = each;
            }
        }
        return best;
    }

    private static int Score(PortBinding* binding, in IpAddress local, NetworkInterface* by)
    {
        int score = 1;
        if (binding->Interface != 0)
        {
            if (binding->Interface != by->Index)
                return 0;
            score += 4;
        }
        if (!binding->Address.IsAny)
            return binding->Address == local ? score + 2 : 0;
        if (binding->Address.IsV4)
            return local.IsV4 ? score + 1 : 0;
        return local.IsV4 && (binding->Flags & PortFlags.IsV6Only) != 0 ? 0 : score;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly Listener** BucketOf(ushort port) => &_buckets[port % BucketCount];
}

/// <summary>A connection request: what is known between a SYN and the end of its handshake. Small, because strangers make them.</summary>
internal unsafe struct ConnectionRequest
{
    /// <summary>The first field: the table's entries are these.</summary>
    public FlowEntry Flow;

    public Listener* Listener;
    public ConnectionRequest* Next;
    public ConnectionRequest* Previous;

    /// <summary>Repeats the SYN-ACK, and gives up.</summary>
    public NetworkTimer Timer;
    public FlowRoute Route;
    public uint Iss;
    public uint Irs;
    public uint TsRecent;
    public uint TimestampOffset;

    /// <summary>When the SYN came, and when it was last answered.</summary>
    public ulong Since;
    public ulong LastAnswer;
    public uint RcvWnd;
    public ushort PeerMss;
    public ushort OfferedMss;

    /// <summary>What both ends can do.</summary>
    public TcpOptionSet Agreed;
    public byte SndScale;
    public byte RcvScale;
    public byte Retries;

    /// <summary>The handshake was completed, but the queue was full, or data is awaited (TCP_DEFER_ACCEPT).</summary>
    public bool IsAcknowledged;
}
