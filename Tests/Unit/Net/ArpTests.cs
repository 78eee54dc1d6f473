using System;
using System.Collections.Generic;
using System.Net;
using System.Net.NetworkInformation;
using PacketDotNet;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net;
using Ukl.Kernel.Net.Ip;
using Xunit;

namespace Ukl.Tests.Unit.Net;

/// <summary>ARP and what becomes of neighbours (RFC 826, RFC 4861 section 7.3).</summary>
public sealed unsafe class ArpTests : IDisposable
{
    private static readonly PhysicalAddress s_otherMac = PhysicalAddress.Parse("02-AA-BB-CC-DD-EE");
    private static readonly PhysicalAddress s_strangerMac = PhysicalAddress.Parse("02-11-22-33-44-55");

    private readonly VirtualClock _clock = new();
    private readonly TestHost _host;

    public ArpTests()
    {
        _host = new TestHost(_clock, 1);
        _host.AddAddress("10.0.0.1", 24);
    }

    public void Dispose() => _host.Dispose();

    [Fact]
    public void A_request_for_this_host_is_answered_and_its_sender_remembered()
    {
        _host.Receive(Arp(ArpOperation.Request, s_otherMac, "10.0.0.2", "10.0.0.1"));
        ArpPacket reply = Assert.Single(SentArp());
        Assert.Equal(ArpOperation.Response, reply.Operation);
        Assert.Equal(_host.Mac, reply.SenderHardwareAddress);
        Assert.Equal(IPAddress.Parse("10.0.0.1"), reply.SenderProtocolAddress);
        Assert.Equal(s_otherMac, reply.TargetHardwareAddress);
        Assert.Equal(NeighborState.Stale, State("10.0.0.2"));
    }

    [Fact]
    public void Requests_for_others_and_gratuitous_ones_create_nothing()
    {
        _host.Receive(Arp(ArpOperation.Request, s_otherMac, "10.0.0.2", "10.0.0.3"));
        _host.Receive(Arp(ArpOperation.Response, s_otherMac, "10.0.0.2", "10.0.0.2"));
        _host.Receive(Arp(ArpOperation.Request, s_otherMac, "10.0.0.2", "10.0.0.2"));
        Assert.Empty(_host.TakeSent());
        Assert.Equal(0, _host.Stack->Neighbors.Count);
    }

    [Fact]
    public void A_packet_waits_for_the_address_and_goes_out_with_it()
    {
        using var socket = new TestSocket(_host);
        Assert.Equal(3, socket.SendTo("abc"u8, "10.0.0.2", 7).Value);
        ArpPacket request = Assert.Single(SentArp());
        Assert.Equal(IPAddress.Parse("10.0.0.2"), request.TargetProtocolAddress);
        _host.Receive(Arp(ArpOperation.Response, s_otherMac, "10.0.0.2", "10.0.0.1"));
        var frame = (EthernetPacket)Packet.ParsePacket(LinkLayers.Ethernet, Assert.Single(_host.TakeSent()));
        Assert.Equal(s_otherMac, frame.DestinationHardwareAddress);
        Assert.Equal("abc"u8.ToArray(), frame.Extract<UdpPacket>().PayloadData);
        Assert.Equal(NeighborState.Reachable, State("10.0.0.2"));
    }

    [Fact]
    public void Nobody_answers_three_requests_and_the_sender_is_told()
    {
        using var socket = new TestSocket(_host);
        Assert.Equal(Errno.None, socket.Connect("10.0.0.2", 7));
        socket.Send("abc"u8);
        _clock.Advance(10 * VirtualClock.Second);
        Assert.Equal(3, SentArp().Count);
        Assert.Equal(Errno.EHOSTUNREACH, socket.Send("abc"u8).Error);
        // The next packet begins again.
        Assert.Equal(3, socket.Send("abc"u8).Value);
        Assert.Single(SentArp());
        _clock.Advance(10 * VirtualClock.Second);
        Assert.Equal(0u, _host.Stack->Packets.InUse);
    }

