using System;
using System.Linq;
using FsCheck;
using FsCheck.Fluent;
using Ukl.Kernel.Boot;
using Xunit;

namespace Ukl.Tests.Unit.Boot;

public class AcpiTests
{
    private const int Rsdp = 0xe0010;
    private const int Root = 0x1000;
    private const int Fadt = 0x2000;
    private const int Madt = 0x3000;
    private const int Dsdt = 0x4000;
    private const int Mcfg = 0x5000;
    private const int FadtSize = 276;
    private const int MadtSize = 44 + 8 + 8 + 12 + 10 + 10 + 12;
    private const int DsdtSize = 256;
    private const int McfgSize = 44 + 16 + 16;

    [Theory]
    [InlineData(true, 0ul)]
    [InlineData(false, 0ul)]
    [InlineData(true, (ulong)Rsdp)]
    public void Tables_like_a_q35s_are_read(bool extended, ulong rsdp)
    {
        using PhysicalMemoryImage memory = Build(extended);
        var acpi = new AcpiInformation();
        Acpi.Read(memory.View, rsdp, ref acpi);
        Assert.True(acpi.IsPresent);
        Assert.True(acpi.Pm1aControl.IsPort);
        Assert.Equal(0x604ul, acpi.Pm1aControl.Address);
        Assert.Equal(0ul, acpi.Pm1bControl.Address);
        Assert.Equal((0xcf9ul, (byte)6), (acpi.Reset.Address, acpi.ResetValue));
        Assert.Equal((byte)0x32, acpi.CenturyIndex);
        Assert.True(acpi.HasSoftOff);
        Assert.Equal((5, 0), (acpi.SoftOffTypeA, acpi.SoftOffTypeB));
        Assert.Equal([(0xfec1_0000ul, 0u), (0xfec2_0000ul, 24u)], acpi.IoApics.ToArray().Select(place => (place.Address, place.FirstInterrupt)));
        Assert.Equal((0xb000_0000ul, (byte)0, (byte)127), (acpi.ConfigurationSpace, acpi.FirstBus, acpi.LastBus));
        Assert.Empty(acpi.MemoryDevices.ToArray());
        Assert.Equal(0xfee0_0000ul, acpi.LocalApicAddress);
        Assert.Equal(1, acpi.ProcessorCount);
        Assert.Equal(2u, acpi.LineOf(0).GlobalInterrupt);
        Assert.Equal(4u, acpi.LineOf(4).GlobalInterrupt);
        IsaLine nine = acpi.LineOf(9);
        Assert.True(nine.IsLevelTriggered && nine.IsActiveLow);
        Assert.True(acpi.HasFixedPowerButton);
        Assert.Equal((0x600ul, 4), (acpi.Pm1aEvent.Address, acpi.EventLength));
        Assert.True(acpi.Pm1aEvent.IsPort && !acpi.Pm1bEvent.IsPort);
        Assert.Equal((9u, true, true), (acpi.SystemControlLine.GlobalInterrupt, acpi.SystemControlLine.IsLevelTriggered, acpi.SystemControlLine.IsActiveLow));
    }

    [Theory]
    [InlineData(1u << 4)]
    [InlineData(1u << 20)]
    public void A_power_button_that_is_no_fixed_event_is_told_apart(uint flag)
    {
        using PhysicalMemoryImage memory = Build(extended: true);
        memory.U32(Fadt + 112, flag);
        Sum(memory, extended: true);
        var acpi = new AcpiInformation();
        Acpi.Read(memory.View, 0, ref acpi);
        Assert.False(acpi.HasFixedPowerButton);
    }

    [Theory]
    [InlineData(10, 10u, true, true)]
    [InlineData(20, 20u, true, true)]
    [InlineData(0, 2u, false, false)]
    public void The_fixed_hardwares_line_is_an_active_low_level_unless_it_is_overridden(int line, uint interrupt, bool isLevel, bool isLow)
    {
        using PhysicalMemoryImage memory = Build(extended: true);
        memory.U16(Fadt + 46, (ushort)line);
        Sum(memory, extended: true);
        var acpi = new AcpiInformation();
        Acpi.Read(memory.View, 0, ref acpi);
        IsaLine found = acpi.SystemControlLine;
        Assert.Equal((interrupt, isLevel, isLow), (found.GlobalInterrupt, found.IsLevelTriggered, found.IsActiveLow));
    }

