using System;
using System.Collections.Generic;
using System.Net;
using System.Net.NetworkInformation;
using System.Runtime.InteropServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net;
using Ukl.Kernel.Net.Datagrams;
using Ukl.Kernel.Net.Dhcp;
using Ukl.Kernel.Net.Slaac;
using Ukl.Kernel.Net.Tcp;
using Xunit;

namespace Ukl.Tests.Unit.Net;

/// <summary>
/// Two hosts that talk in every way they know, while one of them is also handed wrong versions of what the other said lately: sequence numbers, identifiers and ports fit, so that
/// nothing is out of reach.
/// </summary>
internal sealed unsafe class FuzzWorld : IDisposable
{
    private const int FramesPerKind = 40;
    private const int ConnectionLimit = 8;

    private readonly System.Random _random;
    private readonly PacketMutator _mutator;
    private readonly VirtualClock _clock = new();
    private readonly TestHost _target;
    private readonly TestHost _peer;

    /// <summary>What was said lately, by the protocol it is of.</summary>
    private readonly Dictionary<int, List<byte[]>> _kinds = [];
    private readonly List<List<byte[]>> _frames = [];
    private readonly List<TestSocket> _sockets = [];
    private readonly List<nint> _targetConnections = [];
    private readonly List<nint> _peerConnections = [];
    private readonly TcpConnection* _listener;
    private readonly DhcpClient* _dhcp;
    private readonly byte[] _buffer = new byte[70_000];

    public FuzzWorld(int seed)
    {
        _random = new System.Random(seed);
        _mutator = new PacketMutator(_random);
        _target = new TestHost(_clock, 1);
        _peer = new TestHost(_clock, 2);
        TestHost.Connect(_target, _peer);
        _peer.Filter = Remember;
        _target.AddAddress("10.0.0.1", 24);
        _peer.AddAddress("10.0.0.2", 24);
        _target.AddAddress("2001:db8::1", 64);
        _peer.AddAddress("2001:db8::2", 64);
        _target.AddGateway("10.0.0.2");
        _target.Do(() => AutoConfiguration.Start(_target.Card));
        _dhcp = (DhcpClient*)NativeMemory.AllocZeroed((nuint)sizeof(DhcpClient));
        _target.Do(() => DhcpClient.Start(_dhcp, _target.Card));
        _clock.Advance(2 * VirtualClock.Second);

        foreach (bool isV6 in new[] { false, true })
        {
            Add(new TestSocket(_target, isV6)).Bind(isV6 ? "2001:db8::1" : "10.0.0.1", 1000);
            Add(new TestSocket(_target, isV6)).Bind(isV6 ? "::" : "0.0.0.0", 1001, isV6 ? PortFlags.IsV6Only : PortFlags.None);
            Add(new TestSocket(_target, isV6, DatagramKind.Ping));
            Add(new TestSocket(_target, isV6, DatagramKind.Raw, isV6 ? IpProtocol.IcmpV6 : IpProtocol.Icmp));
            Add(new TestSocket(_peer, isV6)).Bind(isV6 ? "2001:db8::2" : "10.0.0.2", 1000);
        }
        _listener = TcpCalls.Create(_target.Stack, true);
        _target.Do(() =>
        {
            Assert.Equal(Errno.None, TcpCalls.Bind(_listener, IpAddress.Any6, 80));
            Assert.Equal(Errno.None, TcpCalls.Listen(_listener, 16));
        });
        AddMadeFrames();
    }

    /// <summary>Hands over wrong frames.</summary>
    public void Run(int count)
    {
        for (int i = 0; i < count; i++)
        {
            if (i % 50 == 0)
                Live();
            _target.ReceiveBufferSize = _random.Next(4) == 0 ? _random.Next(40, 300) : 1600;
            _target.HandUp(_mutator.Make(_frames), _random.Next(3) == 0 ? ChecksumState.None : ChecksumState.Verified);
            if (_random.Next(4) == 0)
                _target.Do(() => { });
        }
    }

    /// <summary>Closes everything, waits, and finds both hosts empty.</summary>
    public void Dispose()
    {
        _target.ReceiveBufferSize = 1600;
        _target.Do(() => DhcpClient.Stop(_dhcp));
        _sockets.ForEach(socket => socket.Dispose());
        CloseAll(_target, _targetConnections);
        CloseAll(_peer, _peerConnections);
        _target.Do(() =>
        {
            TcpCalls.Close(_listener, true);
            TcpCalls.Release(_listener);
        });
        _clock.Advance(400 * VirtualClock.Second);
        Assert.Equal(0u, _target.Stack->Tcp.ConnectionCount);
        Assert.Equal(0u, _peer.Stack->Tcp.ConnectionCount);
        Assert.Equal(0u, _target.Stack->Datagrams.Ports.Count);
        _target.Dispose();
        _peer.Dispose();
        NativeMemory.Free(_dhcp);
    }

    private TestSocket Add(TestSocket socket)
    {
        _sockets.Add(socket);
        return socket;
    }

    private bool Remember(byte[] frame)
    {
        // Ethernet's type, and the protocol of IP; pieces are a kind of their own.
        int kind = (frame[12] << 24) | (frame[13] << 16) | frame[12] switch
        {
            0x86 => frame[20],
            8 when frame[13] == 0 => frame[23] | ((frame[20] & 0x3f) != 0 || frame[21] != 0 ? 0x100 : 0),
            _ => 0,
        };
        if (!_kinds.TryGetValue(kind, out List<byte[]>? frames))
        {
            frames = [];
            _kinds.Add(kind, frames);
            _frames.Add(frames);
        }
        if (frames.Count < FramesPerKind)
            frames.Add(frame);
        else
            frames[_random.Next(FramesPerKind)] = frame;
        return true;
    }

