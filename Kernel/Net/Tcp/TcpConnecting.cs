using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>connect.</summary>
public static unsafe partial class TcpCalls
{
    /// <summary>How many ports connect looks at for each ephemeral one there is: all, the even ones first (as Linux; RFC 6056 section 3.3.3).</summary>
    private const uint PortRounds = 2;

    private const ulong PortSalt = 3;

    /// <summary>
    /// Begins to connect. EINPROGRESS: begun; POLLOUT or an error follows. Otherwise: EALREADY, EISCONN, EINVAL, ENETUNREACH, EADDRNOTAVAIL, ENOMEM.
    /// </summary>
    public static Errno Connect(TcpConnection* c, IpAddress remote, ushort port)
    {
        if (c->State is ConnectionState.SynSent or ConnectionState.SynReceived)
            return Errno.EALREADY;
        if (c->State != ConnectionState.Closed)
            return Errno.EISCONN;
        bool isV6Only = (c->Port.Flags & PortFlags.IsV6Only) != 0;
        if (remote.IsV4 && isV6Only)
            return Errno.ENETUNREACH;
        NetworkStack* stack = c->Stack;
        IpAddress source = c->Port.Address;
        if (source.IsAny)
            source = remote.IsV4 ? IpAddress.Any4 : IpAddress.Any6;
        FlowRoute route;
        Errno error = IpOutput.Resolve(stack, remote, source, c->Port.Interface, &route);
        if (error != Errno.None)
            return error;
        if (route.Kind >= DestinationKind.Broadcast)
            return Errno.ENETUNREACH;

        ClearForReuse(c);
        c->Flags |= ConnectionFlags.IsActive;
        c->Route = route;
        c->Flow.Kind = FlowKind.Connection;
        c->Flow.Local = route.Source;
        c->Flow.Remote = route.Destination;
        c->Flow.RemotePort = port;
        error = ChoosePort(c, out TimeWait* old);
        if (error != Errno.None)
            return error;
        Begin(c, old);
        return Errno.EINPROGRESS;
    }

    /// <summary>connect with AF_UNSPEC: drops the connection or stops listening; the socket can be used again.</summary>
    public static Errno Disconnect(TcpConnection* c)
    {
        if (c->State == ConnectionState.Listen)
        {
            Accepting.Stop(c);
            return Errno.None;
        }
        ConnectionLife.SendReset(c);
        ConnectionLife.End(c);
        ClearForReuse(c);
        return Errno.None;
    }

    private static void Begin(TcpConnection* c, TimeWait* old)
    {
        NetworkStack* stack = c->Stack;
        c->Iss = stack->Tcp.Isn.Next(&c->Flow, stack->Now, out c->TimestampOffset);
        c->TsRecent = 0;
        if (old != null)
            TimeWait.TakeOver(old, out c->Iss, out c->TimestampOffset);
        c->SndUna = c->Iss;
        c->SndNxt = c->Iss + 1;
        c->SendQueue.Clear();
        c->SendQueue.Initialize(c->Iss + 1);
        c->RcvNxt = 0;
        c->RcvWup = 0;
        c->PeerMss = c->Flow.Remote.IsV4 ? PathMtu.DefaultMss4 : PathMtu.DefaultMss6;
        c->SndScale = 0;
        c->RcvScale = ReceiveRoom.ScaleFor(c);
        c->RcvWnd = ReceiveRoom.FirstWindow(c->RcvBuf);
        c->State = ConnectionState.SynSent;
        stack->Statistics.Tcp.ActiveOpens++;
        stack->Tcp.Flows.Add(&c->Flow);
        c->TimedAt = stack->Now;
        SynSentInput.SendSyn(c);
        stack->Timers.Start(&c->RetransmitTimer, stack->Now + c->Rtt.CurrentTimeout);
    }

    /// <summary>Finds a port that makes the pair of ends unique, if none is bound. The pair may be one in TIME-WAIT that can be taken over.</summary>
    private static Errno ChoosePort(TcpConnection* c, out TimeWait* old)
    {
        ref TcpState tcp = ref c->Stack->Tcp;
        old = null;
        if (c->Port.Port != 0)
        {
            c->Flow.LocalPort = c->Port.Port;
            return IsFree(c, out old) ? Errno.None : Errno.EADDRNOTAVAIL;
        }
        c->Flow.LocalPort = 0;
        uint offset = (uint)tcp.Isn.HashOf(&c->Flow, PortSalt) + tcp.PortCounter;
        const uint half = PortTable.EphemeralCount / PortRounds;
        for (uint round = 0; round < PortRounds; round++)
        {
            for (uint i = 0; i < half; i++)
            {
                var port = (ushort)(PortTable.FirstEphemeral + ((offset + i) % half * PortRounds) + round);
                if (!tcp.Ports.IsOpenToConnections(port))
                    continue;
                c->Flow.LocalPort = port;
                if (!IsFree(c, out old))
                    continue;
                tcp.PortCounter += i + 1;
                c->Port.Flags |= PortFlags.IsAutomatic;
                IpAddress before = c->Port.Address;
                c->Port.Address = c->Flow.Local;
                Errno error = tcp.Ports.Join(&c->Port, port);
                if (error != Errno.None)
                {
                    c->Port.Address = before;
                    c->Port.Flags &= ~PortFlags.IsAutomatic;
                }
                return error;
            }
        }
        return Errno.EADDRNOTAVAIL;
    }

    private static bool IsFree(TcpConnection* c, out TimeWait* old)
    {
        old = null;
        FlowEntry* entry = c->Stack->Tcp.Flows.Find(c->Flow.Local, c->Flow.Remote, c->Flow.LocalPort, c->Flow.RemotePort);
        if (entry == null)
            return true;
        if (entry->Kind != FlowKind.TimeWait || !TimeWait.CanTakeOver((TimeWait*)entry))
            return false;
        old = (TimeWait*)entry;
        return true;
    }
}
