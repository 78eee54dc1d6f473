// TIME-WAIT (RFC 9293 section 3.3.2 and 3.6.1): what is left of the end that closed first, for twice the time a segment may live. Sources of truth: RFC 1337 (its dangers),
// RFC 6191 (making room for a new connection of the same ends by timestamps), tcp(7) (tcp_tw_reuse).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>One end of a connection that is over.</summary>
internal unsafe struct TimeWait
{
    /// <summary>2 MSL, as Linux.</summary>
    private const ulong Length = 60_000_000_000;

    /// <summary>A new connection begins this far beyond the old one's numbers (as Linux: more than a window that is not scaled).</summary>
    private const uint SequenceGap = 65535 + 2;

    /// <summary>How long the other end's timestamp must have stood still before connect takes the pair again: its clock has ticked then.</summary>
    private const ulong ReuseAge = 1_000_000_000;

    private const ulong AnswerInterval = 500_000_000;

    /// <summary>The first field: the table's entries are these.</summary>
    public FlowEntry Flow;

    private NetworkStack* _stack;
    private NetworkTimer _timer;
    private PortBinding _port;
    private FlowRoute _route;
    private IpSendOptions _sendOptions;
    private uint _sndNxt;
    private uint _rcvNxt;
    private uint _rcvWnd;
    private uint _tsRecent;
    private ulong _tsRecentTime;
    private ulong _lastAnswer;
    private uint _timestampOffset;
    private byte _rcvScale;
    private bool _hasTimestamps;

    /// <summary>Takes the place of a connection that ends. Without memory, or beyond the limit, there is none.</summary>
    public static void Create(TcpConnection* c)
    {
        ref TcpState tcp = ref c->Stack->Tcp;
        if (tcp.TimeWaitCount >= TcpState.MaximumTimeWaits)
            return;
        TimeWait* wait = Pool<TimeWait>.Allocate();
        if (wait == null)
            return;
        tcp.Flows.Remove(&c->Flow);
        wait->Flow = c->Flow;
        wait->Flow.Kind = FlowKind.TimeWait;
        wait->_stack = c->Stack;
        wait->_route = c->Route;
        wait->_sendOptions = c->SendOptions;
        wait->_sndNxt = c->SndNxt;
        wait->_rcvNxt = c->RcvNxt;
        wait->_rcvWnd = c->ReceiveWindow;
        wait->_rcvScale = c->RcvScale;
        wait->_tsRecent = c->TsRecent;
        wait->_tsRecentTime = c->TsRecentTime;
        wait->_timestampOffset = c->TimestampOffset;
        wait->_hasTimestamps = c->Has(ConnectionFlags.Timestamps);
        wait->_port.Owner = wait;
        wait->_port.Address = c->Port.Address;
        wait->_port.Interface = c->Port.Interface;
        wait->_port.Flags = c->Port.Flags;
        wait->_timer.Callback = &OnTimer;
        wait->_timer.Context = wait;
        if (tcp.Ports.Join(&wait->_port, c->Flow.LocalPort) != Errno.None)
        {
            Pool<TimeWait>.Free(wait);
            return;
        }
        tcp.Flows.Add(&wait->Flow);
        tcp.TimeWaitCount++;
        c->Stack->Timers.Start(&wait->_timer, c->Stack->Now + Length);
    }

