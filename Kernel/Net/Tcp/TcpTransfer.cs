using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>send and recv.</summary>
public static unsafe partial class TcpCalls
{
    /// <summary>Queues bytes and sends what may go. The number taken, or EAGAIN, EPIPE (the caller sends SIGPIPE), ECONNRESET, ETIMEDOUT …, EFAULT.</summary>
    public static Result Send<TSource>(TcpConnection* c, ref TSource source, nuint count, TcpSendFlags flags)
        where TSource : struct, IByteSource
    {
        if (c->State is not (ConnectionState.Established or ConnectionState.CloseWait) || c->Error != Errno.None)
        {
            Errno error = WhyNoSend(c);
            if (error != Errno.None)
                return error;
        }
        if (count == 0)
            return 0;
        Result queued = c->SendQueue.Append(&c->Stack->Packets, ref source, count, c->BlockFill, c->SndBuf);
        if (queued.IsError)
        {
            if (queued.Error == Errno.EAGAIN)
                SendRoom.Wait(c);
            return queued;
        }
        if (flags != TcpSendFlags.None && (nuint)queued.Value == count)
        {
            if ((flags & TcpSendFlags.OutOfBand) != 0)
            {
                c->Flags |= ConnectionFlags.IsSendingUrgent;
                c->SndUp = c->SendQueue.End;
            }
            if ((flags & TcpSendFlags.More) != 0)
                c->Flags |= ConnectionFlags.MoreComes;
        }
        else
        {
            c->Flags &= ~ConnectionFlags.MoreComes;
        }
        // What is received over lo while this goes out is handled at the end of the batch, like everything else.
        TcpOutput.Push(c);
        return queued;
    }

    /// <summary>
    /// Takes bytes. The number given, 0 at the end of the stream, or EAGAIN, ENOTCONN, ECONNRESET …, EFAULT; with OutOfBand EINVAL when there is no urgent byte. Never
    /// reads beyond an urgent byte at once.
    /// </summary>
    public static Result Receive<TSink>(TcpConnection* c, ref TSink sink, nuint count, TcpReceiveFlags flags)
        where TSink : struct, IByteSink
    {
        if ((flags & TcpReceiveFlags.OutOfBand) != 0)
            return c->State == ConnectionState.Listen ? Errno.ENOTCONN : UrgentInput.Read(c, ref sink, count, (flags & TcpReceiveFlags.Peek) != 0);
        uint available = c->ReceiveQueue.Bytes;
        uint skip = 0;
        if (c->Urgent != UrgentState.None && available != 0)
            available = LimitAtMark(c, available, out skip);
        if (available == 0)
            return count == 0 ? 0 : WhyNoData(c);

        uint wanted = count < available ? (uint)count : available;
        uint taken = wanted;
        if ((flags & TcpReceiveFlags.Truncate) == 0)
        {
            Result copied = c->ReceiveQueue.CopyTo(ref sink, skip, wanted);
            if (copied.IsError)
                return copied;
            taken = (uint)copied.Value;
        }
        if ((flags & TcpReceiveFlags.Peek) != 0)
            return (ulong)taken;
        c->ReceiveQueue.Consume(skip + taken);
        if (c->Urgent != UrgentState.None && Sequence.IsAfter(UrgentInput.NextToRead(c), c->RcvUp))
            c->Urgent = UrgentState.None;
        ReceiveRoom.OnRead(c, skip + taken);
        AckPolicy.OnRead(c);
        return (ulong)taken;
    }

    private static Errno WhyNoSend(TcpConnection* c)
    {
        if (c->Error != Errno.None)
            return TakeError(c);
        if (c->Has(ConnectionFlags.SendShutdown))
            return Errno.EPIPE;
        return c->State switch
        {
            ConnectionState.Established or ConnectionState.CloseWait => Errno.None,
            ConnectionState.SynSent or ConnectionState.SynReceived => WaitForRoom(c),
            _ => Errno.EPIPE,
        };
    }

    private static Errno WaitForRoom(TcpConnection* c)
    {
        c->Flags |= ConnectionFlags.WantsRoom;
        return Errno.EAGAIN;
    }

    /// <summary>Nothing to read: the order of Linux's tcp_recvmsg.</summary>
    private static Result WhyNoData(TcpConnection* c)
    {
        if (c->State == ConnectionState.Listen)
            return Errno.ENOTCONN;
        if (c->Has(ConnectionFlags.FinReceived))
            return 0;
        if (c->Error != Errno.None)
            return TakeError(c);
        if (c->Has(ConnectionFlags.ReceiveShutdown))
            return 0;
        return c->State == ConnectionState.Closed ? Errno.ENOTCONN : Errno.EAGAIN;
    }

    /// <summary>How much may be read before the urgent byte; when it is next, it is jumped over (<paramref name="skip"/>) unless it is to be read inline.</summary>
    private static uint LimitAtMark(TcpConnection* c, uint available, out uint skip)
    {
        skip = 0;
        uint toMark = c->RcvUp - UrgentInput.NextToRead(c);
        if (toMark >= available)
            return available;
        if (toMark != 0)
            return toMark;
        if (c->Has(ConnectionFlags.IsUrgentInline))
            return available;
        skip = 1;
        return available - 1;
    }
}
