using System;
using System.Collections.Generic;
using System.Linq;
using System.Net.NetworkInformation;
using PacketDotNet;
using Ukl.Kernel.Abi;
using Xunit;

namespace Ukl.Tests.Unit.Net;

/// <summary>Packets in pieces (RFC 791 section 3.2, RFC 8200 section 4.5, RFC 5722), and what a hostile sender of pieces can do.</summary>
public sealed unsafe class ReassemblyTests : IDisposable
{
    private static readonly PhysicalAddress s_mac = PhysicalAddress.Parse("02-AA-BB-CC-DD-EE");

    private readonly VirtualClock _clock = new();
    private readonly TestHost _host;
    private readonly TestSocket _socket;
    private readonly TestSocket _socket6;

    public ReassemblyTests()
    {
        _host = new TestHost(_clock, 1);
        _host.AddAddress("10.0.0.1", 24);
        _host.AddAddress("2001:db8::1", 64);
        _clock.Advance(5 * VirtualClock.Second);
        _host.TakeSent();
        _socket = new TestSocket(_host);
        Assert.Equal(Errno.None, _socket.Bind("10.0.0.1", 1000));
        _socket6 = new TestSocket(_host, isV6: true);
        Assert.Equal(Errno.None, _socket6.Bind("2001:db8::1", 1000));
    }

    public void Dispose()
    {
        _socket.Dispose();
        _socket6.Dispose();
        _clock.Advance(100 * VirtualClock.Second);
        Assert.Equal(0u, _host.Stack->Packets.InUse);
        _host.Dispose();
    }

    [Fact]
    public void Pieces_in_any_order_twice_and_mixed_with_others_come_together()
    {
        var random = new System.Random(3);
        _socket.Socket->ReceiveLimit = 1 << 20;
        for (int round = 0; round < 200; round++)
        {
            List<byte[]> frames = [];
            List<byte[]> wholes = [];
            int packets = random.Next(1, 5);
            for (int i = 0; i < packets; i++)
            {
                byte[] payload = new byte[random.Next(30, 5000)];
                random.NextBytes(payload);
                wholes.Add(payload);
                frames.AddRange(Cut(Datagram(payload), (ushort)((round * 10) + i), random.Next(1, 60) * 8));
            }
            frames.AddRange([.. frames.Where(_ => random.Next(4) == 0)]);
            foreach (byte[] frame in frames.OrderBy(_ => random.Next()))
                _host.Receive(frame);
            List<byte[]> received = [];
            for (byte[]? bytes = _socket.Receive(); bytes != null; bytes = _socket.Receive())
                received.Add(bytes);
            // When every piece came twice, so may the packet.
            Assert.InRange(received.Count, packets, 2 * packets);
            Assert.All(wholes, whole => Assert.Contains(received, bytes => bytes.AsSpan().SequenceEqual(whole)));
            Assert.All(received, bytes => Assert.Contains(wholes, whole => bytes.AsSpan().SequenceEqual(whole)));
            _clock.Advance(40 * VirtualClock.Second);
            Assert.Equal(0u, _host.Stack->Packets.InUse);
        }
    }

    [Fact]
    public void Pieces_that_overlap_end_the_packet()
    {
        byte[] datagram = Datagram(new byte[100]);
        _host.Receive(Piece(datagram, 0, 48, 7), Piece(datagram, 40, 48, 7));
        Assert.Equal(0u, _host.Stack->Packets.InUse);
        _host.Receive(Piece(datagram, 0, 48, 7), Piece(datagram, 48, 60, 7));
        Assert.Null(_socket.Receive());
        // Another packet is another matter.
        _host.Receive(Piece(datagram, 0, 48, 8), Piece(datagram, 48, 60, 8));
        Assert.NotNull(_socket.Receive());
    }

    [Fact]
    public void Two_ends_or_bytes_behind_the_end_are_wrong()
    {
        byte[] datagram = Datagram(new byte[200]);
        _host.Receive(Frame(datagram[96..100], 96, false, 1), Piece(datagram, 0, 48, 1), Piece(datagram, 104, 104, 1));
        Assert.Equal(0u, _host.Stack->Packets.InUse);
        _host.Receive(Piece(datagram, 160, 40, 2), Frame(datagram[96..100], 96, false, 2));
        Assert.Equal(0u, _host.Stack->Packets.InUse);
        // No piece but the last may have a length that is no multiple of eight, none may be empty, none may reach beyond 65535.
        _host.Receive(Frame(datagram[..33], 0, true, 3), Frame([], 40, true, 4), Frame(datagram[..80], 65480, false, 5));
        Assert.Equal(0u, _host.Stack->Packets.InUse);
    }

