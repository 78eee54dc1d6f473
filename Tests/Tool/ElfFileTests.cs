using System.Buffers.Binary;
using Ukl.Tool.Build;
using Xunit;

namespace Ukl.Tests.Tool;

public sealed class ElfFileTests
{
    [Fact]
    public void A_static_program_asks_for_no_interpreter()
    {
        ElfFile elf = ElfFile.Parse(Make(type: 2))!;
        Assert.True(elf.IsX64 && elf.IsExecutable);
        Assert.Null(elf.Interpreter);
    }

    [Fact]
    public void A_dynamic_program_names_its_interpreter() => Assert.Equal("/lib/ld.so", ElfFile.Parse(Make(type: 3, interpreter: "/lib/ld.so\0"u8))!.Interpreter);

    [Fact]
    public void An_object_is_no_program() => Assert.False(ElfFile.Parse(Make(type: 1))!.IsExecutable);

    [Fact]
    public void Another_machine_is_seen() => Assert.False(ElfFile.Parse(Make(type: 2, machine: 183))!.IsX64);

    [Fact]
    public void The_size_of_stacks_is_written_to_its_header()
    {
        byte[] file = Make(type: 2, segment: 0x6474e551);
        Assert.True(ElfFile.SetStackSize(file, 0x180000));
        Assert.Equal(0x180000ul, BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(64 + 40)));
        Assert.False(ElfFile.SetStackSize(Make(type: 2), 1));
    }

    [Fact]
    public void No_cut_and_no_changed_byte_makes_it_fail()
    {
        byte[] whole = Make(type: 3, interpreter: "/lib/ld.so\0"u8);
        for (int length = 0; length < whole.Length; length++)
            ElfFile.Parse(whole.AsSpan(0, length));
        for (int index = 4; index < whole.Length; index++)
        {
            byte[] changed = [.. whole];
            changed[index] = 0xff;
            ElfFile.Parse(changed);
        }
    }

    [Fact]
    public void The_end_in_memory_is_that_of_the_loaded_segments()
    {
        Assert.Equal(0x30_0000ul, ElfFile.Parse(MakeLoaded(0x20_0000, 0x10_0000))!.PhysicalEnd);
        Assert.Equal(0ul, ElfFile.Parse(Make(type: 2, segment: 7))!.PhysicalEnd);
    }

    /// <summary>A program with one segment that is loaded at a physical address and takes some bytes there.</summary>
    internal static byte[] MakeLoaded(ulong address, ulong size)
    {
        byte[] file = Make(type: 2);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(64 + 24), address);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(64 + 40), size);
        return file;
    }

    private static byte[] Make(ushort type, ushort machine = 62, uint segment = 1, ReadOnlySpan<byte> interpreter = default)
    {
        byte[] file = new byte[120 + interpreter.Length];
        "\u007fELF\u0002\u0001\u0001"u8.CopyTo(file);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(16), type);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(18), machine);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(32), 64);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(54), 56);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(56), 1);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(64), interpreter.IsEmpty ? segment : 3);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(72), 120);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(96), (ulong)interpreter.Length);
        interpreter.CopyTo(file.AsSpan(120));
        return file;
    }
}
