using System;
using System.Collections.Generic;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net;
using Ukl.Kernel.Net.Tcp;
using Xunit;

namespace Ukl.Tests.Unit.Net.Tcp;

/// <summary>Listening: the two queues and their bounds, cookies, who gets a connection.</summary>
public sealed unsafe class TcpListenTests
{
    private const TcpFlags Ack = TcpFlags.Acknowledgment;
    private const TcpFlags Syn = TcpFlags.Syn;

    private static readonly byte[] s_syn = [2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 3, 232, 0, 0, 0, 0, 1, 3, 3, 7];

    [Fact]
    public void A_flood_of_SYNs_takes_bounded_memory_and_a_real_client_is_served_by_a_cookie()
    {
        using var rig = new SegmentRig();
        rig.Listen(backlog: 8);
        for (int i = 0; i < 5000; i++)
        {
            rig.RemotePort = (ushort)(10_000 + i);
            rig.Inject(Syn, 0, 0, options: s_syn);
        }
        Assert.Equal(Listener.MostRequests, rig.Host.Stack->Tcp.RequestCount);
        Assert.Equal(5000, rig.TakeSent().Count);
        Assert.Equal(0u, rig.Host.Stack->Packets.InUse);

        rig.RemotePort = 700;
        rig.Inject(Syn, 0, 0, options: s_syn);
        WireSegment answer = rig.Expect(Syn | Ack, 0, 1);
        Assert.Equal(Listener.MostRequests, rig.Host.Stack->Tcp.RequestCount);
        rig.UsesTimestamps = true;
        rig.TimestampValue = 1001;
        rig.TimestampEcho = EchoOf(answer);
        rig.Inject(Ack, 1, 1, window: 100, payload: 5);
        TcpConnection* accepted = rig.Accept();
        Assert.True(accepted != null);
        // What both ends can do was remembered.
        Assert.Equal(7, accepted->SndScale);
        Assert.Equal(12_800u, accepted->SndWnd);
        Assert.True(accepted->Has(ConnectionFlags.Sack) && accepted->Has(ConnectionFlags.Timestamps));
        Assert.Equal(1448u, accepted->SndMss);
        Assert.Equal(5u, TcpCalls.Unread(accepted));
        Finish(rig, accepted);
    }

    [Fact]
    public void A_cookie_without_timestamps_gives_a_plain_connection()
    {
        using var rig = new SegmentRig();
        rig.Listen();
        Flood(rig, [2, 4, 5, 0xb4]);
        rig.Inject(Ack, 1, 1);
        TcpConnection* accepted = rig.Accept();
        Assert.True(accepted != null);
        Assert.Equal(1460u, accepted->SndMss);
        Assert.False(accepted->Has(ConnectionFlags.Sack | ConnectionFlags.Timestamps));
        Finish(rig, accepted);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(-1)]
    [InlineData(12345)]
    public void A_guessed_cookie_is_reset(int difference)
    {
        using var rig = new SegmentRig();
        rig.Listen();
        Flood(rig, null);
        rig.Inject(Ack, 1, (uint)(1 + difference));
        rig.Expect(TcpFlags.Reset, (uint)(1 + difference), 0);
    }

    [Fact]
    public void A_cookie_expires()
    {
        using var rig = new SegmentRig();
        rig.Listen();
        Flood(rig, null);
        rig.World.Run(200 * SimulatedWorld.Second);
        rig.TakeSent();
        rig.Inject(Ack, 1, 1);
        Assert.Equal(TcpFlags.Reset, Assert.Single(rig.TakeSent()).Flags);
    }

    [Fact]
    public void A_full_accept_queue_leaves_further_clients_waiting()
    {
        using var rig = new SegmentRig();
        rig.Listen(backlog: 1);
        var ports = new ushort[] { 1001, 1002, 1003 };
        foreach (ushort port in ports)
        {
            rig.RemotePort = port;
            rig.Inject(Syn, 0, 0);
            rig.Inject(Ack, 1, 1);
        }
        // Two wait for accept; the third's SYN was not answered.
        Assert.Equal(2u, rig.Host.Stack->Tcp.ConnectionCount - 1);
        Assert.Equal(2, rig.TakeSent().FindAll(segment => segment.Flags == (Syn | Ack)).Count);
        TcpConnection* first = rig.Accept();
        TcpConnection* second = rig.Accept();
        Assert.Equal(1001, first->Flow.RemotePort);
        Assert.Equal(1002, second->Flow.RemotePort);
        Assert.True(rig.Accept() == null);
        Finish(rig, first);
        Finish(rig, second);
    }

