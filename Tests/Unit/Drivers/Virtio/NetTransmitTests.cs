using System.Collections.Generic;
using System.Linq;
using Ukl.Drivers.Virtio;
using Ukl.Drivers.Virtio.Net;
using Ukl.Kernel.Net;
using Xunit;

namespace Ukl.Tests.Unit.Drivers.Virtio;

public sealed unsafe class NetTransmitTests
{
    private const ulong Packed = NetRig.Everything | Features.RingPacked;

    [Theory]
    [InlineData(NetRig.Everything)]
    [InlineData(Packed)]
    [InlineData(NetFeatures.Checksum)]
    public void A_packet_goes_out_with_an_empty_header_in_front(ulong offered)
    {
        using var rig = new NetRig(offered);
        Assert.True(rig.Card->Transmit(rig.Card, rig.Make(60)));
        Assert.Empty(Announced(rig));
        rig.Card->Flush(rig.Card);
        byte[] sent = Assert.Single(rig.SendAll());
        Assert.Equal(new byte[NetRig.HeaderSize], sent[..NetRig.HeaderSize]);
        Assert.Equal(Enumerable.Repeat((byte)0xaa, 60), sent[NetRig.HeaderSize..]);
        rig.Card->Flush(rig.Card);
        Assert.Equal(256u, rig.Pool->InUse);
    }

    private static List<int> Announced(NetRig rig) => rig.Notifications[1] == 0 ? [] : [1];

    [Fact]
    public void A_batch_rings_once_and_asks_for_no_interrupts()
    {
        using var rig = new NetRig();
        _ = rig.SendAll();
        for (int i = 0; i < 100; i++)
            Assert.True(rig.Card->Transmit(rig.Card, rig.Make(60)));
        rig.Card->Flush(rig.Card);
        Assert.Equal(1, rig.Notifications[1]);
        Assert.Equal(100, rig.SendAll().Count);
        Assert.Equal(0, rig.Fake.Deliver());
        // An interrupt of the receiver is when sent packets are released.
        Assert.Equal(356u, rig.Pool->InUse);
        Assert.True(rig.Arrive(100));
        rig.Fake.Deliver();
        rig.ReleaseAll();
        Assert.InRange(rig.Pool->InUse, 255u, 256u);
    }

    [Theory]
    [InlineData(NetRig.Everything, 1)]
    [InlineData(NetRig.Everything, 5)]
    [InlineData(NetRig.Everything, 39)]
    [InlineData(NetRig.Everything, 90)]
    [InlineData(Packed, 1)]
    [InlineData(Packed, 39)]
    [InlineData(Packed, 90)]
    [InlineData(NetFeatures.Checksum, 39)]
    public void Parts_go_out_where_they_lie_in_order(ulong offered, int count)
    {
        using var rig = new NetRig(offered);
        for (int round = 0; round < 50; round++)
        {
            PacketBuffer* packet = rig.Make(54, [.. Enumerable.Range(100, count)]);
            Assert.True(rig.Card->Transmit(rig.Card, packet));
            rig.Card->Flush(rig.Card);
            byte[] sent = Assert.Single(rig.SendAll());
            IEnumerable<byte> expected = Enumerable.Repeat((byte)0xaa, 54).Concat(Enumerable.Range(0, count).SelectMany(i => Enumerable.Repeat((byte)i, 100 + i)));
            Assert.Equal(expected, sent.Skip(NetRig.HeaderSize));
        }
        rig.Card->Flush(rig.Card);
        Assert.Equal(256u, rig.Pool->InUse);
    }

    [Fact]
    public void The_header_says_what_is_left_to_the_device()
    {
        using var rig = new NetRig();
        PacketBuffer* packet = rig.Make(14 + 20 + 32, 1400, 1400, 200);
        packet->Checksum = ChecksumState.Partial;
        packet->Segmentation = SegmentationKind.Tcp4;
        packet->SegmentSize = 1448;
        packet->TransportHeader = packet->Data + 34;
        packet->TransportHeader[12] = 8 << 4;
        packet->ChecksumOffset = 16;
        Assert.True(rig.Card->Transmit(rig.Card, packet));
        rig.Card->Flush(rig.Card);
        byte[] sent = Assert.Single(rig.SendAll());
        Assert.Equal([1, 1, 66, 0, 1448 & 0xff, 1448 >> 8, 34, 0, 16, 0, 0, 0], sent[..NetRig.HeaderSize]);
    }

    [Theory]
    [InlineData(NetRig.Everything)]
    [InlineData(Packed)]
    [InlineData(NetFeatures.Checksum)]
    public void A_full_queue_refuses_and_calls_back_when_there_is_room(ulong offered)
    {
        using var rig = new NetRig(offered, queueSize: 16);
        int taken = 0;
        int refused = 0;
        var sent = new List<byte[]>();
        void Fill()
        {
            while (taken < 500)
            {
                PacketBuffer* packet = rig.Make(60 + taken, 10);
                if (!rig.Card->Transmit(rig.Card, packet))
                {
                    refused++;
                    PacketBuffer.Release(packet);
                    break;
                }
                taken++;
            }
            rig.Card->Flush(rig.Card);
        }

        rig.OnReady = Fill;
        Fill();
        Assert.Equal(8, taken);
        for (int i = 0; i < 2000 && sent.Count < 500; i++)
        {
            sent.AddRange(rig.SendAll(i % 3));
            rig.Fake.Deliver();
        }
        Assert.Equal(Enumerable.Range(0, 500).Select(i => 12 + 60 + i + 10), sent.Select(bytes => bytes.Length));
        Assert.True(refused > 10);
        Assert.Equal(refused, rig.Readies);
    }

    [Fact]
    public void A_packet_of_more_parts_than_the_queue_has_entries_is_dropped()
    {
        using var rig = new NetRig(NetFeatures.Checksum, queueSize: 16);
        uint before = rig.Pool->InUse;
        Assert.True(rig.Card->Transmit(rig.Card, rig.Make(60, [.. Enumerable.Repeat(10, 20)])));
        Assert.Equal(before, rig.Pool->InUse);
        rig.Card->Flush(rig.Card);
        Assert.Empty(rig.SendAll());
    }
}