    [Fact]
    public void Devices_of_a_hardware_reduced_machine_are_found_in_its_byte_code()
    {
        using PhysicalMemoryImage memory = Build(extended: true);
        memory.U32(Fadt + 112, 1 << 20);
        Sum(memory, extended: true);
        var acpi = new AcpiInformation();
        Acpi.Read(memory.View, 0, ref acpi);
        AcpiDevice device = Assert.Single(acpi.MemoryDevices.ToArray());
        Assert.Equal(BitConverter.ToUInt64("LNRO0005"u8), device.HardwareId);
        Assert.Equal((0xfeb0_2e00u, 512u), (device.Address, device.Length));
        Assert.Equal((47u, true, false), (device.Interrupt.GlobalInterrupt, device.Interrupt.IsLevelTriggered, device.Interrupt.IsActiveLow));
    }

    [Fact]
    public void Without_tables_controllers_are_where_they_always_are()
    {
        using var memory = new PhysicalMemoryImage(0x10_0000);
        var acpi = new AcpiInformation();
        Acpi.Read(memory.View, 0, ref acpi);
        Assert.False(acpi.IsPresent);
        Assert.Equal((0xfec0_0000ul, 0xfee0_0000ul), (acpi.IoApics[0].Address, acpi.LocalApicAddress));
        Assert.Equal(7u, acpi.LineOf(7).GlobalInterrupt);
    }

    [Theory]
    [InlineData(Rsdp + 9)]
    [InlineData(Root + 10)]
    public void A_wrong_checksum_at_the_root_means_no_ACPI(int at)
    {
        using PhysicalMemoryImage memory = Build(extended: false);
        memory.U8(at, 0x55);
        var acpi = new AcpiInformation();
        Acpi.Read(memory.View, 0, ref acpi);
        Assert.False(acpi.IsPresent);
    }

    [Fact]
    public void A_table_with_a_wrong_checksum_is_left_out()
    {
        using PhysicalMemoryImage memory = Build(extended: true);
        memory.U8(Fadt + 64, 0x55);
        var acpi = new AcpiInformation();
        Acpi.Read(memory.View, 0, ref acpi);
        Assert.Equal(0ul, acpi.Pm1aControl.Address);
        Assert.Equal(0xfec1_0000ul, acpi.IoApics[0].Address);
    }

    [Fact]
    public void Any_damage_is_survived()
    {
        Prop.ForAll(Gen.Elements((Rsdp, 36), (Root, 68), (Fadt, FadtSize), (Madt, MadtSize), (Dsdt, DsdtSize), (Mcfg, McfgSize))
            .SelectMany(table => Damage.Of(table.Item1, table.Item2)).ToArbitrary(), damage =>
        {
            // Checksums are made right again, or hardly any damage would reach the code behind them.
            using PhysicalMemoryImage memory = Build(extended: true);
            Damage.Apply(memory, damage);
            Sum(memory, extended: true);
            var acpi = new AcpiInformation();
            Acpi.Read(memory.View, 0, ref acpi);
        }).QuickCheckThrowOnFailure();
    }

