using System;
using System.Linq;
using Ukl.Drivers;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Boot;
using Ukl.Kernel.Core;
using Ukl.Tests.Unit.Drivers.Pci;
using Xunit;

namespace Ukl.Tests.Unit.Drivers.Virtio;

public sealed unsafe class RandomDeviceTests : IDisposable
{
    private readonly FakeVirtioDevice _device = new(4, 1);

    public RandomDeviceTests() => VirtioRig.Clear();

    public void Dispose() => VirtioRig.Clear();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_device_on_PCI_is_asked_at_boot_and_again_on_request(bool isTransitional)
    {
        FakePciBus bus = FakePciBus.BehindEcam();
        var function = new FakeVirtioFunction(_device, isTransitional: isTransitional);
        bus.Add(0, 3, 0, function.Function);
        Start("");
        Assert.Equal(0x0406, function.Function.Get16(0x04));
        AnswersAndIsAskedAgain();
    }

    [Fact]
    public void A_device_that_the_command_line_names_is_driven()
    {
        var bus = new FakeMmioBus(_device);
        Start("console=pipe virtio_mmio.device=512@0xfeb00200:12");
        AnswersAndIsAskedAgain();
        Assert.True(bus.IsQuiet);
    }

    [Fact]
    public void A_device_that_ACPI_names_is_driven()
    {
        _ = new FakeMmioBus(_device);
        var acpi = new AcpiInformation();
        acpi.Add(new AcpiDevice { HardwareId = BitConverter.ToUInt64("LNRO0005"u8), Address = (uint)FakeMmioBus.Address, Length = 512, Interrupt = new IsaLine { GlobalInterrupt = FakeMmioBus.Line } });
        acpi.Add(new AcpiDevice { HardwareId = BitConverter.ToUInt64("QEMU0002"u8), Address = 0xfeb0_0000, Length = 512 });
        Devices.Acpi = acpi;
        Start("");
        AnswersAndIsAskedAgain();
    }

    [Theory]
    [InlineData(0u, 65u, "it says that it wrote past the end of a buffer")]
    [InlineData(7u, 1u, "it gave back a buffer that it did not have")]
    [InlineData(uint.MaxValue, 1u, "it gave back a buffer that it did not have")]
    public void A_device_that_lies_is_stopped(uint id, uint length, string reason)
    {
        _ = new FakeMmioBus(_device);
        Start("virtio_mmio.device=512@0xfeb00200:12");
        int start = VirtioRig.Mark();
        _ = _device.Queues[0].Pop();
        _device.Queues[0].PushSplit(id, length);
        _device.Raise(0);
        _device.Deliver();
        Assert.Equal($"ukl: virtio-rng is not used: {reason}\n", VirtioRig.Said(start));
        Assert.False(_device.IsRunning);
        Devices.EntropySource.Request(Devices.EntropySource.Context);
    }

    private static void Start(string commandLine)
    {
        var line = new CommandLine();
        line.Set(System.Text.Encoding.ASCII.GetBytes(commandLine));
        Registration.StartAll(&line);
    }

    private void AnswersAndIsAskedAgain()
    {
        Assert.True(_device.IsRunning);
        Assert.True(Devices.EntropySource.Context != null);
        for (int round = 0; round < 20; round++)
        {
            FakeBuffer? buffer = _device.Queues[0].Pop();
            Assert.NotNull(buffer);
            Assert.Null(_device.Queues[0].Pop());
            (ulong address, uint length, bool isWritable) = Assert.Single(buffer.Segments);
            Assert.Equal((64u, true), (length, isWritable));
            new Span<byte>((byte*)DirectMap.Base + address, 64).Fill(0x55);
            _device.Push(0, buffer, 64);
            Assert.Equal(1, _device.Deliver());
            // The bytes are mixed in and no trace of them is left.
            Assert.True(new Span<byte>((byte*)DirectMap.Base + address, 64).ToArray().All(value => value == 0));
            Devices.EntropySource.Request(Devices.EntropySource.Context);
            Devices.EntropySource.Request(Devices.EntropySource.Context);
        }
    }
}
