using System;
using FsCheck;
using FsCheck.Fluent;
using Ukl.Drivers.Virtio;
using Ukl.Kernel.Net;
using Ukl.Kernel.Time;
using Xunit;

namespace Ukl.Tests.Unit.Drivers.Virtio;

/// <summary>Network devices that break the rules.</summary>
public sealed unsafe class NetLiesTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(12)]
    public void A_packet_without_content_stops_the_device(int length)
    {
        using var rig = new NetRig();
        Expect(rig, "it gave a packet that is none", () => rig.Fake.Push(0, rig.Fake.Queues[0].Pop()!, (uint)length));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(0xffff)]
    public void A_packet_of_buffers_that_do_not_come_stops_the_device(ushort bufferCount)
    {
        using var rig = new NetRig();
        Expect(rig, "it gave a packet that is none", () => rig.Arrive(100, bufferCount: bufferCount));
        Assert.Equal(255u, rig.Pool->InUse);
    }

    [Fact]
    public void More_bytes_than_a_buffer_holds_stop_the_device()
    {
        using var rig = new NetRig();
        Expect(rig, "it says that it wrote past the end of a buffer", () => rig.Fake.Push(0, rig.Fake.Queues[0].Pop()!, 1921));
    }

    [Fact]
    public void A_sent_packet_that_never_was_stops_the_device()
    {
        using var rig = new NetRig();
        Assert.True(rig.Card->Transmit(rig.Card, rig.Make(100)));
        rig.Card->Flush(rig.Card);
        int start = VirtioRig.Mark();
        rig.Fake.Queues[1].PushSplit(77, 0);
        rig.Card->Flush(rig.Card);
        Assert.Equal("ukl: virtio-net is not used: it gave back a buffer that it did not have\n", VirtioRig.Said(start));
        // What the stack sends from now on is lost, not kept.
        uint before = rig.Pool->InUse;
        Assert.True(rig.Card->Transmit(rig.Card, rig.Make(100)));
        Assert.Equal(before, rig.Pool->InUse);
    }

    [Fact]
    public void A_stack_that_waits_for_room_is_not_left_waiting_by_a_device_that_breaks()
    {
        using var rig = new NetRig(queueSize: 16);
        PacketBuffer* packet = rig.Make(60);
        while (rig.Card->Transmit(rig.Card, packet))
            packet = rig.Make(60);
        PacketBuffer.Release(packet);
        Expect(rig, "it needs a reset", () =>
        {
            rig.Fake.SetNeedsReset();
            rig.Fake.ChangeConfiguration();
        });
        Assert.Equal(1, rig.Readies);
        Assert.True(rig.Card->Transmit(rig.Card, rig.Make(60)));
    }

    [Theory]
    [InlineData(0ul)]
    [InlineData(Features.RingPacked)]
    public void Whatever_a_device_does_no_buffer_is_lost_or_used_twice(ulong ring)
    {
        Prop.ForAll(Gen.Choose(0, int.MaxValue - 1).ToArbitrary(), seed =>
        {
            var random = new System.Random(seed);
            using var rig = new NetRig(NetRig.Everything | ring, isPci: random.Next(2) == 0, queueSize: 32, poolLimit: 300);
            rig.OnReceived = pointer =>
            {
                var packet = (PacketBuffer*)pointer;
                Assert.Equal(1u, packet->References);
                uint total = 0;
                for (PacketBuffer* part = packet; part != null; part = part->NextPart)
                {
                    Assert.True(PacketBuffer.Of(part->Data) == part);
                    Assert.InRange((ulong)(part->Data - part->Block) + part->Length, (ulong)PacketBuffer.DataStart, (ulong)PacketBuffer.BlockSize);
                    total += part->Length;
                }
                Assert.Equal(total, packet->TotalLength);
            };
            for (int step = 0; step < 150; step++)
                Misbehave(rig, random);
            rig.ReleaseAll();
            rig.Card->Stop(rig.Card);
            Assert.Equal(0u, rig.Pool->InUse);
        }).QuickCheckThrowOnFailure();
    }

    private static void Misbehave(NetRig rig, System.Random random)
    {
        bool isPacked = (rig.Fake.Accepted & Features.RingPacked) != 0;
        FakeQueue queue = rig.Fake.Queues[random.Next(2)];
        bool isGone = !queue.IsEnabled;
        switch (random.Next(10))
        {
            case 0 or 1 or 2 when !isGone:
                rig.Arrive(random.Next(14, 9000), (byte)random.Next(4), (byte)random.Next(5), (ushort)random.Next(2000), random.Next(20) == 0 ? (ushort)random.Next(4) : null);
                break;
            case 3 or 4:
                PacketBuffer* packet = rig.Pool->Allocate();
                if (packet == null)
                    break;
                packet->Length = 60;
                if (!rig.Card->Transmit(rig.Card, packet))
                    PacketBuffer.Release(packet);
                rig.Card->Flush(rig.Card);
                break;
            case 5 when !isGone:
                rig.SendAll(random.Next(8));
                break;
            case 6 when !isGone && random.Next(8) == 0:
                if (isPacked)
                    queue.PushPacked(random.Next(40), 1, (uint)random.Next(3000));
                else
                    queue.PushSplit((uint)random.Next(40), (uint)random.Next(3000));
                break;
            case 7 when !isGone && random.Next(8) == 0:
                queue.Device[random.Next(isPacked ? 4 : 4 + 8 * 32)] = (byte)random.Next(256);
                break;
            case 8:
                rig.ReleaseAll();
                break;
            default:
                rig.Fake.Raise(random.Next(-1, 2));
                rig.Fake.Deliver();
                if (Timers.NextDeadline != Timers.Never)
                    Timers.RunExpired(Timers.NextDeadline);
                break;
        }
    }

    private static void Expect(NetRig rig, string reason, Action lie)
    {
        int start = VirtioRig.Mark();
        lie();
        rig.Fake.Deliver();
        rig.Fake.Raise(0);
        rig.Fake.Deliver();
        Assert.Equal($"ukl: virtio-net is not used: {reason}\n", VirtioRig.Said(start));
        Assert.False(rig.Fake.IsRunning);
    }
}
