using System.Collections.Concurrent;
using System.Diagnostics;
using Ukl.Tool.Network;
using Xunit;

namespace Ukl.Tests.Tool;

public sealed class WireDirectionTests
{
    private const int Frames = 2000;

    [Fact]
    public void A_good_wire_delivers_everything_in_order() => Assert.Equal(Enumerable.Range(0, Frames), Send(new WireQuality()));

    [Fact]
    public void A_wire_that_loses_delivers_the_rest_in_order()
    {
        int[] arrived = Send(new WireQuality { Loss = 0.1 });
        Assert.InRange(arrived.Length, Frames * 0.8, Frames * 0.97);
        Assert.Equal(arrived.Order(), arrived);
    }

    [Fact]
    public void The_seed_decides_what_is_lost() =>
        Assert.Equal(Send(new WireQuality { Loss = 0.2, Seed = 7 }), Send(new WireQuality { Loss = 0.2, Seed = 7 }));

    [Fact]
    public void A_wire_that_reorders_delivers_everything()
    {
        int[] arrived = Send(new WireQuality { Reorder = 0.2 });
        Assert.Equal(Enumerable.Range(0, Frames), arrived.Order());
        Assert.NotEqual(arrived.Order(), arrived);
    }

    [Fact]
    public void A_wire_that_duplicates_delivers_some_twice()
    {
        int[] arrived = Send(new WireQuality { Duplicate = 0.1 });
        Assert.Equal(Enumerable.Range(0, Frames), arrived.Distinct().Order());
        Assert.InRange(arrived.Length, Frames * 1.03, Frames * 1.2);
    }

    [Fact]
    public void A_slow_wire_takes_its_time()
    {
        long start = Stopwatch.GetTimestamp();
        Assert.Equal(Frames, Send(new WireQuality { Delay = TimeSpan.FromMilliseconds(100) }).Length);
        Assert.True(Stopwatch.GetElapsedTime(start) >= TimeSpan.FromMilliseconds(100));
    }

    [Fact]
    public void Wrong_bits_are_in_packets_only_and_one_in_each()
    {
        Assert.All(SendRaw(new WireQuality { Corrupt = 1 }, type: 0x0806), frame => Assert.Equal(0, Bits(frame)));
        Assert.All(SendRaw(new WireQuality { Corrupt = 1 }, type: 0x0800), frame => Assert.Equal(1, Bits(frame)));

        static int Bits(byte[] frame) => frame.Skip(14).Sum(value => int.PopCount(value));
    }

    /// <summary>Sends numbered frames; the numbers in the order in which they arrived.</summary>
    private static int[] Send(WireQuality quality) => [.. SendRaw(quality, type: 0).Select(frame => BitConverter.ToInt32(frame, 14))];

    private static byte[][] SendRaw(WireQuality quality, int type)
    {
        ConcurrentQueue<byte[]> arrived = [];
        using WireDirection direction = new(quality, 1, arrived.Enqueue);
        for (int i = 0; i < Frames; i++)
        {
            byte[] frame = new byte[64];
            frame[12] = (byte)(type >> 8);
            frame[13] = (byte)type;
            // A number in a packet would be mistaken for wrong bits.
            if (type == 0)
                BitConverter.TryWriteBytes(frame.AsSpan(14), i);
            direction.Take(frame);
        }
        while (!direction.IsEmpty)
            Thread.Sleep(1);
        return [.. arrived];
    }
}
