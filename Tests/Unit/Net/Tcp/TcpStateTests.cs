using System.Collections.Generic;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Tcp;
using Ukl.Kernel.Tasks;
using Xunit;

namespace Ukl.Tests.Unit.Net.Tcp;

/// <summary>
/// The state machine, one segment at a time. Each row: the state, what comes, what is answered, the state afterwards, and where it is written. Peer and stack have sent
/// nothing but what the state needs; the peer's next number is 1 (2 after its FIN), the stack's too.
/// </summary>
public sealed unsafe class TcpStateTests
{
    private const TcpFlags None = TcpFlags.None;
    private const TcpFlags Ack = TcpFlags.Acknowledgment;
    private const TcpFlags Syn = TcpFlags.Syn;
    private const TcpFlags Fin = TcpFlags.Fin;
    private const TcpFlags Rst = TcpFlags.Reset;

    public static TheoryData<ConnectionState, TcpFlags, uint, uint, int, string, ConnectionState, string> Table => new()
    {
        // RFC 9293 section 3.10.7.3: SYN-SENT.
        { ConnectionState.SynSent, Ack, 0, 7, 0, "R seq 7", ConnectionState.SynSent, "3.10.7.3 first: an unacceptable ACK is reset" },
        { ConnectionState.SynSent, Ack | Rst, 0, 7, 0, "", ConnectionState.SynSent, "3.10.7.3 first: unless RST" },
        { ConnectionState.SynSent, Ack, 0, 1, 0, "", ConnectionState.SynSent, "3.10.7.3 fifth: neither SYN nor RST" },
        { ConnectionState.SynSent, Ack | Rst, 0, 1, 0, "", ConnectionState.Closed, "3.10.7.3 second: refused" },
        { ConnectionState.SynSent, Rst, 0, 0, 0, "", ConnectionState.SynSent, "3.10.7.3 second: RST without ACK" },
        { ConnectionState.SynSent, Syn | Ack, 0, 1, 0, "A seq 1 ack 1", ConnectionState.Established, "3.10.7.3 fourth" },
        { ConnectionState.SynSent, Syn, 0, 0, 0, "SA seq 0 ack 1", ConnectionState.SynReceived, "3.10.7.3 fourth: simultaneous open" },

        // RFC 9293 section 3.10.7.4 and RFC 5961, simultaneous open.
        { ConnectionState.SynReceived, Ack, 1, 1, 0, "", ConnectionState.Established, "3.10.7.4 fifth: SYN-RECEIVED" },
        { ConnectionState.SynReceived, Ack, 1, 9, 0, "R seq 9", ConnectionState.SynReceived, "3.10.7.4 fifth: unacceptable ACK" },
        { ConnectionState.SynReceived, Syn | Ack, 0, 1, 0, "A seq 1 ack 1", ConnectionState.Established, "3.5 figure 7: SYN,ACK of the other side" },
        { ConnectionState.SynReceived, Rst, 1, 0, 0, "", ConnectionState.Closed, "3.10.7.4 second" },
        { ConnectionState.SynReceived, Fin | Ack, 1, 1, 0, "A seq 1 ack 2", ConnectionState.CloseWait, "3.10.7.4 eighth: FIN" },

        // ESTABLISHED.
        { ConnectionState.Established, Ack, 1, 1, 10, "A seq 1 ack 11", ConnectionState.Established, "3.10.7.4 seventh: data" },
        { ConnectionState.Established, None, 1, 0, 10, "", ConnectionState.Established, "3.10.7.4 fifth: no ACK, dropped" },
        { ConnectionState.Established, Ack, 0, 1, 0, "A seq 1 ack 1", ConnectionState.Established, "3.10.7.4 first: keepalive" },
        { ConnectionState.Established, Ack, 100_000, 1, 5, "A seq 1 ack 1", ConnectionState.Established, "3.10.7.4 first: outside the window" },
        { ConnectionState.Established, Ack, 100, 1, 10, "A seq 1 ack 1", ConnectionState.Established, "5681 4.2: out of order, at once" },
        { ConnectionState.Established, Ack, 1, 2, 0, "A seq 1 ack 1", ConnectionState.Established, "5961 5.2: ACK of what was not sent" },
        { ConnectionState.Established, Rst, 1, 0, 0, "", ConnectionState.Closed, "5961 3.2: exact" },
        { ConnectionState.Established, Rst, 2, 0, 0, "A seq 1 ack 1", ConnectionState.Established, "5961 3.2: in the window, challenged" },
        { ConnectionState.Established, Rst, 100_000, 0, 0, "", ConnectionState.Established, "5961 3.2: outside" },
        { ConnectionState.Established, Syn, 5, 0, 0, "A seq 1 ack 1", ConnectionState.Established, "5961 4.2: SYN" },
        { ConnectionState.Established, Syn | Ack, 0, 1, 0, "A seq 1 ack 1", ConnectionState.Established, "5961 4.2: the old SYN,ACK" },
        { ConnectionState.Established, Fin | Ack, 1, 1, 0, "A seq 1 ack 2", ConnectionState.CloseWait, "3.10.7.4 eighth: FIN" },
        { ConnectionState.Established, Fin | Ack, 1, 1, 10, "A seq 1 ack 12", ConnectionState.CloseWait, "3.10.7.4 eighth: data and FIN" },
        { ConnectionState.Established, Fin | Ack, 11, 1, 0, "A seq 1 ack 1", ConnectionState.Established, "3.10.7.4 eighth: FIN before its time" },

        // FIN-WAIT-1: the stack's FIN has number 1.
        { ConnectionState.FinWait1, Ack, 1, 1, 0, "", ConnectionState.FinWait1, "3.10.7.4 fifth: FIN not yet acknowledged" },
        { ConnectionState.FinWait1, Ack, 1, 2, 0, "", ConnectionState.FinWait2, "3.10.7.4 fifth" },
        { ConnectionState.FinWait1, Ack, 1, 1, 10, "A seq 2 ack 11", ConnectionState.FinWait1, "3.10.7.4 seventh: data" },
        { ConnectionState.FinWait1, Fin | Ack, 1, 1, 0, "A seq 2 ack 2", ConnectionState.Closing, "3.10.7.4 eighth: simultaneous close" },
        { ConnectionState.FinWait1, Fin | Ack, 1, 2, 0, "A seq 2 ack 2", ConnectionState.Closed, "3.10.7.4 eighth: TIME-WAIT" },
        { ConnectionState.FinWait1, Rst, 1, 0, 0, "", ConnectionState.Closed, "3.10.7.4 second" },

        // FIN-WAIT-2.
        { ConnectionState.FinWait2, Ack, 1, 2, 10, "A seq 2 ack 11", ConnectionState.FinWait2, "3.10.7.4 seventh: data" },
        { ConnectionState.FinWait2, Fin | Ack, 1, 2, 0, "A seq 2 ack 2", ConnectionState.Closed, "3.10.7.4 eighth: TIME-WAIT" },
        { ConnectionState.FinWait2, Fin | Ack, 1, 2, 10, "A seq 2 ack 12", ConnectionState.Closed, "3.10.7.4 eighth: data and FIN" },
        { ConnectionState.FinWait2, Rst, 1, 0, 0, "", ConnectionState.Closed, "3.10.7.4 second" },

        // CLOSE-WAIT: the peer's FIN had number 1.
        { ConnectionState.CloseWait, Ack, 2, 1, 0, "", ConnectionState.CloseWait, "3.10.7.4 fifth" },
        { ConnectionState.CloseWait, Fin | Ack, 1, 1, 0, "A seq 1 ack 2", ConnectionState.CloseWait, "3.10.7.4 first: FIN again" },
        { ConnectionState.CloseWait, Rst, 2, 0, 0, "", ConnectionState.Closed, "3.10.7.4 second" },

        // CLOSING: both have sent a FIN, none is acknowledged but the peer's.
        { ConnectionState.Closing, Ack, 2, 2, 0, "", ConnectionState.Closed, "3.10.7.4 fifth: TIME-WAIT" },
        { ConnectionState.Closing, Ack, 2, 1, 0, "", ConnectionState.Closing, "3.10.7.4 fifth: not yet" },
        { ConnectionState.Closing, Fin | Ack, 1, 1, 0, "A seq 2 ack 2", ConnectionState.Closing, "3.10.7.4 first: FIN again" },
        { ConnectionState.Closing, Rst, 2, 0, 0, "", ConnectionState.Closed, "3.10.7.4 second" },

        // LAST-ACK.
        { ConnectionState.LastAck, Ack, 2, 2, 0, "", ConnectionState.Closed, "3.10.7.4 fifth" },
        { ConnectionState.LastAck, Ack, 2, 1, 0, "", ConnectionState.LastAck, "3.10.7.4 fifth: not yet" },
        { ConnectionState.LastAck, Fin | Ack, 1, 1, 0, "A seq 2 ack 2", ConnectionState.LastAck, "3.10.7.4 first: FIN again" },
        { ConnectionState.LastAck, Rst, 2, 0, 0, "", ConnectionState.Closed, "3.10.7.4 second" },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void A_segment_has_the_effect_that_is_written(ConnectionState state, TcpFlags flags, uint sequence, uint acknowledgment, int payload,
        string answer, ConnectionState after, string source)
    {
        using var rig = new SegmentRig();
        Bring(rig, state);
        Assert.Equal(state, rig.State);
        rig.TakeSent();
        rig.Inject(flags, sequence, acknowledgment, payload: payload);
        // A FIN's acknowledgement may wait for the program's own.
        rig.World.Run(50 * SimulatedWorld.Millisecond);
        Assert.Equal(answer, Describe(rig.TakeSent()));
        Assert.True(after == rig.State, $"{source}: {rig.State}");
    }

    // RFC 9293 section 3.10.7.1: no connection.
    [Theory]
    [InlineData(TcpFlags.Syn, 5u, 0u, 0, "RA seq 0 ack 6")]
    [InlineData(TcpFlags.Acknowledgment, 5u, 77u, 0, "R seq 77")]
    [InlineData(TcpFlags.Acknowledgment, 5u, 77u, 10, "R seq 77")]
    [InlineData(TcpFlags.Fin, 5u, 0u, 10, "RA seq 0 ack 16")]
    [InlineData(TcpFlags.Reset, 5u, 0u, 0, "")]
    [InlineData(TcpFlags.Reset | TcpFlags.Acknowledgment, 5u, 77u, 0, "")]
    public void A_closed_port_answers_with_a_reset(TcpFlags flags, uint sequence, uint acknowledgment, int payload, string answer)
    {
        using var rig = new SegmentRig();
        rig.Inject(flags, sequence, acknowledgment, payload: payload);
        Assert.Equal(answer, Describe(rig.TakeSent()));
    }

    // RFC 9293 section 3.10.7.2: LISTEN.
    [Theory]
    [InlineData(TcpFlags.Reset, "")]
    [InlineData(TcpFlags.Acknowledgment, "R seq 77")]
    [InlineData(TcpFlags.Syn | TcpFlags.Acknowledgment, "R seq 77")]
    [InlineData(TcpFlags.Syn, "SA seq 0 ack 6")]
    [InlineData(TcpFlags.Syn | TcpFlags.Fin, "")]
    [InlineData(TcpFlags.Fin, "RA seq 0 ack 6")]
    public void A_listener_takes_a_SYN_and_nothing_else(TcpFlags flags, string answer)
    {
        using var rig = new SegmentRig();
        rig.Listen();
        rig.Inject(flags, 5, (flags & TcpFlags.Acknowledgment) != 0 ? 77u : 0u);
        // Without ACK and SYN a listener drops silently (section 3.10.7.2, fourth).
        Assert.Equal((flags & (TcpFlags.Syn | TcpFlags.Acknowledgment)) == 0 ? "" : answer, Describe(rig.TakeSent()));
    }

    // RFC 9293 section 3.10.7.4 for a request that is not a connection yet.
    [Theory]
    [InlineData(TcpFlags.Reset, 1u, 0u, "", 0u)]
    [InlineData(TcpFlags.Reset, 2u, 0u, "", 1u)]
    [InlineData(TcpFlags.Acknowledgment, 1u, 9u, "R seq 9", 1u)]
    [InlineData(TcpFlags.Acknowledgment, 900_000u, 1u, "", 1u)]
    [InlineData(TcpFlags.Acknowledgment, 1u, 1u, "", 0u)]
    public void A_request_ends_by_an_exact_reset_or_becomes_a_connection(TcpFlags flags, uint sequence, uint acknowledgment, string answer, uint left)
    {
        using var rig = new SegmentRig();
        rig.Listen();
        rig.Inject(TcpFlags.Syn, 0, 0);
        rig.Expect(TcpFlags.Syn | TcpFlags.Acknowledgment, 0, 1);
        Assert.Equal(1u, rig.Host.Stack->Tcp.RequestCount);
        rig.Inject(flags, sequence, acknowledgment);
        Assert.Equal(answer, Describe(rig.TakeSent()));
        Assert.Equal(left, rig.Host.Stack->Tcp.RequestCount);
    }

    // RFC 9293 section 3.10.7.4, TIME-WAIT, and RFC 1337.
    [Theory]
    [InlineData(TcpFlags.Fin | TcpFlags.Acknowledgment, 1u, 2u, "A seq 2 ack 2", 1u)]
    [InlineData(TcpFlags.Acknowledgment, 2u, 2u, "", 1u)]
    [InlineData(TcpFlags.Acknowledgment, 9u, 2u, "A seq 2 ack 2", 1u)]
    [InlineData(TcpFlags.Reset, 2u, 0u, "", 0u)]
    [InlineData(TcpFlags.Reset, 3u, 0u, "", 1u)]
    public void TIME_WAIT_answers_a_late_FIN_and_ends_by_an_exact_reset(TcpFlags flags, uint sequence, uint acknowledgment, string answer, uint left)
    {
        using var rig = new SegmentRig();
        Bring(rig, ConnectionState.FinWait2);
        rig.Inject(TcpFlags.Fin | TcpFlags.Acknowledgment, 1, 2);
        rig.TakeSent();
        Assert.Equal(1u, rig.Host.Stack->Tcp.TimeWaitCount);
        rig.Inject(flags, sequence, acknowledgment);
        Assert.Equal(answer, Describe(rig.TakeSent()));
        Assert.Equal(left, rig.Host.Stack->Tcp.TimeWaitCount);
    }

    [Fact]
    public void TIME_WAIT_lasts_a_minute()
    {
        using var rig = new SegmentRig();
        Bring(rig, ConnectionState.FinWait2);
        rig.Inject(TcpFlags.Fin | TcpFlags.Acknowledgment, 1, 2);
        rig.World.Run(59 * SimulatedWorld.Second);
        Assert.Equal(1u, rig.Host.Stack->Tcp.TimeWaitCount);
        rig.World.Run(2 * SimulatedWorld.Second);
        Assert.Equal(0u, rig.Host.Stack->Tcp.TimeWaitCount);
    }

    [Fact]
    public void A_new_SYN_takes_the_place_of_a_TIME_WAIT()
    {
        // RFC 1122 section 4.2.2.13: a sequence number beyond the old connection's.
        using var rig = new SegmentRig();
        rig.Listen();
        rig.EstablishPassive();
        rig.Shutdown(ShutdownHow.Send);
        rig.Inject(TcpFlags.Acknowledgment, 1, 2);
        rig.Inject(TcpFlags.Fin | TcpFlags.Acknowledgment, 1, 2);
        Assert.Equal(1u, rig.Host.Stack->Tcp.TimeWaitCount);
        rig.Close();
        rig.TakeSent();
        rig.Inject(TcpFlags.Syn, 1, 0);
        Assert.Equal("A seq 2 ack 2", Describe(rig.TakeSent()));
        rig.Inject(TcpFlags.Syn, 3, 0);
        Assert.Equal("SA seq 0 ack 4", Describe(rig.TakeSent()));
        Assert.Equal(0u, rig.Host.Stack->Tcp.TimeWaitCount);
        rig.Inject(TcpFlags.Acknowledgment, 4, 1);
        Assert.True(rig.Accept() is var accepted && accepted != null);
        rig.Do(() =>
        {
            TcpCalls.Close(accepted, true);
            TcpCalls.Release(accepted);
        });
    }

    [Theory]
    [InlineData(ConnectionState.SynSent, Errno.ECONNREFUSED)]
    [InlineData(ConnectionState.Established, Errno.ECONNRESET)]
    [InlineData(ConnectionState.CloseWait, Errno.EPIPE)]
    public void A_reset_becomes_the_error_that_Linux_gives(ConnectionState state, Errno expected)
    {
        using var rig = new SegmentRig();
        Bring(rig, state);
        if (state == ConnectionState.SynSent)
            rig.Inject(TcpFlags.Reset | TcpFlags.Acknowledgment, 0, 1);
        else
            rig.Inject(TcpFlags.Reset, state == ConnectionState.CloseWait ? 2u : 1u, 0);
        Assert.True((rig.Events & PollEvents.Error) != 0);
        Errno error = default;
        rig.Do(() => error = TcpCalls.TakeError(rig.Connection));
        Assert.Equal(expected, error);
        rig.Do(() => error = TcpCalls.TakeError(rig.Connection));
        Assert.Equal(Errno.None, error);
        Assert.Equal(Errno.EPIPE, rig.Send(1).Error);
        Assert.Equal(0, rig.Receive(1).Value);
    }

    [Theory]
    [InlineData(ConnectionState.Established, false, "R seq 1")]
    [InlineData(ConnectionState.Established, true, "R seq 1")]
    [InlineData(ConnectionState.CloseWait, false, "R seq 1")]
    public void Closing_with_unread_data_or_abortively_resets(ConnectionState state, bool isAbort, string answer)
    {
        // RFC 2525 section 2.17, RFC 9293 section 3.10.5.
        using var rig = new SegmentRig();
        Bring(rig, ConnectionState.Established);
        if (!isAbort)
            rig.Inject(TcpFlags.Acknowledgment, 1, 1, payload: 10);
        if (state == ConnectionState.CloseWait)
            rig.Inject(TcpFlags.Fin | TcpFlags.Acknowledgment, 11, 1);
        rig.TakeSent();
        rig.Close(isAbort);
        Assert.StartsWith(answer, Describe(rig.TakeSent()).Replace("RA", "R"));
        Assert.Equal(0u, rig.Host.Stack->Tcp.ConnectionCount);
    }

    [Fact]
    public void Data_for_an_orphan_is_answered_with_a_reset()
    {
        // RFC 1122 section 4.2.2.13.
        using var rig = new SegmentRig();
        Bring(rig, ConnectionState.Established);
        rig.Close();
        Assert.Equal("FA seq 1 ack 1", Describe(rig.TakeSent()));
        rig.Inject(TcpFlags.Acknowledgment, 1, 2);
        rig.Inject(TcpFlags.Acknowledgment, 1, 2, payload: 10);
        Assert.StartsWith("RA seq 2", Describe(rig.TakeSent()));
        Assert.Equal(0u, rig.Host.Stack->Tcp.ConnectionCount);
    }

    [Fact]
    public void A_lingering_close_is_told_when_the_FIN_is_acknowledged()
    {
        using var rig = new SegmentRig();
        Bring(rig, ConnectionState.Established);
        rig.Send(10);
        rig.Do(() => TcpCalls.Close(rig.Connection, false));
        Assert.True(TcpCalls.IsClosing(rig.Connection));
        rig.Inject(Ack, 1, 11);
        Assert.True(TcpCalls.IsClosing(rig.Connection));
        rig.Events = PollEvents.None;
        rig.Inject(Ack, 1, 12);
        Assert.False(TcpCalls.IsClosing(rig.Connection));
        Assert.NotEqual(PollEvents.None, rig.Events & PollEvents.Out);
        rig.Do(() => TcpCalls.Release(rig.Connection));
        rig.Forget();
    }

    [Fact]
    public void An_orphan_whose_window_stays_closed_gives_up()
    {
        using var rig = new SegmentRig();
        Bring(rig, ConnectionState.Established);
        rig.Inject(Ack, 1, 1, window: 0);
        rig.Send(100);
        rig.Close();
        for (int i = 0; i < 3000 && rig.Host.Stack->Tcp.OrphanCount != 0; i++)
        {
            rig.World.Run(100 * SimulatedWorld.Millisecond);
            if (rig.HasSent)
                rig.Inject(Ack, 1, 1, window: 0);
            rig.Discard();
        }
        Assert.Equal(0u, rig.Host.Stack->Tcp.OrphanCount);
    }

    [Fact]
    public void An_absurd_MSS_is_not_believed()
    {
        using var rig = new SegmentRig { UsesTimestamps = true };
        rig.EstablishPassive(synOptions: [2, 4, 0, 1, 1, 1, 8, 10, 0, 0, 3, 232, 0, 0, 0, 0]);
        Assert.Equal(48u, rig.Connection->SndMss);
    }

    [Fact]
    public void An_orphan_in_FIN_WAIT_2_ends_after_a_minute()
    {
        using var rig = new SegmentRig();
        Bring(rig, ConnectionState.Established);
        rig.Close();
        rig.Inject(TcpFlags.Acknowledgment, 1, 2);
        rig.World.Run(59 * SimulatedWorld.Second);
        Assert.Equal(1u, rig.Host.Stack->Tcp.OrphanCount);
        rig.World.Run(2 * SimulatedWorld.Second);
        Assert.Equal(0u, rig.Host.Stack->Tcp.OrphanCount);
    }

    [Fact]
    public void The_errors_of_calls_in_the_wrong_state_are_those_of_Linux()
    {
        using var rig = new SegmentRig();
        Bring(rig, ConnectionState.Established);
        TcpConnection* fresh = null;
        rig.Do(() =>
        {
            fresh = TcpCalls.Create(rig.Host.Stack, false);
            Assert.Equal(PollEvents.Out | PollEvents.WriteNormal | PollEvents.HangUp, TcpCalls.Poll(fresh));
            Assert.Equal(Errno.ENOTCONN, TcpCalls.Shutdown(fresh, ShutdownHow.Both));
            Assert.True(TcpCalls.Accept(fresh, out Errno error) == null);
            Assert.Equal(Errno.EINVAL, error);
            var bytes = new PatternBytes(0, 0);
            Assert.Equal(Errno.ENOTCONN, TcpCalls.Receive(fresh, ref bytes, 1, TcpReceiveFlags.None).Error);
            Assert.Equal(Errno.EPIPE, TcpCalls.Send(fresh, ref bytes, 1, TcpSendFlags.None).Error);
            TcpCalls.Close(fresh, false);
            TcpCalls.Release(fresh);
            Assert.Equal(Errno.EISCONN, TcpCalls.Connect(rig.Connection, rig.Host.Address4, 1));
            Assert.Equal(Errno.EINVAL, TcpCalls.Listen(rig.Connection, 1));
            Assert.Equal(Errno.EINVAL, TcpCalls.Bind(rig.Connection, Ukl.Kernel.Net.IpAddress.Any4, 1));
        });
        Assert.Equal(Errno.EAGAIN, rig.Receive(1).Error);
    }

    private static void Bring(SegmentRig rig, ConnectionState state)
    {
        switch (state)
        {
            case ConnectionState.SynSent:
                rig.Connect();
                return;
            case ConnectionState.SynReceived:
                rig.Connect();
                rig.Inject(Syn, 0, 0);
                return;
        }
        rig.EstablishActive();
        switch (state)
        {
            case ConnectionState.FinWait1:
                rig.Shutdown(ShutdownHow.Send);
                break;
            case ConnectionState.FinWait2:
                rig.Shutdown(ShutdownHow.Send);
                rig.Inject(Ack, 1, 2);
                break;
            case ConnectionState.CloseWait:
                rig.Inject(Fin | Ack, 1, 1);
                rig.World.Run(50 * SimulatedWorld.Millisecond);
                break;
            case ConnectionState.Closing:
                rig.Shutdown(ShutdownHow.Send);
                rig.Inject(Fin | Ack, 1, 1);
                break;
            case ConnectionState.LastAck:
                rig.Inject(Fin | Ack, 1, 1);
                rig.Shutdown(ShutdownHow.Send);
                break;
        }
    }

    private static string Describe(List<WireSegment> segments)
    {
        var texts = new List<string>();
        foreach (WireSegment segment in segments)
        {
            string flags = "";
            foreach ((TcpFlags flag, char letter) in new[] { (Syn, 'S'), (Fin, 'F'), (Rst, 'R'), (Ack, 'A') })
                flags += (segment.Flags & flag) != 0 ? letter : "";
            texts.Add($"{flags} seq {segment.Sequence}" + ((segment.Flags & Ack) != 0 ? $" ack {segment.Acknowledgment}" : ""));
        }
        return string.Join("; ", texts);
    }
}
