using System;
using System.IO;
using System.Linq;
using Ukl.Lint.Dwarf;
using Ukl.Lint.Elf;
using Xunit;

namespace Ukl.Tests.Lint;

public class ElfFileTests
{
    private static readonly byte[] s_object = ElfObjectWriter.Write(".ukl.symbols", [1, 2, 3, 4, 5]);

    [Fact]
    public void What_the_writer_writes_the_reader_reads()
    {
        var elf = new ElfFile(s_object);
        ElfSection section = elf.Find(".ukl.symbols")!;
        Assert.Equal([1, 2, 3, 4, 5], elf.Content(section).ToArray());
        Assert.True(section.IsLoaded);
        Assert.False(section.IsCode);
        Assert.Empty(elf.Symbols);
        Assert.Empty(LineTable.Read(elf).Rows);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(63)]
    [InlineData(100)]
    public void A_short_file_is_invalid(int length) => Assert.Throws<InvalidDataException>(() => new ElfFile(s_object[..length]));

    [Fact]
    public void A_damaged_file_is_invalid_or_readable_but_no_crash()
    {
        using var tools = new Toolchain();
        File.WriteAllText(tools.At("a.S"), ".globl f\n.type f, @function\nf: call g\n ret\n.size f, .-f\n");
        tools.Run("gcc", "-c", "-g", "-o", "a.o", "a.S");
        byte[] whole = File.ReadAllBytes(tools.At("a.o"));
        var intact = new ElfFile(whole);
        Assert.Contains(intact.Symbols, symbol => symbol.Name == "g" && symbol.IsUndefined);
        Assert.Equal("f", intact.Symbols.Single(symbol => symbol.Type == ElfSymbolType.Function).Name);
        Assert.EndsWith("a.S", LineTable.Read(intact).Files.First(file => file.EndsWith(".S", StringComparison.Ordinal)));
        var random = new Random(3);
        for (int i = 0; i < 2_000; i++)
        {
            byte[] damaged = (byte[])whole.Clone();
            for (int j = 0; j < 4; j++)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            try
            {
                LineTable.Read(new ElfFile(damaged));
            }
            catch (InvalidDataException)
            {
                // The one exception that callers expect.
            }
        }
    }
}