    [Fact]
    public void The_answer_is_repeated_five_times_and_the_request_forgotten()
    {
        using var rig = new SegmentRig();
        rig.Listen();
        rig.Inject(Syn, 0, 0);
        rig.World.Run(30 * SimulatedWorld.Second);
        Assert.Equal(5, rig.TakeSent().Count);
        rig.World.Run(40 * SimulatedWorld.Second);
        Assert.Single(rig.TakeSent());
        Assert.Equal(0u, rig.Host.Stack->Tcp.RequestCount);
    }

    [Fact]
    public void Closing_a_listener_resets_who_was_not_accepted()
    {
        using var rig = new SegmentRig();
        rig.Listen();
        rig.Inject(Syn, 0, 0);
        rig.Inject(Ack, 1, 1);
        rig.RemotePort++;
        rig.Inject(Syn, 0, 0);
        rig.TakeSent();
        rig.Do(() =>
        {
            Assert.Equal(Errno.None, TcpCalls.Shutdown(rig.Listener, ShutdownHow.Receive));
        });
        Assert.Equal(TcpFlags.Reset | Ack, Assert.Single(rig.TakeSent()).Flags);
        Assert.Equal(0u, rig.Host.Stack->Tcp.RequestCount);
        Assert.Equal(1u, rig.Host.Stack->Tcp.ConnectionCount);
    }

    [Fact]
    public void TCP_DEFER_ACCEPT_waits_for_data()
    {
        using var rig = new SegmentRig();
        rig.Listen(configure: listener => TcpCalls.SetDeferAccept((TcpConnection*)listener, 10));
        rig.Inject(Syn, 0, 0);
        rig.Inject(Ack, 1, 1);
        Assert.True(rig.Accept() == null);
        rig.Inject(Ack, 1, 1, payload: 3);
        TcpConnection* accepted = rig.Accept();
        Assert.True(accepted != null);
        Assert.Equal(3u, TcpCalls.Unread(accepted));
        Finish(rig, accepted);
    }

    [Fact]
    public void Of_listeners_that_share_a_port_each_gets_its_part_and_a_close_binding_wins()
    {
        var clock = new SimulatedWorld(3);
        using var host = new SimulatedHost(clock, 1, new CardSettings());
        var shared = new nint[4];
        nint close = 0;
        host.Do(() =>
        {
            for (int i = 0; i < shared.Length; i++)
                shared[i] = (nint)MakeListener(host, IpAddress.Any4, PortFlags.ReusePort);
            close = (nint)MakeListener(host, host.Address4, PortFlags.ReusePort);
        });
        var counts = new Dictionary<nint, int>();
        var random = new System.Random(1);
        for (int i = 0; i < 4000; i++)
        {
            Listener* found = host.Stack->Tcp.Listeners.Find(80, IpAddress.Loopback4, host.Stack->Loopback, (uint)random.Next());
            counts[(nint)found->Connection] = counts.GetValueOrDefault((nint)found->Connection) + 1;
        }
        foreach (nint listener in shared)
            Assert.InRange(counts[listener], 800, 1200);
        Assert.True((nint)host.Stack->Tcp.Listeners.Find(80, host.Address4, host.Card, 5)->Connection == close);
        Assert.True(host.Stack->Tcp.Listeners.Find(81, host.Address4, host.Card, 5) == null);
        host.Do(() =>
        {
            foreach (nint listener in (nint[])[.. shared, close])
            {
                TcpCalls.Close((TcpConnection*)listener, false);
                TcpCalls.Release((TcpConnection*)listener);
            }
        });
        host.CheckAtRest("listeners");
    }

    /// <summary>So many requests that the last one is answered with a cookie.</summary>
    private static void Flood(SegmentRig rig, byte[]? options)
    {
        for (int i = 0; i <= Listener.MostRequests; i++)
        {
            rig.RemotePort = (ushort)(10_000 + i);
            rig.Inject(Syn, 0, 0, options: options);
        }
        Assert.NotEqual(0ul, rig.Listener->Listener->CookieTime);
        rig.TakeSent();
    }

    private static TcpConnection* MakeListener(SimulatedHost host, IpAddress address, PortFlags flags)
    {
        TcpConnection* listener = TcpCalls.Create(host.Stack, false);
        TcpCalls.SetPortFlag(listener, flags, true);
        Assert.Equal(Errno.None, TcpCalls.Bind(listener, address, 80));
        Assert.Equal(Errno.None, TcpCalls.Listen(listener, 10));
        return listener;
    }

    private static uint EchoOf(WireSegment answer)
    {
        for (int i = 0; i < answer.Options.Length - 9; i++)
        {
            if (answer.Options[i] == 8 && answer.Options[i + 1] == 10)
                return System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(answer.Options.AsSpan(i + 2));
        }
        throw new KeyNotFoundException("no timestamps");
    }

    private static void Finish(SegmentRig rig, TcpConnection* connection) => rig.Do(() =>
    {
        TcpCalls.Close(connection, true);
        TcpCalls.Release(connection);
    });
}
