using System.Collections.Generic;
using System.Linq;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Tcp;
using Ukl.Kernel.Tasks;
using Xunit;

namespace Ukl.Tests.Unit.Net.Tcp;

/// <summary>Windows, small segments, acknowledgements, probes: RFC 9293 section 3.8.</summary>
public sealed unsafe class TcpFlowTests
{
    private const TcpFlags Ack = TcpFlags.Acknowledgment;
    private const ulong Millisecond = SimulatedWorld.Millisecond;
    private const ulong Second = SimulatedWorld.Second;
    private const uint Mss = 1460;

    private static readonly byte[] s_syn = [2, 4, 5, 0xb4, 1, 1, 4, 2];
    private static readonly byte[] s_scaled = [2, 4, 5, 0xb4, 1, 3, 3, 4];

    [Fact]
    public void A_closed_window_is_asked_about_in_growing_intervals_and_opens()
    {
        using var rig = new SegmentRig();
        rig.EstablishActive(window: 1000, synOptions: s_syn);
        Assert.Equal(5000, rig.Send(5000).Value);
        rig.Expect(Ack, 1, 1, 1000);
        rig.Inject(Ack, 1, 1001, window: 0);
        rig.ExpectNothing();
        ulong last = rig.World.Now;
        ulong gap = 0;
        for (int i = 0; i < 6; i++)
        {
            while (!rig.HasSent)
                rig.World.Run(Millisecond);
            // Nothing new: a number that is acknowledged already makes the other end answer.
            rig.Expect(Ack, 1000, 1, 0);
            Assert.True(rig.World.Now - last > gap);
            gap = rig.World.Now - last;
            last = rig.World.Now;
            rig.Inject(Ack, 1, 1001, window: 0);
        }
        rig.Inject(Ack, 1, 1001, window: 65535);
        Assert.Equal([1001u, 1001 + Mss, 1001 + (2 * Mss)], rig.TakeSent().Select(segment => segment.Sequence));
        rig.Inject(Ack, 1, 5001);
    }

    [Fact]
    public void A_window_that_stays_closed_does_not_end_the_connection_but_silence_does()
    {
        using var rig = new SegmentRig();
        rig.EstablishActive(window: 1000, synOptions: s_syn);
        rig.Send(5000);
        rig.Inject(Ack, 1, 1001, window: 0);
        for (int i = 0; i < 40; i++)
        {
            while (!rig.HasSent)
                rig.World.Run(100 * Millisecond);
            rig.TakeSent();
            rig.Inject(Ack, 1, 1001, window: 0);
        }
        Assert.Equal(ConnectionState.Established, rig.State);
        rig.World.Run(3000 * Second);
        Assert.Equal(ConnectionState.Closed, rig.State);
        Assert.Equal(Errno.ETIMEDOUT, rig.Send(1).Error);
    }

    [Fact]
    public void The_offered_window_shrinks_as_nobody_reads_never_goes_back_and_opens_again()
    {
        using var rig = new SegmentRig();
        rig.EstablishActive(synOptions: s_syn);
        uint sequence = 1;
        long edge = 0;
        for (int i = 0; i < 200; i++)
        {
            rig.Inject(Ack, sequence, 1, payload: 1000);
            rig.World.Run(60 * Millisecond);
            List<WireSegment> sent = rig.TakeSent();
            if (sent.Count == 0)
                continue;
            WireSegment last = sent[^1];
            Assert.True(last.Acknowledgment + last.Window >= edge, "the window was taken back");
            edge = last.Acknowledgment + last.Window;
            sequence = last.Acknowledgment;
            if (last.Window == 0)
                break;
        }
        Assert.InRange(sequence, 30_000u, 65_536u);
        // A probe with data is answered and not taken.
        rig.Inject(Ack, sequence, 1, payload: 1);
        WireSegment refused = rig.Expect(Ack, 1, sequence);
        Assert.Equal(0, refused.Window);
        byte[] bytes = new byte[40_000];
        Result read = rig.Receive(bytes, bytes.Length);
        for (uint i = 0; i < read.Value; i++)
            Assert.Equal(SegmentRig.ByteAt(1 + i), bytes[i]);
        WireSegment update = rig.Expect(Ack, 1, sequence);
        Assert.True(update.Window > 10_000);
    }

    [Fact]
    public void Small_reads_do_not_bring_small_windows()
    {
        // RFC 9293 section 3.8.6.2.2.
        using var rig = new SegmentRig();
        rig.EstablishActive(synOptions: s_syn);
        uint sequence = 1;
        for (int i = 0; i < 60; i++, sequence += 1400)
            rig.Inject(Ack, sequence, 1, payload: 1400);
        rig.World.Run(Second);
        rig.TakeSent();
        int updates = 0;
        for (int i = 0; i < 2000; i++)
        {
            rig.Receive(10);
            updates += rig.TakeSent().Count;
        }
        Assert.InRange(updates, 0, 4);
    }

