using System;
using System.Linq;
using System.Net.NetworkInformation;
using PacketDotNet;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net;
using Ukl.Kernel.Net.Datagrams;
using Xunit;

namespace Ukl.Tests.Unit.Net;

/// <summary>Echo, ping and raw sockets, and which errors are believed (RFC 792, RFC 1122, RFC 4443).</summary>
public sealed unsafe class IcmpTests : IDisposable
{
    private readonly VirtualClock _clock = new();
    private readonly TestHost _left;
    private readonly TestHost _right;

    public IcmpTests()
    {
        _left = new TestHost(_clock, 1, NetworkFeatures.TransmitChecksum);
        _right = new TestHost(_clock, 2);
        TestHost.Connect(_left, _right);
        _left.AddAddress("10.0.0.1", 24);
        _right.AddAddress("10.0.0.2", 24);
        _left.AddAddress("2001:db8::1", 64);
        _right.AddAddress("2001:db8::2", 64);
        _clock.Advance(2 * VirtualClock.Second);
    }

    public void Dispose()
    {
        _clock.Advance(100 * VirtualClock.Second);
        _left.Dispose();
        _right.Dispose();
    }

    [Theory]
    [InlineData("10.0.0.2", false, 8)]
    [InlineData("10.0.0.2", false, 1000)]
    [InlineData("10.0.0.2", false, 60000)]
    [InlineData("127.0.0.1", false, 3000)]
    [InlineData("2001:db8::2", true, 8)]
    [InlineData("2001:db8::2", true, 5001)]
    [InlineData("::1", true, 100)]
    public void Ping(string address, bool isV6, int length)
    {
        using var socket = new TestSocket(_left, isV6, DatagramKind.Ping);
        byte[] request = Enumerable.Range(0, length).Select(i => (byte)i).ToArray();
        request[0] = isV6 ? (byte)128 : (byte)8;
        request[1] = 0;
        Assert.Equal(length, socket.SendTo(request, address, 0).Value);
        byte[]? reply = socket.Receive();
        Assert.NotNull(reply);
        Assert.Equal(isV6 ? 129 : 0, reply[0]);
        Assert.Equal(socket.Socket->LocalPort, (reply[4] << 8) | reply[5]);
        Assert.Equal(request[6..], reply[6..]);
        Assert.Equal(TestHost.Address(address), socket.Information.Source);
        Assert.Null(socket.Receive());
    }

    [Fact]
    public void Only_echo_requests_can_be_sent()
    {
        using var socket = new TestSocket(_left, kind: DatagramKind.Ping);
        Assert.Equal(Errno.EINVAL, socket.SendTo([5, 0, 0, 0, 0, 0, 0, 0], "10.0.0.2", 0).Error);
        Assert.Equal(Errno.EINVAL, socket.SendTo([8, 0, 0, 0], "10.0.0.2", 0).Error);
        Assert.Equal(Errno.EINVAL, socket.SendTo([8, 1, 0, 0, 0, 0, 0, 0], "10.0.0.2", 0).Error);
    }

    [Fact]
    public void A_raw_socket_sees_the_header_of_IPv4_and_filters()
    {
        using var raw = new TestSocket(_left, kind: DatagramKind.Raw, protocol: IpProtocol.Icmp);
        byte[] request = [8, 0, 0, 0, 0x12, 0x34, 0, 1, 1, 2, 3];
        Frames.SetChecksum(request, 2, 0);
        Assert.Equal(request.Length, raw.SendTo(request, "10.0.0.2", 0).Value);
        byte[]? reply = raw.Receive();
        Assert.NotNull(reply);
        var packet = new IPv4Packet(new PacketDotNet.Utils.ByteArraySegment(reply));
        Assert.Equal("10.0.0.2", packet.SourceAddress.ToString());
        Assert.Equal(request[4..], packet.PayloadPacket.Bytes[4..]);
        raw.Socket->Options.FilterLow = 1;
        raw.SendTo(request, "10.0.0.2", 0);
        Assert.Null(raw.Receive());
        // Over lo it sees the request too.
        raw.Socket->Options.FilterLow = 0;
        raw.SendTo(request, "127.0.0.1", 0);
        Assert.Equal(8, raw.Receive()![20]);
        Assert.Equal(0, raw.Receive()![20]);
        Assert.Null(raw.Receive());
    }

    [Fact]
    public void A_raw_socket_of_IPv6_has_its_checksum_made()
    {
        using var raw = new TestSocket(_left, true, DatagramKind.Raw, IpProtocol.IcmpV6);
        raw.Socket->Options.FilterMiddleHigh = ~(1ul << 1);
        raw.SendTo([128, 0, 0, 0, 0, 7, 0, 1, 9, 9], "2001:db8::2", 0);
        Assert.Equal([129, 0], raw.Receive()![..2]);
    }

