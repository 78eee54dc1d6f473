using System.Collections.Generic;
using System.Linq;
using Ukl.Kernel.Net.Tcp;
using Xunit;

namespace Ukl.Tests.Unit.Net.Tcp;

/// <summary>What is sent again, and when: RFC 5681, 6675, 6582, 3042, 6298. The MSS is 1460; payload of a segment is named by its first number.</summary>
public sealed unsafe class TcpRecoveryTests
{
    private const TcpFlags Ack = TcpFlags.Acknowledgment;
    private const ulong Millisecond = SimulatedWorld.Millisecond;
    private const uint Mss = 1460;

    private static readonly byte[] s_sackPermitted = [2, 4, 5, 0xb4, 1, 1, 4, 2];
    private static readonly byte[] s_mssOnly = [2, 4, 5, 0xb4];

    [Fact]
    public void Three_duplicates_bring_a_fast_retransmit_with_NewReno_and_a_partial_acknowledgement_the_next()
    {
        using var rig = new SegmentRig();
        rig.EstablishActive(synOptions: s_mssOnly);
        rig.Send(20 * (int)Mss);
        Assert.Equal(Numbers(0, 10), Sent(rig));
        rig.Inject(Ack, 1, 1);
        // RFC 3042: each of the first two duplicates lets one new segment go.
        Assert.Equal(Numbers(10, 1), Sent(rig));
        rig.Inject(Ack, 1, 1);
        Assert.Equal(Numbers(11, 1), Sent(rig));
        rig.Inject(Ack, 1, 1);
        Assert.Equal(Numbers(0, 1), Sent(rig));
        // Segments 0 and 3 are missing: what was in flight has left but for these.
        for (int i = 0; i < 7; i++)
            rig.Inject(Ack, 1, 1);
        Sent(rig);
        rig.Inject(Ack, 1, At(3));
        Assert.Contains(At(3), Sent(rig));
        Assert.Equal(LossPhase.Recovery, rig.Connection->Loss.Phase);
        rig.Inject(Ack, 1, rig.Connection->SndNxt - rig.Connection->Iss);
        Assert.Equal(LossPhase.Open, rig.Connection->Loss.Phase);
    }

    [Fact]
    public void SACK_names_exactly_what_is_missing()
    {
        using var rig = new SegmentRig();
        rig.EstablishActive(synOptions: s_sackPermitted);
        rig.Send(10 * (int)Mss);
        Assert.Equal(Numbers(0, 10), Sent(rig));
        // 0, 4 and 5 are lost; the others arrive one after the other.
        rig.Inject(Ack, 1, 1, options: rig.SackOfLocal((At(1), At(2))));
        rig.Inject(Ack, 1, 1, options: rig.SackOfLocal((At(1), At(3))));
        Assert.Empty(Sent(rig));
        rig.Inject(Ack, 1, 1, options: rig.SackOfLocal((At(1), At(4))));
        Assert.Equal(Numbers(0, 1), Sent(rig));
        Assert.Equal(7 * Mss, rig.Connection->Cwnd);
        rig.Inject(Ack, 1, 1, options: rig.SackOfLocal((At(6), At(7)), (At(1), At(4))));
        Assert.Empty(Sent(rig));
        rig.Inject(Ack, 1, 1, options: rig.SackOfLocal((At(6), At(9)), (At(1), At(4))));
        Assert.Equal(Numbers(4, 2), Sent(rig));
        rig.Inject(Ack, 1, At(4), options: rig.SackOfLocal((At(6), At(10))));
        Assert.Empty(Sent(rig));
        rig.Inject(Ack, 1, At(10));
        Assert.Equal(LossPhase.Open, rig.Connection->Loss.Phase);
        Assert.True(rig.Connection->Loss.Board == null);
    }

    [Fact]
    public void A_retransmission_that_is_lost_is_noticed_when_later_data_arrives()
    {
        using var rig = new SegmentRig();
        rig.EstablishActive(synOptions: s_sackPermitted);
        rig.Send(30 * (int)Mss);
        Assert.Equal(Numbers(0, 10), Sent(rig));
        rig.Inject(Ack, 1, 1, options: rig.SackOfLocal((At(1), At(10))));
        List<uint> sent = Sent(rig);
        Assert.Equal(At(0), sent[0]);
        Assert.True(sent.Count >= 4);
        // Everything but 0 arrives, new data included.
        rig.Inject(Ack, 1, 1, options: rig.SackOfLocal((At(1), At(9 + sent.Count))));
        Assert.Equal(At(0), Sent(rig)[0]);
        Assert.Equal(0, rig.Connection->Retries);
    }