    [Fact]
    public void Nagle_holds_a_second_small_segment_and_not_the_first()
    {
        using var rig = new SegmentRig();
        rig.EstablishActive(synOptions: s_syn);
        rig.Send(10);
        rig.Expect(Ack, 1, 1, 10);
        rig.Send(10);
        rig.Send(10);
        rig.ExpectNothing();
        rig.Inject(Ack, 1, 11);
        rig.Expect(Ack, 11, 1, 20);
        // A full segment goes at once, its small rest waits.
        rig.Send((int)Mss + 5);
        rig.Expect(Ack, 31, 1, (int)Mss);
        rig.Inject(Ack, 1, 31);
        rig.Expect(Ack, 31 + Mss, 1, 5);
        rig.Inject(Ack, 1, 31 + Mss + 5);
    }

    [Fact]
    public void TCP_NODELAY_sends_at_once_and_setting_it_lets_go_what_waited()
    {
        using var rig = new SegmentRig();
        rig.EstablishActive(synOptions: s_syn);
        rig.Send(10);
        rig.Send(10);
        rig.Expect(Ack, 1, 1, 10);
        rig.Do(() => TcpCalls.SetNoDelay(rig.Connection, true));
        rig.Expect(Ack, 11, 1, 10);
        rig.Send(3);
        rig.Expect(Ack, 21, 1, 3);
        rig.Inject(Ack, 1, 24);
    }

    [Fact]
    public void TCP_CORK_and_MSG_MORE_wait_for_a_full_segment_or_200_ms()
    {
        using var rig = new SegmentRig();
        rig.EstablishActive(synOptions: s_syn);
        rig.Do(() => TcpCalls.SetCork(rig.Connection, true));
        rig.Send(10);
        rig.ExpectNothing();
        rig.Send((int)Mss);
        rig.Expect(Ack, 1, 1, (int)Mss);
        rig.Inject(Ack, 1, 1 + Mss);
        rig.ExpectNothing();
        rig.Do(() => TcpCalls.SetCork(rig.Connection, false));
        rig.Expect(Ack, 1 + Mss, 1, 10);
        rig.Inject(Ack, 1, 11 + Mss);
        rig.Send(7, TcpSendFlags.More);
        rig.ExpectNothing();
        rig.World.Run(250 * Millisecond);
        rig.Expect(Ack, 11 + Mss, 1, 7);
        rig.Inject(Ack, 1, 18 + Mss);
        rig.Send(7, TcpSendFlags.More);
        rig.Send(7);
        rig.Expect(Ack, 18 + Mss, 1, 14);
        rig.Inject(Ack, 1, 32 + Mss);
    }

    [Fact]
    public void A_batch_of_segments_is_acknowledged_once_and_wakes_once()
    {
        using var rig = new SegmentRig();
        rig.EstablishActive(synOptions: s_syn);
        BeginDelaying(rig);
        var frames = new List<byte[]>();
        for (uint i = 0; i < 10; i++)
            frames.Add(rig.Build(Ack, 1 + (i * 1000), 1, payload: 1000));
        rig.Notifications = 0;
        rig.Host.Receive(frames);
        rig.Expect(Ack, 1, 10_001);
        Assert.Equal(1, rig.Notifications);
    }

    [Fact]
    public void A_lone_segment_is_acknowledged_after_40_ms_or_with_the_answer()
    {
        using var rig = new SegmentRig();
        rig.EstablishActive(synOptions: s_syn);
        BeginDelaying(rig);
        rig.Inject(Ack, 1, 1, payload: 1000);
        rig.ExpectNothing();
        rig.World.Run(39 * Millisecond);
        rig.ExpectNothing();
        rig.World.Run(3 * Millisecond);
        rig.Expect(Ack, 1, 1001, 0);
        rig.Inject(Ack, 1001, 1, payload: 1000);
        rig.Send(5);
        rig.Expect(Ack, 1, 2001, 5);
        rig.World.Run(100 * Millisecond);
        rig.ExpectNothing();
        rig.Inject(Ack, 2001, 6);
        // Two full segments are acknowledged at once (RFC 5681 section 4.2).
        rig.Inject(Ack, 2001, 6, payload: 1000);
        rig.Inject(Ack, 3001, 6, payload: 1000);
        rig.Expect(Ack, 6, 4001, 0);
    }

    [Fact]
    public void At_the_beginning_acknowledgements_are_quick()
    {
        using var rig = new SegmentRig();
        rig.EstablishPassive(synOptions: s_syn);
        rig.Inject(Ack, 1, 1, payload: 100);
        rig.Expect(Ack, 1, 101, 0);
    }

