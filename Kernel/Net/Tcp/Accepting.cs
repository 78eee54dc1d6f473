using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>Keeps the requests of listeners.</summary>
internal static unsafe class Requests
{
    /// <summary>Adds a request to its listener's list.</summary>
    public static void Add(ConnectionRequest* request)
    {
        Listener* listener = request->Listener;
        request->Next = listener->Requests;
        if (request->Next != null)
            request->Next->Previous = request;
        listener->Requests = request;
        listener->RequestCount++;
        listener->Connection->Stack->Tcp.RequestCount++;
    }

    /// <summary>Ends a request.</summary>
    public static void Remove(ConnectionRequest* request)
    {
        Listener* listener = request->Listener;
        NetworkStack* stack = listener->Connection->Stack;
        if (request->Previous != null)
            request->Previous->Next = request->Next;
        else
            listener->Requests = request->Next;
        if (request->Next != null)
            request->Next->Previous = request->Previous;
        listener->RequestCount--;
        stack->Tcp.RequestCount--;
        stack->Tcp.Flows.Remove(&request->Flow);
        stack->Timers.Cancel(&request->Timer);
        Pool<ConnectionRequest>.Free(request);
    }
}

/// <summary>Makes connections of requests, and begins and ends listening.</summary>
internal static unsafe class Accepting
{
    /// <summary>What an accepted connection has of its listener.</summary>
    private const ConnectionFlags Inherited = ConnectionFlags.IsIpv6Socket | ConnectionFlags.NoDelay | ConnectionFlags.Cork | ConnectionFlags.KeepAlive
        | ConnectionFlags.IsReceiveBufferFixed | ConnectionFlags.IsSendBufferFixed | ConnectionFlags.IsUrgentInline;

    /// <summary>Makes the connection of a request whose handshake <paramref name="segment"/> completes. Null when out of memory.</summary>
    public static TcpConnection* Make(ConnectionRequest* request, ref Segment segment)
    {
        TcpConnection* by = request->Listener->Connection;
        NetworkStack* stack = by->Stack;
        TcpConnection* c = ConnectionLife.Create(stack);
        if (c == null)
            return null;
        c->Port.Address = request->Flow.Local;
        c->Port.Interface = by->Port.Interface;
        c->Port.Flags = by->Port.Flags & ~PortFlags.IsListening;
        if (stack->Tcp.Ports.Join(&c->Port, request->Flow.LocalPort) != Errno.None)
        {
            stack->Tcp.ConnectionCount--;
            Pool<TcpConnection>.Free(c);
            return null;
        }
        c->Flow.Local = request->Flow.Local;
        c->Flow.Remote = request->Flow.Remote;
        c->Flow.LocalPort = request->Flow.LocalPort;
        c->Flow.RemotePort = request->Flow.RemotePort;
        c->Route = request->Route;
        c->SendOptions = by->SendOptions;
        c->Settings = by->Settings;
        c->SndBuf = by->SndBuf;
        c->RcvBuf = by->RcvBuf;
        c->RequestedMss = by->RequestedMss;
        c->PeerMss = request->PeerMss;
        c->Flags |= by->Flags & Inherited;
        if ((request->Agreed & TcpOptionSet.Timestamps) != 0)
            c->Flags |= ConnectionFlags.Timestamps;
        if ((request->Agreed & TcpOptionSet.SackPermitted) != 0)
            c->Flags |= ConnectionFlags.Sack;
        c->SndScale = request->SndScale;
        c->RcvScale = request->RcvScale;
        c->TimestampOffset = request->TimestampOffset;
        c->TsRecent = segment.Options.Has(TcpOptionSet.Timestamps) ? segment.Options.TimestampValue : request->TsRecent;
        c->TsRecentTime = stack->Now;
        c->Iss = request->Iss;
        c->SndUna = c->Iss + 1;
        c->SndNxt = c->Iss + 1;
        c->SendQueue.Initialize(c->Iss + 1);
        c->Irs = request->Irs;
        c->RcvNxt = c->Irs + 1;
        c->RcvWup = c->RcvNxt;
        c->RcvWnd = request->RcvWnd;
        c->TimedAt = request->LastAnswer;
        c->Retries = request->Retries;
        stack->Statistics.Tcp.PassiveOpens++;
        ConnectionLife.Establish(c, (uint)segment.Header.Window << c->SndScale, segment.Header.Sequence);
        return c;
    }

    /// <summary>Begins to listen on a port that is bound. Errors: ENOMEM.</summary>
    public static Errno Start(TcpConnection* c, uint backlog)
    {
        Listener* listener = Pool<Listener>.Allocate();
        if (listener == null)
            return Errno.ENOMEM;
        listener->Connection = c;
        listener->Backlog = backlog;
        c->Listener = listener;
        c->State = ConnectionState.Listen;
        c->Port.Flags |= PortFlags.IsListening;
        c->Stack->Tcp.Listeners.Add(listener);
        return Errno.None;
    }

    /// <summary>Ends listening: requests are forgotten, connections that nobody accepted are reset.</summary>
    public static void Stop(TcpConnection* c)
    {
        Listener* listener = c->Listener;
        c->Stack->Tcp.Listeners.Remove(listener);
        while (listener->Requests != null)
            Requests.Remove(listener->Requests);
        for (TcpConnection* waiting = listener->TakeAccept(); waiting != null; waiting = listener->TakeAccept())
        {
            ConnectionLife.SendReset(waiting);
            ConnectionLife.Orphan(waiting);
            ConnectionLife.End(waiting);
        }
        c->Listener = null;
        c->State = ConnectionState.Closed;
        c->Port.Flags &= ~PortFlags.IsListening;
        Pool<Listener>.Free(listener);
    }
}