    [Fact]
    public void The_timeout_doubles_and_gives_up_after_fifteen_retries()
    {
        using var rig = new SegmentRig();
        rig.EstablishActive(synOptions: s_mssOnly);
        rig.Send(100);
        rig.Expect(Ack, 1, 1, 100);
        ulong last = rig.World.Now;
        var gaps = new List<double>();
        for (int i = 0; i < 15; i++)
        {
            while (!rig.HasSent)
                rig.World.Run(Millisecond);
            gaps.Add((rig.World.Now - last) / 1e9);
            last = rig.World.Now;
            rig.Expect(Ack, 1, 1, 100);
        }
        Assert.InRange(gaps[0], 0.199, 0.210);
        for (int i = 1; i < gaps.Count; i++)
            Assert.InRange(gaps[i], System.Math.Min(120, 2 * gaps[i - 1]) * 0.97, System.Math.Min(120, 2 * gaps[i - 1]) * 1.03);
        rig.World.Run(125 * SimulatedWorld.Second);
        Assert.Equal(ConnectionState.Closed, rig.State);
        Assert.Equal(Kernel.Abi.Errno.ETIMEDOUT, rig.Send(1).Error);
    }

    [Fact]
    public void After_a_timeout_the_window_begins_with_one_segment_and_what_was_told_by_SACK_is_not_sent_again()
    {
        using var rig = new SegmentRig();
        rig.EstablishActive(synOptions: s_sackPermitted);
        rig.Send(10 * (int)Mss);
        Sent(rig);
        rig.Inject(Ack, 1, 1, options: rig.SackOfLocal((At(2), At(3))));
        rig.World.Run(300 * Millisecond);
        Assert.Equal(Numbers(0, 1), Sent(rig));
        Assert.Equal(Mss, rig.Connection->Cwnd);
        rig.Inject(Ack, 1, At(1), options: rig.SackOfLocal((At(2), At(3))));
        // Slow start: two segments, and segment 2 is there already.
        Assert.Equal([At(1), At(3)], Sent(rig));
        rig.Inject(Ack, 1, At(10));
        Assert.Equal(LossPhase.Open, rig.Connection->Loss.Phase);
        Assert.Equal(0, rig.Connection->Rtt.Backoff);
    }

    [Fact]
    public void A_receiver_that_drops_what_it_told_of_gets_it_again()
    {
        // RFC 2018 section 8.
        using var rig = new SegmentRig();
        rig.EstablishActive(synOptions: s_sackPermitted);
        rig.Send(4 * (int)Mss);
        Sent(rig);
        rig.Inject(Ack, 1, 1, options: rig.SackOfLocal((At(1), At(4))));
        Sent(rig);
        rig.Inject(Ack, 1, At(1));
        rig.World.Run(300 * Millisecond);
        Assert.Equal(Numbers(1, 1), Sent(rig));
        rig.Inject(Ack, 1, At(2));
        Assert.Equal(Numbers(2, 2), Sent(rig));
        rig.Inject(Ack, 1, At(4));
    }

    [Fact]
    public void Round_trips_are_not_measured_by_what_was_sent_twice()
    {
        // Karn's algorithm, RFC 6298 section 3.
        using var rig = new SegmentRig();
        rig.EstablishActive(synOptions: s_mssOnly);
        rig.Send(100);
        rig.World.Run(20 * Millisecond);
        rig.Inject(Ack, 1, 101);
        ulong smoothed = rig.Connection->Rtt.Smoothed;
        rig.Send(100);
        rig.World.Run(500 * Millisecond);
        rig.Inject(Ack, 1, 201);
        Assert.Equal(smoothed, rig.Connection->Rtt.Smoothed);
        Assert.Equal(0, rig.Connection->Rtt.Backoff);
    }

    [Fact]
    public void A_narrower_path_brings_smaller_segments_at_once()
    {
        // RFC 1191 section 6.5.
        using var rig = new SegmentRig();
        rig.EstablishActive(synOptions: s_sackPermitted);
        rig.Send(4 * (int)Mss);
        byte[] lost = rig.LastFrame;
        Sent(rig);
        rig.InjectTooBig(lost, 1000);
        List<WireSegment> again = rig.TakeSent();
        Assert.True(again.Count >= 4);
        Assert.All(again, segment => Assert.True(segment.Payload.Length <= 960));
        Assert.Equal(4 * (int)Mss, again.Sum(segment => segment.Payload.Length));
        Assert.Equal(1u, again[0].Sequence);
        rig.Inject(Ack, 1, At(4));
    }

    private static uint At(int segment) => 1 + ((uint)segment * Mss);

    private static List<uint> Numbers(int first, int count) => [.. Enumerable.Range(first, count).Select(At)];

    private static List<uint> Sent(SegmentRig rig) => [.. rig.TakeSent().Select(segment => segment.Sequence)];
}
