using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Runtime.InteropServices;
using PacketDotNet;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Dhcp;
using Xunit;
using PhysicalAddress = System.Net.NetworkInformation.PhysicalAddress;

namespace Ukl.Tests.Unit.Net;

/// <summary>The DHCP client against servers that serve, err, lie and vanish (RFC 2131).</summary>
public sealed unsafe class DhcpTests : IDisposable
{
    private const byte Discover = 1, Offer = 2, Request = 3, Acknowledge = 5, Refuse = 6;
    private static readonly PhysicalAddress s_server = PhysicalAddress.Parse("02-AA-BB-CC-DD-EE");
    private static readonly byte[] s_usual =
        [1, 4, 255, 255, 255, 0, 3, 4, 10, 0, 0, 1, 6, 8, 10, 0, 0, 3, 10, 0, 0, 4, 15, 7, .. "test.lan"u8[..7], 51, 4, 0, 0, 0x0e, 0x10, 54, 4, 10, 0, 0, 1];

    private readonly VirtualClock _clock = new();
    private readonly TestHost _host;
    private readonly DhcpClient* _client;
    private int _changes;
    private readonly GCHandle _handle;

    public DhcpTests()
    {
        _host = new TestHost(_clock, 1);
        _handle = GCHandle.Alloc(this);
        _client = (DhcpClient*)NativeMemory.AllocZeroed((nuint)sizeof(DhcpClient));
        _client->Context = (void*)GCHandle.ToIntPtr(_handle);
        _client->Changed = &Changed;
        _host.Do(() => DhcpClient.Start(_client, _host.Card));
    }

    public void Dispose()
    {
        _host.Do(() => DhcpClient.Stop(_client));
        _clock.Advance(100 * VirtualClock.Second);
        _host.Dispose();
        NativeMemory.Free(_client);
        _handle.Free();
    }

    [Fact]
    public void An_address_is_asked_for_and_taken()
    {
        byte[] discover = Single();
        Assert.Equal(Discover, TypeOf(discover));
        Assert.Equal(_host.Mac.GetAddressBytes(), discover[28..34]);
        Assert.Equal(0x80, discover[10]);
        Answer(discover, Offer, "10.0.0.50", s_usual);
        byte[] request = Single();
        Assert.Equal(Request, TypeOf(request));
        Assert.Equal(IPAddress.Parse("10.0.0.50").GetAddressBytes(), Option(request, 50));
        Assert.Equal(IPAddress.Parse("10.0.0.1").GetAddressBytes(), Option(request, 54));
        Answer(request, Acknowledge, "10.0.0.50", s_usual);
        Assert.Equal(DhcpState.Bound, _client->State);
        Assert.Equal(1, _changes);
        Assert.True(_host.Stack->IsLocal(TestHost.Address("10.0.0.50")));
        Assert.Equal(TestHost.Address("10.0.0.3"), _client->Lease.NameServer0);
        Assert.Equal(TestHost.Address("10.0.0.4"), _client->Lease.NameServer1);
        Assert.Equal("test.la"u8.ToArray(), ((ReadOnlySpan<byte>)_client->Lease.Domain)[..7].ToArray());
        // The neighbours are told.
        ArpPacket announcement = Packet.ParsePacket(LinkLayers.Ethernet, Assert.Single(_host.TakeSent())).Extract<ArpPacket>();
        Assert.Equal(IPAddress.Parse("10.0.0.50"), announcement.TargetProtocolAddress);
        // There is a default route.
        using var socket = new TestSocket(_host);
        Assert.Equal(1, socket.SendTo("x"u8, "8.8.8.8", 53).Value);
        Assert.Equal(IPAddress.Parse("10.0.0.1"), Packet.ParsePacket(LinkLayers.Ethernet, Assert.Single(_host.TakeSent())).Extract<ArpPacket>().TargetProtocolAddress);
    }

