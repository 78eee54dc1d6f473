using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Ukl.Kernel.Boot;
using Xunit;

namespace Ukl.Tests.Unit.Boot;

public class Multiboot2Tests
{
    private const int Info = 0x1000;
    private const int MemorySize = 0x10000;

    [Fact]
    public void Information_like_GRUBs_is_read()
    {
        using PhysicalMemoryImage memory = Build(efi: false);
        var information = new BootInformation();
        Assert.Equal("", Read(memory, ref information));
        Assert.True(information.CommandLine.HasFlag("trace"u8));
        Assert.Equal((0x8000ul, 0x8800ul), (information.Initramfs.Start, information.Initramfs.End));
        Assert.Equal(0x1000ul + 0x70_0000, information.Memory.TotalBytes);
        Assert.Equal((byte)'R', memory.Bytes[(int)information.RsdpAddress]);
        Assert.True(information.RsdpAddress >= information.Structure.Start && information.RsdpAddress < information.Structure.End);
    }

    [Fact]
    public void The_EFI_map_is_used_when_there_is_no_other()
    {
        using PhysicalMemoryImage memory = Build(efi: true);
        var information = new BootInformation();
        Assert.Equal("", Read(memory, ref information));
        Assert.Equal([(0x10_0000ul, 0x20_0000ul), (0x30_0000ul, 0x40_0000ul)], information.Memory.Ranges.ToArray().AsTuples());
    }

    [Theory]
    [InlineData(0, 0xffff_ffffu, "absurd size")]
    [InlineData(0, 0xff00u, "reaches outside")]
    [InlineData(0, 8u, "absurd size")]
    [InlineData(12, 0u, "damaged tag")]
    [InlineData(12, 0xffff_ffffu, "damaged tag")]
    public void Damage_is_named(int at, uint value, string message)
    {
        using PhysicalMemoryImage memory = Build(efi: false);
        memory.U32(Info + at, value);
        var information = new BootInformation();
        Assert.Contains(message, Read(memory, ref information));
    }

    [Fact]
    public void Any_damage_is_survived()
    {
        Prop.ForAll(Gen.Elements(false, true).SelectMany(efi => Damage.Of(Info, 0x140).Select(damage => (efi, damage))).ToArbitrary(), input =>
        {
            using PhysicalMemoryImage memory = Build(input.efi);
            Damage.Apply(memory, input.damage);
            var information = new BootInformation();
            if (Read(memory, ref information).Length != 0)
                return true;
            var usable = new MemoryMap();
            information.GetUsableRanges(ref usable, 0x20_0000, 0x30_0000);
            return PvhStartInfoTests.Sorted(usable) && information.Initramfs.End <= MemorySize;
        }).QuickCheckThrowOnFailure();
    }

    private static string Read(PhysicalMemoryImage memory, ref BootInformation information) =>
        Encoding.UTF8.GetString(Multiboot2.Read(memory.View, Info, ref information));

    private static PhysicalMemoryImage Build(bool efi)
    {
        var memory = new PhysicalMemoryImage(MemorySize);
        int at = Info + 8;

        void Tag(uint type, int size)
        {
            memory.U32(at, type);
            memory.U32(at + 4, (uint)size);
        }

        void Next(int size) => at += (size + 7) & ~7;

        const string Line = "trace init=/app";
        memory.Text(at + 8, Line);
        Tag(1, 8 + Line.Length + 1);
        Next(8 + Line.Length + 1);

        memory.U32(at + 8, 0x8000);
        memory.U32(at + 12, 0x8800);
        Tag(3, 17);
        Next(17);

        if (efi)
        {
            memory.U32(at + 8, 48);
            for (int i = 0; i < 3; i++)
            {
                memory.U32(at + 16 + i * 48, i == 1 ? 6u : 7u);
                memory.U64(at + 16 + i * 48 + 8, 0x10_0000 + (ulong)i * 0x10_0000);
                memory.U64(at + 16 + i * 48 + 24, 0x100);
            }
            Tag(17, 16 + 3 * 48);
            Next(16 + 3 * 48);
        }
        else
        {
            memory.U32(at + 8, 24);
            for (int i = 0; i < 2; i++)
            {
                memory.U64(at + 16 + i * 24, i == 0 ? 0x1000ul : 0x10_0000);
                memory.U64(at + 16 + i * 24 + 8, i == 0 ? 0x1000ul : 0x70_0000);
                memory.U32(at + 16 + i * 24 + 16, 1);
            }
            Tag(6, 16 + 2 * 24);
            Next(16 + 2 * 24);
        }

        memory.Signature(at + 8, "RSD PTR ");
        Tag(14, 28);
        Next(28);
        Tag(0, 8);
        Next(8);
        memory.U32(Info, (uint)(at - Info));
        return memory;
    }
}

internal static class MemoryRangeExtensions
{
    internal static (ulong, ulong)[] AsTuples(this MemoryRange[] ranges) => System.Array.ConvertAll(ranges, range => (range.Start, range.End));
}
