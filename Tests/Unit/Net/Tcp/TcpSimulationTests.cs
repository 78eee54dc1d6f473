using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net;
using Ukl.Kernel.Net.Tcp;
using Xunit;

namespace Ukl.Tests.Unit.Net.Tcp;

/// <summary>
/// Two stacks and a network that does everything a network may do, by seed. Every byte arrives once and in order, or the connection reports an error; in the end
/// nothing is left. UKL_TCP_SEEDS says how many seeds to run (and UKL_TCP_FIRST_SEED which to begin with).
/// </summary>
public sealed class TcpSimulationTests
{
    private const ulong Microsecond = SimulatedWorld.Microsecond;
    private const ulong Millisecond = SimulatedWorld.Millisecond;

    [Fact]
    public void A_perfect_network_carries_everything_both_ways()
    {
        using var conversation = new SimulatedConversation(1, new CardSettings(), new CardSettings(), new LinkSettings());
        conversation.Listen(new ProgramPlan { Bytes = 300_000, Key = 2 }, 1);
        conversation.Connect(new ProgramPlan { Bytes = 500_000, Key = 1 }, 2);
        conversation.RunToEnd();
        CheckComplete(conversation, "perfect");
        Assert.Equal(0, Retransmissions(conversation));
    }

    [Fact]
    public void Random_networks_and_programs()
    {
        int first = Setting("UKL_TCP_FIRST_SEED", 1);
        int count = Setting("UKL_TCP_SEEDS", 1500);
        for (int seed = first; seed < first + count; seed++)
            RunSeed(seed);
    }

    [Fact]
    public void Random_programs_over_loopback()
    {
        for (int seed = 1; seed <= 300; seed++)
        {
            var random = new System.Random(seed);
            CardSettings card = new() { PacketLimit = random.Next(3) == 0 ? (uint)random.Next(100, 400) : 4096 };
            ProgramPlan clientPlan = ChoosePlan(random, 1) with { Bytes = random.Next(500_000) };
            ProgramPlan serverPlan = ChoosePlan(random, 2);
            string context = $"seed {seed}: {card} {clientPlan} {serverPlan}";
            bool isV6 = random.Next(2) == 0;
            using var conversation = new SimulatedConversation(seed, card);
            conversation.Listen(serverPlan, clientPlan.Key, isV6);
            conversation.Connect(clientPlan, serverPlan.Key, isV6);
            conversation.RunToEnd(context: context);
            Judge(conversation, context, card.PacketLimit < 1000);
        }
    }

    [Fact]
    public unsafe void Numbers_wrap_in_the_middle_of_a_transfer()
    {
        for (int seed = 1; seed <= 20; seed++)
        {
            var link = new LinkSettings { Loss = 0.03, Reordering = 0.05, Duplication = 0.02 };
            using var conversation = new SimulatedConversation(seed, new CardSettings(), new CardSettings { CanMerge = true }, link);
            // The initial number of a pair of ends is a clock with an offset: wait until it is about to wrap.
            uint first = InitialNumber(conversation.Client, conversation.Server);
            uint distance = uint.MaxValue - (uint)(10_000 * seed) - first;
            conversation.World.Run((ulong)distance << 12);
            conversation.Listen(new ProgramPlan { Bytes = 100_000, Key = 2 }, 1);
            conversation.Connect(new ProgramPlan { Bytes = 300_000, Key = 1 }, 2, localPort: WrapPort);
            Assert.True(conversation.ClientProgram!.Connection->Iss > uint.MaxValue - 300_000);
            conversation.RunToEnd(context: $"seed {seed}");
            CheckComplete(conversation, $"seed {seed}");
        }
    }

    private const ushort WrapPort = 4000;

    private static unsafe uint InitialNumber(SimulatedHost client, SimulatedHost server)
    {
        uint number = 0;
        client.Do(() =>
        {
            TcpConnection* probe = TcpCalls.Create(client.Stack, false);
            Assert.Equal(Errno.None, TcpCalls.Bind(probe, IpAddress.Any4, WrapPort));
            Assert.Equal(Errno.EINPROGRESS, TcpCalls.Connect(probe, server.Address4, SimulatedConversation.Port));
            number = probe->Iss;
            TcpCalls.Close(probe, false);
            TcpCalls.Release(probe);
        });
        return number;
    }

    private static void RunSeed(int seed)
    {
        // The choices have their own generator, so that the world's own does not change with them.
        var random = new System.Random(seed);
        CardSettings clientCard = ChooseCard(random);
        CardSettings serverCard = ChooseCard(random) with { Mtu = clientCard.Mtu };
        LinkSettings link = ChooseLink(random, out bool isHarsh);
        if (random.Next(6) == 0)
            clientCard = clientCard with { PacketLimit = (uint)random.Next(48, 200) };
        if (random.Next(6) == 0)
            serverCard = serverCard with { PacketLimit = (uint)random.Next(48, 200) };
        isHarsh |= clientCard.PacketLimit < 200 || serverCard.PacketLimit < 200;
        bool isV6 = random.Next(3) == 0;
        ProgramPlan clientPlan = ChoosePlan(random, 1);
        ProgramPlan serverPlan = ChoosePlan(random, 2);
        string context = $"seed {seed}: {link} {clientCard} {clientPlan} {serverPlan}";
        using var conversation = new SimulatedConversation(seed, clientCard, serverCard, link);
        conversation.Listen(serverPlan, clientPlan.Key, isV6);
        conversation.Connect(clientPlan, serverPlan.Key, isV6);
        conversation.RunToEnd(context: context);
        Judge(conversation, context, isHarsh);
    }

