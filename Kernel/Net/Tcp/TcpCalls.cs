// What a socket does with a connection. None of these sleeps: where a program would wait, EAGAIN or EINPROGRESS comes back and TcpConnection.Notify tells when to
// try again. Errors are those of tcp(7) and the system calls' own pages. Every call is made between NetworkStack.Enter and Leave.
using Ukl.Kernel.Abi;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>The life of a connection as a socket sees it.</summary>
public static unsafe partial class TcpCalls
{
    /// <summary>net.core.somaxconn.</summary>
    public const uint LargestBacklog = 4096;

    /// <summary>Makes a closed connection; <paramref name="isIpv6"/> for a socket of AF_INET6. Null when out of memory.</summary>
    public static TcpConnection* Create(NetworkStack* stack, bool isIpv6)
    {
        TcpConnection* c = ConnectionLife.Create(stack);
        if (c == null)
            return null;
        c->Port.Address = isIpv6 ? IpAddress.Any6 : IpAddress.Any4;
        if (isIpv6)
            c->Flags |= ConnectionFlags.IsIpv6Socket;
        return c;
    }

    /// <summary>
    /// Takes a local address and port; port 0 chooses one. Who may share it is said before by <see cref="SetPortFlag"/>. Errors: EINVAL (bound already),
    /// EADDRINUSE, EADDRNOTAVAIL, ENOMEM.
    /// </summary>
    public static Errno Bind(TcpConnection* c, IpAddress address, ushort port)
    {
        if (c->Port.Port != 0 || c->State != ConnectionState.Closed)
            return Errno.EINVAL;
        if (address.IsV4 && c->Has(ConnectionFlags.IsIpv6Socket) && (c->Port.Flags & PortFlags.IsV6Only) != 0)
            return Errno.EINVAL;
        if (!address.IsAny && !c->Stack->IsLocal(address))
            return Errno.EADDRNOTAVAIL;
        IpAddress before = c->Port.Address;
        c->Port.Address = address;
        ref PortTable ports = ref c->Stack->Tcp.Ports;
        Errno error = port == 0 ? ports.BindAny(&c->Port, c->Stack->NextRandom()) : ports.Bind(&c->Port, port);
        if (error != Errno.None)
            c->Port.Address = before;
        return error;
    }

    /// <summary>Begins to accept connections, or changes the length of the queue. An unbound socket gets a port. Errors: EINVAL, EADDRINUSE, ENOMEM.</summary>
    public static Errno Listen(TcpConnection* c, int backlog)
    {
        uint length = (uint)backlog > LargestBacklog ? LargestBacklog : (uint)backlog;
        if (c->State == ConnectionState.Listen)
        {
            c->Listener->Backlog = length;
            return Errno.None;
        }
        if (c->State != ConnectionState.Closed)
            return Errno.EINVAL;
        if (c->Port.Port == 0)
        {
            Errno error = c->Stack->Tcp.Ports.BindAny(&c->Port, c->Stack->NextRandom());
            if (error != Errno.None)
                return error;
        }
        else if (!PortTable.MayListen(&c->Port))
        {
            return Errno.EADDRINUSE;
        }
        ClearForReuse(c);
        return Accepting.Start(c, length);
    }

    /// <summary>
    /// Takes the oldest connection that waits, now the caller's: it sets <see cref="TcpConnection.Owner"/> and <see cref="TcpConnection.Notify"/>. Null with EAGAIN when
    /// none waits, with EINVAL when it does not listen.
    /// </summary>
    public static TcpConnection* Accept(TcpConnection* c, out Errno error)
    {
        error = Errno.EINVAL;
        if (c->State != ConnectionState.Listen)
            return null;
        TcpConnection* accepted = c->Listener->TakeAccept();
        error = accepted == null ? Errno.EAGAIN : Errno.None;
        return accepted;
    }

