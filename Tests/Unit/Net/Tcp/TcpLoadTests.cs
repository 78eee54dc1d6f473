using System;
using System.Collections.Generic;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Tcp;
using Xunit;

namespace Ukl.Tests.Unit.Net.Tcp;

/// <summary>Many connections, and segments that nobody would send.</summary>
public sealed unsafe class TcpLoadTests
{
    [Fact]
    public void Two_thousand_connections_at_once()
    {
        using var server = new SimulatedServer(1, new LinkSettings { Loss = 0.01, Delay = SimulatedWorld.Millisecond });
        var clients = new List<SimulatedProgram>();
        for (int i = 0; i < 2000; i++)
            clients.Add(server.Connect(300 + (i % 700)));
        server.World.RunUntil(() => server.AreDone(clients), 1000 * SimulatedWorld.Second, "2,000 connections");
        foreach (SimulatedProgram client in clients)
        {
            Assert.Equal(Errno.None, client.Error);
            Assert.True(client.HasSeenEnd && client.Received == SimulatedServer.Answer);
        }
        Assert.Equal(2000, server.Programs.Count);
        server.End();
    }

    [Fact]
    public void Five_thousand_connections_one_after_the_other()
    {
        using var server = new SimulatedServer(2, new LinkSettings());
        for (int i = 0; i < 5000; i++)
        {
            SimulatedProgram client = server.Connect(10);
            server.World.RunUntil(() => server.AreDone([client]), 10 * SimulatedWorld.Second, "one of many");
            Assert.True(client.HasSeenEnd && client.Error == Errno.None);
        }
        Assert.InRange(server.Client.Stack->Tcp.TimeWaitCount + server.Host.Stack->Tcp.TimeWaitCount, 4000u, 10_000u);
        server.End();
    }

    [Fact]
    public void Connect_takes_over_a_pair_in_TIME_WAIT_when_a_second_has_passed()
    {
        using var server = new SimulatedServer(3, new LinkSettings());
        for (int i = 0; i < 20; i++)
        {
            SimulatedProgram client = server.Connect(10, localPort: 4000);
            server.World.RunUntil(() => server.AreDone([client]), 10 * SimulatedWorld.Second, "the same port");
            Assert.True(client.HasSeenEnd && client.Error == Errno.None);
            server.World.Run(2 * SimulatedWorld.Second);
        }
        server.End();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Random_segments_do_no_harm(int seed)
    {
        var random = new System.Random(seed);
        int count = Environment.GetEnvironmentVariable("UKL_TCP_FUZZ") is string text ? int.Parse(text) : 30_000;
        using var rig = new SegmentRig(new CardSettings { PacketLimit = 600 });
        rig.Listen(backlog: 4);
        ushort[] ports = [1001, 1002, 1003];
        var taken = new List<nint>();
        for (int i = 0; i < count; i++)
        {
            rig.RemotePort = ports[random.Next(ports.Length)];
            byte[] frame = rig.Build(RandomFlags(random), Near(random), Near(random), (ushort)random.Next(65536), random.Next(3) == 0 ? random.Next(1400) : 0,
                random.Next(3) == 0 ? RandomOptions(random, rig) : null, (ushort)random.Next(20));
            if (random.Next(5) == 0)
                Mutate(random, frame);
            rig.Host.Receive([frame]);
            if (random.Next(20) == 0 && (nint)rig.Accept() is var accepted && accepted != 0)
                taken.Add(accepted);
            if (taken.Count != 0)
                Use(random, rig, taken);
            if (random.Next(50) == 0)
                rig.World.Run((ulong)random.NextInt64(2 * (long)SimulatedWorld.Second));
            rig.Discard();
        }
        rig.Do(() =>
        {
            foreach (nint each in taken)
                End((TcpConnection*)each);
        });
    }

    private static void Use(System.Random random, SegmentRig rig, List<nint> taken)
    {
        int number = random.Next(taken.Count);
        var connection = (TcpConnection*)taken[number];
        rig.Do(() =>
        {
            switch (random.Next(12))
            {
                case 0:
                    End(connection);
                    taken.RemoveAt(number);
                    break;
                case 1:
                    TcpCalls.Shutdown(connection, (ShutdownHow)random.Next(1, 4));
                    break;
                case 2 or 3 or 4:
                    var source = new PatternBytes(1, 0);
                    TcpCalls.Send(connection, ref source, (nuint)random.Next(1, 9000), (TcpSendFlags)random.Next(4));
                    break;
                case 5 or 6 or 7:
                    var sink = new PatternBytes(1, 0);
                    TcpCalls.Receive(connection, ref sink, (nuint)random.Next(1, 9000), (TcpReceiveFlags)random.Next(8));
                    break;
                case 8:
                    TcpCalls.SetUrgentInline(connection, random.Next(2) == 0);
                    TcpCalls.SetNoDelay(connection, random.Next(2) == 0);
                    TcpCalls.SetCork(connection, random.Next(2) == 0);
                    break;
                default:
                    _ = TcpCalls.Poll(connection);
                    _ = TcpCalls.Unread(connection);
                    _ = TcpInformation.Of(connection);
                    break;
            }
        });
    }

    private static void End(TcpConnection* connection)
    {
        TcpCalls.Close(connection, false);
        TcpCalls.Release(connection);
    }

    private static TcpFlags RandomFlags(System.Random random) => random.Next(4) switch
    {
        0 => (TcpFlags)random.Next(256),
        1 => TcpFlags.Syn,
        2 => TcpFlags.Acknowledgment | (TcpFlags)(random.Next(64) & (int)(TcpFlags.Fin | TcpFlags.Push | TcpFlags.Urgent)),
        _ => TcpFlags.Acknowledgment,
    };

    private static uint Near(System.Random random) => random.Next(4) switch
    {
        0 => (uint)random.Next() * 2,
        1 => (uint)random.Next(-3, 4),
        _ => (uint)random.Next(-100, 20_000),
    };

    private static byte[] RandomOptions(System.Random random, SegmentRig rig)
    {
        switch (random.Next(4))
        {
            case 0:
                return rig.Timestamps();
            case 1:
                return rig.SackOfLocal((Near(random), Near(random)), (Near(random), Near(random)));
            case 2:
                return [2, 4, (byte)random.Next(256), (byte)random.Next(256), 4, 2, 3, 3, (byte)random.Next(20), 0, 0, 0];
            default:
                byte[] options = new byte[random.Next(11) * 4];
                random.NextBytes(options);
                return options;
        }
    }

    private static void Mutate(System.Random random, byte[] frame)
    {
        int at = random.Next(Offload.EthernetSize + 20, frame.Length);
        frame[at] = (byte)random.Next(256);
        if ((frame[Offload.TransportOf(frame) + 12] >> 4) * 4 <= frame.Length - Offload.TransportOf(frame))
            Offload.Finish(frame);
    }
}