    [Fact]
    public void Tiny_pieces_and_many_packets_stay_within_limits()
    {
        byte[] datagram = Datagram(new byte[8000]);
        for (int at = 0; at + 8 < datagram.Length; at += 8)
            _host.Receive(Piece(datagram, at, 8, 1));
        Assert.Equal(0u, _host.Stack->Packets.InUse);
        for (ushort i = 0; i < 5000; i++)
            _host.Receive(Piece(datagram, 8 * (i % 100), 8, i));
        Assert.InRange(_host.Stack->Packets.InUse, 1u, 64u);
        for (ushort i = 0; i < 60; i++)
        {
            for (int at = 0; at < 800; at += 8)
                _host.Receive(Piece(datagram, at, 8, (ushort)(10_000 + i)));
        }
        Assert.InRange(_host.Stack->Packets.InUse, 1u, (TestHost.PacketLimit / 8) + 1);
        // Whole packets still pass.
        _host.Receive(Frames.Ipv4(s_mac, _host.Mac, "10.0.0.2", "10.0.0.1", ProtocolType.Udp, Datagram("x"u8)));
        Assert.NotNull(_socket.Receive());
        // What tells the senders waits for their address first.
        _clock.Advance(40 * VirtualClock.Second);
        Assert.Equal(0u, _host.Stack->Packets.InUse);
    }

    [Fact]
    public void After_half_a_minute_the_sender_of_a_first_piece_is_told()
    {
        byte[] datagram = Datagram(new byte[100]);
        _host.Receive(Piece(datagram, 0, 48, 7), Piece(datagram, 48, 48, 9));
        _clock.Advance(29 * VirtualClock.Second);
        Assert.Empty(_host.TakeSent());
        _clock.Advance(2 * VirtualClock.Second);
        // Its address has to be asked for first.
        var question = Packet.ParsePacket(LinkLayers.Ethernet, Assert.Single(_host.TakeSent()));
        Assert.NotNull(question.Extract<ArpPacket>());
    }

    [Fact]
    public void Of_IPv6_too()
    {
        byte[] payload = Enumerable.Range(0, 3000).Select(i => (byte)i).ToArray();
        byte[] datagram = Frames.Udp("2001:db8::2", "2001:db8::1", 5, 1000, payload);
        _host.Receive(Piece6(datagram, 1448, 1448, 7), Piece6(datagram, 2896, 200, 7), Piece6(datagram, 0, 1448, 7));
        Assert.Equal(payload, _socket6.Receive());
        // One that is whole, with a fragment header all the same (RFC 6946), does not wait for others with its number.
        byte[] small = Frames.Udp("2001:db8::2", "2001:db8::1", 5, 1000, "ab"u8);
        _host.Receive(Piece6(datagram, 0, 1448, 8), Piece6(small, 0, 100, 8));
        Assert.Equal("ab"u8.ToArray(), _socket6.Receive());
        // Overlap.
        _host.Receive(Piece6(datagram, 0, 1448, 9), Piece6(datagram, 1440, 1448, 9), Piece6(datagram, 1448, 1448, 9), Piece6(datagram, 2896, 200, 9));
        Assert.Null(_socket6.Receive());
        // Options in front of the pieces and inside of the whole.
        byte[] options = [17, 0, 1, 4, 0, 0, 0, 0, .. small];
        byte[] front = [44, 0, 1, 4, 0, 0, 0, 0, .. Piece6(options, 0, 16, 10, 60)[54..]];
        byte[] rest = [44, 0, 1, 4, 0, 0, 0, 0, .. Piece6(options, 16, 100, 10, 60)[54..]];
        _host.Receive(
            Frames.Ipv6(s_mac, _host.Mac, "2001:db8::2", "2001:db8::1", 60, front), Frames.Ipv6(s_mac, _host.Mac, "2001:db8::2", "2001:db8::1", 60, rest));
        Assert.Equal("ab"u8.ToArray(), _socket6.Receive());
    }

    private byte[] Frame(byte[] payload, int offset, bool isMore, ushort identification) =>
        Frames.Ipv4(s_mac, _host.Mac, "10.0.0.2", "10.0.0.1", ProtocolType.Udp, payload, offset, isMore, identification);

    private byte[] Piece(byte[] datagram, int offset, int length, ushort identification)
    {
        int end = Math.Min(offset + length, datagram.Length);
        return Frame(datagram[offset..end], offset, end < datagram.Length, identification);
    }

    private byte[] Piece6(byte[] datagram, int offset, int length, byte identification, byte next = 17)
    {
        int end = Math.Min(offset + length, datagram.Length);
        int field = offset | (end < datagram.Length ? 1 : 0);
        byte[] payload = [next, 0, (byte)(field >> 8), (byte)field, 0, 0, 0, identification, .. datagram[offset..end]];
        return Frames.Ipv6(s_mac, _host.Mac, "2001:db8::2", "2001:db8::1", 44, payload);
    }

    private IEnumerable<byte[]> Cut(byte[] datagram, ushort identification, int size)
    {
        size = Math.Max(size, ((datagram.Length / 100) + 7) & ~7);
        for (int at = 0; at < datagram.Length; at += size)
            yield return Piece(datagram, at, size, identification);
    }

    private static byte[] Datagram(ReadOnlySpan<byte> payload)
    {
        int length = payload.Length + 8;
        return [0, 5, 3, 232, (byte)(length >> 8), (byte)length, 0, 0, .. payload];
    }
}
