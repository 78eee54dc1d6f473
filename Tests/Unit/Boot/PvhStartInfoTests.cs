using System;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Ukl.Kernel.Boot;
using Xunit;

namespace Ukl.Tests.Unit.Boot;

public class PvhStartInfoTests
{
    private const int Info = 0x100;
    private const int Modules = 0x200;
    private const int Map = 0x300;
    private const int Line = 0x1000;
    private const int MemorySize = 0x10000;

    [Fact]
    public void A_start_info_like_QEMUs_is_read()
    {
        using PhysicalMemoryImage memory = Build();
        var information = new BootInformation();
        Assert.Equal("", Read(memory, ref information));
        Assert.Equal(0xf5000ul, information.RsdpAddress);
        Assert.Equal((0x8000ul, 0x9000ul), (information.Initramfs.Start, information.Initramfs.End));
        Assert.True(information.CommandLine.HasFlag("trace"u8));
        Assert.Equal(0x0ffd_f000ul - 0x10_0000 + 0x9f000, information.Memory.TotalBytes);

        var usable = new MemoryMap();
        information.GetUsableRanges(ref usable, 0x20_0000, 0x30_0800);
        Assert.Equal(2, usable.Ranges.Length);
        Assert.Equal((0x10_0000ul, 0x20_0000ul), (usable.Ranges[0].Start, usable.Ranges[0].End));
        Assert.Equal(0x30_1000ul, usable.Ranges[1].Start);
    }

    [Theory]
    [InlineData(0x20_0000, 0x30_0800, "")]
    [InlineData(0x7000, 0x8000, "")]
    [InlineData(0x7000, 0x8001, "over the kernel")]
    [InlineData(0x8fff, 0xa000, "over the kernel")]
    [InlineData(0x9_e000, 0xa_0000, "does not lie in memory")]
    [InlineData(0xfff_0000, 0x1000_0000, "does not lie in memory")]
    public void An_image_without_memory_of_its_own_is_refused(ulong start, ulong end, string expected)
    {
        using PhysicalMemoryImage memory = Build();
        var information = new BootInformation();
        Assert.Equal("", Read(memory, ref information));
        string problem = Encoding.UTF8.GetString(information.FindConflict(start, end));
        Assert.Equal(expected.Length == 0, problem.Length == 0);
        Assert.Contains(expected, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Reserved_wins_over_usable_whatever_the_order()
    {
        using PhysicalMemoryImage memory = Build();
        Entry(memory, 0, 0x100_0000, 0x1000, 2);
        Entry(memory, 1, 0x10_0000, 0x1000_0000, 1);
        Entry(memory, 2, 0x200_0000, 0x10_0000, 1);
        var information = new BootInformation();
        Assert.Equal("", Read(memory, ref information));
        Assert.Equal(2, information.Memory.Ranges.Length);
        Assert.Equal(0x100_0000ul, information.Memory.Ranges[0].End);
        Assert.Equal(0x100_1000ul, information.Memory.Ranges[1].Start);
    }

    [Theory]
    [InlineData(Info, 1u, "magic")]
    [InlineData(Info + 4, 0u, "version 0")]
    [InlineData(Info + 12, 0xffff_ffffu, "absurd number of modules")]
    [InlineData(Info + 16, 0xffff_fff0u, "module list")]
    [InlineData(Info + 24, 0xffff_0000u, "command line lies outside")]
    [InlineData(Info + 40, 0xffff_0000u, "memory map lies outside")]
    [InlineData(Info + 48, 0u, "no memory map")]
    [InlineData(Info + 48, 0xffff_ffffu, "absurd number of entries")]
    [InlineData(Modules + 8, 0xffff_ffffu, "initramfs lies outside")]
    public void Damage_is_named(int at, uint value, string message)
    {
        using PhysicalMemoryImage memory = Build();
        memory.U32(at, value);
        var information = new BootInformation();
        Assert.Contains(message, Read(memory, ref information));
    }

    [Fact]
    public void A_map_without_usable_memory_is_named()
    {
        using PhysicalMemoryImage memory = Build();
        for (int i = 0; i < 3; i++)
            Entry(memory, i, 0x10_0000, 0x1000_0000, 2);
        var information = new BootInformation();
        Assert.Equal("the memory map has no usable memory", Read(memory, ref information));
    }

    [Fact]
    public void A_pointer_outside_memory_is_named()
    {
        using PhysicalMemoryImage memory = Build();
        var information = new BootInformation();
        foreach (ulong address in new ulong[] { 0, MemorySize - 8, MemorySize, ulong.MaxValue, ulong.MaxValue - 55 })
            Assert.Contains("outside", Encoding.UTF8.GetString(PvhStartInfo.Read(memory.View, address, ref information)));
    }

    [Fact]
    public void Any_damage_is_survived()
    {
        Prop.ForAll(Damage.Of(Info, 0x400).ToArbitrary(), damage =>
        {
            using PhysicalMemoryImage memory = Build();
            Damage.Apply(memory, damage);
            var information = new BootInformation();
            if (Read(memory, ref information).Length != 0)
                return true;
            var usable = new MemoryMap();
            information.GetUsableRanges(ref usable, 0x20_0000, 0x30_0000);
            return Sorted(usable) && information.Initramfs.End <= MemorySize;
        }).QuickCheckThrowOnFailure();
    }

    internal static bool Sorted(in MemoryMap map)
    {
        ulong end = 0;
        foreach (MemoryRange range in map.Ranges)
        {
            if (range.Start < end || range.End <= range.Start || range.End > MemoryMap.Limit || range.Start < 1 << 20)
                return false;
            end = range.End;
        }
        return true;
    }

    private static string Read(PhysicalMemoryImage memory, ref BootInformation information) =>
        Encoding.UTF8.GetString(PvhStartInfo.Read(memory.View, Info, ref information));

    private static void Entry(PhysicalMemoryImage memory, int index, ulong start, ulong length, uint type)
    {
        memory.U64(Map + index * 24, start);
        memory.U64(Map + index * 24 + 8, length);
        memory.U32(Map + index * 24 + 16, type);
    }

    private static PhysicalMemoryImage Build()
    {
        var memory = new PhysicalMemoryImage(MemorySize);
        memory.U32(Info, PvhStartInfo.Magic);
        memory.U32(Info + 4, 1);
        memory.U32(Info + 12, 1);
        memory.U64(Info + 16, Modules);
        memory.U64(Info + 24, Line);
        memory.U64(Info + 32, 0xf5000);
        memory.U64(Info + 40, Map);
        memory.U32(Info + 48, 3);
        memory.U64(Modules, 0x8000);
        memory.U64(Modules + 8, 0x1000);
        Entry(memory, 0, 0, 0x9fc00, 1);
        Entry(memory, 1, 0x10_0000, 0x0ffd_f000 - 0x10_0000, 1);
        Entry(memory, 2, 0xfeff_c000, 0x4000, 2);
        memory.Text(Line, "trace init=/app -- one");
        return memory;
    }
}
