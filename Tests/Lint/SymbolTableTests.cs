using System;
using System.Linq;
using System.Text;
using Ukl.Kernel.Diagnostics;
using Ukl.Lint.Elf;
using Ukl.Lint.Names;
using Ukl.Lint.Symbols;
using Xunit;

namespace Ukl.Tests.Lint;

public unsafe class SymbolTableTests(WalkFixture fixture) : IClassFixture<WalkFixture>
{
    private static string Describe(byte[] table, ulong address)
    {
        if (!new SymbolTable(table).TryFind(address, out Symbol symbol))
            return "?";
        string name = Encoding.UTF8.GetString(symbol.Type) is { Length: > 0 } type ? $"{type}.{Encoding.UTF8.GetString(symbol.Method)}" : Encoding.UTF8.GetString(symbol.Method);
        return symbol.File.IsEmpty ? name : $"{name} {Encoding.UTF8.GetString(symbol.File)}:{symbol.Line}";
    }

    private static SymbolEntry Entry(ulong start, ulong end, string method, params (ulong, int)[] lines) =>
        new(start, end, "Space.Type", method, lines.Length == 0 ? null : "File.cs", lines);

    [Fact]
    public void A_real_stack_is_walked_to_its_end_with_names_and_lines()
    {
        Assert.Equal(
            [
                "Ukl.Kernel.Test.Walker.Deep Kernel/Walker.cs:36",
                "Ukl.Kernel.Test.Walker.Middle Kernel/Walker.cs:29",
                "Ukl.Kernel.Test.Walker.Outer Kernel/Walker.cs:21",
                "Ukl.Kernel.Test.Walker.Enter Kernel/Walker.cs:12",
                "?",
            ],
            fixture.Frames.Select(address => Describe(fixture.Table, address - 1)));
        Assert.Equal(3 + 3 + 5 + 2 - 3 + 5 + 3 + 1, fixture.Result);
    }

    [Fact]
    public void Every_instruction_of_the_library_has_a_frame_row()
    {
        // At any instruction the frame's end must be above the stack pointer and the walk must not fail.
        static bool Read(ulong address, ulong* value)
        {
            *value = 1;
            return true;
        }

        UnwindTable table = fixture.UnwindTable();
        foreach (ElfSymbol symbol in fixture.Image.Symbols.Where(symbol => symbol.Name.Contains("_Walker__", StringComparison.Ordinal) && symbol.Type == ElfSymbolType.Function))
        {
            for (ulong offset = 0; offset < symbol.Size; offset++)
            {
                var state = new UnwindState { Rip = fixture.Base + symbol.Value + offset, Rsp = 0x1000, Rbp = 0x2000 };
                Assert.True(table.TryStep(ref state, isReturnAddress: false, &Read), $"{symbol.Name}+{offset}");
            }
        }
    }

    [Fact]
    public void Damaged_unwind_tables_end_the_walk()
    {
        static bool Read(ulong address, ulong* value)
        {
            *value = address;
            return true;
        }

        byte[] header = fixture.Image.Content(fixture.Image.Find(".eh_frame_hdr")!).ToArray();
        byte[] frames = fixture.Image.Content(fixture.Image.Find(".eh_frame")!).ToArray();
        ulong headerAddress = fixture.Image.Find(".eh_frame_hdr")!.Address, framesAddress = fixture.Image.Find(".eh_frame")!.Address;
        var random = new Random(1);
        for (int i = 0; i < 5_000; i++)
        {
            byte[] damagedHeader = (byte[])header.Clone(), damagedFrames = (byte[])frames.Clone();
            for (int j = 0; j < 4; j++)
            {
                damagedHeader[random.Next(header.Length)] = (byte)random.Next(256);
                damagedFrames[random.Next(frames.Length)] = (byte)random.Next(256);
            }
            var table = new UnwindTable(
                damagedHeader.AsSpan(0, i % 2 == 0 ? header.Length : random.Next(header.Length)), headerAddress,
                damagedFrames.AsSpan(0, random.Next(frames.Length + 1)), framesAddress);
            var state = new UnwindState { Rip = fixture.Frames[random.Next(4)], Rsp = 0x1000, Rbp = 0x2000 };
            for (int steps = 0; steps < 10 && table.TryStep(ref state, isReturnAddress: true, &Read); steps++)
            {
            }
        }
    }