    /// <summary>
    /// Ends one half or both. Errors: ENOTCONN. Ending the receiving half of a listening socket stops it from listening, as on Linux.
    /// </summary>
    public static Errno Shutdown(TcpConnection* c, ShutdownHow how)
    {
        switch (c->State)
        {
            case ConnectionState.Closed:
                return Errno.ENOTCONN;
            case ConnectionState.Listen:
                if ((how & ShutdownHow.Receive) == 0)
                    return Errno.None;
                Accepting.Stop(c);
                c->Events |= PollEvents.In | PollEvents.HangUp;
                TcpState.AddPending(c);
                return Errno.None;
            case ConnectionState.SynSent:
                ConnectionLife.End(c);
                return Errno.None;
            default:
                break;
        }
        if ((how & ShutdownHow.Receive) != 0)
            c->Flags |= ConnectionFlags.ReceiveShutdown;
        if ((how & ShutdownHow.Send) != 0)
        {
            c->Flags |= ConnectionFlags.SendShutdown;
            SendFin(c);
        }
        PollEvents events = PollEvents.Out | PollEvents.WriteNormal;
        if (c->Has(ConnectionFlags.ReceiveShutdown))
            events |= PollEvents.In | PollEvents.ReadNormal | PollEvents.ReadHangUp;
        c->Events |= events;
        TcpState.AddPending(c);
        return Errno.None;
    }

    /// <summary>
    /// The program has closed the socket. Data on its way is delivered in the background, unless unread data or <paramref name="isAbort"/> (SO_LINGER with 0 s)
    /// asks for a reset. For SO_LINGER with a time the socket calls this, waits while <see cref="IsClosing"/>, then calls <see cref="Release"/>; else it
    /// calls Release at once.
    /// </summary>
    public static void Close(TcpConnection* c, bool isAbort)
    {
        if (c->State == ConnectionState.Listen)
        {
            Accepting.Stop(c);
            return;
        }
        bool isUnread = c->ReceiveQueue.Bytes != 0;
        c->ReceiveQueue.Clear();
        c->Flags |= ConnectionFlags.ReceiveShutdown | ConnectionFlags.SendShutdown;
        if (c->State is ConnectionState.Closed or ConnectionState.SynSent)
        {
            ConnectionLife.End(c);
            return;
        }
        if (isAbort || isUnread || c->Stack->Tcp.OrphanCount >= TcpState.MaximumOrphans)
        {
            ConnectionLife.SendReset(c);
            ConnectionLife.End(c);
            return;
        }
        SendFin(c);
    }

    /// <summary>Whether a FIN is still to be acknowledged: what a lingering close waits for. Notify tells of the change by POLLOUT.</summary>
    public static bool IsClosing(TcpConnection* c) =>
        c->State is ConnectionState.FinWait1 or ConnectionState.Closing or ConnectionState.LastAck or ConnectionState.SynReceived;

    /// <summary>The owner forgets the connection after <see cref="Close"/>: it is not told of anything any more, and the pointer is void.</summary>
    public static void Release(TcpConnection* c)
    {
        ConnectionLife.Orphan(c);
        if (c->State == ConnectionState.FinWait2)
            TcpTimers.StartFinWait2(c);
    }

    /// <summary>The pending error, which is none afterwards (SO_ERROR).</summary>
    public static Errno TakeError(TcpConnection* c)
    {
        Errno error = c->Error != Errno.None ? c->Error : c->SoftError;
        c->Error = Errno.None;
        c->SoftError = Errno.None;
        return error;
    }