    /// <summary>What nobody here says by itself: DHCP's answers, routers' announcements, errors, pieces with options, group management.</summary>
    private void AddMadeFrames()
    {
        PhysicalAddress router = PhysicalAddress.Parse("02-AA-BB-CC-DD-EE");
        byte[] prefix = [3, 4, 64, 0xc0, 0, 0, 0x1c, 0x20, 0, 0, 0xe, 0x10, 0, 0, 0, 0, .. IPAddress.Parse("2001:db8:5::").GetAddressBytes()];
        byte[] announcement = [134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, .. router.GetAddressBytes(), .. prefix, 5, 1, 0, 0, 0, 0, 5, 0x78];
        Remember(Frames.Icmp6(router, PhysicalAddress.Parse("33-33-00-00-00-01"), "fe80::aa", "ff02::1", announcement));
        byte[] datagram = Frames.Udp("2001:db8::2", "2001:db8::1", 5, 1000, "abcdefgh"u8);
        byte[] options = [60, 0, 1, 4, 0, 0, 0, 0, 44, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 1, 0, 0, 0, 9, .. datagram];
        Remember(Frames.Ipv6(_peer.Mac, _target.Mac, "2001:db8::2", "2001:db8::1", 0, options));
        Remember(Frames.Icmp4(_peer, _target, "10.0.0.2", "10.0.0.1", 3, 4, 900, [0x45, .. new byte[40]]));
        byte[] lease = new byte[300];
        lease[0] = 2;
        lease[1] = 1;
        lease[2] = 6;
        _target.Mac.GetAddressBytes().CopyTo(lease, 28);
        new byte[] { 0x63, 0x82, 0x53, 0x63, 53, 1, 2, 54, 4, 10, 0, 0, 1, 51, 4, 0, 0, 1, 0, 255 }.CopyTo(lease, 236);
        byte[] udp = [0, 67, 0, 68, 1, 52, 0, 0, .. lease];
        Remember(Frames.Ipv4(router, PhysicalAddress.Parse("FF-FF-FF-FF-FF-FF"), "10.0.0.1", "255.255.255.255", PacketDotNet.ProtocolType.Udp, udp));
    }

    /// <summary>The hosts go on with their work, and time passes.</summary>
    private void Live()
    {
        if (_random.Next(20) == 0)
            AddMadeFrames();
        foreach (TestSocket socket in _sockets)
        {
            for (int i = 0; i < 300 && socket.Receive() != null; i++)
            {
            }
        }
        TestSocket sender = _sockets[_random.Next(2) == 0 ? 4 : 9];
        bool isV6 = sender.Socket->IsV6;
        byte[] payload = new byte[_random.Next(8) == 0 ? _random.Next(9000) : _random.Next(300)];
        sender.SendTo(payload, isV6 ? "2001:db8::1" : "10.0.0.1", (ushort)_random.Next(1000, 1003));
        TestSocket ping = _sockets[_random.Next(2) == 0 ? 2 : 7];
        byte[] request = new byte[8 + _random.Next(60)];
        request[0] = ping.Socket->IsV6 ? (byte)128 : (byte)8;
        ping.SendTo(request, ping.Socket->IsV6 ? "2001:db8::2" : "10.0.0.2", 0);
        if (_peerConnections.Count < ConnectionLimit)
            Connect(_random.Next(2) == 0);
        _target.Do(Accept);
        Talk(_target, _targetConnections);
        Talk(_peer, _peerConnections);
        _clock.Advance(_random.Next(30) == 0 ? (ulong)_random.NextInt64(5 * (long)VirtualClock.Second) : (ulong)_random.NextInt64(20_000_000));
    }

    private void Connect(bool isV6)
    {
        _peer.Do(() =>
        {
            TcpConnection* c = TcpCalls.Create(_peer.Stack, isV6);
            TcpCalls.Connect(c, TestHost.Address(isV6 ? "2001:db8::1" : "10.0.0.1"), 80);
            _peerConnections.Add((nint)c);
        });
    }

    private void Accept()
    {
        for (TcpConnection* c = TcpCalls.Accept(_listener, out _); c != null; c = TcpCalls.Accept(_listener, out _))
            _targetConnections.Add((nint)c);
    }

    /// <summary>Each connection reads what is there, sends something, and ends sooner or later.</summary>
    private void Talk(TestHost host, List<nint> connections)
    {
        host.Do(() =>
        {
            fixed (byte* bytes = _buffer)
            {
                for (int i = connections.Count - 1; i >= 0; i--)
                {
                    var c = (TcpConnection*)connections[i];
                    var sink = new KernelBytes(bytes);
                    var source = new KernelBytes(bytes);
                    Result received = TcpCalls.Receive(c, ref sink, (nuint)_buffer.Length, TcpReceiveFlags.None);
                    bool isOver = received.Value == 0 || (received.IsError && received.Error != Errno.EAGAIN);
                    Result sent = TcpCalls.Send(c, ref source, (nuint)_random.Next(4000), TcpSendFlags.None);
                    isOver |= sent.IsError && sent.Error != Errno.EAGAIN;
                    if (!isOver && _random.Next(100) != 0)
                        continue;
                    connections.RemoveAt(i);
                    TcpCalls.Close(c, _random.Next(2) == 0);
                    TcpCalls.Release(c);
                }
            }
        });
    }

    private static void CloseAll(TestHost host, List<nint> connections)
    {
        host.Do(() =>
        {
            foreach (nint c in connections)
            {
                TcpCalls.Close((TcpConnection*)c, true);
                TcpCalls.Release((TcpConnection*)c);
            }
        });
    }
}
