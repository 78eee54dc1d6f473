// Urgent data (RFC 9293 section 3.8.5, RFC 6093), as Linux and BSD have it: the pointer names the byte behind the urgent one, there is one urgent byte at a time, and it
// is taken out of the stream unless SO_OOBINLINE says otherwise.
using Ukl.Kernel.Abi;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>The urgent byte of a connection.</summary>
internal static unsafe class UrgentInput
{
    /// <summary>The sequence number of the next byte the program will read.</summary>
    public static uint NextToRead(TcpConnection* c) =>
        c->RcvNxt - c->ReceiveQueue.Bytes - (c->Has(ConnectionFlags.FinReceived) ? 1u : 0);

    /// <summary>A segment has the URG bit.</summary>
    public static void OnPointer(TcpConnection* c, ref Segment segment)
    {
        uint urgent = segment.Header.Sequence + segment.Header.UrgentPointer - (segment.Header.UrgentPointer == 0 ? 0u : 1u);
        // Read already, known already, or too far ahead to be true.
        if (Sequence.IsBefore(urgent, c->RcvNxt) || (c->Urgent != UrgentState.None && Sequence.IsAtMost(urgent, c->RcvUp)))
            return;
        // A byte that was urgent and was read out of line, and is next in the stream, is not read a second time.
        if (c->Urgent is UrgentState.Read && c->RcvUp == NextToRead(c) && !c->Has(ConnectionFlags.IsUrgentInline) && c->ReceiveQueue.Bytes != 0)
            c->ReceiveQueue.Consume(1);
        c->Urgent = UrgentState.Announced;
        c->RcvUp = urgent;
        c->Prediction = 0;
        c->Events |= PollEvents.Priority;
    }

    /// <summary>Data came in order while an urgent byte was announced.</summary>
    public static void OnData(TcpConnection* c)
    {
        uint skip = c->RcvUp - NextToRead(c);
        if (skip >= c->ReceiveQueue.Bytes)
            return;
        c->UrgentByte = c->ReceiveQueue.Peek(skip);
        c->Urgent = UrgentState.Present;
        if (c->State == ConnectionState.Established)
            c->Prediction = TcpInput.PredictionFor(c);
        c->Events |= PollEvents.Priority;
    }

    /// <summary>MSG_OOB. Errors as Linux: EINVAL (no urgent byte, read already, or inline), EAGAIN (not here yet).</summary>
    public static Result Read<TSink>(TcpConnection* c, ref TSink sink, nuint count, bool isPeek)
        where TSink : struct, IByteSink
    {
        if (c->Has(ConnectionFlags.IsUrgentInline) || c->Urgent is UrgentState.None or UrgentState.Read)
            return Errno.EINVAL;
        if (c->State == ConnectionState.Closed && !c->Has(ConnectionFlags.FinReceived))
            return Errno.ENOTCONN;
        if (c->Urgent == UrgentState.Announced)
            return c->Has(ConnectionFlags.ReceiveShutdown) ? 0 : Errno.EAGAIN;
        if (count == 0)
            return 0;
        byte value = c->UrgentByte;
        if (!sink.TryGive(&value, 1))
            return Errno.EFAULT;
        if (!isPeek)
            c->Urgent = UrgentState.Read;
        return 1;
    }
}
