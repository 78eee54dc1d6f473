using System.Collections.Generic;
using System.Linq;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net;
using Xunit;

namespace Ukl.Tests.Unit.Net.Tcp;

/// <summary>Connections that keep buffers of the pool for ever, and one that comes later.</summary>
public sealed unsafe class TcpMemoryTests
{
    private const uint Buffers = 4096;
    private const int Greedy = 200;
    private const long Wanted = 1 << 20;

    /// <summary>A program that never wakes up again, until it is ended.</summary>
    private static readonly ProgramPlan Stopped = new() { Pauses = 1, LongestPause = SimulatedWorld.Second, Ending = Ending.Abort, AbortAt = long.MaxValue };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Clients_that_do_not_read_leave_room_for_one_that_does(int seed)
    {
        using var server = new SimulatedServer(seed, new LinkSettings { Delay = SimulatedWorld.Millisecond }, Buffers);
        server.Plan = new ProgramPlan { Bytes = Wanted, Key = SimulatedServer.ServerKey };
        SimulatedProgram reader = server.Connect(new ProgramPlan { Key = SimulatedServer.ClientKey, Pauses = 0.9, LongestPause = 20 * SimulatedWorld.Millisecond });
        List<SimulatedProgram> greedy = [.. Enumerable.Range(0, Greedy).Select(_ => server.Connect(Stopped))];
        server.World.Run(5 * SimulatedWorld.Second);
        Assert.True(server.Host.Stack->Packets.IsScarce);

        ServeOthers(server);
        server.World.RunUntil(() => reader.IsDone, 60 * SimulatedWorld.Second, "one that reads slowly");
        Assert.Equal((Wanted, Errno.None), (reader.Received, reader.Error));
        End(server, greedy);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_server_that_does_not_read_from_many_clients_serves_another_one(int seed)
    {
        using var server = new SimulatedServer(seed, new LinkSettings { Delay = SimulatedWorld.Millisecond }, Buffers);
        server.Plan = Stopped;
        List<SimulatedProgram> greedy = [.. Enumerable.Range(0, Greedy).Select(_ => server.Connect(Wanted))];
        server.World.Run(5 * SimulatedWorld.Second);
        Assert.Equal(Greedy, server.Programs.Count);
        Assert.True(server.Host.Stack->Packets.IsScarce);

        ServeOthers(server);
        End(server, greedy);
    }

    private static void ServeOthers(SimulatedServer server)
    {
        server.Plan = new ProgramPlan { Bytes = SimulatedServer.Answer, Key = SimulatedServer.ServerKey };
        for (int i = 0; i < 50; i++)
        {
            SimulatedProgram client = server.Connect(3000);
            server.World.RunUntil(() => client.IsDone, SimulatedWorld.Second, "a client beside greedy ones");
            Assert.Equal((SimulatedServer.Answer, Errno.None), (client.Received, client.Error));
            ref PacketPool pool = ref server.Host.Stack->Packets;
            Assert.True(pool.InUse <= pool.Limit - (pool.Limit >> 4), $"{pool.InUse} of {pool.Limit} buffers are in use");
        }
    }

    private static void End(SimulatedServer server, List<SimulatedProgram> greedy)
    {
        greedy.ForEach(program => program.Abort());
        server.World.Run(30 * SimulatedWorld.Second);
        foreach (SimulatedProgram program in server.Programs)
            program.Abort();
        server.End();
    }
}
