using System.Net;
using System.Net.Sockets;
using Ukl.Tool;
using Ukl.Tool.Build;
using Ukl.Tool.Qemu;
using Xunit;

namespace Ukl.Tests.Tool;

/// <summary>The options of the guest's network: what they accept, what they refuse, and what becomes of them on QEMU's and the kernel's command lines.</summary>
public sealed class NetworkOptionsTests
{
    [Theory]
    [InlineData("8080:80", "hostfwd=tcp:127.0.0.1:8080-:80")]
    [InlineData("8080:80/tcp", "hostfwd=tcp:127.0.0.1:8080-:80")]
    [InlineData("5353:53/udp", "hostfwd=udp:127.0.0.1:5353-:53")]
    [InlineData("0.0.0.0:1:65535", "hostfwd=tcp:0.0.0.0:1-:65535")]
    public void A_published_port_becomes_a_forward(string text, string expected) => Assert.Equal(expected, PublishedPort.Parse(text).Forward(""));

    [Theory]
    [InlineData("")]
    [InlineData("80")]
    [InlineData("80:")]
    [InlineData(":80")]
    [InlineData("0:80")]
    [InlineData("80:65536")]
    [InlineData("80:-1")]
    [InlineData("80:80/sctp")]
    [InlineData("80:80/udp/udp")]
    [InlineData("host:80:80")]
    [InlineData("1.2.3:80:80")]
    [InlineData("1:2:3:4")]
    [InlineData("a:b")]
    public void What_names_no_ports_is_refused_in_one_sentence(string text) => Refused(() => PublishedPort.Parse(text));

    [Theory]
    [InlineData("192.168.1.2/24", "192.168.1.0")]
    [InlineData("10.1.2.3/9", "10.0.0.0")]
    [InlineData("10.1.2.3/32", "10.1.2.3")]
    [InlineData("fd00::2:3/64", "fd00::")]
    [InlineData("fd00::ffff/121", "fd00::ff80")]
    public void An_address_knows_its_network(string text, string network)
    {
        IPNetworkAddress address = IPNetworkAddress.Parse(text);
        Assert.Equal(IPAddress.Parse(network), address.Network);
        Assert.Equal(text, address.ToString());
    }

    [Theory]
    [InlineData("10.0.0.1")]
    [InlineData("10.0.0.1/0")]
    [InlineData("10.0.0.1/33")]
    [InlineData("fd00::1/129")]
    [InlineData("10.0.0.1/x")]
    [InlineData("x/24")]
    [InlineData("10.0.0.1/24/1")]
    public void What_is_no_address_with_a_length_is_refused(string text) => Refused(() => IPNetworkAddress.Parse(text));

    [Theory]
    [InlineData("bridge")]
    [InlineData("tap")]
    [InlineData("tap=")]
    [InlineData("tap=a,script=x")]
    [InlineData("tap=a-name-that-is-too-long")]
    public void There_are_three_kinds_of_network(string net) => Refused(() => NetworkOptions.Parse(net, [], null, [], []));

    [Fact]
    public void Options_that_exclude_each_other_are_refused()
    {
        Refused(() => NetworkOptions.Parse("none", ["8080:80"], null, [], []));
        Refused(() => NetworkOptions.Parse("none", [], "x.pcap", [], []));
        Refused(() => NetworkOptions.Parse("tap=tap0", ["8080:80"], null, [], []));
        Refused(() => NetworkOptions.Parse(null, ["8080:80", "8080:81"], null, [], []));
        Refused(() => NetworkOptions.Parse(null, [], null, ["10.0.0.2/24", "10.0.0.3/24"], []));
        Refused(() => NetworkOptions.Parse(null, [], null, ["10.0.0.2/24"], ["fd00::1"]));
        Refused(() => NetworkOptions.Parse(null, [], null, [], ["10.0.0.1"]));
        Refused(() => NetworkOptions.Parse(null, [], null, ["10.0.0.2/24"], ["gateway"]));
    }

    [Fact]
    public void The_same_port_may_be_published_for_tcp_and_udp() =>
        Assert.Equal(2, NetworkOptions.Parse(null, ["53:53", "53:53/udp"], null, [], []).Published.Count);

    [Fact]
    public void A_card_is_there_when_it_is_asked_for_or_the_program_can_use_it()
    {
        NetworkOptions silent = NetworkOptions.Parse(null, [], null, [], []);
        Assert.False(silent.HasCard);
        Assert.Empty(silent.Arguments("q35"));
        Assert.False(silent.For(usesSockets: false).HasCard);
        Assert.Equal(NetworkKind.User, silent.For(usesSockets: true).Kind);
        Assert.False(NetworkOptions.Parse("none", [], null, [], []).For(usesSockets: true).HasCard);
        Assert.Equal(NetworkKind.User, NetworkOptions.Parse(null, ["8080:80"], null, [], []).Kind);
        Assert.Equal(NetworkKind.Tap, NetworkOptions.Parse("tap=tap0", [], null, [], []).For(usesSockets: true).Kind);
    }

