using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net;
using Ukl.Kernel.Net.Sockets;
using Ukl.Kernel.Net.Sockets.Inet;
using Ukl.Tests.Unit.FileKinds;
using Xunit;

namespace Ukl.Tests.Unit.Net.Sockets;

public sealed unsafe class SocketAddressTests : IDisposable
{
    private readonly KernelRig _rig = new();

    public void Dispose() => _rig.Dispose();

    private static SocketAddress Of(ReadOnlySpan<byte> bytes)
    {
        SocketAddress address = default;
        address.Length = bytes.Length;
        bytes.CopyTo(address.Span);
        return address;
    }

    [Theory]
    [InlineData(-1, Errno.EINVAL)]
    [InlineData(129, Errno.EINVAL)]
    [InlineData(0, Errno.None)]
    [InlineData(128, Errno.None)]
    public void An_address_has_at_most_the_length_of_sockaddr_storage(int length, Errno expected)
    {
        byte* memory = _rig.Alloc<byte>(128);
        SocketAddress address;
        Assert.Equal(expected, SocketAddress.Load(&address, (ulong)memory, length));
    }

    [Fact]
    public void An_address_that_cannot_be_read_is_a_fault()
    {
        SocketAddress address;
        Assert.Equal(Errno.EFAULT, SocketAddress.Load(&address, UserMemory.Top, 16));
    }

    [Fact]
    public void Storing_cuts_to_the_room_and_tells_the_true_length()
    {
        SocketAddress address = Of([1, 0, (byte)'a', (byte)'b', (byte)'c']);
        byte* memory = _rig.Alloc<byte>(8);
        int* length = _rig.Alloc<int>();
        *length = 3;
        Assert.Equal(Errno.None, address.Store((ulong)memory, new UserPtr<int>((ulong)length)));
        Assert.Equal(5, *length);
        Assert.Equal([1, 0, (byte)'a', 0, 0], new Span<byte>(memory, 5).ToArray());
        *length = -1;
        Assert.Equal(Errno.EINVAL, address.Store((ulong)memory, new UserPtr<int>((ulong)length)));
    }

    [Fact]
    public void Internet_addresses_go_there_and_back()
    {
        SocketAddress address = default;
        address.SetInet(IpAddress.FromV4(0x0a000203), 8080);
        Assert.Equal(SocketAddress.InetSize, address.Length);
        Assert.Equal([2, 0, 0x1f, 0x90, 10, 0, 2, 3], address.Span[..8].ToArray());
        Assert.True(address.TryGetInet(out IpAddress four, out ushort port));
        Assert.Equal((IpAddress.FromV4(0x0a000203), (ushort)8080), (four, port));

        var link = new IpAddress(0xfe80_0000_0000_0000, 0x1234);
        address.SetInet6(link, 53, 2);
        Assert.Equal(SocketAddress.Inet6Size, address.Length);
        Assert.True(address.TryGetInet6(out IpAddress six, out port, out uint scope));
        Assert.Equal((link, (ushort)53, 2u), (six, port, scope));
        address.Length = SocketAddress.Inet6SizeWithoutScope;
        Assert.True(address.TryGetInet6(out _, out _, out scope));
        Assert.Equal(0u, scope);
        address.Length--;
        Assert.False(address.TryGetInet6(out _, out _, out _));
    }

    [Fact]
    public void Any_as_a_remote_address_means_this_host()
    {
        Socket socket = default;
        socket.Family = AddressFamily.Inet6;
        SocketAddress address = default;
        address.SetInet6(IpAddress.Any6, 80, 0);
        Assert.Equal(Errno.None, InetNames.ReadRemote(&socket, false, &address, out InetName name));
        Assert.Equal(IpAddress.Loopback6, name.Address);
        address.SetInet6(IpAddress.Any4, 80, 0);
        Assert.Equal(Errno.None, InetNames.ReadRemote(&socket, false, &address, out name));
        Assert.Equal(IpAddress.Loopback4, name.Address);
        Assert.Equal(Errno.ENETUNREACH, InetNames.ReadRemote(&socket, true, &address, out _));
    }

    [Fact]
    public void A_link_local_address_needs_its_link()
    {
        Socket socket = default;
        socket.Family = AddressFamily.Inet6;
        SocketAddress address = default;
        var link = new IpAddress(0xfe80_0000_0000_0000, 1);
        address.SetInet6(link, 80, 0);
        Assert.Equal(Errno.EINVAL, InetNames.ReadRemote(&socket, false, &address, out _));
        address.SetInet6(link, 80, 2);
        Assert.Equal(Errno.None, InetNames.ReadRemote(&socket, false, &address, out InetName name));
        Assert.Equal(2u, name.Scope);
        socket.Settings.BoundInterface = 3;
        Assert.Equal(Errno.EINVAL, InetNames.ReadRemote(&socket, false, &address, out _));
    }
}