    [Fact]
    public void Of_many_packets_that_wait_the_last_are_kept()
    {
        using var socket = new TestSocket(_host);
        for (byte i = 0; i < 150; i++)
            socket.SendTo([i], "10.0.0.2", 7);
        Assert.Equal(101u, _host.Stack->Packets.InUse);
        _host.TakeSent();
        _host.Receive(Arp(ArpOperation.Response, s_otherMac, "10.0.0.2", "10.0.0.1"));
        List<byte[]> sent = _host.TakeSent();
        Assert.Equal(101, sent.Count);
        Assert.Equal(49, Packet.ParsePacket(LinkLayers.Ethernet, sent[0]).Extract<UdpPacket>().PayloadData[0]);
        Assert.Equal(149, Packet.ParsePacket(LinkLayers.Ethernet, sent[^1]).Extract<UdpPacket>().PayloadData[0]);
    }

    [Fact]
    public void An_old_address_is_used_and_asked_for_again()
    {
        using var socket = new TestSocket(_host);
        Meet(socket);
        _clock.Advance(40 * VirtualClock.Second);
        Assert.Equal(NeighborState.Stale, State("10.0.0.2"));
        socket.SendTo("x"u8, "10.0.0.2", 7);
        Assert.Single(_host.TakeSent());
        Assert.Equal(NeighborState.Delay, State("10.0.0.2"));
        _clock.Advance(6 * VirtualClock.Second);
        ArpPacket request = Assert.Single(SentArp(out EthernetPacket? frame));
        Assert.Equal(s_otherMac, frame!.DestinationHardwareAddress);
        Assert.Equal(IPAddress.Parse("10.0.0.2"), request.TargetProtocolAddress);
        _host.Receive(Arp(ArpOperation.Response, s_otherMac, "10.0.0.2", "10.0.0.1"));
        Assert.Equal(NeighborState.Reachable, State("10.0.0.2"));
    }

    [Fact]
    public void A_neighbour_that_a_connection_confirms_is_not_asked()
    {
        using var socket = new TestSocket(_host);
        Meet(socket);
        for (int i = 0; i < 10; i++)
        {
            _clock.Advance(20 * VirtualClock.Second);
            _host.Stack->Neighbors.Find(_host.Card, TestHost.Address("10.0.0.2"))->Confirmed = _clock.Now;
        }
        Assert.Equal(NeighborState.Reachable, State("10.0.0.2"));
        Assert.Empty(_host.TakeSent());
    }

    [Fact]
    public void A_neighbour_that_moved_is_followed_but_a_fresh_answer_is_not_overridden()
    {
        using var socket = new TestSocket(_host);
        Meet(socket);
        _host.Receive(Arp(ArpOperation.Response, s_strangerMac, "10.0.0.2", "10.0.0.1"));
        Assert.Equal(s_otherMac, MacOf("10.0.0.2"));
        _clock.Advance(5 * VirtualClock.Second);
        _host.Receive(Arp(ArpOperation.Request, s_strangerMac, "10.0.0.2", "10.0.0.2"));
        Assert.Equal(s_strangerMac, MacOf("10.0.0.2"));
        Assert.Equal(NeighborState.Stale, State("10.0.0.2"));
    }

    [Fact]
    public void A_storm_of_requests_fills_half_of_the_table_at_most()
    {
        for (int i = 0; i < 5000; i++)
            _host.Receive(Arp(ArpOperation.Request, s_otherMac, $"10.0.{1 + (i / 250)}.{1 + (i % 250)}", "10.0.0.1"));
        Assert.Equal(5000, _host.TakeSent().Count);
        Assert.Equal(NeighborTable.Capacity / 2, _host.Stack->Neighbors.Count);
        using var socket = new TestSocket(_host);
        Meet(socket);
    }