    [Fact]
    public void An_unknown_protocol_is_refused()
    {
        using var raw = new TestSocket(_left, kind: DatagramKind.Raw, protocol: IpProtocol.Icmp);
        _right.Receive(Frames.Ipv4(_left.Mac, _right.Mac, "10.0.0.1", "10.0.0.2", (ProtocolType)99, new byte[50]));
        byte[]? report = raw.Receive();
        Assert.NotNull(report);
        Assert.Equal([3, 2], report[20..22]);
        Assert.Equal(99, report[28 + 9]);
    }

    [Fact]
    public void Groups_broadcasts_errors_and_pieces_are_not_answered()
    {
        TestHost host = new(_clock, 3);
        host.AddAddress("10.0.0.3", 24);
        PhysicalAddress everybody = PhysicalAddress.Parse("FF-FF-FF-FF-FF-FF");
        byte[] udp = [0, 1, 0, 9, 0, 8, 0, 0];
        host.Receive(
            Frames.Ipv4(_left.Mac, everybody, "10.0.0.1", "10.0.0.255", ProtocolType.Udp, udp),
            Frames.Ipv4(_left.Mac, everybody, "10.0.0.1", "255.255.255.255", ProtocolType.Udp, udp),
            Frames.Ipv4(_left.Mac, everybody, "10.0.0.1", "10.0.0.3", ProtocolType.Udp, udp),
            Frames.Ipv4(_left.Mac, host.Mac, "0.0.0.0", "10.0.0.3", ProtocolType.Udp, udp),
            Frames.Ipv4(_left.Mac, host.Mac, "127.0.0.1", "10.0.0.3", ProtocolType.Udp, udp),
            Frames.Ipv4(_left.Mac, host.Mac, "224.0.0.1", "10.0.0.3", ProtocolType.Udp, udp),
            Frames.Ipv4(_left.Mac, host.Mac, "10.0.0.3", "10.0.0.3", ProtocolType.Udp, udp),
            Frames.Ipv4(_left.Mac, host.Mac, "10.0.0.1", "127.0.0.1", ProtocolType.Udp, udp),
            Frames.Ipv4(_left.Mac, host.Mac, "10.0.0.1", "10.0.0.9", ProtocolType.Udp, udp),
            Frames.Icmp4(_left, host, "10.0.0.1", "10.0.0.255", 8, 0, 0, []));
        Assert.Empty(host.TakeSent());
        Assert.Equal(0u, host.Stack->Packets.InUse);
        host.Receive(Frames.Ipv4(_left.Mac, host.Mac, "10.0.0.1", "10.0.0.3", ProtocolType.Udp, udp));
        Assert.Single(host.TakeSent());
        _clock.Advance(10 * VirtualClock.Second);
        host.Dispose();
    }

    [Fact]
    public void An_error_about_a_packet_that_this_host_did_not_send_is_not_believed()
    {
        using var socket = new TestSocket(_left);
        using var server = new TestSocket(_right);
        server.Bind("0.0.0.0", 1000);
        byte[]? kept = null;
        _left.Filter = frame => { kept = frame; return true; };
        socket.Connect("10.0.0.2", 1000);
        socket.Send("x"u8);
        byte[] quote = kept![14..42];
        byte[] otherPort = [.. quote];
        otherPort[21]++;
        byte[] otherSource = [.. quote];
        otherSource[15]++;
        byte[] otherTarget = [.. quote];
        otherTarget[19]++;
        byte[] piece = [.. quote];
        piece[7] = 1;
        foreach (byte[] lie in new[] { otherPort, otherSource, otherTarget, piece, quote[..27], quote[..10], [] })
            _left.Receive(Frames.Icmp4(_right, _left, "10.0.0.2", "10.0.0.1", 3, 3, 0, lie));
        Assert.Equal(Errno.None, DatagramSockets.TakeError(socket.Socket));
        // A network that cannot be reached just now is no reason to give up; a port that is closed is.
        _left.Receive(Frames.Icmp4(_right, _left, "10.0.0.2", "10.0.0.1", 3, 0, 0, quote));
        Assert.Equal(Errno.None, DatagramSockets.TakeError(socket.Socket));
        _left.Receive(Frames.Icmp4(_right, _left, "10.0.0.2", "10.0.0.1", 3, 3, 0, quote));
        Assert.Equal(Errno.ECONNREFUSED, DatagramSockets.TakeError(socket.Socket));
        socket.Socket->Options.ReportsSoftErrors = true;
        _left.Receive(Frames.Icmp4(_right, _left, "10.0.0.2", "10.0.0.1", 11, 0, 0, quote));
        Assert.Equal(Errno.EHOSTUNREACH, DatagramSockets.TakeError(socket.Socket));
    }
}
