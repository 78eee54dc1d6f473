using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Net.NetworkInformation;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net;
using Ukl.Kernel.Net.Ip;
using Ukl.Kernel.Net.Slaac;
using Xunit;

namespace Ukl.Tests.Unit.Net;

/// <summary>IPv6: addresses of its own (RFC 4862), neighbours (RFC 4861), extension headers (RFC 8200).</summary>
public sealed unsafe class Ipv6Tests : IDisposable
{
    private const string RouterAddress = "fe80::aa";
    private static readonly PhysicalAddress s_router = PhysicalAddress.Parse("02-AA-BB-CC-DD-EE");

    private readonly VirtualClock _clock = new();
    private readonly TestHost _host;

    public Ipv6Tests() => _host = new TestHost(_clock, 1);

    public void Dispose()
    {
        _clock.Advance(100 * VirtualClock.Second);
        _host.Dispose();
    }

    [Fact]
    public void A_link_local_address_is_tried_for_and_taken()
    {
        Start();
        byte[] probe = Assert.Single(Messages(135));
        // From nobody to the group of the address, about the address (RFC 4862 section 5.4.2).
        Assert.Equal("33-33-FF-00-00-01", BitConverter.ToString(probe, 0, 6));
        Assert.Equal(IPAddress.IPv6Any, new IPAddress(probe.AsSpan(22, 16)));
        Assert.Equal(IPAddress.Parse("ff02::1:ff00:1"), new IPAddress(probe.AsSpan(38, 16)));
        Assert.Equal(255, probe[21]);
        Assert.Equal(135, probe[54]);
        Assert.Equal(IPAddress.Parse("fe80::ff:fe00:1"), new IPAddress(probe.AsSpan(62, 16)));
        Assert.Equal(AddressState.Tentative, State("fe80::ff:fe00:1"));
        _clock.Advance(VirtualClock.Second + 2_000_000);
        Assert.Equal(AddressState.Preferred, State("fe80::ff:fe00:1"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_address_that_somebody_has_or_wants_is_not_taken(bool isTaken)
    {
        Start();
        const string own = "fe80::ff:fe00:1";
        byte[] target = IPAddress.Parse(own).GetAddressBytes();
        _host.Receive(isTaken
            ? Frames.Icmp6(s_router, Group("33-33-00-00-00-01"), own, "ff02::1", [136, 0, 0, 0, 0x20, 0, 0, 0, .. target, 2, 1, .. s_router.GetAddressBytes()])
            : Frames.Icmp6(s_router, Group("33-33-FF-00-00-01"), "::", "ff02::1:ff00:1", [135, 0, 0, 0, 0, 0, 0, 0, .. target]));
        _clock.Advance(3 * VirtualClock.Second);
        Assert.Equal(AddressState.Duplicate, State(own));
        Assert.False(_host.Stack->IsLocal(TestHost.Address(own)));
    }

    [Fact]
    public void Routers_are_asked_three_times()
    {
        Start();
        _clock.Advance(30 * VirtualClock.Second);
        Assert.Equal(3, Messages(133).Count);
    }

    [Fact]
    public void An_announcement_gives_address_route_and_more()
    {
        Start();
        _clock.Advance(2 * VirtualClock.Second);
        _host.Receive(Announcement(1800, Prefix("2001:db8::", 64, 0xc0, 7200, 3600), Mtu(1400), NameServers("2001:db8::53")));
        Assert.Equal(AddressState.Tentative, State("2001:db8::ff:fe00:1"));
        _clock.Advance(2 * VirtualClock.Second);
        Assert.Equal(AddressState.Preferred, State("2001:db8::ff:fe00:1"));
        Assert.Equal(1400u, _host.Card->Mtu);
        Assert.Equal(TestHost.Address("2001:db8::53"), _host.Card->AutoConfiguration.NameServer0);
        _host.TakeSent();
        _clock.Advance(30 * VirtualClock.Second);
        Assert.Empty(Messages(133));

        // Through the router to elsewhere, from the new address; what is on the link is asked for there.
        using var socket = new TestSocket(_host, isV6: true);
        socket.SendTo("x"u8, "2600::1", 9);
        byte[] frame = Assert.Single(_host.TakeSent());
        Assert.Equal(s_router.GetAddressBytes(), frame[..6]);
        Assert.Equal(IPAddress.Parse("2001:db8::ff:fe00:1"), new IPAddress(frame.AsSpan(22, 16)));
        socket.SendTo("x"u8, "2001:db8::9", 9);
        Assert.Single(Messages(135));

        // Deprecated after an hour, gone after two, and so is the router.
        _clock.Advance(3600 * VirtualClock.Second);
        Assert.Equal(AddressState.Deprecated, State("2001:db8::ff:fe00:1"));
        Assert.Equal(Errno.ENETUNREACH, socket.SendTo("x"u8, "2600::1", 9).Error);
        _clock.Advance(3600 * VirtualClock.Second);
        Assert.Equal(AddressState.None, State("2001:db8::ff:fe00:1"));
    }

    [Fact]
    public void A_router_that_ends_its_service_is_forgotten()
    {
        Start();
        _clock.Advance(2 * VirtualClock.Second);
        _host.Receive(Announcement(1800, Prefix("2001:db8::", 64, 0xc0, 7200, 3600)));
        _clock.Advance(2 * VirtualClock.Second);
        using var socket = new TestSocket(_host, isV6: true);
        Assert.Equal(1, socket.SendTo("x"u8, "2600::1", 9).Value);
        _host.Receive(Announcement(0));
        Assert.Equal(Errno.ENETUNREACH, socket.SendTo("x"u8, "2600::1", 9).Error);
    }

    [Fact]
    public void A_hostile_router_gets_no_further_than_the_limits()
    {
        Start();
        _clock.Advance(2 * VirtualClock.Second);
        for (int i = 0; i < 2000; i++)
            _host.Receive(Announcement(1800, Prefix($"2001:db8:{i:x}::", 64, 0xc0, 7200, 3600)));
        Assert.InRange(_host.Card->AddressEnd, 1, 9);
        Assert.InRange(_host.Stack->Routes.Count, 1, 20);
        // A lifetime of a second does not take an address away (RFC 4862 section 5.5.3 e).
        _clock.Advance(2 * VirtualClock.Second);
        _host.Receive(Announcement(1800, Prefix("2001:db8:0::", 64, 0xc0, 1, 0)));
        _clock.Advance(1000 * VirtualClock.Second);
        Assert.Equal(AddressState.Deprecated, State("2001:db8::ff:fe00:1"));
        // What cannot be from a neighbour is not read: hop limit, source, options of length 0.
        int routes = _host.Stack->Routes.Count;
        _host.Receive(Frames.Icmp6(s_router, Group("33-33-00-00-00-01"), RouterAddress, "ff02::1", AnnouncementBytes(9000), hopLimit: 254));
        _host.Receive(Frames.Icmp6(s_router, Group("33-33-00-00-00-01"), "2001:db8::7", "ff02::1", AnnouncementBytes(9000)));
        _host.Receive(Announcement(9000, [1, 0, 0, 0, 0, 0, 0, 0]));
        _clock.Advance(1000 * VirtualClock.Second);
        Assert.InRange(_host.Stack->Routes.Count, 0, routes - 1);
    }

    [Fact]
    public void Two_hosts_find_each_other_and_talk()
    {
        var other = new TestHost(_clock, 2);
        TestHost.Connect(_host, other);
        _host.AddAddress("2001:db8::1", 64);
        other.AddAddress("2001:db8::2", 64);
        _host.Do(() => AutoConfiguration.Start(_host.Card));
        other.Do(() => AutoConfiguration.Start(other.Card));
        _clock.Advance(2 * VirtualClock.Second);
        using (var client = new TestSocket(_host, isV6: true))
        using (var server = new TestSocket(other, isV6: true))
        {
            server.Bind("::", 1000);
            foreach (int length in new[] { 0, 5, 1452, 1453, 5000, 65527 })
            {
                byte[] bytes = Enumerable.Range(0, length).Select(i => (byte)(i * 3)).ToArray();
                Assert.Equal(length, client.SendTo(bytes, "2001:db8::2", 1000).Value);
                Assert.Equal(bytes, server.Receive());
                Assert.Equal(TestHost.Address("2001:db8::1"), server.Information.Source);
            }
            // By link-local addresses, with an interface.
            Assert.Equal(1, client.SendTo("l"u8, "fe80::ff:fe00:2", 1000, _host.Card->Index).Value);
            Assert.Equal("l"u8.ToArray(), server.Receive());
            Assert.Equal(TestHost.Address("fe80::ff:fe00:1"), server.Information.Source);
            Assert.Equal(1, server.SendTo("m"u8, "fe80::ff:fe00:1", client.Socket->LocalPort, other.Card->Index).Value);
            Assert.Equal("m"u8.ToArray(), client.Receive());
            // A closed port.
            client.Connect("2001:db8::2", 9);
            client.Send("x"u8);
            Assert.Equal(Errno.ECONNREFUSED, client.Send("x"u8).Error);
        }
        _clock.Advance(100 * VirtualClock.Second);
        _host.Peer = null;
        other.Dispose();
    }

    [Fact]
    public void A_dual_socket_speaks_IPv4_too_and_one_for_IPv6_only_does_not()
    {
        _host.AddAddress("10.0.0.1", 24);
        using var both = new TestSocket(_host, isV6: true);
        Assert.Equal(Errno.None, both.Bind("::", 1000));
        using var client = new TestSocket(_host);
        client.SendTo("4"u8, "10.0.0.1", 1000);
        Assert.NotNull(both.Receive());
        Assert.Equal(TestHost.Address("::ffff:10.0.0.1"), both.Information.Source);
        both.SendTo("back"u8, "::ffff:10.0.0.1", client.Socket->LocalPort);
        Assert.Equal("back"u8.ToArray(), client.Receive());
        using var only = new TestSocket(_host, isV6: true);
        Assert.Equal(Errno.None, only.Bind("::", 1001, PortFlags.IsV6Only));
        client.SendTo("4"u8, "10.0.0.1", 1001);
        Assert.Null(only.Receive());
        client.SendTo("6"u8, "10.0.0.1", 1000);
        Assert.Equal(Errno.ENETUNREACH, only.SendTo("x"u8, "::ffff:10.0.0.1", 1000).Error);
        using var local = new TestSocket(_host, isV6: true);
        local.SendTo("6"u8, "::1", 1001);
        Assert.NotNull(only.Receive());
    }

    [Fact]
    public void Extension_headers_are_passed_over_refused_or_reported()
    {
        _host.AddAddress("2001:db8::1", 64);
        _clock.Advance(2 * VirtualClock.Second);
        using var socket = new TestSocket(_host, isV6: true);
        socket.Bind("::", 1000);
        byte[] datagram = Frames.Udp("2001:db8::2", "2001:db8::1", 5, 1000, "ok"u8);
        Learn("2001:db8::2");
        // Hop-by-hop, destination options, a routing header with nothing left to do.
        Assert.NotNull(With(socket, 0, [60, 0, 1, 4, 0, 0, 0, 0, 43, 0, 5, 2, 0, 0, 1, 0, 17, 0, 9, 0, 0, 0, 0, 0, .. datagram]));
        Assert.Empty(_host.TakeSent());
        // An option that says "skip me", one that says "drop me", one that says "tell me".
        Assert.NotNull(With(socket, 60, [17, 0, 0x3e, 4, 0, 0, 0, 0, .. datagram]));
        Assert.Null(With(socket, 60, [17, 0, 0x7e, 4, 0, 0, 0, 0, .. datagram]));
        Assert.Empty(_host.TakeSent());
        Assert.Null(With(socket, 60, [17, 0, 0xbe, 4, 0, 0, 0, 0, .. datagram]));
        byte[] report = Assert.Single(_host.TakeSent());
        Assert.Equal([4, 2], report[54..56]);
        Assert.Equal([0, 0, 0, 42], report[58..62]);
        // A routing header that wants to be followed, hop-by-hop in second place, an unknown header.
        Assert.Null(With(socket, 43, [17, 0, 0, 1, 0, 0, 0, 0, .. datagram]));
        Assert.Equal([4, 0], Assert.Single(_host.TakeSent())[54..56]);
        Assert.Null(With(socket, 60, [0, 0, 1, 4, 0, 0, 0, 0, 17, 0, 1, 4, 0, 0, 0, 0, .. datagram]));
        Assert.Equal([4, 1], Assert.Single(_host.TakeSent())[54..56]);
        Assert.Null(With(socket, 253, datagram));
        report = Assert.Single(_host.TakeSent());
        Assert.Equal([4, 1], report[54..56]);
        Assert.Equal([0, 0, 0, 6], report[58..62]);
        // Lengths that lie, and endless headers.
        Assert.Null(With(socket, 60, [17, 200, 1, 4, 0, 0, 0, 0, .. datagram]));
        byte[] endless = [.. Enumerable.Repeat<byte[]>([60, 0, 1, 4, 0, 0, 0, 0], 100).SelectMany(x => x), .. datagram];
        Assert.Null(With(socket, 60, endless));
        Assert.Null(With(socket, 59, datagram));
        Assert.Empty(_host.TakeSent());
    }

    [Fact]
    public void A_neighbour_without_news_stays_and_one_that_moved_is_followed()
    {
        _host.AddAddress("2001:db8::1", 64);
        _clock.Advance(2 * VirtualClock.Second);
        using var socket = new TestSocket(_host, isV6: true);
        socket.SendTo("x"u8, "2001:db8::2", 9);
        byte[] target = IPAddress.Parse("2001:db8::2").GetAddressBytes();
        byte[] question = Messages(135)[^1];
        Assert.Equal(target, question[62..78]);
        _host.Receive(Advertisement(target, 0x60, s_router));
        Assert.Single(_host.TakeSent());
        Assert.Equal(NeighborState.Reachable, Neighbor("2001:db8::2")->State);
        // Without the override flag another address only casts doubt (RFC 4861 section 7.2.5).
        PhysicalAddress other = PhysicalAddress.Parse("02-00-00-00-00-77");
        _clock.Advance(2 * VirtualClock.Second);
        _host.Receive(Advertisement(target, 0, other));
        Assert.Equal(NeighborState.Stale, Neighbor("2001:db8::2")->State);
        Assert.Equal(0xeeddccbbaa02ul, Neighbor("2001:db8::2")->Mac.Value);
        _host.Receive(Advertisement(target, 0x20, other));
        Assert.Equal(0x770000000002ul, Neighbor("2001:db8::2")->Mac.Value);
    }

    private void Start() => _host.Do(() => AutoConfiguration.Start(_host.Card));

    private void Learn(string address)
    {
        byte[] source = IPAddress.Parse(address).GetAddressBytes();
        byte[] target = IPAddress.Parse("2001:db8::1").GetAddressBytes();
        _host.Receive(Frames.Icmp6(s_router, _host.Mac, address, "2001:db8::1",
            [135, 0, 0, 0, 0, 0, 0, 0, .. target, 1, 1, .. s_router.GetAddressBytes()]));
        Assert.True(Neighbor(new IPAddress(source).ToString()) != null);
        _host.TakeSent();
    }

    private byte[]? With(TestSocket socket, byte next, byte[] payload)
    {
        _host.Receive(Frames.Ipv6(s_router, _host.Mac, "2001:db8::2", "2001:db8::1", next, payload));
        return socket.Receive();
    }

    private Neighbor* Neighbor(string address) => _host.Stack->Neighbors.Find(_host.Card, TestHost.Address(address));

    private AddressState State(string address)
    {
        int number = _host.Card->Find(TestHost.Address(address));
        return number < 0 ? AddressState.None : _host.Card->Addresses[number].State;
    }

    private List<byte[]> Messages(byte type) => _host.TakeSent().FindAll(frame => frame[12] == 0x86 && frame[20] == 58 && frame[54] == type);

    private byte[] Advertisement(byte[] target, byte flags, PhysicalAddress mac) =>
        Frames.Icmp6(mac, _host.Mac, "2001:db8::2", "2001:db8::1", [136, 0, 0, 0, flags, 0, 0, 0, .. target, 2, 1, .. mac.GetAddressBytes()]);

    private static byte[] Announcement(ushort lifetime, params byte[][] options) =>
        Frames.Icmp6(s_router, Group("33-33-00-00-00-01"), RouterAddress, "ff02::1", AnnouncementBytes(lifetime, options));

    private static byte[] AnnouncementBytes(ushort lifetime, params byte[][] options) =>
        [134, 0, 0, 0, 64, 0, (byte)(lifetime >> 8), (byte)lifetime, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, .. s_router.GetAddressBytes(), .. options.SelectMany(x => x)];

    private static byte[] Prefix(string prefix, byte length, byte flags, uint valid, uint preferred) =>
        [3, 4, length, flags, .. Number(valid), .. Number(preferred), 0, 0, 0, 0, .. IPAddress.Parse(prefix).GetAddressBytes()];

    private static byte[] Mtu(uint mtu) => [5, 1, 0, 0, .. Number(mtu)];

    private static byte[] NameServers(string server) => [25, 3, 0, 0, .. Number(600), .. IPAddress.Parse(server).GetAddressBytes()];

    private static byte[] Number(uint value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];

    private static PhysicalAddress Group(string mac) => PhysicalAddress.Parse(mac);
}
