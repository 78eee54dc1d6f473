using System;
using System.Collections.Generic;
using FsCheck;
using FsCheck.Fluent;
using Ukl.Drivers.Pci;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Core;
using Xunit;

namespace Ukl.Tests.Unit.Drivers.Pci;

public sealed unsafe class PciTests : IDisposable
{
    [ThreadStatic] private static List<PciFunction>? s_found;

    public PciTests() => Clear();

    public void Dispose() => Clear();

    private static void Clear()
    {
        HostedDevices.Clear();
        Devices.Acpi = default;
        s_found = [];
    }

    private static void Remember(in PciFunction function) => s_found!.Add(function);

    private static List<PciFunction> Scan()
    {
        s_found = [];
        PciBus.ForEach(&Remember);
        return s_found;
    }

    [Fact]
    public void A_machine_without_PCI_has_no_functions() => Assert.Empty(Scan());

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Functions_are_found_behind_either_door(bool hasEcam)
    {
        FakePciBus bus = hasEcam ? FakePciBus.BehindEcam() : FakePciBus.BehindPorts();
        bus.Add(0, 3, 0, new FakePciFunction(0x1af4, 0x1041));
        bus.Add(0, 31, 0, new FakePciFunction(0x8086, 0x2918, headerType: 0x80));
        bus.Add(0, 31, 5, new FakePciFunction(0x8086, 0x2930));
        // Without a function 0 there is no device; without the multifunction bit there is nothing beside function 0.
        bus.Add(0, 7, 1, new FakePciFunction(0x1234, 1));
        bus.Add(0, 3, 1, new FakePciFunction(0x1234, 2));
        List<PciFunction> found = Scan();
        Assert.Equal([0x1041, 0x2918, 0x2930], found.ConvertAll(function => (int)function.DeviceId));
        Assert.Equal((3, 0, 31, 5), (found[0].Address.Device, found[0].Address.Function, found[2].Address.Device, found[2].Address.Function));
        Assert.InRange(bus.Reads, 32, 250);
    }

    [Fact]
    public void Buses_behind_bridges_are_scanned_once_even_when_bridges_go_in_circles()
    {
        FakePciBus bus = FakePciBus.BehindEcam();
        AddBridge(bus, 0, 1, 5);
        AddBridge(bus, 0, 2, 5);
        AddBridge(bus, 5, 0, 9);
        AddBridge(bus, 9, 0, 0);
        AddBridge(bus, 9, 1, 9);
        bus.Add(9, 4, 0, new FakePciFunction(0x1af4, 0x1044));
        Assert.Equal(9, Assert.Single(Scan()).Address.Bus);
    }

    [Fact]
    public void Buses_outside_the_mapped_space_are_left_alone()
    {
        FakePciBus bus = FakePciBus.BehindEcam(lastBus: 3);
        AddBridge(bus, 0, 1, 200);
        bus.Add(2, 0, 0, new FakePciFunction(0x1af4, 0x1041));
        Assert.Empty(Scan());
    }

    private static void AddBridge(FakePciBus bus, int on, int device, byte secondary)
    {
        var bridge = new FakePciFunction(0x1b36, 0x000c, headerType: 1);
        bridge.Space[0x19] = secondary;
        bus.Add(on, device, 0, bridge);
    }

    [Fact]
    public void Capabilities_are_found_one_after_the_other()
    {
        PciFunction function = Single(out FakePciFunction fake);
        Assert.Empty(Walk(function, 9));
        fake.AddCapability(0x40, 9);
        fake.AddCapability(0x60, 0x11);
        fake.AddCapability(0x80, 9);
        Assert.Equal([0x80, 0x40], Walk(function, 9));
        Assert.Equal([0x60], Walk(function, 0x11));
        fake.Space[0x06] = 0;
        Assert.Empty(Walk(function, 9));
    }

