using System;
using System.Text;
using Ukl.Drivers.Virtio;
using Ukl.Drivers.Virtio.Queue;
using Ukl.Drivers.Virtio.Transport;
using Xunit;

namespace Ukl.Tests.Unit.Drivers.Virtio;

public sealed unsafe class VirtioDeviceTests : IDisposable
{
    private const ulong Wanted = 1ul << 3;
    private const ulong Unknown = 1ul << 50;

    [ThreadStatic] private static int s_calls;

    public void Dispose() => VirtioRig.Clear();

    private static ulong Choose(ulong offered) => Wanted;

    private static void Count(void* context) => s_calls++;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_handshake_goes_in_the_order_of_the_specification(bool isPci)
    {
        var fake = new FakeVirtioDevice(4, 2, Wanted | Unknown | Features.EventIndex);
        var device = new VirtioDevice(VirtioRig.Connect(fake, isPci), "test"u8);
        Assert.True(device.TryNegotiate(&Choose));
        Assert.Equal([0, 1, 3, 11], fake.StatusWrites);
        Assert.Equal(Wanted | Features.EventIndex | Features.Version1, fake.Accepted);
        Assert.Equal(fake.Accepted, device.Features);

        SplitQueue queue;
        Assert.True(device.TryStartQueue(&queue, 1, 64, 0, 0, &Count, null));
        Assert.True(fake.Queues[1].IsEnabled);
        Assert.False(fake.Queues[0].IsEnabled);
        Assert.Equal(64, fake.Queues[1].Size);
        device.Start();
        Assert.True(fake.IsRunning);

        int rung = -1;
        fake.Notified = number => rung = number;
        Assert.True(queue.TryAdd(0x1000, 8, true, null));
        queue.ResumeInterrupts();
        VirtioDevice.Kick(&queue);
        Assert.Equal(1, rung);
        s_calls = 0;
        fake.Push(1, fake.Queues[1].Pop()!, 8);
        fake.Deliver();
        Assert.Equal(1, s_calls);
    }

    [Theory]
    [InlineData(false, "it does not take the features that it offered")]
    [InlineData(true, "it does not take the features that it offered")]
    public void A_device_that_refuses_the_features_is_failed(bool isPci, string reason)
    {
        var fake = new FakeVirtioDevice(4, 1) { RefusesFeatures = true };
        Expect(fake, isPci, reason, (ref VirtioDevice device) => device.TryNegotiate(&Choose));
    }

    [Fact]
    public void A_legacy_device_is_failed()
    {
        var fake = new FakeVirtioDevice(4, 1);
        fake.Offered = 0;
        Expect(fake, true, "it is a legacy device", (ref VirtioDevice device) => device.TryNegotiate(&Choose));
    }

    [Fact]
    public void A_device_that_does_not_reset_does_not_hold_the_kernel()
    {
        var fake = new FakeVirtioDevice(4, 1) { NeverResets = true };
        fake.SetNeedsReset();
        Expect(fake, true, "it does not reset", (ref VirtioDevice device) => device.TryNegotiate(&Choose));
    }

    [Theory]
    [InlineData(1, false, "it has too few queues")]
    [InlineData(2, true, "it does not take a queue")]
    public void A_device_without_its_queues_is_failed(int queueCount, bool refuses, string reason)
    {
        var fake = new FakeVirtioDevice(4, queueCount) { RefusesQueues = refuses };
        Expect(fake, true, reason, (ref VirtioDevice device) =>
        {
            SplitQueue queue;
            return device.TryNegotiate(&Choose) && device.TryStartQueue(&queue, 1, 64, 0, 0, &Count, null);
        });
    }