    private static PhysicalMemoryImage Build(bool extended)
    {
        var memory = new PhysicalMemoryImage(0x10_0000);
        memory.Signature(Rsdp, "RSD PTR ");
        memory.U8(Rsdp + 15, (byte)(extended ? 2 : 0));
        memory.U32(Rsdp + 16, Root);
        memory.U64(Rsdp + 24, extended ? Root : 0u);

        memory.Signature(Root, extended ? "XSDT" : "RSDT");
        int entry = extended ? 8 : 4;
        memory.U32(Root + 4, 36 + 4 * (uint)entry);
        int[] tables = [Fadt, 0xffff0, Madt, Mcfg];
        for (int i = 0; i < tables.Length; i++)
            memory.U32(Root + 36 + i * entry, (uint)tables[i]);

        memory.Signature(Fadt, "FACP");
        memory.U32(Fadt + 4, FadtSize);
        memory.U32(Fadt + 40, Dsdt);
        memory.U16(Fadt + 46, 9);
        memory.U32(Fadt + 48, 0xb2);
        memory.U8(Fadt + 52, 2);
        memory.U32(Fadt + 56, 0x600);
        memory.U32(Fadt + 64, 0x604);
        memory.U8(Fadt + 88, 4);
        memory.U8(Fadt + 108, 0x32);
        memory.U32(Fadt + 112, 1 << 10);
        memory.U8(Fadt + 116, AcpiRegister.PortSpace);
        memory.U64(Fadt + 120, 0xcf9);
        memory.U8(Fadt + 128, 6);

        memory.Signature(Madt, "APIC");
        memory.U32(Madt + 4, MadtSize);
        memory.U32(Madt + 36, 0xfee0_0000);
        int at = Madt + 44;
        memory.U8(at, 0);
        memory.U8(at + 1, 8);
        memory.U32(at + 4, 1);
        memory.U8(at + 8 + 1, 8);
        at += 16;
        memory.U8(at, 1);
        memory.U8(at + 1, 12);
        memory.U32(at + 4, 0xfec1_0000);
        at += 12;
        memory.U8(at, 2);
        memory.U8(at + 1, 10);
        memory.U32(at + 4, 2);
        at += 10;
        memory.U8(at, 2);
        memory.U8(at + 1, 10);
        memory.U8(at + 3, 9);
        memory.U32(at + 4, 9);
        memory.U16(at + 8, 0xf);
        at += 10;
        memory.U8(at, 1);
        memory.U8(at + 1, 12);
        memory.U32(at + 4, 0xfec2_0000);
        memory.U32(at + 8, 24);

        memory.Signature(Mcfg, "MCFG");
        memory.U32(Mcfg + 4, McfgSize);
        memory.U64(Mcfg + 44, 0xe000_0000);
        memory.U16(Mcfg + 52, 1);
        memory.U64(Mcfg + 60, 0xb000_0000);
        memory.U8(Mcfg + 71, 127);

        memory.Signature(Dsdt, "DSDT");
        memory.U32(Dsdt + 4, DsdtSize);
        memory.Signature(Dsdt + 50, "_S5_");
        byte[] name = [0x08, (byte)'_', (byte)'S', (byte)'5', (byte)'_', 0x12, 0x06, 0x04, 0x0a, 0x05, 0x00, 0x00, 0x00];
        name.AsSpan().CopyTo(memory.Bytes[(Dsdt + 80)..]);
        // A device with a number as id, one with a text and both resources, one with a text and none.
        memory.Signature(Dsdt + 100, "_HID\x0c");
        memory.Signature(Dsdt + 120, "_HID\x0dLNRO0005");
        byte[] resources = [0x86, 9, 0, 1, 0x00, 0x2e, 0xb0, 0xfe, 0x00, 0x02, 0, 0, 0x89, 6, 0, 1, 1, 47, 0, 0, 0, 0x79, 0];
        resources.AsSpan().CopyTo(memory.Bytes[(Dsdt + 140)..]);
        memory.Signature(Dsdt + 180, "_HID\x0dABCD0001");
        Sum(memory, extended);
        return memory;
    }

    private static void Sum(PhysicalMemoryImage memory, bool extended)
    {
        memory.Checksum(Rsdp, 20, Rsdp + 8);
        if (extended)
            memory.Checksum(Rsdp, 36, Rsdp + 32);
        foreach ((int table, int size) in new[] { (Root, extended ? 68 : 52), (Fadt, FadtSize), (Madt, MadtSize), (Dsdt, DsdtSize), (Mcfg, McfgSize) })
            memory.Checksum(table, size, table + 9);
    }
}