    /// <summary>
    /// A segment for a pair in TIME-WAIT. True: it is a SYN that may open the pair again, beginning with <paramref name="sequence"/>, and this object is
    /// gone.
    /// </summary>
    public static bool Process(TimeWait* wait, ref Segment segment, out uint sequence)
    {
        sequence = 0;
        ref TcpHeader header = ref segment.Header;
        NetworkStack* stack = wait->_stack;
        bool hasTimestamps = wait->_hasTimestamps && segment.Options.Has(TcpOptionSet.Timestamps);
        bool isOld = hasTimestamps && SegmentInput.IsOld(ref segment, wait->_tsRecent, wait->_tsRecentTime, stack->Now);
        if (header.Has(TcpFlags.Reset))
        {
            if (!isOld && header.Sequence == wait->_rcvNxt)
                Remove(wait);
            return false;
        }
        if (header.Has(TcpFlags.Syn) && !header.Has(TcpFlags.Acknowledgment) && !isOld
            && (Sequence.IsAfter(header.Sequence, wait->_rcvNxt)
                || (hasTimestamps && Sequence.IsAfter(segment.Options.TimestampValue, wait->_tsRecent))))
        {
            sequence = wait->_sndNxt + SequenceGap;
            if (sequence == 0)
                sequence = 1;
            Remove(wait);
            return true;
        }
        if (!isOld && header.Sequence == wait->_rcvNxt && segment.End == wait->_rcvNxt)
        {
            if (hasTimestamps)
            {
                wait->_tsRecent = segment.Options.TimestampValue;
                wait->_tsRecentTime = stack->Now;
            }
            return false;
        }
        // The other end repeats its FIN because it did not hear the answer: the time begins anew.
        if (header.Has(TcpFlags.Acknowledgment) || isOld)
            stack->Timers.Start(&wait->_timer, stack->Now + Length);
        Answer(wait);
        return false;
    }

    /// <summary>Whether connect may take the pair: the new connection's timestamps will be larger than any of the old one's.</summary>
    public static bool CanTakeOver(TimeWait* wait) => wait->_hasTimestamps && wait->_stack->Now - wait->_tsRecentTime > ReuseAge;

    /// <summary>Connect takes the pair, going on with its numbers; this object is gone then.</summary>
    public static void TakeOver(TimeWait* wait, out uint sequence, out uint timestampOffset)
    {
        sequence = wait->_sndNxt + SequenceGap;
        timestampOffset = wait->_timestampOffset;
        Remove(wait);
    }

    /// <summary>The stack ends: nothing answers any more.</summary>
    public static void RemoveAll(ref TcpState tcp)
    {
        uint bucket = 0;
        for (FlowEntry* entry = tcp.Flows.Walk(ref bucket); entry != null; entry = tcp.Flows.Walk(ref bucket))
        {
            for (FlowEntry* next; entry != null; entry = next)
            {
                next = entry->Next;
                if (entry->Kind == FlowKind.TimeWait)
                    Remove((TimeWait*)entry);
            }
        }
    }

    private static void OnTimer(NetworkTimer* timer) => Remove((TimeWait*)timer->Context);

    private static void Remove(TimeWait* wait)
    {
        NetworkStack* stack = wait->_stack;
        stack->Timers.Cancel(&wait->_timer);
        stack->Tcp.Flows.Remove(&wait->Flow);
        stack->Tcp.Ports.Release(&wait->_port);
        stack->Tcp.TimeWaitCount--;
        Pool<TimeWait>.Free(wait);
    }

    private static void Answer(TimeWait* wait)
    {
        ulong now = wait->_stack->Now;
        if (wait->_lastAnswer != 0 && now - wait->_lastAnswer < AnswerInterval)
            return;
        wait->_lastAnswer = now;
        BareSegment answer = default;
        answer.Flags = TcpFlags.Acknowledgment;
        answer.Sequence = wait->_sndNxt;
        answer.Acknowledgment = wait->_rcvNxt;
        answer.Window = (ushort)(wait->_rcvWnd >> wait->_rcvScale);
        if (wait->_hasTimestamps)
        {
            answer.Options.Present = TcpOptionSet.Timestamps;
            answer.Options.TimestampValue = (uint)(now >> NetworkTimers.TickShift) + wait->_timestampOffset;
            answer.Options.TimestampEcho = wait->_tsRecent;
        }
        answer.Send(wait->_stack, &wait->_route, &wait->Flow, wait->_sendOptions);
    }
}