    [Fact]
    public void Any_list_of_capabilities_ends()
    {
        Prop.ForAll(Gen.Choose(0, 255).ArrayOf(256).ToArbitrary(), bytes =>
        {
            PciFunction function = Single(out FakePciFunction fake);
            for (int i = 0x34; i < 256; i++)
                fake.Space[i] = (byte)(i % 4 == 0 ? 9 : bytes[i]);
            fake.Space[0x34] = (byte)bytes[0];
            fake.Space[0x06] = 0x10;
            Assert.InRange(Walk(function, 9).Count, 0, 48);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Two_capabilities_that_point_at_each_other_end_the_walk()
    {
        PciFunction function = Single(out FakePciFunction fake);
        fake.AddCapability(0x40, 9);
        fake.AddCapability(0x50, 9);
        fake.Space[0x41] = 0x50;
        Assert.InRange(Walk(function, 9).Count, 2, 48);
    }

    private static List<int> Walk(in PciFunction function, byte id)
    {
        var found = new List<int>();
        var walk = new PciCapabilities(function);
        while (walk.MoveNext(id))
        {
            found.Add(walk.Offset);
            Assert.InRange(found.Count, 1, 1000);
        }
        return found;
    }

    [Fact]
    public void Base_addresses_are_measured_and_left_as_they_were()
    {
        PciFunction function = Single(out FakePciFunction fake);
        fake.Set16(0x04, 0x0003);
        fake.AddBar(0, 0x1_0000_0000_0000 >> 4, 0x4000, isWide: true);
        fake.AddBar(2, 0xfebd_0000, 0x1000, isWide: false);
        fake.Set32(0x20, 0xc001);
        Assert.True(function.TryGetBar(0, out PciBar wide));
        Assert.Equal((0x1000_0000_0000ul, 0x4000ul), (wide.Address, wide.Length));
        Assert.True(function.TryGetBar(2, out PciBar narrow));
        Assert.Equal((0xfebd_0000ul, 0x1000ul), (narrow.Address, narrow.Length));
        Assert.False(function.TryGetBar(4, out _));
        Assert.False(function.TryGetBar(3, out _));
        Assert.False(function.TryGetBar(6, out _));
        Assert.False(function.TryGetBar(-1, out _));
        Assert.Equal((0x1000u, 0x0003), (fake.Get32(0x14), fake.Get16(0x04)));
        Assert.Equal(0xfebd_0000u, fake.Get32(0x18));
    }

    [Fact]
    public void A_part_of_a_base_address_must_lie_inside()
    {
        PciFunction function = Single(out FakePciFunction fake);
        fake.AddBar(1, 0xfebd_0000, 0x1000, isWide: false);
        Assert.True(function.MapBar(1, 0xff0, 0x10) == (byte*)DirectMap.Base + 0xfebd_0ff0);
        Assert.True(function.MapBar(1, 0xff0, 0x11) == null);
        Assert.True(function.MapBar(1, 0xffff_fff0, 0x20) == null);
        Assert.True(function.MapBar(1, 0, 0) == null);
        // An address that no firmware has given, and one that is memory's.
        fake.AddBar(2, 0, 0x1000, isWide: false);
        fake.AddBar(3, 0x10_0000, 0x1000, isWide: false);
        Assert.True(function.MapBar(2, 0, 16) == null);
        Assert.True(function.MapBar(3, 0, 16) == null);
    }

    [Fact]
    public void Messages_are_masked_until_they_have_a_handler()
    {
        PciFunction function = Single(out FakePciFunction fake);
        Assert.False(MsixTable.TryEnable(function, out _));
        var memory = new FakeMemory(64);
        HostedRegisters.Attach(0xfebd_0800, 64, memory);
        fake.AddBar(1, 0xfebd_0000, 0x1000, isWide: false);
        fake.AddCapability(0x40, 0x11, 3, 0, 1, 8, 0, 0);
        Assert.True(MsixTable.TryEnable(function, out MsixTable table));
        Assert.Equal(4, table.Count);
        Assert.Equal(0x8003, fake.Get16(0x42));
        Assert.Equal(1u, memory.Read(12, 4));
        s_calls = 0;
        Assert.True(table.TryRegister(2, &Count, null));
        Assert.False(table.TryRegister(4, &Count, null));
        Assert.Equal(0u, memory.Read(2 * 16 + 12, 4));
        Assert.True(HostedInterrupts.Send(memory.Read(32, 4) | (ulong)memory.Read(36, 4) << 32, memory.Read(40, 4)));
        Assert.Equal(1, s_calls);
    }

    [Fact]
    public void A_table_of_messages_outside_its_base_address_is_not_used()
    {
        PciFunction function = Single(out FakePciFunction fake);
        fake.AddBar(1, 0xfebd_0000, 0x1000, isWide: false);
        fake.AddCapability(0x40, 0x11, 0xff, 7, 1, 8, 0, 0);
        Assert.False(MsixTable.TryEnable(function, out _));
    }

    [ThreadStatic] private static int s_calls;

    private static void Count(void* context) => s_calls++;

    private static PciFunction Single(out FakePciFunction fake)
    {
        Clear();
        FakePciBus bus = FakePciBus.BehindEcam();
        fake = new FakePciFunction(0x1af4, 0x1041);
        bus.Add(0, 0, 0, fake);
        return Scan()[0];
    }
}

/// <summary>Registers that are nothing but memory.</summary>
internal sealed class FakeMemory(int size) : IHostedMemoryDevice
{
    public byte[] Bytes { get; } = new byte[size];

    public uint Read(ulong offset, int size)
    {
        uint value = 0;
        for (int i = size - 1; i >= 0; i--)
            value = value << 8 | Bytes[(int)offset + i];
        return value;
    }

    public void Write(ulong offset, int size, uint value)
    {
        for (int i = 0; i < size; i++)
            Bytes[(int)offset + i] = (byte)(value >> (8 * i));
    }
}
