// Opening a connection from the other end: LISTEN and SYN-RECEIVED (RFC 9293 sections 3.10.7.2 and 3.10.7.4). A request is a small object; when a listener has too many it
// answers with cookies (RFC 4987).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>The handshake as the end that listens sees it.</summary>
internal static unsafe class ListenerInput
{
    /// <summary>tcp_synack_retries.</summary>
    private const byte AnswerRetries = 5;

    private const ulong AnswerInterval = 500_000_000;

    /// <summary>A segment whose two ends are not known here.</summary>
    public static void Process(NetworkStack* stack, ref Segment segment, in IpPacket ip)
    {
        ref TcpHeader header = ref segment.Header;
        if (header.Has(TcpFlags.Reset))
            return;
        if (header.Has(TcpFlags.Acknowledgment))
        {
            if (!header.Has(TcpFlags.Syn) && TryCookie(stack, ref segment, ip))
                return;
            BareSegment.SendReset(stack, ref segment, ip);
        }
        else if (header.Has(TcpFlags.Syn))
        {
            ProcessSyn(stack, ref segment, ip, 0);
        }
        else if (Find(stack, ref segment, ip) == null)
        {
            BareSegment.SendReset(stack, ref segment, ip);
        }
    }

    /// <summary>A SYN. <paramref name="sequence"/> is the number to begin with, 0 to choose one.</summary>
    public static void ProcessSyn(NetworkStack* stack, ref Segment segment, in IpPacket ip, uint sequence)
    {
        Listener* listener = Find(stack, ref segment, ip);
        if (listener == null)
        {
            BareSegment.SendReset(stack, ref segment, ip);
            return;
        }
        if (segment.Header.Has(TcpFlags.Fin) || listener->IsAcceptFull)
            return;
        if (listener->IsRequestFull)
        {
            AnswerWithCookie(stack, listener, ref segment, ip);
            return;
        }
        ConnectionRequest* request = Pool<ConnectionRequest>.Allocate();
        if (request == null)
            return;
        Describe(request, stack, listener, ref segment, ip);
        if (BareSegment.ResolveBack(stack, ip, &request->Route) != Errno.None)
        {
            Pool<ConnectionRequest>.Free(request);
            return;
        }
        Agree(request, listener, ref segment);
        request->Iss = stack->Tcp.Isn.Next(&request->Flow, stack->Now, out request->TimestampOffset);
        if (sequence != 0)
            request->Iss = sequence;
        stack->Tcp.Flows.Add(&request->Flow);
        Requests.Add(request);
        Answer(stack, request);
        stack->Timers.Start(&request->Timer, stack->Now + RttEstimator.InitialTimeout);
    }

    /// <summary>A segment for a request whose handshake is not complete.</summary>
    public static void ProcessRequest(ConnectionRequest* request, ref Segment segment, in IpPacket ip)
    {
        Listener* listener = request->Listener;
        NetworkStack* stack = listener->Connection->Stack;
        ref TcpHeader header = ref segment.Header;
        bool hasTimestamps = (request->Agreed & TcpOptionSet.Timestamps) != 0;
        if (header.Has(TcpFlags.Syn))
        {
            // The SYN again: its answer was lost, or is on its way.
            if (header.Sequence == request->Irs && !header.Has(TcpFlags.Acknowledgment | TcpFlags.Reset) && stack->Now - request->LastAnswer >= AnswerInterval)
                Answer(stack, request);
            return;
        }
        uint ahead = header.Sequence - (request->Irs + 1);
        if (header.Has(TcpFlags.Reset))
        {
            if (ahead == 0)
                Requests.Remove(request);
            return;
        }
        if (ahead > request->RcvWnd || (hasTimestamps && SegmentInput.IsOld(ref segment, request->TsRecent, request->Since, stack->Now)))
            return;
        if (!header.Has(TcpFlags.Acknowledgment))
            return;
        if (header.Acknowledgment != request->Iss + 1)
        {
            BareSegment.SendReset(stack, ref segment, ip);
            return;
        }
        ulong defer = listener->Connection->Settings.DeferAccept;
        bool isDeferred = defer != 0 && segment.Length == 0 && !header.Has(TcpFlags.Fin) && stack->Now - request->Since < defer;
        if (isDeferred || listener->IsAcceptFull)
        {
            request->IsAcknowledged = true;
            return;
        }
        TcpConnection* c = Accepting.Make(request, ref segment);
        if (c == null)
            return;
        Requests.Remove(request);
        stack->Tcp.Flows.Add(&c->Flow);
        listener->AddAccept(c);
        SegmentInput.ProcessConnection(c, ref segment);
    }

    /// <summary>Sends the SYN with the acknowledgement.</summary>
    public static void Answer(NetworkStack* stack, ConnectionRequest* request)
    {
        BareSegment answer = default;
        answer.Flags = TcpFlags.Syn | TcpFlags.Acknowledgment;
        answer.Sequence = request->Iss;
        answer.Acknowledgment = request->Irs + 1;
        answer.Window = (ushort)request->RcvWnd;
        answer.Options.Present = request->Agreed | TcpOptionSet.MaximumSegmentSize;
        answer.Options.MaximumSegmentSize = request->OfferedMss;
        answer.Options.WindowScale = request->RcvScale;
        answer.Options.TimestampValue = (uint)(stack->Now >> NetworkTimers.TickShift) + request->TimestampOffset;
        answer.Options.TimestampEcho = request->TsRecent;
        request->LastAnswer = stack->Now;
        answer.Send(stack, &request->Route, &request->Flow, request->Listener->Connection->SendOptions);
    }