    [Fact]
    public void Whoever_asks_for_too_many_neighbours_loses_the_oldest()
    {
        _host.Do(() => InterfaceAddresses.Add(_host.Card, TestHost.Address("10.1.0.1"), 16, AddressOrigin.Static));
        using var socket = new TestSocket(_host);
        Meet(socket);
        for (int i = 0; i < 3000; i++)
            socket.SendTo("x"u8, $"10.1.{1 + (i / 250)}.{1 + (i % 250)}", 9);
        Assert.InRange(_host.Stack->Neighbors.Count, 1, NeighborTable.Capacity);
        _clock.Advance(10 * VirtualClock.Second);
        Assert.Equal(0u, _host.Stack->Packets.InUse);
        _host.TakeSent();
        Meet(socket);
    }

    [Fact]
    public void Messages_that_cannot_be_are_ignored()
    {
        byte[] good = Arp(ArpOperation.Request, s_otherMac, "10.0.0.2", "10.0.0.1");
        for (int length = 0; length < 42; length++)
            _host.Receive(good[..length]);
        foreach (string sender in new[] { "127.0.0.1", "224.0.0.1", "255.255.255.255", "10.0.0.255" })
            _host.Receive(Arp(ArpOperation.Request, s_otherMac, sender, "10.0.0.1"));
        _host.Receive(Arp(ArpOperation.Request, PhysicalAddress.Parse("FF-FF-FF-FF-FF-FF"), "10.0.0.2", "10.0.0.1"));
        // Somebody claims this host's own address.
        _host.Receive(Arp(ArpOperation.Request, s_strangerMac, "10.0.0.1", "10.0.0.1"));
        Assert.Empty(_host.TakeSent());
        Assert.Equal(0, _host.Stack->Neighbors.Count);
        // A probe (RFC 5227) has no sender, and is answered.
        _host.Receive(Arp(ArpOperation.Request, s_otherMac, "0.0.0.0", "10.0.0.1"));
        Assert.Single(SentArp());
        Assert.Equal(0, _host.Stack->Neighbors.Count);
    }

    private void Meet(TestSocket socket)
    {
        socket.SendTo("x"u8, "10.0.0.2", 7);
        _host.Receive(Arp(ArpOperation.Response, s_otherMac, "10.0.0.2", "10.0.0.1"));
        Assert.Equal(NeighborState.Reachable, State("10.0.0.2"));
        _host.TakeSent();
    }

    private NeighborState State(string address)
    {
        Neighbor* neighbor = _host.Stack->Neighbors.Find(_host.Card, TestHost.Address(address));
        return neighbor == null ? NeighborState.None : neighbor->State;
    }

    private PhysicalAddress MacOf(string address)
    {
        byte[] bytes = new byte[6];
        _host.Stack->Neighbors.Find(_host.Card, TestHost.Address(address))->Mac.Write(bytes);
        return new PhysicalAddress(bytes);
    }

    private List<ArpPacket> SentArp() => SentArp(out _);

    private List<ArpPacket> SentArp(out EthernetPacket? last)
    {
        List<ArpPacket> messages = [];
        last = null;
        foreach (byte[] bytes in _host.TakeSent())
        {
            var frame = (EthernetPacket)Packet.ParsePacket(LinkLayers.Ethernet, bytes);
            if (frame.PayloadPacket is not ArpPacket message)
                continue;
            messages.Add(message);
            last = frame;
        }
        return messages;
    }

    private static byte[] Arp(ArpOperation operation, PhysicalAddress mac, string sender, string target) =>
        new EthernetPacket(mac, PhysicalAddress.Parse("FF-FF-FF-FF-FF-FF"), EthernetType.Arp)
        {
            PayloadPacket = new ArpPacket(operation, PhysicalAddress.Parse("00-00-00-00-00-00"), IPAddress.Parse(target), mac, IPAddress.Parse(sender)),
        }.Bytes;
}