    [Fact]
    public void The_second_link_moves_nothing()
    {
        ElfFile first = fixture.LinkImage("first.elf", null);
        byte[] table = fixture.MakeTable(first);
        ElfFile second = fixture.LinkImage("second.elf", ElfObjectWriter.Write(ImageSymbols.SectionName, table));
        Assert.Equal(table, second.Content(second.Find(ImageSymbols.SectionName)!).ToArray());
        Assert.Equal(table, fixture.MakeTable(second));
        ElfSymbol start = second.Symbols.Single(symbol => symbol.Name == "ukl_symbols_start"), end = second.Symbols.Single(symbol => symbol.Name == "ukl_symbols_end");
        Assert.Equal((ulong)table.Length, end.Value - start.Value);
    }

    [Fact]
    public void The_budget_leaves_out_all_but_the_kernel()
    {
        using var names = new Demangler([fixture.KernelAssembly]);
        ulong enter = fixture.Frames[3] - 1;
        Assert.Equal("Ukl.Kernel.Test.Walker.Enter Kernel/Walker.cs:12", Describe(ImageSymbols.Make(fixture.Image, names, new(["Ukl.Kernel"], [], "/source", 0)), enter));
        Assert.Equal("Ukl.Kernel.Test.Walker.Enter Kernel/Walker.cs:12", Describe(ImageSymbols.Make(fixture.Image, names, new([], ["Ukl.Kernel"], "/source", 100)), enter));
        Assert.Equal("Ukl.Kernel.Test.Walker.Enter", Describe(ImageSymbols.Make(fixture.Image, names, new([], [], "/source", 100)), enter));
        Assert.Equal("?", Describe(ImageSymbols.Make(fixture.Image, names, new([], ["Ukl.Kernel"], "/source", 0)), enter));
    }

    [Fact]
    public void Lines_follow_rows()
    {
        byte[] table = SymbolTableWriter.Write([Entry(100, 140, "A", (100, 10), (104, 12), (110, 9)), Entry(144, 150, "B", (146, 300)), Entry(1000, 1001, "C")], default, default);
        Assert.Equal("?", Describe(table, 99));
        Assert.Equal("Space.Type.A File.cs:10", Describe(table, 100));
        Assert.Equal("Space.Type.A File.cs:12", Describe(table, 109));
        Assert.Equal("Space.Type.A File.cs:9", Describe(table, 139));
        Assert.Equal("Space.Type.B File.cs:300", Describe(table, 144));
        Assert.Equal("?", Describe(table, 500));
        Assert.Equal("Space.Type.C", Describe(table, 1000));
        Assert.Equal("?", Describe(table, 1001));
        Assert.Equal("?", Describe(table, ulong.MaxValue));
    }

    [Fact]
    public void Names_and_tables_of_other_things_are_told_apart()
    {
        Assert.True(new SymbolTable(default).IsEmpty);
        Assert.Equal("?", Describe(new byte[64], 0));
        Assert.Equal("?", Describe(SymbolTableWriter.Write([], default, default), 0));
    }

    [Fact]
    public void A_damaged_table_finds_nothing_or_something_but_does_not_fail()
    {
        byte[] whole = SymbolTableWriter.Write([Entry(100, 140, "A", (100, 10), (104, 12)), Entry(144, 150, "B", (146, 300))], default, default);
        var random = new Random(2);
        for (int i = 0; i < 10_000; i++)
        {
            byte[] table = whole[..random.Next(whole.Length + 1)];
            for (int j = 0; j < 3 && table.Length > 0; j++)
                table[random.Next(table.Length)] = (byte)random.Next(256);
            Describe(table, (ulong)random.Next(200));
        }
    }
}