    /// <summary>The other end has not answered the SYN-ACK.</summary>
    public static void OnTimer(NetworkTimer* timer)
    {
        var request = (ConnectionRequest*)timer->Context;
        NetworkStack* stack = request->Listener->Connection->Stack;
        if (request->Retries >= AnswerRetries)
        {
            stack->Statistics.Tcp.FailedAttempts++;
            Requests.Remove(request);
            return;
        }
        request->Retries++;
        bool isDeferred = request->IsAcknowledged && stack->Now - request->Since < request->Listener->Connection->Settings.DeferAccept;
        if (!isDeferred)
        {
            stack->Statistics.Tcp.Retransmitted++;
            Answer(stack, request);
        }
        stack->Timers.Start(timer, stack->Now + (RttEstimator.InitialTimeout << request->Retries));
    }

    private static Listener* Find(NetworkStack* stack, ref Segment segment, in IpPacket ip)
    {
        uint hash = stack->Tcp.Flows.Hash(ip.Destination, ip.Source, FlowTable.Ports(segment.Header.DestinationPort, segment.Header.SourcePort));
        return stack->Tcp.Listeners.Find(segment.Header.DestinationPort, ip.Destination, ip.Interface, hash);
    }

    private static void Describe(ConnectionRequest* request, NetworkStack* stack, Listener* listener, ref Segment segment, in IpPacket ip)
    {
        request->Flow = BareSegment.FlowOf(ref segment, ip);
        request->Flow.Kind = FlowKind.Request;
        request->Listener = listener;
        request->Timer.Callback = &OnTimer;
        request->Timer.Context = request;
        request->Irs = segment.Header.Sequence;
        request->Since = stack->Now;
    }

    /// <summary>What both ends can do, and the sizes.</summary>
    private static void Agree(ConnectionRequest* request, Listener* listener, ref Segment segment)
    {
        ref TcpOptions options = ref segment.Options;
        TcpConnection* by = listener->Connection;
        request->Agreed = options.Present & (TcpOptionSet.WindowScale | TcpOptionSet.SackPermitted | TcpOptionSet.Timestamps);
        request->PeerMss = options.Has(TcpOptionSet.MaximumSegmentSize) ? options.MaximumSegmentSize
            : request->Flow.Remote.IsV4 ? PathMtu.DefaultMss4 : PathMtu.DefaultMss6;
        request->OfferedMss = PathMtu.OfferedMss(&request->Route, by->RequestedMss);
        request->TsRecent = options.TimestampValue;
        request->SndScale = options.WindowScale;
        request->RcvScale = options.Has(TcpOptionSet.WindowScale) ? ReceiveRoom.ScaleFor(by) : (byte)0;
        request->RcvWnd = ReceiveRoom.FirstWindow(by->RcvBuf);
    }

    private static void AnswerWithCookie(NetworkStack* stack, Listener* listener, ref Segment segment, in IpPacket ip)
    {
        ConnectionRequest request = default;
        Describe(&request, stack, listener, ref segment, ip);
        if (BareSegment.ResolveBack(stack, ip, &request.Route) != Errno.None)
            return;
        Agree(&request, listener, ref segment);
        listener->CookieTime = stack->Now;
        stack->Tcp.Isn.Next(&request.Flow, stack->Now, out request.TimestampOffset);
        request.Iss = SynCookies.Make(stack, &request.Flow, request.Irs, ref request.PeerMss);
        // Without timestamps there is no place to remember what was agreed.
        if ((request.Agreed & TcpOptionSet.Timestamps) != 0)
        {
            uint now = (uint)(stack->Now >> NetworkTimers.TickShift) + request.TimestampOffset;
            request.TimestampOffset += SynCookies.PackOptions(now, request.Agreed, request.SndScale) - now;
        }
        else
        {
            request.Agreed = TcpOptionSet.None;
            request.RcvScale = 0;
        }
        Answer(stack, &request);
    }

    /// <summary>An acknowledgement of nothing that is kept: perhaps the end of a handshake that began with a cookie.</summary>
    private static bool TryCookie(NetworkStack* stack, ref Segment segment, in IpPacket ip)
    {
        Listener* listener = Find(stack, ref segment, ip);
        // Cookies are believed only while they are being made (Linux: two minutes).
        if (listener == null || listener->CookieTime == 0 || stack->Now - listener->CookieTime > 120_000_000_000)
            return false;
        ConnectionRequest request = default;
        Describe(&request, stack, listener, ref segment, ip);
        request.Irs = segment.Header.Sequence - 1;
        request.Iss = segment.Header.Acknowledgment - 1;
        if (!SynCookies.Check(stack, &request.Flow, request.Irs, request.Iss, out ushort mss))
            return false;
        if (listener->IsAcceptFull || BareSegment.ResolveBack(stack, ip, &request.Route) != Errno.None)
            return true;
        segment.Options.Present |= TcpOptionSet.MaximumSegmentSize;
        segment.Options.MaximumSegmentSize = mss;
        TcpOptions options = segment.Options;
        if (options.Has(TcpOptionSet.Timestamps))
        {
            options.Present = SynCookies.UnpackOptions(options.TimestampEcho, out options.WindowScale) | TcpOptionSet.MaximumSegmentSize;
            stack->Tcp.Isn.Next(&request.Flow, stack->Now, out request.TimestampOffset);
        }
        else
        {
            options.Present = TcpOptionSet.MaximumSegmentSize;
        }
        Segment syn = segment;
        syn.Options = options;
        Agree(&request, listener, ref syn);
        TcpConnection* c = Accepting.Make(&request, ref segment);
        if (c == null)
            return true;
        stack->Tcp.Flows.Add(&c->Flow);
        listener->AddAccept(c);
        SegmentInput.ProcessConnection(c, ref segment);
        return true;
    }
}