    [Fact]
    public void A_lease_is_renewed_then_rebound_then_lost()
    {
        Bind();
        Learn();
        _clock.Advance(1795 * VirtualClock.Second);
        Assert.Empty(Messages());
        _clock.Advance(10 * VirtualClock.Second);
        Assert.Equal(DhcpState.Renewing, _client->State);
        byte[] renewal = Single(out EthernetPacket frame);
        // To the server alone, from the address, and without what is only for beginners (RFC 2131 table 5).
        Assert.Equal(IPAddress.Parse("10.0.0.1"), frame.Extract<IPv4Packet>().DestinationAddress);
        Assert.Equal(IPAddress.Parse("10.0.0.50").GetAddressBytes(), renewal[12..16]);
        Assert.Null(Option(renewal, 50));
        Assert.Null(Option(renewal, 54));
        Answer(renewal, Acknowledge, "10.0.0.50", s_usual);
        Assert.Equal(DhcpState.Bound, _client->State);

        // Nobody answers any more.
        _clock.Advance(3160 * VirtualClock.Second);
        Assert.Equal(DhcpState.Rebinding, _client->State);
        List<byte[]> messages = Messages(out List<EthernetPacket> frames);
        Assert.InRange(messages.Count, 1, 12);
        Assert.Equal(IPAddress.Broadcast, frames[^1].Extract<IPv4Packet>().DestinationAddress);
        Assert.True(_host.Stack->IsLocal(TestHost.Address("10.0.0.50")));
        _clock.Advance(460 * VirtualClock.Second);
        Assert.Equal(DhcpState.Selecting, _client->State);
        Assert.False(_host.Stack->IsLocal(TestHost.Address("10.0.0.50")));
        using var socket = new TestSocket(_host);
        Assert.Equal(Errno.ENETUNREACH, socket.SendTo("x"u8, "8.8.8.8", 53).Error);
    }

    [Fact]
    public void While_rebinding_another_server_will_do_and_a_new_address_replaces_the_old()
    {
        Bind();
        _clock.Advance(3200 * VirtualClock.Second);
        Assert.Equal(DhcpState.Rebinding, _client->State);
        byte[] other = [.. s_usual];
        other[^1] = 9;
        Answer(Messages()[^1], Acknowledge, "10.0.0.77", other);
        Assert.Equal(DhcpState.Bound, _client->State);
        Assert.True(_host.Stack->IsLocal(TestHost.Address("10.0.0.77")));
        Assert.False(_host.Stack->IsLocal(TestHost.Address("10.0.0.50")));
    }

    [Fact]
    public void Without_a_server_the_question_is_repeated_ever_less_often()
    {
        _clock.Advance(600 * VirtualClock.Second);
        Assert.InRange(Messages().Count, 12, 18);
        Assert.Equal(DhcpState.Selecting, _client->State);
    }

    [Fact]
    public void An_offer_that_is_not_kept_sends_the_client_back_to_the_search()
    {
        Answer(Single(), Offer, "10.0.0.50", s_usual);
        _clock.Advance(30 * VirtualClock.Second);
        byte[] types = [.. Messages().Select(TypeOf)];
        Assert.Equal([Request, Request, Request, Request, Discover], types[..5]);
    }

    [Fact]
    public void A_server_that_refuses_everything_is_not_asked_without_end()
    {
        Answer(Single(), Offer, "10.0.0.50", s_usual);
        Answer(Single(), Refuse, "0.0.0.0", [54, 4, 10, 0, 0, 1]);
        Assert.Empty(Messages());
        int asked = 0;
        for (int second = 0; second < 100; second++)
        {
            _clock.Advance(VirtualClock.Second);
            foreach (byte[] message in Messages())
            {
                asked++;
                byte type = TypeOf(message) == Discover ? Offer : Refuse;
                Answer(message, type, "10.0.0.50", type == Offer ? s_usual : [54, 4, 10, 0, 0, 1]);
            }
        }
        Assert.InRange(asked, 10, 60);
    }

    [Fact]
    public void A_lease_that_is_refused_later_is_given_up_at_once()
    {
        Bind();
        Learn();
        _clock.Advance(1805 * VirtualClock.Second);
        byte[] renewal = Single();
        // Not by somebody else, though.
        Answer(renewal, Refuse, "0.0.0.0", [54, 4, 10, 0, 0, 66]);
        Assert.Equal(DhcpState.Renewing, _client->State);
        Answer(renewal, Refuse, "0.0.0.0", [54, 4, 10, 0, 0, 1]);
        Assert.Equal(DhcpState.Selecting, _client->State);
        Assert.False(_host.Stack->IsLocal(TestHost.Address("10.0.0.50")));
    }

