using System;
using Ukl.Kernel.Net;
using Ukl.Kernel.Net.Tcp;
using Ukl.Tests.Unit.Net.Tcp;
using Xunit;

namespace Ukl.Tests.Unit.Net;

/// <summary>What the protocols count (RFC 4293, 4022, 4113): each thing once, on the right side.</summary>
public sealed unsafe class ProtocolStatisticsTests : IDisposable
{
    private const byte Unreachable = 3;

    private readonly VirtualClock _clock = new();
    private readonly TestHost _left;
    private readonly TestHost _right;

    public ProtocolStatisticsTests()
    {
        _left = new TestHost(_clock, 1);
        _right = new TestHost(_clock, 2);
        TestHost.Connect(_left, _right);
        _left.AddAddress("10.0.0.1", 24);
        _right.AddAddress("10.0.0.2", 24);
        // Both come up with packets of their own (groups, neighbours), of IPv6.
        _clock.Advance(10 * VirtualClock.Second);
        _left.Stack->Statistics = default;
        _right.Stack->Statistics = default;
    }

    public void Dispose()
    {
        _clock.Advance(200 * VirtualClock.Second);
        _left.Dispose();
        _right.Dispose();
    }

    [Fact]
    public void A_datagram_and_its_answer_that_nobody_is_there()
    {
        using var client = new TestSocket(_left);
        client.SendTo("hello"u8, "10.0.0.2", 53);
        ref ProtocolStatistics left = ref _left.Stack->Statistics, right = ref _right.Stack->Statistics;
        Assert.Equal((1ul, 1ul, 1ul, 1ul), (left.V4.Sent, left.Udp4.Sent, left.V4.Received, left.V4.Delivered));
        Assert.Equal((1ul, 1u), (left.Icmp4.Received, left.Icmp4.ReceivedByType[Unreachable]));
        Assert.Equal((1ul, 1ul, 1ul, 1ul), (right.V4.Received, right.V4.Delivered, right.Udp4.NoPorts, right.V4.Sent));
        Assert.Equal((1ul, 1u), (right.Icmp4.Sent, right.Icmp4.SentByType[Unreachable]));
        Assert.Equal(0ul, right.Udp4.Received + right.Udp4.Errors + right.V4.HeaderErrors + right.V4.AddressErrors);
    }

    [Fact]
    public void A_datagram_in_pieces()
    {
        using var client = new TestSocket(_left);
        using var server = new TestSocket(_right);
        server.Bind("10.0.0.2", 1000);
        client.SendTo(new byte[4000], "10.0.0.2", 1000);
        ref IpStatistics left = ref _left.Stack->Statistics.V4, right = ref _right.Stack->Statistics.V4;
        Assert.Equal((1ul, 1ul, 3ul), (left.Sent, left.Fragmented, left.PiecesSent));
        Assert.Equal((3ul, 3ul, 1ul, 0ul, 1ul), (right.Received, right.Pieces, right.Reassembled, right.ReassemblyFailures, right.Delivered));
        Assert.Equal(1ul, _right.Stack->Statistics.Udp4.Received);
    }

    [Fact]
    public void Pieces_whose_time_is_over()
    {
        int pieces = 0;
        _left.Filter = frame => frame[23] != 17 || ++pieces != 2;
        using var client = new TestSocket(_left);
        client.SendTo(new byte[4000], "10.0.0.2", 1000);
        ref IpStatistics right = ref _right.Stack->Statistics.V4;
        Assert.Equal((2ul, 0ul, 0ul), (right.Pieces, right.Reassembled, right.ReassemblyFailures));
        _clock.Advance(60 * VirtualClock.Second);
        Assert.Equal((1ul, 1ul, 0ul), (right.ReassemblyFailures, right.ReassemblyTimeouts, right.Reassembled));
    }

    [Fact]
    public void Wrong_packets()
    {
        byte[] good = Frames.Ipv4(
            _left.Mac, _right.Mac, "10.0.0.1", "10.0.0.2", PacketDotNet.ProtocolType.Udp, Frames.Udp("10.0.0.1", "10.0.0.2", 1, 2, "x"u8));
        _right.Receive(Changed(good, at: 22));
        _right.Receive(Changed(good, at: good.Length - 1));
        _right.Receive(Frames.Ipv4(_left.Mac, _right.Mac, "10.0.0.1", "10.0.0.77", PacketDotNet.ProtocolType.Udp, good[34..]));
        _right.Receive(Frames.Ipv4(_left.Mac, _right.Mac, "10.0.0.1", "10.0.0.2", (PacketDotNet.ProtocolType)200, [1, 2, 3, 4, 5, 6, 7, 8]));
        ref ProtocolStatistics right = ref _right.Stack->Statistics;
        Assert.Equal((4ul, 1ul, 1ul, 1ul, 1ul), (right.V4.Received, right.V4.HeaderErrors, right.V4.AddressErrors, right.V4.UnknownProtocols, right.V4.Delivered));
        Assert.Equal((1ul, 1ul, 0ul), (right.Udp4.Errors, right.Udp4.ChecksumErrors, right.Udp4.Received));
    }

    [Fact]
    public void Where_no_way_leads()
    {
        using var client = new TestSocket(_left);
        client.SendTo("hello"u8, "192.0.2.1", 53);
        ref ProtocolStatistics left = ref _left.Stack->Statistics;
        Assert.Equal((1ul, 0ul, 0ul), (left.V4.NoRoutes, left.V4.Sent, left.Udp4.Sent));
    }

    [Fact]
    public void Connections()
    {
        using var rig = new SegmentRig();
        rig.Host.Stack->Statistics = default;
        rig.EstablishPassive();
        ref TcpStatistics tcp = ref rig.Host.Stack->Statistics.Tcp;
        Assert.Equal((1ul, 0ul, 2ul, 1ul), (tcp.PassiveOpens, tcp.ActiveOpens, tcp.SegmentsIn, tcp.SegmentsOut));
        rig.Send(10);
        Assert.Equal((2ul, 0ul), (tcp.SegmentsOut, tcp.Retransmitted));
        rig.World.Run(2 * SimulatedWorld.Second);
        Assert.NotEqual(0ul, tcp.Retransmitted);
        Assert.Equal(2 + tcp.Retransmitted, tcp.SegmentsOut);
        rig.Inject(TcpFlags.Reset, 1, 0);
        Assert.Equal((1ul, 0ul, 0ul), (tcp.Resets, tcp.FailedAttempts, tcp.ResetsSent));
    }

    [Fact]
    public void Connections_that_do_not_come_about()
    {
        using var rig = new SegmentRig();
        rig.Host.Stack->Statistics = default;
        rig.Connect();
        rig.Inject(TcpFlags.Reset | TcpFlags.Acknowledgment, 0, 1);
        ref TcpStatistics tcp = ref rig.Host.Stack->Statistics.Tcp;
        Assert.Equal((1ul, 1ul, 0ul), (tcp.ActiveOpens, tcp.FailedAttempts, tcp.Resets));
        rig.RemotePort = 999;
        rig.Inject(TcpFlags.Acknowledgment, 5, 5);
        Assert.Equal((1ul, 0ul), (tcp.ResetsSent, tcp.Errors));
    }

    private static byte[] Changed(byte[] frame, int at)
    {
        byte[] changed = [.. frame];
        changed[at] ^= 0x55;
        return changed;
    }
}