    [Fact]
    public void A_queue_is_no_larger_than_the_device_takes()
    {
        var fake = new FakeVirtioDevice(4, 1) { MaximumQueueSize = 100 };
        var device = new VirtioDevice(VirtioRig.Connect(fake, false), "test"u8);
        Assert.True(device.TryNegotiate(&Choose));
        SplitQueue queue;
        Assert.True(device.TryStartQueue(&queue, 0, 256, 0, 0, &Count, null));
        Assert.Equal(64, fake.Queues[0].Size);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Queues_share_a_message_when_there_are_too_few(int messageCount)
    {
        var fake = new FakeVirtioDevice(4, 2);
        var device = new VirtioDevice(VirtioRig.Connect(fake, true, messageCount), "test"u8);
        Assert.True(device.TryNegotiate(&Choose));
        SplitQueue first, second;
        Assert.True(device.TryStartQueue(&first, 0, 8, 0, 0, &Count, null));
        Assert.True(device.TryStartQueue(&second, 1, 8, 0, 0, &Count, null));
        Assert.True(device.TryWatchConfiguration(&Count, null));
        foreach (int source in new[] { 0, 1, -1 })
        {
            s_calls = 0;
            fake.Raise(source);
            fake.Deliver();
            Assert.InRange(s_calls, 1, 3);
        }
    }

    [Fact]
    public void A_configuration_that_changes_while_it_is_read_is_read_again_but_not_for_ever()
    {
        var fake = new FakeVirtioDevice(4, 1) { Configuration = [1, 2, 3, 4, 5, 6] };
        var device = new VirtioDevice(VirtioRig.Connect(fake, true), "test"u8);
        Span<byte> bytes = stackalloc byte[6];
        fake.ConfigurationChanges = 3;
        device.Read(0, bytes);
        Assert.Equal([1, 2, 3, 4, 5, 6], bytes.ToArray());
        fake.ConfigurationChanges = int.MaxValue;
        device.Read(0, bytes);
        Assert.Equal(0, device.Read8(0x1_0000));
        Assert.Equal(0, device.Read16(uint.MaxValue));
    }

    [Fact]
    public void A_broken_device_is_reset_and_reported_once()
    {
        var fake = new FakeVirtioDevice(4, 1);
        var device = new VirtioDevice(VirtioRig.Connect(fake, false), "test"u8);
        Assert.True(device.TryNegotiate(&Choose));
        device.Start();
        int start = VirtioRig.Mark();
        device.Break(QueueFault.None);
        Assert.False(device.IsBroken);
        fake.SetNeedsReset();
        Assert.True(device.CheckStatus());
        device.Break(QueueFault.Overrun);
        Assert.Equal("ukl: test is not used: it needs a reset\n", VirtioRig.Said(start));
        Assert.Equal(0, fake.Status);
    }

    [Fact]
    public void Blocks_without_a_modern_device_are_left_alone()
    {
        VirtioRig.Clear();
        var block = new FakeMmioBus(new FakeVirtioDevice(4, 1)) { Version = 1 };
        MmioTransport transport = default;
        Assert.True(transport.TryInitialize(FakeMmioBus.Address, FakeMmioBus.Length, default));
        Assert.Equal("it is a legacy device", Encoding.ASCII.GetString(transport.Check()));
        block.Version = 2;
        Assert.True(transport.Check().IsEmpty);
        block.Magic = 0;
        Assert.False(transport.TryInitialize(FakeMmioBus.Address, FakeMmioBus.Length, default));
        Assert.False(transport.TryInitialize(FakeMmioBus.Address, 0x100, default));
        Assert.False(transport.TryInitialize(0xfeb1_0000, FakeMmioBus.Length, default));
        VirtioRig.Clear();
        _ = new FakeMmioBus(new FakeVirtioDevice(0, 0));
        Assert.False(transport.TryInitialize(FakeMmioBus.Address, FakeMmioBus.Length, default));
    }

    [Theory]
    [InlineData("virtio_mmio.device=512@0xfeb00e00:12", 512ul, 0xfeb00e00ul, 12u)]
    [InlineData("virtio_mmio.device=4K@0xd0000000:5:7", 4096ul, 0xd0000000ul, 5u)]
    [InlineData("virtio_mmio.device=0x1m@1000:0x18", 1048576ul, 1000ul, 24u)]
    public void Words_of_the_command_line_name_blocks(string word, ulong length, ulong address, uint line)
    {
        Assert.True(MmioParameter.TryParse(Encoding.ASCII.GetBytes(word), out MmioParameter place));
        Assert.Equal((length, address, line), (place.Length, place.Address, place.Interrupt));
    }

    [Theory]
    [InlineData("")]
    [InlineData("init=/app")]
    [InlineData("virtio_mmio.device=")]
    [InlineData("virtio_mmio.device=512")]
    [InlineData("virtio_mmio.device=512@")]
    [InlineData("virtio_mmio.device=512@0x")]
    [InlineData("virtio_mmio.device=512@0x1000")]
    [InlineData("virtio_mmio.device=512@0x1000:")]
    [InlineData("virtio_mmio.device=512@0x1000:12x")]
    [InlineData("virtio_mmio.device=512@0x1000:4294967296")]
    [InlineData("virtio_mmio.device=512@0x11111111111111111111:1")]
    public void Other_words_do_not(string word) => Assert.False(MmioParameter.TryParse(Encoding.ASCII.GetBytes(word), out _));

    private delegate bool Attempt(ref VirtioDevice device);

    private static void Expect(FakeVirtioDevice fake, bool isPci, string reason, Attempt attempt)
    {
        var device = new VirtioDevice(VirtioRig.Connect(fake, isPci), "test"u8);
        int start = VirtioRig.Mark();
        Assert.False(attempt(ref device));
        Assert.True(device.IsBroken);
        Assert.Equal($"ukl: test is not used: {reason}\n", VirtioRig.Said(start));
        Assert.NotEqual(0, fake.Status & FakeVirtioDevice.Failed);
    }
}