    [Fact]
    public void Windows_are_scaled_but_for_the_handshakes_own()
    {
        using var rig = new SegmentRig();
        rig.EstablishActive(window: 40_000, synOptions: s_scaled);
        Assert.Equal(40_000u, rig.Connection->SndWnd);
        rig.Inject(Ack, 1, 1, window: 5000);
        Assert.Equal(80_000u, rig.Connection->SndWnd);
        Assert.Equal(7, rig.Connection->RcvScale);
    }

    [Fact]
    public void Out_of_order_data_is_told_by_SACK_the_newest_range_first()
    {
        using var rig = new SegmentRig();
        rig.EstablishActive(synOptions: s_syn);
        rig.Inject(Ack, 1001, 1, payload: 100);
        Assert.Equal(Sack((1001, 1101)), rig.Expect(Ack, 1, 1).Options);
        rig.Inject(Ack, 3001, 1, payload: 100);
        Assert.Equal(Sack((3001, 3101), (1001, 1101)), rig.Expect(Ack, 1, 1).Options);
        rig.Inject(Ack, 1101, 1, payload: 100);
        Assert.Equal(Sack((1001, 1201), (3001, 3101)), rig.Expect(Ack, 1, 1).Options);
        rig.Inject(Ack, 1, 1, payload: 1000);
        Assert.Equal(Sack((3001, 3101)), rig.Expect(Ack, 1, 1201).Options);
        rig.Inject(Ack, 1201, 1, payload: 1900);
        Assert.Empty(rig.Expect(Ack, 1, 3101).Options);
        byte[] bytes = new byte[3100];
        Assert.Equal(3100, rig.Receive(bytes, 3100).Value);
        for (uint i = 0; i < 3100; i++)
            Assert.Equal(SegmentRig.ByteAt(1 + i), bytes[i]);
    }

    [Fact]
    public void Old_timestamps_are_answered_and_dropped()
    {
        // PAWS, RFC 7323 section 5.
        using var rig = new SegmentRig { UsesTimestamps = true };
        rig.EstablishPassive(synOptions: [2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 3, 232, 0, 0, 0, 0]);
        Assert.True(rig.Connection->Has(ConnectionFlags.Timestamps));
        rig.TimestampValue = 2000;
        rig.Inject(Ack, 1, 1, payload: 100);
        rig.Expect(Ack, 1, 101);
        rig.TimestampValue = 1999;
        rig.Inject(Ack, 101, 1, payload: 100);
        rig.Expect(Ack, 1, 101);
        Assert.Equal(100u, rig.Connection->ReceiveQueue.Bytes);
        // A reset is taken whatever its timestamp.
        rig.Inject(TcpFlags.Reset, 101, 1);
        Assert.Equal(ConnectionState.Closed, rig.State);
    }

    [Fact]
    public void Keepalive_asks_and_gives_up_on_a_client_that_vanished()
    {
        using var rig = new SegmentRig();
        rig.EstablishPassive(synOptions: s_syn);
        rig.Do(() =>
        {
            TcpCalls.SetKeepAlive(rig.Connection, true);
            TcpCalls.SetKeepIdle(rig.Connection, 10);
            TcpCalls.SetKeepInterval(rig.Connection, 2);
            TcpCalls.SetKeepCount(rig.Connection, 3);
        });
        rig.World.Run(9900 * Millisecond);
        rig.ExpectNothing();
        rig.World.Run(200 * Millisecond);
        rig.Expect(Ack, 0, 1, 0);
        rig.Inject(Ack, 1, 1);
        rig.World.Run(9900 * Millisecond);
        rig.ExpectNothing();
        rig.World.Run(5 * Second);
        Assert.Equal(3, rig.TakeSent().Count);
        Assert.Equal(ConnectionState.Established, rig.State);
        rig.World.Run(2 * Second);
        rig.Expect(TcpFlags.Reset | Ack, 1, 1);
        Assert.Equal(ConnectionState.Closed, rig.State);
        Assert.True((rig.Events & PollEvents.Error) != 0);
        Assert.Equal(Errno.ETIMEDOUT, rig.Receive(1).Error);
    }

    [Fact]
    public void TCP_USER_TIMEOUT_ends_a_connection_whose_data_is_not_acknowledged()
    {
        using var rig = new SegmentRig();
        rig.EstablishActive(synOptions: s_syn);
        rig.Do(() => TcpCalls.SetUserTimeout(rig.Connection, 3000));
        rig.Send(10);
        rig.World.Run(2 * Second);
        Assert.Equal(ConnectionState.Established, rig.State);
        rig.World.Run(4 * Second);
        Assert.Equal(ConnectionState.Closed, rig.State);
    }