    [Theory]
    [InlineData("0.0.0.0", "255.255.255.0")]
    [InlineData("127.0.0.1", "255.0.0.0")]
    [InlineData("224.0.0.5", "255.255.255.0")]
    [InlineData("255.255.255.255", "255.255.255.0")]
    [InlineData("10.0.0.255", "255.255.255.0")]
    [InlineData("10.0.0.0", "255.255.255.0")]
    [InlineData("10.0.0.50", "255.0.255.0")]
    [InlineData("10.0.0.50", "0.0.0.0")]
    public void Addresses_that_no_host_can_have_are_not_taken(string address, string mask)
    {
        byte[] options = [1, 4, .. IPAddress.Parse(mask).GetAddressBytes(), 51, 4, 0, 0, 1, 0, 54, 4, 10, 0, 0, 1];
        Answer(Single(), Offer, address, options);
        Assert.Equal(DhcpState.Selecting, _client->State);
    }

    [Fact]
    public void Answers_that_are_not_for_this_question_are_ignored()
    {
        byte[] discover = Single();
        byte[] good = Reply(discover, Offer, "10.0.0.50", s_usual);
        foreach (int at in new[] { 0, 1, 2, 4, 7, 28, 33, 236, 239 })
        {
            byte[] wrong = [.. good];
            wrong[at] ^= 0x40;
            Receive(wrong);
        }
        for (int length = 0; length < 260; length++)
            Receive(good[..length]);
        Receive(good, sourcePort: 1067);
        Receive(Reply(discover, Offer, "10.0.0.50", [1, 4, 255, 255, 255, 0]));
        Receive(Reply(discover, Acknowledge, "10.0.0.50", s_usual));
        Assert.Equal(DhcpState.Selecting, _client->State);
        Assert.Empty(Messages());
        Receive(good);
        Assert.Equal(DhcpState.Requesting, _client->State);
        // Another server's acknowledgement.
        byte[] other = [.. s_usual];
        other[^1] = 9;
        Answer(Single(), Acknowledge, "10.0.0.50", other);
        Assert.Equal(DhcpState.Requesting, _client->State);
    }

    [Fact]
    public void Lies_in_the_options_do_no_harm()
    {
        byte[] options =
        [
            1, 4, 255, 255, 255, 0, 3, 4, 127, 0, 0, 1, 6, 12, 224, 0, 0, 1, 0, 0, 0, 0, 10, 0, 0, 3, 15, 9, .. "a\nb nameX"u8, 26, 2, 0, 5, 51, 4, 0, 0, 0, 0,
            58, 4, 255, 255, 255, 255, 59, 4, 0, 0, 0, 0, 54, 4, 10, 0, 0, 1,
        ];
        Answer(Single(), Offer, "10.0.0.50", options);
        Answer(Single(), Acknowledge, "10.0.0.50", options);
        Assert.Equal(DhcpState.Bound, _client->State);
        ref DhcpLease lease = ref _client->Lease;
        Assert.Equal(default, lease.Router);
        Assert.Equal(default, lease.NameServer0);
        Assert.Equal(TestHost.Address("10.0.0.3"), lease.NameServer2);
        Assert.Equal(0, lease.Domain[0]);
        Assert.Equal(1500u, _host.Card->Mtu);
        // A lease of no time at all is one of a minute.
        Assert.Equal(60u, lease.Time);
        Assert.InRange(lease.RenewalTime, 15u, 59u);
        Assert.True(lease.RenewalTime < lease.RebindingTime);
        _clock.Advance(300 * VirtualClock.Second);
        Assert.InRange(Messages().Count, 2, 15);
    }

    [Fact]
    public void Options_in_other_fields_a_router_off_the_link_and_an_MTU_are_understood()
    {
        byte[] options = [52, 1, 3, 54, 4, 10, 0, 0, 1, 51, 4, 255, 255, 255, 255];
        byte[] reply(byte[] question, byte type)
        {
            byte[] message = Reply(question, type, "10.0.0.50", options);
            new byte[] { 1, 4, 255, 255, 255, 255, 255 }.CopyTo(message, 108);
            new byte[] { 3, 4, 172, 16, 0, 1, 26, 2, 0x05, 0x78, 255 }.CopyTo(message, 44);
            return message;
        }
        Receive(reply(Single(), Offer));
        Receive(reply(Single(), Acknowledge));
        Assert.Equal(DhcpState.Bound, _client->State);
        Assert.Equal(32, _client->Lease.PrefixLength);
        Assert.Equal(1400u, _host.Card->Mtu);
        _host.TakeSent();
        using var socket = new TestSocket(_host);
        Assert.Equal(1, socket.SendTo("x"u8, "8.8.8.8", 53).Value);
        ArpPacket question = Packet.ParsePacket(LinkLayers.Ethernet, Assert.Single(_host.TakeSent())).Extract<ArpPacket>();
        Assert.Equal(IPAddress.Parse("172.16.0.1"), question.TargetProtocolAddress);
        // For ever.
        _clock.Advance(1_000_000 * VirtualClock.Second);
        Assert.Equal(DhcpState.Bound, _client->State);
    }

