using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using Ukl.Kernel.Net;
using Ukl.Kernel.Net.Tcp;
using Xunit;

namespace Ukl.Tests.Unit.Net.Tcp;

/// <summary>The parts of a connection against models that are too simple to be wrong.</summary>
public sealed unsafe class TcpPartsTests
{
    [Fact]
    public void SipHash_gives_the_numbers_of_its_authors()
    {
        // The test vectors of the reference implementation: key 00 01 … 0f, message 00 01 … of whole words.
        ulong[] expected = [0x726fdb47dd0e0e31, 0x93f5f5799a932462, 0x3f2acc7f57c29bdb, 0xb8ad50c6f649af94];
        for (int words = 0; words < expected.Length; words++)
        {
            var hash = new SipHash(0x0706050403020100, 0x0f0e0d0c0b0a0908);
            for (int word = 0; word < words; word++)
            {
                ulong value = 0;
                for (int i = 7; i >= 0; i--)
                    value = (value << 8) | (byte)((word * 8) + i);
                hash.Add(value);
            }
            Assert.Equal(expected[words], hash.Finish());
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_scoreboard_agrees_with_a_set_of_bytes(int seed)
    {
        var random = new System.Random(seed);
        uint start = (uint)random.Next() * 2;
        var board = default(SackScoreboard);
        var arrived = new HashSet<int>();
        int acknowledged = 0;
        const int size = 400;
        for (int step = 0; step < 3000; step++)
        {
            if (random.Next(6) == 0)
            {
                acknowledged = Math.Min(size, acknowledged + random.Next(20));
                arrived.RemoveWhere(each => each < acknowledged);
                board.DropUntil(start + (uint)acknowledged);
            }
            else
            {
                int from = random.Next(acknowledged, size + 1), to = Math.Min(size + 50, from + random.Next(1, 30));
                int before = arrived.Count;
                arrived.UnionWith(Enumerable.Range(from, to - from));
                Assert.Equal(arrived.Count != before, board.Add(start + (uint)from, start + (uint)to));
            }
            Assert.Equal((uint)arrived.Count, board.Bytes);
            int low = random.Next(acknowledged, size), high = random.Next(low, size + 50);
            Assert.Equal((uint)arrived.Count(each => each >= low && each < high), board.Within(start + (uint)low, start + (uint)high));
            uint hole = board.NextHole(start + (uint)low, start + (uint)high, out uint end);
            int expected = low;
            while (arrived.Contains(expected))
                expected++;
            Assert.Equal(start + (uint)expected, hole);
            int expectedEnd = expected;
            while (expectedEnd < high && !arrived.Contains(expectedEnd))
                expectedEnd++;
            if (expected < high)
                Assert.Equal(start + (uint)expectedEnd, end);
            if (acknowledged == size)
            {
                acknowledged = 0;
                arrived.Clear();
                board.Clear();
            }
        }
    }

    [Fact]
    public void Lost_is_what_enough_has_arrived_behind()
    {
        // RFC 6675 section 4, IsLost.
        var board = default(SackScoreboard);
        board.Add(1000, 1100);
        Assert.Equal(100u, board.LostUntil(100, 1000));
        board.Add(2000, 2100);
        Assert.Equal(100u, board.LostUntil(100, 1000));
        board.Add(3000, 3100);
        Assert.Equal(1000u, board.LostUntil(100, 1000));
        board.Add(3000, 5001);
        Assert.Equal(3000u, board.LostUntil(100, 1000));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void The_receive_queue_puts_any_order_of_pieces_together(int seed)
    {
        var random = new System.Random(seed);
        var pool = (PacketPool*)NativeMemory.AllocZeroed((nuint)sizeof(PacketPool));
        pool->Limit = 4096;
        for (int round = 0; round < 60; round++)
        {
            var queue = default(ReceiveQueue);
            uint start = (uint)random.Next() * 2;
            uint rcvNxt = start;
            int size = random.Next(1, 60_000);
            int largest = random.Next(3) switch { 0 => 20, 1 => 1500, _ => 9000 };
            int read = 0;
            while (read < size)
            {
                int next = (int)(rcvNxt - start);
                int from = random.Next(3) == 0 ? next : Math.Min(size - 1, next + random.Next(0, 3 * largest));
                int length = Math.Min(size - from, random.Next(1, largest));
                if (length <= 0)
                {
                    from = next;
                    length = size - from;
                }
                if (next < size)
                {
                    PacketBuffer* packet = MakePacket(pool, from, length, random);
                    uint sequence = start + (uint)from;
                    if (sequence == rcvNxt)
                    {
                        queue.Append(packet, (uint)length);
                        rcvNxt = queue.Drain(rcvNxt + (uint)length);
                    }
                    else
                    {
                        queue.InsertEarly(packet, sequence, (uint)length);
                    }
                }
                Assert.Equal((uint)(int)(rcvNxt - start) - (uint)read, queue.Bytes);
                if (random.Next(4) == 0 || rcvNxt - start == size)
                    Read(ref queue, ref read, random.Next(1, 5000));
            }
            Assert.False(queue.HasEarly);
            Assert.Equal(0u, queue.Memory);
            queue.Clear();
            Assert.Equal(0u, pool->InUse);
        }
        pool->Clear();
        NativeMemory.Free(pool);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void The_send_queue_gives_back_what_went_in_from_any_place(int seed)
    {
        var random = new System.Random(seed);
        var pool = (PacketPool*)NativeMemory.AllocZeroed((nuint)sizeof(PacketPool));
        pool->Limit = 4096;
        var queue = default(SendQueue);
        uint start = uint.MaxValue - 30_000;
        queue.Initialize(start);
        uint acknowledged = start;
        var source = new PatternBytes(9, 0);
        for (int step = 0; step < 4000; step++)
        {
            if (queue.Memory < 100_000)
                Assert.False(queue.Append(pool, ref source, (nuint)random.Next(1, 4000), 1460, 200_000).IsError);
            for (int i = 0; i < 3 && queue.End != acknowledged; i++)
            {
                uint at = acknowledged + (uint)random.NextInt64(queue.End - acknowledged);
                PacketBuffer* buffer = queue.Seek(at, i == 0, out uint offset);
                var check = new PatternBytes(9, at - start);
                Assert.True(check.TryGive(SendQueue.PayloadOf(buffer) + offset, SendQueue.LengthOf(buffer) - offset) && check.IsRight);
            }
            if (random.Next(3) == 0 && queue.End != acknowledged)
            {
                acknowledged += (uint)random.NextInt64(queue.End - acknowledged + 1);
                queue.FreeUntil(acknowledged);
            }
        }
        queue.FreeUntil(queue.End);
        Assert.True(queue.IsEmpty);
        Assert.Equal(0u, pool->InUse);
        pool->Clear();
        NativeMemory.Free(pool);
    }

    [Fact]
    public void Cubic_follows_its_curve()
    {
        // RFC 9438 section 4.2 in floating point, from one loss to well beyond the window before it.
        const uint mss = 1448;
        const double roundTrip = 0.1;
        var cubic = default(Cubic);
        double wMax = 1000;
        uint cwnd = cubic.OnLoss((uint)(wMax * mss), mss);
        Assert.InRange(cwnd / (double)mss, 699.9, 700.1);
        double k = Math.Cbrt(wMax * 0.3 / 0.4);
        ulong now = 1_000_000_000;
        for (double time = 0; time < 2 * k; time += roundTrip)
        {
            uint window = cwnd;
            for (uint acked = 0; acked < window; acked += 2 * mss)
                cwnd = cubic.OnAck(cwnd, mss, 2 * mss, now, (ulong)(roundTrip * 1e9));
            now += (ulong)(roundTrip * 1e9);
            double expected = (0.4 * Math.Pow(time + roundTrip - k, 3)) + wMax;
            Assert.InRange(cwnd / (double)mss, expected * 0.96, expected * 1.04);
        }
        Assert.True(cwnd > 1.2 * wMax * mss);
    }

    [Fact]
    public void Cubic_is_never_slower_than_Reno_on_a_short_path()
    {
        // RFC 9438 section 4.3: W_est grows by about α = 0.53 segments in a round trip, by one beyond the window before the loss.
        const uint mss = 1448;
        var cubic = default(Cubic);
        uint cwnd = cubic.OnLoss(20 * mss, mss);
        ulong now = 1_000_000_000;
        for (int trip = 0; trip < 40; trip++, now += 1_000_000)
        {
            uint window = cwnd;
            for (uint acked = 0; acked < window; acked += mss)
                cwnd = cubic.OnAck(cwnd, mss, mss, now, 1_000_000);
        }
        Assert.InRange(cwnd / mss, 14u + 18, 14u + 45);
    }

    [Fact]
    public void Cubic_converges_fast_when_the_window_shrinks()
    {
        const uint mss = 1000;
        var cubic = default(Cubic);
        cubic.OnLoss(1000 * mss, mss);
        Assert.Equal(350 * mss, cubic.OnLoss(500 * mss, mss));
        Assert.Equal(2 * mss, cubic.OnLoss(mss, mss));
    }

    [Fact]
    public void The_timeout_follows_the_round_trips()
    {
        // RFC 6298 section 2, with 200 ms as least allowance.
        var rtt = default(RttEstimator);
        rtt.Initialize();
        Assert.Equal(1_000_000_000u, rtt.CurrentTimeout);
        rtt.Measure(100_000_000);
        Assert.Equal(300_000_000u, rtt.CurrentTimeout);
        double smoothed = 100, variation = 50;
        var random = new System.Random(1);
        for (int i = 0; i < 1000; i++)
        {
            double sample = 50 + (random.NextDouble() * 400);
            variation += (Math.Abs(sample - smoothed) - variation) / 4;
            smoothed += (sample - smoothed) / 8;
            rtt.Measure((ulong)(sample * 1e6));
            Assert.InRange(rtt.CurrentTimeout / 1e6, (smoothed + Math.Max(200, 4 * variation)) * 0.999, (smoothed + Math.Max(200, 4 * variation)) * 1.001);
        }
        for (int i = 0; i < 20; i++)
            rtt.BackOff();
        Assert.Equal(RttEstimator.LongestTimeout, rtt.CurrentTimeout);
    }

    [Fact]
    public void Random_options_are_read_without_harm_and_good_ones_come_through()
    {
        var random = new System.Random(1);
        byte* bytes = stackalloc byte[64];
        for (int i = 0; i < 200_000; i++)
        {
            int length = random.Next(0, 41);
            random.NextBytes(new Span<byte>(bytes, 64));
            for (int j = 0; j < length; j += random.Next(1, 8))
                bytes[j] = (byte)random.Next(0, 10);
            TcpOptions.Read(bytes, (uint)length, out TcpOptions read);
            for (int block = 0; block < read.BlockCount; block++)
                _ = read.Block(block);
            Assert.InRange(read.WindowScale, 0, TcpOptions.LargestWindowScale);

            TcpOptions written = default;
            written.Present = (TcpOptionSet)random.Next(16);
            if (written.Has(TcpOptionSet.MaximumSegmentSize))
                written.MaximumSegmentSize = (ushort)random.Next(65536);
            if (written.Has(TcpOptionSet.WindowScale))
                written.WindowScale = (byte)random.Next(15);
            if (written.Has(TcpOptionSet.Timestamps))
            {
                written.TimestampValue = (uint)random.Next();
                written.TimestampEcho = (uint)random.Next();
            }
            uint size = written.WriteSyn(bytes);
            Assert.True(size % 4 == 0 && size <= 20);
            TcpOptions.Read(bytes, size, out read);
            Assert.Equal(written, read);
        }
    }

    private static void Read(ref ReceiveQueue queue, ref int read, int most)
    {
        var sink = new PatternBytes(5, read);
        long count = queue.CopyTo(ref sink, 0, (uint)Math.Min((uint)most, queue.Bytes)).Value;
        Assert.True(sink.IsRight);
        if (queue.Bytes > 3)
        {
            var check = new PatternBytes(5, read + 3);
            byte value = queue.Peek(3);
            Assert.True(check.TryGive(&value, 1) && check.IsRight);
        }
        queue.Consume((uint)count);
        read += (int)count;
    }

    /// <summary>A packet as a device hands it up: a chain of blocks, the first with some room in front.</summary>
    private static PacketBuffer* MakePacket(PacketPool* pool, int from, int length, System.Random random)
    {
        PacketBuffer* first = null;
        PacketBuffer* last = null;
        var source = new PatternBytes(5, from);
        bool hasEmptyHead = random.Next(5) == 0;
        while (length > 0 || first == null)
        {
            PacketBuffer* block = pool->Allocate(80);
            uint take = hasEmptyHead && first == null ? 0 : Math.Min((uint)length, (uint)random.Next(1, 1700));
            source.TryTake(block->Data, take);
            block->Length = take;
            if (first == null)
            {
                first = block;
            }
            else
            {
                last->NextPart = block;
                first->PartsLength += take;
            }
            last = block;
            length -= (int)take;
        }
        return first;
    }
}
