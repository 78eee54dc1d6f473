using System.Linq;
using Ukl.Drivers.Virtio;
using Ukl.Drivers.Virtio.Net;
using Ukl.Kernel.Net;
using Ukl.Kernel.Time;
using Xunit;

namespace Ukl.Tests.Unit.Drivers.Virtio;

public sealed unsafe class NetDeviceTests
{
    private const ulong Packed = NetRig.Everything | Features.RingPacked;

    public static TheoryData<ulong, bool> Transports => new()
    {
        { NetRig.Everything, false },
        { NetRig.Everything, true },
        { Packed, false },
        { Packed, true },
        { NetFeatures.Mac, true },
    };

    [Fact]
    public void The_card_is_described_and_holds_nothing_before_it_is_started()
    {
        using var rig = new NetRig(start: false);
        Assert.Equal(0x5634_1200_5452ul, rig.Card->Address.Value);
        Assert.Equal((1500u, true), (rig.Card->Mtu, rig.Card->IsLinkUp));
        Assert.Equal(NetworkFeatures.TransmitChecksum | NetworkFeatures.Segmentation4 | NetworkFeatures.Segmentation6, rig.Card->Features);
        Assert.Equal(0u, rig.Pool->Count);
        Assert.False(rig.Fake.Queues[0].IsEnabled);
        Assert.False(rig.Fake.IsRunning);
    }

    [Fact]
    public void Features_that_need_others_are_not_taken_alone()
    {
        Assert.Equal(0ul, NetFeatures.Choose(NetFeatures.HostSegmentation4) & NetFeatures.HostSegmentation4);
        Assert.Equal(0ul, NetFeatures.Choose(NetFeatures.GuestSegmentation4 | NetFeatures.GuestChecksum) & NetFeatures.GuestSegmentation4);
        Assert.Equal(0ul, NetFeatures.Choose(NetFeatures.GuestSegmentation4 | NetFeatures.MergeableBuffers) & NetFeatures.GuestSegmentation4);
    }

    [Fact]
    public void A_card_without_an_address_gets_one_of_its_own()
    {
        using var rig = new NetRig(NetFeatures.Checksum);
        Assert.Equal(2ul, rig.Card->Address.Value & 3);
        Assert.Equal(NetworkFeatures.TransmitChecksum, rig.Card->Features);
    }

    [Theory]
    [InlineData(67, false)]
    [InlineData(68, true)]
    public void An_impossible_MTU_makes_no_card(byte mtu, bool isCard)
    {
        using var rig = new NetRig(configuration: [1, 2, 3, 4, 5, 6, 1, 0, 1, 0, mtu, 0], start: false);
        Assert.Equal(isCard, rig.Card != null);
    }