    [Fact]
    public void The_card_fits_the_machine()
    {
        NetworkOptions options = NetworkOptions.Parse("user", ["8080:80"], "/tmp/a,b.pcap", [], []);
        Assert.Equal(
            ["-netdev", "user,id=net,hostfwd=tcp:127.0.0.1:8080-:80", "-device", "virtio-net-pci,romfile=,netdev=net",
                "-object", "rng-random,id=random,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=random",
                "-object", "filter-dump,id=capture,netdev=net,file=/tmp/a,,b.pcap"],
            options.Arguments("q35"));
        Assert.Contains("virtio-net-device,netdev=net", options.Arguments("microvm"));
        Assert.Contains("virtio-mmio.force-legacy=false", options.Arguments("microvm"));
        Assert.DoesNotContain("virtio-mmio.force-legacy=false", options.Arguments("q35"));
        Assert.Contains("virtio-rng-device,rng=random", options.Arguments("microvm"));
        Assert.Contains("tap,id=net,ifname=tap0,script=no,downscript=no", NetworkOptions.Parse("tap=tap0", [], null, [], []).Arguments("pc"));
    }

    [Fact]
    public void A_fixed_address_is_told_to_the_kernel_and_to_the_network_behind_the_card()
    {
        NetworkOptions options = NetworkOptions.Parse(null, ["8080:80"], null, ["192.168.7.9/24", "fd07::9/64"], ["192.168.7.1", "fd07::1"]);
        KernelCommandLine commandLine = new();
        options.AddTo(commandLine);
        Assert.Equal("ip=192.168.7.9/24 ip=fd07::9/64 gateway=192.168.7.1 gateway=fd07::1", commandLine.ToString());
        Assert.Contains(
            "user,id=net,net=192.168.7.0/24,host=192.168.7.1,ipv6-net=fd07::/64,ipv6-host=fd07::1,hostfwd=tcp:127.0.0.1:8080-192.168.7.9:80",
            options.Arguments("q35"));
    }

    [Fact]
    public void The_card_is_part_of_the_machine()
    {
        BuiltImage image = new("x", new Level("general", 0, false, true), "/out");
        MachineOptions machine = new() { Network = NetworkOptions.Parse("user", [], null, [], []) };
        Assert.Contains("virtio-net-pci,romfile=,netdev=net", QemuCommand.Arguments(image, machine, "tcg", new KernelCommandLine(), "/s", SerialLine.Pipe));
        Assert.DoesNotContain("-netdev", QemuCommand.Arguments(image, new MachineOptions(), "tcg", new KernelCommandLine(), "/s", SerialLine.Pipe));
    }

    [Theory]
    [InlineData(SocketType.Stream, ProtocolType.Tcp, "")]
    [InlineData(SocketType.Dgram, ProtocolType.Udp, "/udp")]
    public void A_port_in_use_is_said_before_anything_starts(SocketType type, ProtocolType protocol, string suffix)
    {
        using Socket other = new(AddressFamily.InterNetwork, type, protocol);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        if (type == SocketType.Stream)
            other.Listen();
        int port = ((IPEndPoint)other.LocalEndPoint!).Port;
        NetworkOptions options = NetworkOptions.Parse(null, [$"{port}:80{suffix}"], null, [], []);
        Assert.Contains($"{port} is in use", Assert.Throws<ToolException>(options.RequireHost).Message);
        other.Dispose();
        options.RequireHost();
    }

    [Fact]
    public void What_the_machine_lacks_is_said_before_anything_starts()
    {
        Assert.Contains("no network device", Assert.Throws<ToolException>(NetworkOptions.Parse("tap=no-such-tap", [], null, [], []).RequireHost).Message);
        Assert.Contains("no folder", Assert.Throws<ToolException>(NetworkOptions.Parse(null, [], "/no/such/folder/x.pcap", [], []).RequireHost).Message);
        Assert.Contains("no address of this machine", Assert.Throws<ToolException>(NetworkOptions.Parse(null, ["198.51.100.1:8080:80"], null, [], []).RequireHost).Message);
    }

    private static void Refused(Action parse)
    {
        ToolException failure = Assert.Throws<ToolException>(parse);
        Assert.DoesNotContain('\n', failure.Message);
        Assert.EndsWith(".", failure.Message, StringComparison.Ordinal);
    }
}