    [Fact]
    public void A_connection_attempt_without_an_answer_times_out()
    {
        using var rig = new SegmentRig();
        rig.Connect();
        rig.World.Run(200 * Second);
        Assert.Equal(7, rig.TakeSent().Count);
        Assert.Equal(ConnectionState.Closed, rig.State);
        Errno error = default;
        rig.Do(() => error = TcpCalls.TakeError(rig.Connection));
        Assert.Equal(Errno.ETIMEDOUT, error);
    }

    [Fact]
    public void Urgent_data_is_one_byte_out_of_line_and_reading_stops_before_it()
    {
        using var rig = new SegmentRig();
        rig.EstablishActive(synOptions: s_syn);
        Assert.Equal(Errno.EINVAL, rig.Receive(1, TcpReceiveFlags.OutOfBand).Error);
        // The pointer names the byte after number 5.
        rig.Inject(Ack | TcpFlags.Urgent, 1, 1, payload: 10, urgent: 5);
        Assert.True((rig.Events & PollEvents.Priority) != 0);
        byte[] bytes = new byte[20];
        Assert.Equal(1, rig.Receive(bytes, 5, TcpReceiveFlags.OutOfBand).Value);
        Assert.Equal(SegmentRig.ByteAt(5), bytes[0]);
        Assert.Equal(Errno.EINVAL, rig.Receive(1, TcpReceiveFlags.OutOfBand).Error);
        Assert.Equal(4, rig.Receive(bytes, 20).Value);
        Assert.True(TcpCalls.IsAtMark(rig.Connection));
        Assert.Equal(5, rig.Receive(bytes, 20).Value);
        Assert.Equal(SegmentRig.ByteAt(6), bytes[0]);
        Assert.False(TcpCalls.IsAtMark(rig.Connection));
    }

    [Fact]
    public void Urgent_data_inline_is_part_of_the_stream_behind_a_stop()
    {
        using var rig = new SegmentRig();
        rig.EstablishActive(synOptions: s_syn);
        rig.Do(() => TcpCalls.SetUrgentInline(rig.Connection, true));
        rig.Inject(Ack | TcpFlags.Urgent, 1, 1, payload: 10, urgent: 5);
        byte[] bytes = new byte[20];
        Assert.Equal(4, rig.Receive(bytes, 20).Value);
        Assert.Equal(6, rig.Receive(bytes, 20).Value);
        Assert.Equal(SegmentRig.ByteAt(5), bytes[0]);
    }

    [Fact]
    public void Sent_urgent_data_is_pointed_at_until_it_is_acknowledged()
    {
        using var rig = new SegmentRig();
        rig.EstablishActive(synOptions: s_syn);
        rig.Send(3, TcpSendFlags.OutOfBand);
        List<WireSegment> sent = rig.TakeSent();
        Assert.Equal(TcpFlags.Urgent, sent[0].Flags & TcpFlags.Urgent);
        rig.Inject(Ack, 1, 4);
        rig.Send(3);
        Assert.Equal(TcpFlags.None, rig.TakeSent()[0].Flags & TcpFlags.Urgent);
        rig.Inject(Ack, 1, 7);
    }

    [Fact]
    public void Challenges_are_limited()
    {
        // RFC 5961 section 7.
        using var rig = new SegmentRig();
        rig.EstablishActive(synOptions: s_syn);
        for (int i = 0; i < 1000; i++)
            rig.Inject(TcpFlags.Reset, 2 + (uint)i, 0);
        Assert.Single(rig.TakeSent());
        Assert.Equal(ConnectionState.Established, rig.State);
        rig.World.Run(600 * Millisecond);
        rig.Inject(TcpFlags.Syn, 3, 0);
        Assert.Single(rig.TakeSent());
    }

    [Fact]
    public void A_sender_of_single_bytes_out_of_order_cannot_fill_the_memory()
    {
        using var rig = new SegmentRig();
        rig.EstablishActive(synOptions: s_syn);
        uint before = rig.Host.Stack->Packets.InUse;
        for (uint i = 0; i < 30_000; i++)
            rig.Inject(Ack, 3 + (i * 2), 1, payload: 1);
        Assert.InRange(rig.Host.Stack->Packets.InUse - before, 1u, rig.Connection->RcvBuf / 2048);
        rig.TakeSent();
        rig.Inject(Ack, 1, 1, payload: 1);
        Assert.Equal(1u, rig.Connection->ReceiveQueue.Bytes);
    }

    /// <summary>The quick acknowledgements of the beginning are over, and there is room for more than is offered.</summary>
    private static void BeginDelaying(SegmentRig rig) => rig.Do(() =>
    {
        rig.Connection->QuickAcks = 0;
        TcpCalls.SetReceiveBuffer(rig.Connection, 1 << 20);
    });

    private static byte[] Sack(params (uint Start, uint End)[] blocks) => SegmentRig.SackOfPeer(blocks);
}
