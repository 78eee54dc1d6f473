using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net;
using Xunit;

namespace Ukl.Tests.Unit.Net;

/// <summary>Which sockets may share a port: every row was tried on Linux with bind(2).</summary>
public sealed unsafe class PortTableTests : IDisposable
{
    private readonly PortTable* _table;
    private readonly List<nint> _bindings = [];

    public PortTableTests()
    {
        _table = (PortTable*)NativeMemory.AllocZeroed((nuint)sizeof(PortTable));
        Assert.True(_table->Initialize());
    }

    public void Dispose()
    {
        foreach (nint binding in _bindings)
        {
            _table->Release((PortBinding*)binding);
            NativeMemory.Free((void*)binding);
        }
        Assert.Equal(0u, _table->Count);
        _table->Clear();
        NativeMemory.Free(_table);
    }

    [Theory]
    [InlineData("0.0.0.0", PortFlags.None, "0.0.0.0", PortFlags.None, false)]
    [InlineData("0.0.0.0", PortFlags.None, "127.0.0.1", PortFlags.None, false)]
    [InlineData("127.0.0.1", PortFlags.None, "127.0.0.2", PortFlags.None, true)]
    [InlineData("127.0.0.1", PortFlags.None, "127.0.0.1", PortFlags.None, false)]
    [InlineData("::", PortFlags.None, "0.0.0.0", PortFlags.None, false)]
    [InlineData("::", PortFlags.None, "127.0.0.1", PortFlags.None, false)]
    [InlineData("::", PortFlags.IsV6Only, "0.0.0.0", PortFlags.None, true)]
    [InlineData("::", PortFlags.IsV6Only, "127.0.0.1", PortFlags.None, true)]
    [InlineData("::", PortFlags.IsV6Only, "::1", PortFlags.None, false)]
    [InlineData("::", PortFlags.None, "::1", PortFlags.None, false)]
    [InlineData("::1", PortFlags.None, "0.0.0.0", PortFlags.None, true)]
    [InlineData("::1", PortFlags.None, "127.0.0.1", PortFlags.None, true)]
    [InlineData("0.0.0.0", PortFlags.ReuseAddress, "0.0.0.0", PortFlags.ReuseAddress, true)]
    [InlineData("0.0.0.0", PortFlags.ReuseAddress, "0.0.0.0", PortFlags.None, false)]
    [InlineData("0.0.0.0", PortFlags.None, "0.0.0.0", PortFlags.ReuseAddress, false)]
    [InlineData("0.0.0.0", PortFlags.ReuseAddress | PortFlags.IsListening, "0.0.0.0", PortFlags.ReuseAddress, false)]
    [InlineData("127.0.0.1", PortFlags.ReuseAddress | PortFlags.IsListening, "0.0.0.0", PortFlags.ReuseAddress, false)]
    [InlineData("0.0.0.0", PortFlags.ReusePort, "0.0.0.0", PortFlags.ReusePort, true)]
    [InlineData("0.0.0.0", PortFlags.ReusePort | PortFlags.IsListening, "0.0.0.0", PortFlags.ReusePort, true)]
    [InlineData("0.0.0.0", PortFlags.ReusePort, "0.0.0.0", PortFlags.ReuseAddress, false)]
    [InlineData("0.0.0.0", PortFlags.ReusePort, "0.0.0.0", PortFlags.None, false)]
    public void Two_sockets_share_a_port_as_on_Linux(string first, PortFlags firstFlags, string second, PortFlags secondFlags, bool isShared)
    {
        Assert.Equal(Errno.None, _table->Bind(Make(first, firstFlags), 80));
        Assert.Equal(isShared ? Errno.None : Errno.EADDRINUSE, _table->Bind(Make(second, secondFlags), 80));
        Assert.Equal(Errno.None, _table->Bind(Make(second, secondFlags), 80 + 512));
    }

