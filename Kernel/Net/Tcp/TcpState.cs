// What TCP of one stack has: its connections, its ports, its listeners, and the connections that have something to do at the end of the batch.
// TCP here is RFC 9293 with RFC 1122, 2018, 3042, 5681, 5927, 5961, 6056, 6191, 6298, 6528, 6582, 6675, 6928, 7323 and 9438, and SYN cookies. Not offered: ECN (RFC 3168: the bits
// are never set and never asked for), Fast Open (RFC 7413), D-SACK (RFC 2883: understood, not sent), RACK-TLP (RFC 8985), TCP-AO and MD5.
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>TCP of one stack.</summary>
public unsafe struct TcpState
{
    /// <summary>Connections that nobody owns beyond this are reset instead of closed (Linux: tcp_max_orphans).</summary>
    internal const uint MaximumOrphans = 4096;

    /// <summary>Beyond this a connection ends without TIME-WAIT (Linux: tcp_max_tw_buckets).</summary>
    internal const uint MaximumTimeWaits = 16384;

    /// <summary>The ports that sockets and connections hold.</summary>
    public PortTable Ports;

    internal FlowTable Flows;
    internal ListenerTable Listeners;
    internal IsnGenerator Isn;

    private TcpConnection* _firstPending;
    private TcpConnection* _lastPending;

    /// <summary>Where the next search for a local port goes on (RFC 6056 section 3.3.4).</summary>
    internal uint PortCounter;

    /// <summary>Connections whose objects exist, listening sockets included.</summary>
    public uint ConnectionCount { get; internal set; }

    /// <summary>Connections that no program has any more.</summary>
    public uint OrphanCount { get; internal set; }

    /// <summary>Ends of connections in TIME-WAIT.</summary>
    public uint TimeWaitCount { get; internal set; }

    /// <summary>Requests whose handshake is not complete.</summary>
    public uint RequestCount { get; internal set; }

    /// <summary>Whether <see cref="RunPending"/> has something to do.</summary>
    public readonly bool HasPending => _firstPending != null;

    /// <summary>Prepares TCP of a stack. False when out of memory.</summary>
    public bool Initialize(NetworkStack* stack)
    {
        Isn.Initialize(stack);
        PortCounter = (uint)stack->NextRandom();
        if (Ports.Initialize() && Flows.Initialize(stack) && Listeners.Initialize())
            return true;
        Clear();
        return false;
    }

    /// <summary>Gives back what <see cref="Initialize"/> took. Connections are closed before; TIME-WAITs end here.</summary>
    public void Clear()
    {
        if (Flows.Count != 0)
            TimeWait.RemoveAll(ref this);
        Listeners.Clear();
        Flows.Clear();
        Ports.Clear();
    }

    /// <summary>
    /// The end of a batch: each connection that took part sends what is due, acknowledges what came, and tells its socket, once. What this sends over lo
    /// may make more work.
    /// </summary>
    public void RunPending()
    {
        while (_firstPending != null)
        {
            TcpConnection* connection = _firstPending;
            _firstPending = connection->NextPending;
            connection->Flags &= ~ConnectionFlags.IsPending;
            Finish(connection);
        }
    }

    /// <summary>Puts a connection on the list of those that <see cref="RunPending"/> looks at.</summary>
    internal static void AddPending(TcpConnection* connection)
    {
        if (connection->Has(ConnectionFlags.IsPending))
            return;
        connection->Flags |= ConnectionFlags.IsPending;
        connection->NextPending = null;
        ref TcpState state = ref connection->Stack->Tcp;
        if (state._firstPending == null)
            state._firstPending = connection;
        else
            state._lastPending->NextPending = connection;
        state._lastPending = connection;
    }

    private static void Finish(TcpConnection* connection)
    {
        if (connection->Has(ConnectionFlags.OutputDue))
            TcpOutput.Push(connection);
        if (connection->Has(ConnectionFlags.AckNow | ConnectionFlags.AckOwed))
            AckPolicy.OnBatchEnd(connection);
        PollEvents events = connection->Events;
        if (events != PollEvents.None)
        {
            connection->Events = PollEvents.None;
            if (connection->Notify != null)
                connection->Notify(connection, events);
        }
        if (connection->Has(ConnectionFlags.IsDead))
            Pool<TcpConnection>.Free(connection);
    }
}
