using System;
using System.Text;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Boot;
using Ukl.Kernel.Net;
using Xunit;

namespace Ukl.Tests.Unit.Net;

/// <summary>The network's words on the command line.</summary>
public sealed unsafe class NetworkConfigurationTests : IDisposable
{
    private readonly VirtualClock _clock = new();
    private readonly TestHost _host;

    public NetworkConfigurationTests() => _host = new TestHost(_clock, 1);

    public void Dispose()
    {
        _clock.Advance(20 * VirtualClock.Second);
        _host.Dispose();
    }

    [Fact]
    public void Addresses_routers_and_name_servers()
    {
        NetworkConfiguration configuration = Use("init=/x ip=10.0.0.7/8 ip=10.1.0.7/16 gateway=10.0.0.1 ip=fd00::7/64 gateway=fd00::1 dns=1.1.1.1 dns=fd00::53 -- ip=9.9.9.9");
        Assert.False(configuration.UsesDhcp);
        Assert.Equal(2, configuration.NameServerCount);
        Assert.Equal(TestHost.Address("fd00::53"), configuration.NameServers[1]);
        Assert.True(_host.Stack->IsLocal(TestHost.Address("10.0.0.7")));
        Assert.True(_host.Stack->IsLocal(TestHost.Address("10.1.0.7")));
        Assert.False(_host.Stack->IsLocal(TestHost.Address("9.9.9.9")));
        _clock.Advance(2 * VirtualClock.Second);
        Assert.True(_host.Stack->IsLocal(TestHost.Address("fd00::7")));
        using var socket = new TestSocket(_host, isV6: true);
        Assert.Equal(1, socket.SendTo("x"u8, "::ffff:8.8.8.8", 9).Value);
        Assert.Equal(1, socket.SendTo("x"u8, "2600::1", 9).Value);
        // The longer prefix wins, and its address is the source.
        Assert.Equal(Errno.None, socket.Connect("::ffff:10.1.2.3", 9));
        Assert.Equal(TestHost.Address("10.1.0.7"), socket.Socket->Local);
    }

    [Theory]
    [InlineData("", true, false)]
    [InlineData("ip=dhcp", true, false)]
    [InlineData("ip=10.0.0.7/8", false, false)]
    [InlineData("ip=10.0.0.7/8 ip=dhcp", true, false)]
    [InlineData("ip=fd00::7/64", true, false)]
    [InlineData("ip=none", false, true)]
    [InlineData("ip=10.0.0.300/8", true, false)]
    public void When_DHCP_is_asked(string words, bool isAsked, bool isNone)
    {
        NetworkConfiguration configuration = Use(words);
        Assert.Equal(isAsked, configuration.UsesDhcp);
        Assert.Equal(isNone, configuration.IsNone);
    }

    [Fact]
    public void What_cannot_be_used_changes_nothing()
    {
        Use("ip=10.0.0.7/33 ip=224.0.0.1/24 ip=0.0.0.0/0 ip=hello gateway=0.0.0.0 gateway=x gateway=224.0.0.1 dns=x dns=1.2.3");
        Assert.Equal(0, _host.Card->AddressEnd);
        Assert.Equal(0, _host.Stack->Routes.Count);
    }

    private NetworkConfiguration Use(string words)
    {
        var commandLine = new CommandLine();
        Assert.True(commandLine.Set(Encoding.ASCII.GetBytes(words)).IsEmpty);
        var configuration = new NetworkConfiguration();
        configuration.Read(commandLine);
        _host.Stack->Enter();
        NetworkConfiguration.Apply(commandLine, _host.Card);
        _host.Stack->Leave();
        return configuration;
    }
}