    [Fact]
    public void Without_mergeable_buffers_the_MTU_is_what_one_buffer_holds()
    {
        using var rig = new NetRig(NetFeatures.Mtu, configuration: [1, 2, 3, 4, 5, 6, 1, 0, 1, 0, 0x28, 0x23], start: false);
        Assert.Equal((uint)(PacketBuffer.BlockSize - PacketBuffer.DataStart - 12 - 14), rig.Card->Mtu);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void Packets_come_in_and_buffers_go_back_in_batches(ulong offered, bool isPci)
    {
        using var rig = new NetRig(offered, isPci);
        Assert.Equal(256u, rig.Pool->InUse);
        for (int round = 0; round < 40; round++)
        {
            for (int i = 0; i < 50; i++)
                Assert.True(rig.Arrive(60 + i, seed: round + i));
            Assert.InRange(rig.Fake.Deliver(), 1, 1);
            Assert.Equal(50, rig.Packets.Count);
            for (int i = 0; i < 50; i++)
            {
                byte[] bytes = rig.TakeBytes();
                Assert.Equal(60 + i, bytes.Length);
                Assert.Equal((byte)(NetRig.HeaderSize + round + i), bytes[0]);
            }
            Assert.Equal(round + 1, rig.Batches);
        }
        Assert.InRange(rig.Pool->InUse, 240u, 256u);
    }

    [Fact]
    public void While_the_driver_works_no_interrupts_come()
    {
        using var rig = new NetRig();
        int left = 20;
        // The device brings the next packet while the driver hands up the one before.
        rig.OnReceived = _ =>
        {
            if (--left > 0)
                Assert.True(rig.Arrive(100));
        };
        Assert.True(rig.Arrive(100));
        Assert.Equal(1, rig.Fake.Deliver());
        Assert.Equal(20, rig.Packets.Count);
        Assert.Equal(1, rig.Batches);
        Assert.True(rig.Arrive(100));
        Assert.Equal(1, rig.Fake.Deliver());
    }

    [Theory]
    [InlineData(NetRig.Everything)]
    [InlineData(Packed)]
    public void A_large_packet_comes_as_a_chain(ulong offered)
    {
        using var rig = new NetRig(offered);
        Assert.True(rig.Arrive(65_000, flags: 1, segmentation: 1 | 0x80, segmentSize: 1448));
        rig.Fake.Deliver();
        var packet = (PacketBuffer*)Assert.Single(rig.Packets);
        Assert.Equal((SegmentationKind.Tcp4, (ushort)1448, ChecksumState.Verified), (packet->Segmentation, packet->SegmentSize, packet->Checksum));
        byte[] bytes = rig.TakeBytes();
        Assert.Equal(Enumerable.Range(0, 65_000).Select(i => (byte)(i + NetRig.HeaderSize)), bytes);
        Assert.Equal(256u, rig.Pool->InUse);
    }

    [Theory]
    [InlineData(NetRig.Everything, 0, 0, ChecksumState.None, SegmentationKind.None)]
    [InlineData(NetRig.Everything, 1, 0, ChecksumState.Verified, SegmentationKind.None)]
    [InlineData(NetRig.Everything, 2, 4, ChecksumState.Verified, SegmentationKind.Tcp6)]
    [InlineData(NetRig.Everything, 2, 3, ChecksumState.Verified, SegmentationKind.None)]
    [InlineData(NetFeatures.MergeableBuffers, 3, 1, ChecksumState.None, SegmentationKind.None)]
    public void What_the_header_says_is_believed_as_far_as_it_was_agreed_on(ulong offered, byte flags, byte type, ChecksumState checksum, SegmentationKind kind)
    {
        using var rig = new NetRig(offered);
        Assert.True(rig.Arrive(100, flags, type, segmentSize: 1000));
        rig.Fake.Deliver();
        var packet = (PacketBuffer*)Assert.Single(rig.Packets);
        Assert.Equal((checksum, kind), (packet->Checksum, packet->Segmentation));
    }

    [Fact]
    public void A_segment_size_of_0_is_no_segmentation()
    {
        using var rig = new NetRig();
        Assert.True(rig.Arrive(100, flags: 1, segmentation: 1));
        rig.Fake.Deliver();
        Assert.Equal(SegmentationKind.None, ((PacketBuffer*)Assert.Single(rig.Packets))->Segmentation);
    }

    [Fact]
    public void Without_memory_for_buffers_the_driver_asks_again_later()
    {
        using var rig = new NetRig(poolLimit: 256);
        for (int i = 0; i < 256; i++)
            Assert.True(rig.Arrive(100));
        rig.Fake.Deliver();
        Assert.Equal(256, rig.Packets.Count);
        Assert.False(rig.Arrive(100));
        rig.ReleaseAll();
        Assert.False(rig.Arrive(100));
        Assert.NotEqual(Timers.Never, Timers.NextDeadline);
        Timers.RunExpired(Timers.NextDeadline);
        Assert.True(rig.Arrive(100));
        Assert.Equal(1, rig.Fake.Deliver());
    }

    [Fact]
    public void A_device_faster_than_the_stack_lets_the_program_have_its_turn()
    {
        using var rig = new NetRig();
        int handed = 0;
        rig.OnReceived = _ =>
        {
            handed++;
            rig.ReleaseAll();
        };
        // Whatever buffer the device gets it fills at once.
        rig.Fake.Notified = _ => Fill(rig);
        Fill(rig);
        Assert.Equal(1, rig.Fake.Deliver());
        Assert.InRange(handed, 512, 2048);
        Assert.NotEqual(Timers.Never, Timers.NextDeadline);
        int before = handed;
        Timers.RunExpired(Timers.NextDeadline);
        Assert.InRange(handed - before, 512, 2048);
        rig.Fake.Notified = _ => { };
        Timers.RunExpired(Timers.NextDeadline);
        Assert.Equal(Timers.Never, Timers.NextDeadline);
        Assert.True(rig.Arrive(100));
        Assert.Equal(1, rig.Fake.Deliver());
    }

    private static void Fill(NetRig rig)
    {
        while (rig.Arrive(100))
        {
        }
    }

    [Fact]
    public void Changes_of_the_link_are_told()
    {
        using var rig = new NetRig();
        rig.Fake.Configuration[6] = 0;
        rig.Fake.ChangeConfiguration();
        rig.Fake.Deliver();
        Assert.Equal((false, 1), (rig.Card->IsLinkUp, rig.LinkChanges));
        rig.Fake.ChangeConfiguration();
        rig.Fake.Deliver();
        Assert.Equal(1, rig.LinkChanges);
    }

    [Theory]
    [InlineData(NetRig.Everything)]
    [InlineData(Packed)]
    public void A_stopped_card_has_given_everything_back_and_starts_again(ulong offered)
    {
        using var rig = new NetRig(offered);
        for (int round = 0; round < 3; round++)
        {
            Assert.True(rig.Card->Transmit(rig.Card, rig.Make(100, 200)));
            rig.Card->Flush(rig.Card);
            Assert.True(rig.Arrive(100));
            rig.Card->Stop(rig.Card);
            Assert.Equal(0u, rig.Pool->InUse);
            Assert.Equal(0, rig.Fake.Status);
            Assert.True(rig.Card->Transmit(rig.Card, rig.Make(100)));
            rig.Card->Flush(rig.Card);
            Assert.Equal(0u, rig.Pool->InUse);
            Assert.True(rig.Card->Start(rig.Card, rig.Pool));
            Assert.True(rig.Arrive(100));
            Assert.Equal(1, rig.Fake.Deliver());
            Assert.Equal(100, rig.TakeBytes().Length);
        }
    }
}
