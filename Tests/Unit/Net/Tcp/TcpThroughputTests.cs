using Ukl.Kernel.Net.Tcp;
using Xunit;

namespace Ukl.Tests.Unit.Net.Tcp;

/// <summary>How long transfers take in virtual time: recovery and growth do what their RFCs promise, roughly.</summary>
public sealed unsafe class TcpThroughputTests(ITestOutputHelper output)
{
    private const ulong Millisecond = SimulatedWorld.Millisecond;

    /// <summary>100 Mbit/s: 80 ns for each byte.</summary>
    private const ulong FastWire = 80;

    [Theory]
    [InlineData(1, 0.0, 5_000_000, 0.5)]
    [InlineData(10, 0.0, 10_000_000, 1.2)]
    [InlineData(100, 0.0, 20_000_000, 4.5)]
    [InlineData(1, 0.01, 5_000_000, 1.2)]
    [InlineData(10, 0.01, 5_000_000, 6)]
    [InlineData(1, 0.05, 2_000_000, 6)]
    [InlineData(100, 0.0001, 20_000_000, 12)]
    public void A_transfer_takes_not_much_longer_than_it_must(int milliseconds, double loss, long bytes, double seconds)
    {
        var card = new CardSettings { CanSegment = true, CanMerge = true, PacketLimit = 16384 };
        var link = new LinkSettings
        {
            Delay = (ulong)milliseconds * Millisecond / 2,
            Loss = loss,
            ByteTime = FastWire,
            QueueLimit = 1_000_000,
            BatchTime = 50_000,
        };
        using var conversation = new SimulatedConversation(1, card, card, link);
        ulong start = conversation.World.Now;
        conversation.Listen(new ProgramPlan { Key = 2, LargestRead = 1 << 20 }, 1);
        conversation.Connect(new ProgramPlan { Bytes = bytes, Key = 1, LargestWrite = 1 << 20 }, 2);
        TcpInformation information = default;
        conversation.World.RunUntil(
            () =>
            {
                if (conversation.ClientProgram!.Connection != null)
                    information = TcpInformation.Of(conversation.ClientProgram.Connection);
                return conversation.ServerProgram!.HasSeenEnd;
            },
            1000 * SimulatedWorld.Second, "transfer");
        double took = (conversation.World.Now - start) / 1e9;
        output.WriteLine($"{took:F2} s, {bytes * 8 / took / 1e6:F1} Mbit/s, retransmitted {information.TotalRetransmitted}, cwnd {information.CongestionWindow} rtt {information.RoundTrip} us, out {information.SegmentsOut}, acks {conversation.Server.SegmentsSent}");
        conversation.RunToEnd();
        Assert.InRange(took, 0, seconds);
    }
}
