using System;
using System.Collections.Generic;
using System.Net;
using System.Net.NetworkInformation;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Ip;
using Xunit;

namespace Ukl.Tests.Unit.Net;

/// <summary>Who is told of the groups this host listens to (RFC 3376, RFC 3810).</summary>
public sealed unsafe class GroupReportTests : IDisposable
{
    private static readonly PhysicalAddress s_router = PhysicalAddress.Parse("02-AA-BB-CC-DD-EE");

    private readonly VirtualClock _clock = new();
    private readonly TestHost _host;

    public GroupReportTests()
    {
        _host = new TestHost(_clock, 1);
        _host.AddAddress("10.0.0.1", 24);
        _host.AddAddress("fe80::1", 64);
        _clock.Advance(3 * VirtualClock.Second);
        _host.TakeSent();
    }

    public void Dispose() => _host.Dispose();

    [Fact]
    public void Joining_and_leaving_a_group_of_IPv4()
    {
        Join("224.0.0.251");
        byte[] report = Assert.Single(Igmp());
        // To 224.0.0.22, hop limit 1, with the router alert option; one record: changes to listening to all.
        Assert.Equal("01-00-5E-00-00-16", BitConverter.ToString(report, 0, 6));
        Assert.Equal(0x46, report[14]);
        Assert.Equal(1, report[22]);
        Assert.Equal(IPAddress.Parse("10.0.0.1"), new IPAddress(report.AsSpan(26, 4)));
        Assert.Equal([0x94, 0x04, 0, 0], report[34..38]);
        Assert.Equal([0x22, 0], report[38..40]);
        Assert.Equal([0, 1, 4, 0, 0, 0, 224, 0, 0, 251], report[44..54]);
        Assert.Equal(0, Checksum(report.AsSpan(14, 24)));
        Assert.Equal(0, Checksum(report.AsSpan(38)));
        // A second reason to listen is no news. The report is repeated once.
        Join("224.0.0.251");
        Assert.Empty(_host.TakeSent());
        _clock.Advance(2 * VirtualClock.Second);
        Assert.Equal(2, Assert.Single(Igmp())[46]);
        _clock.Advance(10 * VirtualClock.Second);
        Assert.Empty(_host.TakeSent());
        Leave("224.0.0.251");
        Assert.Empty(_host.TakeSent());
        Leave("224.0.0.251");
        Assert.Equal([3, 0, 0, 0, 224, 0, 0, 251], Assert.Single(Igmp())[46..54]);
        _clock.Advance(2 * VirtualClock.Second);
        Assert.Empty(Igmp());
    }

    [Fact]
    public void A_query_is_answered_with_everything_within_its_time()
    {
        Join("224.0.0.251");
        Join("239.1.2.3");
        _clock.Advance(2 * VirtualClock.Second);
        _host.TakeSent();
        byte[] query = [0x11, 20, 0, 0, 0, 0, 0, 0];
        Frames.SetChecksum(query, 2, 0);
        byte[] frame = Frames.Ipv4(s_router, PhysicalAddress.Parse("01-00-5E-00-00-01"), "10.0.0.9", "224.0.0.1", (PacketDotNet.ProtocolType)2, query, hopLimit: 1);
        _host.Receive(frame, frame, frame);
        _clock.Advance((2 * VirtualClock.Second) + 200_000_000);
        Assert.Equal(2, Assert.Single(Igmp())[45]);
        query[4] ^= 1;
        _host.Receive(Frames.Ipv4(s_router, PhysicalAddress.Parse("01-00-5E-00-00-01"), "10.0.0.9", "224.0.0.1", (PacketDotNet.ProtocolType)2, query, hopLimit: 1));
        _clock.Advance(30 * VirtualClock.Second);
        Assert.Empty(Igmp());
    }

    [Fact]
    public void Of_IPv6_too_and_the_groups_of_addresses_are_among_them()
    {
        Join("ff02::fb");
        byte[] report = Assert.Single(Mld());
        Assert.Equal("33-33-00-00-00-16", BitConverter.ToString(report, 0, 6));
        Assert.Equal([58, 0, 5, 2, 0, 0, 1, 0], report[54..62]);
        Assert.Equal([0, 1, 4, 0, 0, 0, .. IPAddress.Parse("ff02::fb").GetAddressBytes()], report[68..90]);
        _clock.Advance(2 * VirtualClock.Second);
        Assert.Equal([0, 2], Assert.Single(Mld())[68..70]);
        byte[] query = [130, 0, 0, 0, 0, 100, 0, 0, .. new byte[20]];
        _host.Receive(Frames.Icmp6(s_router, PhysicalAddress.Parse("33-33-00-00-00-01"), "fe80::9", "ff02::1", query, hopLimit: 1));
        _clock.Advance(200_000_000);
        report = Assert.Single(Mld());
        uint sum = Frames.PseudoSum6("fe80::1", "ff02::16", 58, report.Length - 62);
        byte[] message = report[62..];
        byte[] made = [.. message];
        made[2] = made[3] = 0;
        Frames.SetChecksum(made, 2, sum);
        Assert.Equal(made, message);
        // From elsewhere, or forwarded, it is not asked.
        _host.Receive(
            Frames.Icmp6(s_router, PhysicalAddress.Parse("33-33-00-00-00-01"), "2001:db8::9", "ff02::1", query, hopLimit: 1),
            Frames.Icmp6(s_router, PhysicalAddress.Parse("33-33-00-00-00-01"), "fe80::9", "ff02::1", query, hopLimit: 2));
        _clock.Advance(VirtualClock.Second);
        Assert.Empty(Mld());
        // What stays on this host, and all nodes, is nobody's business.
        Join("ff01::5");
        Join("ff02::1");
        Assert.Empty(_host.TakeSent());
    }

    private void Join(string group) => _host.Do(() => Assert.Equal(Errno.None, MulticastGroups.Join(_host.Card, TestHost.Address(group))));

    private void Leave(string group) => _host.Do(() => Assert.Equal(Errno.None, MulticastGroups.Leave(_host.Card, TestHost.Address(group))));

    private List<byte[]> Igmp() => _host.TakeSent().FindAll(frame => frame[12] == 8 && frame[23] == 2);

    private List<byte[]> Mld() => _host.TakeSent().FindAll(frame => frame[12] == 0x86 && frame[20] == 0 && frame[62] == 143);

    private static int Checksum(ReadOnlySpan<byte> bytes)
    {
        byte[] copy = [.. bytes, 0, 0];
        Frames.SetChecksum(copy, copy.Length - 2, 0);
        return copy[^2] | copy[^1];
    }
}