    [Fact]
    public void Sockets_of_different_interfaces_do_not_meet()
    {
        PortBinding* one = Make("0.0.0.0", PortFlags.None);
        one->Interface = 1;
        PortBinding* two = Make("0.0.0.0", PortFlags.None);
        two->Interface = 2;
        Assert.Equal(Errno.None, _table->Bind(one, 80));
        Assert.Equal(Errno.None, _table->Bind(two, 80));
        Assert.Equal(Errno.EADDRINUSE, _table->Bind(Make("0.0.0.0", PortFlags.None), 80));
    }

    [Fact]
    public void Of_two_that_share_a_bound_port_only_one_may_listen()
    {
        PortBinding* one = Make("0.0.0.0", PortFlags.ReuseAddress);
        PortBinding* two = Make("0.0.0.0", PortFlags.ReuseAddress);
        Assert.Equal(Errno.None, _table->Bind(one, 80));
        Assert.Equal(Errno.None, _table->Bind(two, 80));
        Assert.True(PortTable.MayListen(one));
        one->Flags |= PortFlags.IsListening;
        Assert.False(PortTable.MayListen(two));
        Assert.True(PortTable.MayListen(one));
    }

    [Fact]
    public void A_listener_may_come_back_while_its_connections_live()
    {
        PortBinding* listener = Make("0.0.0.0", PortFlags.ReuseAddress | PortFlags.IsListening);
        Assert.Equal(Errno.None, _table->Bind(listener, 80));
        Assert.Equal(Errno.None, _table->Join(Make("10.0.0.1", PortFlags.ReuseAddress), 80));
        _table->Release(listener);
        Assert.Equal(Errno.EADDRINUSE, _table->Bind(Make("0.0.0.0", PortFlags.None), 80));
        PortBinding* again = Make("0.0.0.0", PortFlags.ReuseAddress);
        Assert.Equal(Errno.None, _table->Bind(again, 80));
        Assert.True(PortTable.MayListen(again));
    }

    [Fact]
    public void Every_ephemeral_port_is_given_once_and_odd_ones_first()
    {
        var seen = new HashSet<ushort>();
        const uint half = PortTable.EphemeralCount / 2;
        for (uint i = 0; i < half + 50; i++)
        {
            PortBinding* binding = Make("0.0.0.0", PortFlags.ReuseAddress);
            Assert.Equal(Errno.None, _table->BindAny(binding, i * 7919UL));
            Assert.InRange(binding->Port, PortTable.FirstEphemeral, PortTable.LastEphemeral);
            Assert.True(seen.Add(binding->Port));
            Assert.Equal(i < half ? 1 : 0, binding->Port & 1);
        }
        for (int port = PortTable.FirstEphemeral; port <= PortTable.LastEphemeral; port++)
        {
            if (!seen.Contains((ushort)port))
                Assert.Equal(Errno.None, _table->Bind(Make("0.0.0.0", PortFlags.None), (ushort)port));
        }
        Assert.Equal(Errno.EADDRINUSE, _table->BindAny(Make("0.0.0.0", PortFlags.None), 5));
        Assert.Equal(Errno.None, _table->BindAny(Make("::1", PortFlags.None), 5));
    }

    [Fact]
    public void Connections_share_ports_that_nobody_bound()
    {
        Assert.True(_table->IsOpenToConnections(40000));
        PortBinding* first = Make("10.0.0.1", PortFlags.IsAutomatic);
        Assert.Equal(Errno.None, _table->Join(first, 40000));
        Assert.True(_table->IsOpenToConnections(40000));
        Assert.Equal(Errno.EADDRINUSE, _table->Bind(Make("0.0.0.0", PortFlags.None), 40000));
        PortBinding* bound = Make("10.0.0.2", PortFlags.None);
        Assert.Equal(Errno.None, _table->Bind(bound, 40000));
        Assert.False(_table->IsOpenToConnections(40000));
        _table->Release(bound);
        Assert.True(_table->IsOpenToConnections(40000));
    }

    private PortBinding* Make(string address, PortFlags flags)
    {
        var binding = (PortBinding*)NativeMemory.AllocZeroed((nuint)sizeof(PortBinding));
        binding->Address = IpAddress.ReadV6(System.Net.IPAddress.Parse(address).MapToIPv6().GetAddressBytes());
        binding->Flags = flags;
        _bindings.Add((nint)binding);
        return binding;
    }
}