    /// <summary>Nobody reads what was not sent; who saw the end has read all; without an abort, and unless the network is unbearable, there is no error.</summary>
    private static void Judge(SimulatedConversation conversation, string context, bool isHarsh)
    {
        SimulatedProgram client = conversation.ClientProgram!, server = conversation.ServerProgram!;
        context += $"\nclient {client}\nserver {server}";
        Assert.True(client.Received <= server.Sent && server.Received <= client.Sent, context);
        if (client.HasSeenEnd)
            Assert.True(client.Received == server.Sent, context);
        if (server.HasSeenEnd)
            Assert.True(server.Received == client.Sent, context);
        bool isRude = client.Plan.Ending is Ending.Abort or Ending.CloseAfterSend || server.Plan.Ending is Ending.Abort or Ending.CloseAfterSend;
        if (!isRude && !isHarsh)
            CheckComplete(conversation, context);
    }

    private static void CheckComplete(SimulatedConversation conversation, string context)
    {
        foreach ((SimulatedProgram one, SimulatedProgram other) in new[]
                 {
                     (conversation.ClientProgram!, conversation.ServerProgram!), (conversation.ServerProgram!, conversation.ClientProgram!),
                 })
        {
            Assert.True(one.Error == Errno.None, $"{context}: {one.Error}");
            Assert.True(one.HasSeenEnd, context);
            Assert.True(one.Received == other.Plan.Bytes && one.Sent == one.Plan.Bytes, context);
        }
    }

    private static int Retransmissions(SimulatedConversation conversation)
    {
        // Without loss each side sends its bytes once: no more segments than the bytes and their acknowledgements need.
        int needed = (int)((conversation.ClientProgram!.Plan.Bytes + conversation.ServerProgram!.Plan.Bytes) / 1448);
        return Math.Max(0, conversation.Client.SegmentsSent + conversation.Server.SegmentsSent - (3 * needed) - 50);
    }

    private static CardSettings ChooseCard(System.Random random) => new()
    {
        Mtu = random.Next(4) switch { 0 => 9000, 1 => (uint)random.Next(1280, 1500), _ => 1500 },
        CanSegment = random.Next(2) == 0,
        CanChecksum = random.Next(2) == 0,
        CanMerge = random.Next(2) == 0,
    };

    private static LinkSettings ChooseLink(System.Random random, out bool isHarsh)
    {
        double severity = random.Next(4) switch { 0 => 0, 1 => 0.01, 2 => 0.05, _ => 0.15 };
        isHarsh = severity > 0.1;
        return new LinkSettings
        {
            Delay = (ulong)random.Next(10, random.Next(3) == 0 ? 100_000 : 1000) * Microsecond,
            Jitter = random.Next(3) == 0 ? (ulong)random.Next(1, 5000) * Microsecond : 0,
            Loss = severity * random.NextDouble(),
            Duplication = severity * random.NextDouble() * 0.5,
            Corruption = severity * random.NextDouble() * 0.5,
            Reordering = random.Next(2) == 0 ? 0 : severity,
            ReorderingDelay = (ulong)random.Next(1, 20) * Millisecond,
            ByteTime = random.Next(3) switch { 0 => 0, 1 => 80, _ => 800 },
            QueueLimit = (ulong)random.Next(10_000, 200_000),
            BatchTime = random.Next(2) == 0 ? 0 : (ulong)random.Next(1, 500) * Microsecond,
        };
    }

    private static ProgramPlan ChoosePlan(System.Random random, byte key)
    {
        Ending ending = random.Next(8) switch { 0 => Ending.Abort, 1 => Ending.CloseAfterSend, 2 => key == 1 ? Ending.Orderly : Ending.ReadFirst, _ => Ending.Orderly };
        long bytes = random.Next(4) switch { 0 => random.Next(10), 1 => random.Next(3000), _ => random.Next(100_000) };
        return new ProgramPlan
        {
            Bytes = bytes,
            LargestWrite = random.Next(3) == 0 ? random.Next(1, 200) : random.Next(200, 40_000),
            LargestRead = random.Next(3) == 0 ? random.Next(50, 200) : random.Next(200, 40_000),
            Pauses = random.Next(2) == 0 ? 0 : random.NextDouble() * 0.02,
            LongestPause = (ulong)random.Next(1, 1000) * Millisecond,
            Ending = ending,
            AbortAt = random.NextInt64(2 * bytes + 1),
            NoDelay = random.Next(2) == 0,
            More = random.Next(3) == 0 ? 0.3 : 0,
            Key = key,
        };
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), out int value) ? value : otherwise;
}