    [Fact]
    public void A_cable_that_comes_back_asks_again()
    {
        Bind();
        _host.SetLink(false);
        _clock.Advance(10 * VirtualClock.Second);
        Assert.Empty(Messages());
        _host.SetLink(true);
        Assert.Equal(DhcpState.Rebinding, _client->State);
        Answer(Single(), Acknowledge, "10.0.0.50", s_usual);
        Assert.Equal(DhcpState.Bound, _client->State);
    }

    private static void Changed(DhcpClient* client) => ((DhcpTests)GCHandle.FromIntPtr((nint)client->Context).Target!)._changes++;

    private void Bind()
    {
        Answer(Single(), Offer, "10.0.0.50", s_usual);
        Answer(Single(), Acknowledge, "10.0.0.50", s_usual);
        Assert.Equal(DhcpState.Bound, _client->State);
        _host.TakeSent();
    }

    /// <summary>The server's Ethernet address becomes known.</summary>
    private void Learn()
    {
        _host.Receive(new EthernetPacket(s_server, _host.Mac, EthernetType.Arp)
        {
            PayloadPacket = new ArpPacket(ArpOperation.Request, _host.Mac, IPAddress.Parse("10.0.0.50"), s_server, IPAddress.Parse("10.0.0.1")),
        }.Bytes);
        _host.TakeSent();
    }

    private byte[] Single() => Assert.Single(Messages());

    private byte[] Single(out EthernetPacket frame)
    {
        byte[] message = Assert.Single(Messages(out List<EthernetPacket> frames));
        frame = frames[0];
        return message;
    }

    private List<byte[]> Messages() => Messages(out _);

    /// <summary>The client's messages, checked to be well-formed UDP by another implementation.</summary>
    private List<byte[]> Messages(out List<EthernetPacket> frames)
    {
        frames = [];
        List<byte[]> messages = [];
        foreach (byte[] bytes in _host.TakeSent())
        {
            var frame = (EthernetPacket)Packet.ParsePacket(LinkLayers.Ethernet, bytes);
            UdpPacket? udp = frame.Extract<UdpPacket>();
            if (udp == null || udp.DestinationPort != 67)
                continue;
            Assert.Equal(68, udp.SourcePort);
            Assert.True(udp.ValidUdpChecksum);
            Assert.True(frame.Extract<IPv4Packet>().ValidIPChecksum);
            frames.Add(frame);
            messages.Add(bytes[42..]);
        }
        return messages;
    }

    private void Answer(byte[] question, byte type, string address, byte[] options) => Receive(Reply(question, type, address, options));

    private void Receive(byte[] message, ushort sourcePort = 67)
    {
        byte[] udp = [(byte)(sourcePort >> 8), (byte)sourcePort, 0, 68, (byte)((message.Length + 8) >> 8), (byte)(message.Length + 8), 0, 0, .. message];
        _host.Receive(Frames.Ipv4(s_server, PhysicalAddress.Parse("FF-FF-FF-FF-FF-FF"), "10.0.0.1", "255.255.255.255", ProtocolType.Udp, udp));
    }

    private static byte[] Reply(byte[] question, byte type, string address, byte[] options)
    {
        byte[] fixedPart = new byte[240];
        question.AsSpan(0, 240).CopyTo(fixedPart);
        fixedPart[0] = 2;
        IPAddress.Parse(address).GetAddressBytes().CopyTo(fixedPart, 16);
        return [.. fixedPart, 53, 1, type, .. options, 255];
    }

    private static byte TypeOf(byte[] message) => Option(message, 53)![0];

    private static byte[]? Option(byte[] message, byte kind)
    {
        for (int at = 240; message[at] != 255; at += 2 + message[at + 1])
        {
            if (message[at] == kind)
                return message[(at + 2)..(at + 2 + message[at + 1])];
        }
        return null;
    }
}
