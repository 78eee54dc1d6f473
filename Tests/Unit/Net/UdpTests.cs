using System;
using System.Linq;
using PacketDotNet;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net;
using Ukl.Kernel.Net.Datagrams;
using Ukl.Kernel.Net.Ip;
using Ukl.Kernel.Tasks;
using Xunit;

namespace Ukl.Tests.Unit.Net;

/// <summary>UDP between two stacks, and with itself (RFC 768, udp(7)).</summary>
public sealed unsafe class UdpTests : IDisposable
{
    private readonly VirtualClock _clock = new();
    private readonly TestHost _left;
    private readonly TestHost _right;

    public UdpTests()
    {
        _left = new TestHost(_clock, 1);
        _right = new TestHost(_clock, 2, NetworkFeatures.TransmitChecksum);
        TestHost.Connect(_left, _right);
        _left.AddAddress("10.0.0.1", 24);
        _right.AddAddress("10.0.0.2", 24);
    }

    public void Dispose()
    {
        _clock.Advance(200 * VirtualClock.Second);
        _left.Dispose();
        _right.Dispose();
    }

    [Fact]
    public void A_datagram_there_and_back()
    {
        using var client = new TestSocket(_left);
        using var server = new TestSocket(_right);
        Assert.Equal(Errno.None, server.Bind("0.0.0.0", 53));
        Assert.Equal(5, client.SendTo("hello"u8, "10.0.0.2", 53).Value);
        Assert.Equal(PollEvents.In | PollEvents.ReadNormal, server.Told);
        Assert.Equal(5u, DatagramSockets.Unread(server.Socket));
        Assert.Equal("hello"u8.ToArray(), server.Receive());
        Assert.Equal(TestHost.Address("10.0.0.1"), server.Information.Source);
        Assert.Equal(TestHost.Address("10.0.0.2"), server.Information.Destination);
        Assert.Equal(client.Socket->LocalPort, server.Information.SourcePort);
        Assert.Equal(2u, server.Information.Interface);
        Assert.Equal(64, server.Information.HopLimit);
        Assert.Null(server.Receive());
        Assert.Equal(Errno.EAGAIN, server.LastError);
        server.SendTo("world"u8, "10.0.0.1", server.Information.SourcePort);
        Assert.Equal("world"u8.ToArray(), client.Receive());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1471)]
    [InlineData(1472)]
    [InlineData(1473)]
    [InlineData(1785)]
    [InlineData(9999)]
    [InlineData(65507)]
    public void Every_length_arrives_whole_also_in_pieces(int length)
    {
        byte[] bytes = Enumerable.Range(0, length).Select(i => (byte)(i * 7)).ToArray();
        _right.ReceiveBufferSize = 700;
        using var client = new TestSocket(_left);
        using var server = new TestSocket(_right);
        server.Bind("10.0.0.2", 1000);
        Assert.Equal(length, client.SendTo(bytes, "10.0.0.2", 1000).Value);
        Assert.Equal(bytes, server.Receive());
        // The other way the card completes the checksum, unless the packet is cut.
        client.Receive();
        server.SendTo(bytes, "10.0.0.1", client.Socket->LocalPort);
        Assert.Equal(bytes, client.Receive());
        // And over lo, whole.
        using var local = new TestSocket(_right);
        local.SendTo(bytes, "10.0.0.2", 1000);
        Assert.Equal(bytes, server.Receive());
        Assert.Equal(TestHost.Address("10.0.0.2"), server.Information.Source);
    }

    [Fact]
    public void Too_long_is_EMSGSIZE()
    {
        using var client = new TestSocket(_left);
        Assert.Equal(Errno.EMSGSIZE, client.SendTo(new byte[65508], "10.0.0.2", 1).Error);
        client.Socket->Options.Discovery = PathMtuDiscovery.Always;
        Assert.Equal(Errno.EMSGSIZE, client.SendTo(new byte[1473], "10.0.0.2", 1).Error);
        Assert.Equal(1472, client.SendTo(new byte[1472], "10.0.0.2", 1).Value);
    }

    [Fact]
    public void Truncation_and_peeking()
    {
        using var client = new TestSocket(_left);
        using var server = new TestSocket(_right);
        server.Bind("10.0.0.2", 1000);
        client.SendTo("0123456789"u8, "10.0.0.2", 1000);
        Assert.Equal("0123"u8.ToArray(), server.Receive(4, isPeek: true));
        Assert.Equal("01234"u8.ToArray(), server.Receive(5));
        Assert.Equal(10u, server.Information.Length);
        Assert.Null(server.Receive());
    }

    [Fact]
    public void A_closed_port_is_refused_to_whoever_is_connected()
    {
        using var connected = new TestSocket(_left);
        using var loose = new TestSocket(_left);
        Assert.Equal(Errno.None, connected.Connect("10.0.0.2", 9));
        connected.Send("x"u8);
        loose.SendTo("x"u8, "10.0.0.2", 9);
        Assert.True(connected.Told.HasFlag(PollEvents.Error));
        Assert.Equal(Errno.ECONNREFUSED, connected.Send("x"u8).Error);
        Assert.Null(loose.Receive());
        Assert.Equal(Errno.EAGAIN, loose.LastError);
        // Over lo too.
        Assert.Equal(Errno.None, connected.Connect("127.0.0.1", 9));
        connected.Send("x"u8);
        Assert.Null(connected.Receive());
        Assert.Equal(Errno.ECONNREFUSED, connected.LastError);
    }

    [Fact]
    public void Refusals_are_limited()
    {
        using var client = new TestSocket(_left);
        client.Connect("10.0.0.2", 9);
        int refused = 0;
        for (int i = 0; i < 500; i++)
        {
            if (client.Send("x"u8).IsError)
                refused++;
        }
        Assert.InRange(refused, 40, 60);
    }

    [Fact]
    public void A_connected_socket_hears_its_other_end_only()
    {
        using var server = new TestSocket(_right);
        using var friend = new TestSocket(_left);
        using var stranger = new TestSocket(_left);
        friend.Bind("10.0.0.1", 5000);
        server.Bind("0.0.0.0", 1000);
        Assert.Equal(Errno.None, server.Connect("10.0.0.1", 5000));
        Assert.Equal(TestHost.Address("10.0.0.2"), server.Socket->Local);
        stranger.SendTo("no"u8, "10.0.0.2", 1000);
        Assert.Null(server.Receive());
        friend.SendTo("yes"u8, "10.0.0.2", 1000);
        Assert.Equal("yes"u8.ToArray(), server.Receive());
        DatagramSockets.Disconnect(server.Socket);
        Assert.True(server.Socket->Local.IsAny);
        stranger.SendTo("now"u8, "10.0.0.2", 1000);
        Assert.Equal("now"u8.ToArray(), server.Receive());
        Assert.Equal(Errno.EDESTADDRREQ, server.Send("x"u8).Error);
    }

    [Fact]
    public void The_socket_that_says_most_gets_the_datagram()
    {
        using var any = new TestSocket(_right);
        using var bound = new TestSocket(_right);
        using var connected = new TestSocket(_right);
        using var client = new TestSocket(_left);
        client.Bind("10.0.0.1", 5000);
        Assert.Equal(Errno.None, any.Bind("0.0.0.0", 1000, PortFlags.ReuseAddress));
        Assert.Equal(Errno.None, bound.Bind("10.0.0.2", 1000, PortFlags.ReuseAddress));
        Assert.Equal(Errno.None, connected.Bind("10.0.0.2", 1000, PortFlags.ReuseAddress));
        connected.Connect("10.0.0.1", 5000);
        client.SendTo("1"u8, "10.0.0.2", 1000);
        Assert.NotNull(connected.Receive());
        using var other = new TestSocket(_left);
        other.SendTo("2"u8, "10.0.0.2", 1000);
        Assert.NotNull(bound.Receive());
        using var local = new TestSocket(_right);
        local.SendTo("3"u8, "127.0.0.1", 1000);
        Assert.NotNull(any.Receive());
    }

    [Fact]
    public void Sockets_that_share_a_port_share_the_flows()
    {
        TestSocket[] servers = [new(_right), new(_right), new(_right)];
        foreach (TestSocket server in servers)
            Assert.Equal(Errno.None, server.Bind("0.0.0.0", 1000, PortFlags.ReusePort));
        int[] counts = new int[3];
        for (int i = 0; i < 300; i++)
        {
            using var client = new TestSocket(_left);
            client.SendTo("a"u8, "10.0.0.2", 1000);
            client.SendTo("b"u8, "10.0.0.2", 1000);
            int number = Array.FindIndex(servers, server => server.Receive() != null);
            Assert.NotNull(servers[number].Receive());
            counts[number]++;
        }
        Assert.All(counts, count => Assert.InRange(count, 60, 140));
        Array.ForEach(servers, server => server.Dispose());
    }

    [Fact]
    public void Broadcasts_need_permission_and_reach_every_socket()
    {
        using var client = new TestSocket(_left);
        using var first = new TestSocket(_right);
        using var second = new TestSocket(_right);
        first.Bind("0.0.0.0", 1000, PortFlags.ReuseAddress);
        second.Bind("0.0.0.0", 1000, PortFlags.ReuseAddress);
        Assert.Equal(Errno.EACCES, client.SendTo("x"u8, "10.0.0.255", 1000).Error);
        client.Socket->Options.IsBroadcastAllowed = true;
        foreach (string address in new[] { "10.0.0.255", "255.255.255.255" })
        {
            Assert.Equal(1, client.SendTo("x"u8, address, 1000).Value);
            Assert.NotNull(first.Receive());
            Assert.NotNull(second.Receive());
        }
    }

    [Fact]
    public void Groups_reach_those_who_joined()
    {
        using var client = new TestSocket(_left);
        using var server = new TestSocket(_right);
        server.Bind("0.0.0.0", 5353);
        server.Socket->Options.IsForAllGroups = false;
        client.SendTo("1"u8, "224.0.0.251", 5353);
        Assert.Null(server.Receive());
        _right.Do(() => Assert.Equal(Errno.None, DatagramGroups.Join(server.Socket, TestHost.Address("224.0.0.251"), 0)));
        _right.Do(() => Assert.Equal(Errno.EADDRINUSE, DatagramGroups.Join(server.Socket, TestHost.Address("224.0.0.251"), 0)));
        client.SendTo("2"u8, "224.0.0.251", 5353);
        Assert.Equal("2"u8.ToArray(), server.Receive());
        Assert.Equal(1, server.Information.HopLimit);
        // What a host says to a group it is in comes back to it.
        using var own = new TestSocket(_right);
        own.SendTo("3"u8, "224.0.0.251", 5353);
        Assert.Equal("3"u8.ToArray(), server.Receive());
        own.Socket->Options.IsMulticastLooped = false;
        own.SendTo("4"u8, "224.0.0.251", 5353);
        Assert.Null(server.Receive());
        _right.Do(() => Assert.Equal(Errno.None, DatagramGroups.Leave(server.Socket, TestHost.Address("224.0.0.251"), 0)));
        client.SendTo("5"u8, "224.0.0.251", 5353);
        Assert.Null(server.Receive());
    }

    [Fact]
    public void A_slow_reader_loses_what_does_not_fit()
    {
        using var client = new TestSocket(_left);
        using var server = new TestSocket(_right);
        server.Bind("0.0.0.0", 1000);
        for (int i = 0; i < 500; i++)
            client.SendTo(BitConverter.GetBytes(i), "10.0.0.2", 1000);
        int kept = (int)(DatagramSockets.DefaultReceiveLimit / PacketBuffer.BlockSize);
        Assert.Equal(500u - (uint)kept, server.Socket->Dropped);
        for (int i = 0; i < kept; i++)
            Assert.Equal(i, BitConverter.ToInt32(server.Receive()));
        Assert.Null(server.Receive());
    }

    [Fact]
    public void Wrong_checksums_are_dropped_and_missing_ones_are_not()
    {
        using var client = new TestSocket(_left);
        using var server = new TestSocket(_right);
        server.Bind("0.0.0.0", 1000);
        byte[]? kept = null;
        _left.Filter = frame => { kept = frame; return true; };
        client.SendTo("data"u8, "10.0.0.2", 1000);
        Assert.NotNull(server.Receive());
        byte[] wrong = [.. kept!];
        wrong[^1] ^= 1;
        _right.Receive(wrong);
        Assert.Null(server.Receive());
        wrong[34 + 6] = wrong[34 + 7] = 0;
        _right.Receive(wrong);
        Assert.NotNull(server.Receive());
        _right.HandUp([.. kept![..^1], 1], ChecksumState.Verified);
        _right.Device->BatchEnded(_right.Device);
        Assert.NotNull(server.Receive());
    }

    [Fact]
    public void A_narrow_path_is_learned_and_used()
    {
        using var client = new TestSocket(_left);
        using var server = new TestSocket(_right);
        server.Bind("0.0.0.0", 1000);
        client.Connect("10.0.0.2", 1000);
        client.Socket->Options.Discovery = PathMtuDiscovery.Always;
        byte[]? kept = null;
        _left.Filter = frame => { kept = frame; return true; };
        client.Send(new byte[1400]);
        var quoted = (EthernetPacket)Packet.ParsePacket(LinkLayers.Ethernet, kept!);
        Assert.Equal(2, quoted.Extract<IPv4Packet>().FragmentFlags);
        _left.Receive(Frames.Icmp4(_right, _left, "10.0.0.2", "10.0.0.1", 3, 4, 1000, kept![14..42]));
        Assert.Equal(Errno.EMSGSIZE, client.Send(new byte[1400]).Error);
        Assert.Equal(972, client.Send(new byte[972]).Value);
        // With the default it is cut instead.
        client.Socket->Options.Discovery = PathMtuDiscovery.Want;
        while (server.Receive() != null)
        {
        }
        Assert.Equal(1400, client.Send(new byte[1400]).Value);
        Assert.Equal(1400, server.Receive()!.Length);
        // After ten minutes the large one is tried again.
        _clock.Advance(601 * VirtualClock.Second);
        client.Socket->Options.Discovery = PathMtuDiscovery.Always;
        Assert.Equal(Errno.None, client.Connect("10.0.0.2", 1000));
        Assert.Equal(1400, client.Send(new byte[1400]).Value);
    }

    [Fact]
    public void A_card_without_room_is_waited_for()
    {
        using var client = new TestSocket(_left);
        using var server = new TestSocket(_right);
        server.Bind("0.0.0.0", 1000);
        client.SendTo("0"u8, "10.0.0.2", 1000);
        server.Receive();
        _left.TransmitRoom = 1;
        for (byte i = 1; i < 6; i++)
            client.SendTo([i], "10.0.0.2", 1000);
        Assert.Equal([1], server.Receive());
        Assert.Null(server.Receive());
        _left.MakeRoom(3);
        Assert.Equal([2], server.Receive());
        _left.MakeRoom(int.MaxValue);
        Assert.Equal([3], server.Receive());
        Assert.Equal([4], server.Receive());
        Assert.Equal([5], server.Receive());
        // And the queue has an end.
        _left.TransmitRoom = 0;
        for (int i = 0; i < 2000; i++)
            client.SendTo("x"u8, "10.0.0.2", 1000);
        Assert.Equal(Kernel.Net.NetworkInterface.BacklogLimit, _left.Stack->Packets.InUse);
        Assert.Equal(2000 - Kernel.Net.NetworkInterface.BacklogLimit, _left.Card->Statistics.SendDropped);
        _left.SetLink(false);
        Assert.Equal(0u, _left.Stack->Packets.InUse);
        Assert.Equal(Errno.ENETUNREACH, client.SendTo("x"u8, "10.0.0.2", 1000).Error);
    }

    [Fact]
    public void Ports_and_addresses()
    {
        using var first = new TestSocket(_left);
        using var second = new TestSocket(_left);
        Assert.Equal(Errno.EADDRNOTAVAIL, first.Bind("10.0.0.9", 1));
        Assert.Equal(Errno.None, first.Bind("10.0.0.1", 1000));
        Assert.Equal(Errno.EINVAL, first.Bind("10.0.0.1", 1001));
        Assert.Equal(Errno.EADDRINUSE, second.Bind("0.0.0.0", 1000));
        Assert.Equal(Errno.None, second.Bind("127.0.0.1", 1000));
        Assert.Equal(Errno.EINVAL, second.SendTo("x"u8, "10.0.0.2", 1000).Error);
        Assert.Equal(Errno.ENETUNREACH, first.SendTo("x"u8, "192.168.0.1", 1000).Error);
        Assert.Equal(Errno.EINVAL, first.SendTo("x"u8, "10.0.0.2", 0).Error);
        _left.AddGateway("10.0.0.2");
        Assert.Equal(1, first.SendTo("x"u8, "192.168.0.1", 1000).Value);
        DatagramSockets.Connect(first.Socket, TestHost.Address("10.0.0.2"), 1000, 0);
        Assert.Equal(Errno.None, DatagramSockets.Shutdown(first.Socket, true, true));
        Assert.Equal(Errno.EPIPE, first.Send("x"u8).Error);
        Assert.Empty(first.Receive()!);
        Assert.True(DatagramSockets.Poll(first.Socket).HasFlag(PollEvents.HangUp));
    }

    [Fact]
    public void An_address_that_goes_takes_its_routes_with_it()
    {
        using var server = new TestSocket(_right);
        server.Bind("0.0.0.0", 1000);
        using var client = new TestSocket(_left);
        client.Connect("10.0.0.2", 1000);
        client.Send("x"u8);
        _left.Do(() => Assert.Equal(Errno.None, InterfaceAddresses.Remove(_left.Card, TestHost.Address("10.0.0.1"))));
        Assert.Equal(Errno.EADDRNOTAVAIL, client.Send("x"u8).Error);
        using var other = new TestSocket(_left);
        Assert.Equal(Errno.ENETUNREACH, other.SendTo("x"u8, "10.0.0.2", 1000).Error);
        Assert.Equal(0u, _left.Card->PrimaryV4);
    }
}