    /// <summary>What poll says (Linux: tcp_poll). Where there is no room, <see cref="TcpConnection.Notify"/> tells of it when there is.</summary>
    public static PollEvents Poll(TcpConnection* c)
    {
        if (c->State == ConnectionState.Listen)
            return c->Listener->AcceptCount != 0 ? PollEvents.In | PollEvents.ReadNormal : PollEvents.None;
        PollEvents events = PollEvents.None;
        bool isReceiveShut = c->Has(ConnectionFlags.ReceiveShutdown);
        bool isSendShut = c->Has(ConnectionFlags.SendShutdown);
        if ((isReceiveShut && isSendShut) || c->State == ConnectionState.Closed)
            events |= PollEvents.HangUp;
        if (isReceiveShut)
            events |= PollEvents.In | PollEvents.ReadNormal | PollEvents.ReadHangUp;
        if (c->State is not (ConnectionState.SynSent or ConnectionState.SynReceived))
        {
            if (Unread(c) >= c->Settings.LowWatermark)
                events |= PollEvents.In | PollEvents.ReadNormal;
            if (isSendShut || SendRoom.IsWritable(c))
                events |= PollEvents.Out | PollEvents.WriteNormal;
            else
                SendRoom.Wait(c);
            if (c->Urgent == UrgentState.Present)
                events |= PollEvents.Priority;
        }
        if (c->Error != Errno.None)
            events |= PollEvents.Error;
        return events;
    }

    /// <summary>Bytes that can be read now (FIONREAD, SIOCINQ): up to the urgent byte when there is one in the stream.</summary>
    public static uint Unread(TcpConnection* c)
    {
        uint bytes = c->ReceiveQueue.Bytes;
        if (bytes == 0 || c->Urgent is not (UrgentState.Present or UrgentState.Read) || c->Has(ConnectionFlags.IsUrgentInline))
            return bytes;
        uint toMark = c->RcvUp - UrgentInput.NextToRead(c);
        if (toMark >= bytes)
            return bytes;
        return toMark == 0 ? bytes - 1 : toMark;
    }

    /// <summary>Bytes that are not acknowledged (SIOCOUTQ).</summary>
    public static uint Unsent(TcpConnection* c) => IsEnded(c) ? 0 : c->SendQueue.End - c->SndUna;

    /// <summary>Whether the next byte is the urgent one (SIOCATMARK).</summary>
    public static bool IsAtMark(TcpConnection* c) => c->Urgent != UrgentState.None && c->RcvUp == UrgentInput.NextToRead(c);

    private static bool IsEnded(TcpConnection* c) => c->State is ConnectionState.Closed or ConnectionState.Listen;

    /// <summary>This end has nothing more to send: its FIN follows the data.</summary>
    private static void SendFin(TcpConnection* c)
    {
        if (c->Has(ConnectionFlags.FinQueued))
            return;
        c->Flags |= ConnectionFlags.FinQueued;
        if (c->State == ConnectionState.Established)
            c->State = ConnectionState.FinWait1;
        else if (c->State == ConnectionState.CloseWait)
            c->State = ConnectionState.LastAck;
        c->Prediction = 0;
        c->Flags |= ConnectionFlags.OutputDue;
        TcpState.AddPending(c);
    }

    /// <summary>A socket whose connection has ended may be used for another one.</summary>
    private static void ClearForReuse(TcpConnection* c)
    {
        const ConnectionFlags kept = ConnectionFlags.IsIpv6Socket | ConnectionFlags.NoDelay | ConnectionFlags.Cork | ConnectionFlags.KeepAlive
            | ConnectionFlags.IsReceiveBufferFixed | ConnectionFlags.IsSendBufferFixed | ConnectionFlags.IsUrgentInline | ConnectionFlags.IsPending;
        c->Flags &= kept;
        c->ReceiveQueue.Clear();
        c->Error = Errno.None;
        c->SoftError = Errno.None;
        c->Loss = default;
        c->Cubic = default;
        c->Rtt = default;
        c->Rtt.Initialize();
        c->Urgent = UrgentState.None;
        c->Tuning = default;
        c->Counters = default;
        c->Retries = 0;
        c->FirstRetry = 0;
        c->KeepaliveProbes = 0;
        c->LastSent = 0;
        c->LastChallenge = 0;
        c->TimedAt = 0;
    }
}
