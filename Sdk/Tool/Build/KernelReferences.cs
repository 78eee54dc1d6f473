using System.Buffers.Binary;
using System.Text;
using Iced.Intel;
using Ukl.Lint.Elf;
using Decoder = Iced.Intel.Decoder;
using ObjectFile = Ukl.Lint.Elf.ElfFile;

namespace Ukl.Tool.Build;

/// <summary>
/// In an object of program and kernel together, gives the kernel's methods their own versions of the runtime's helpers. RyuJIT makes both call the same ones, but
/// the runtime's copy of a large block is a P/Invoke and its failed bounds check throws, and neither may happen in the kernel. The kernel's versions are
/// in Kernel/Arch/X64/freestanding.S. Source of truth: System V gABI chapter 4 (symbol tables, relocations).
/// </summary>
public static class KernelReferences
{
    private const int SymbolSize = 24;
    private const int RelocationSize = 24;
    private const int SectionHeaderSize = 64;
    private const byte GlobalUntyped = 0x10;
    private const ulong RelativeToProcedure = 4;

    private static readonly string[] KernelPrefixes = ["Ukl_Kernel_", "Ukl_Drivers_"];

    private static readonly Dictionary<string, string> Replacements = new(StringComparer.Ordinal)
    {
        ["S_P_CoreLib_System_SpanHelpers__Memmove"] = "ukl_move_bytes",
        ["S_P_CoreLib_System_SpanHelpers__ClearWithoutReferences"] = "ukl_clear_bytes",
        ["S_P_CoreLib_Internal_Runtime_CompilerHelpers_ThrowHelpers__ThrowIndexOutOfRangeException"] = "ukl_bounds_failure",
        ["S_P_CoreLib_System_ThrowHelper__ThrowArgumentOutOfRangeException"] = "ukl_bounds_failure",
        ["S_P_CoreLib_System_ThrowHelper__ThrowArgumentOutOfRangeException_0"] = "ukl_bounds_failure",
        ["S_P_CoreLib_System_ThrowHelper__ThrowArgumentException_DestinationTooShort"] = "ukl_bounds_failure",
        ["RhpFallbackFailFast"] = "ukl_stack_failure",
    };

    /// <summary>Writes a copy of <paramref name="input"/> in which no kernel method calls a helper of the runtime that has a kernel version.</summary>
    public static void Retarget(string input, string output)
    {
        byte[] data = File.ReadAllBytes(input);
        ObjectFile elf = new(data, input);
        ElfSection symbols = elf.Sections.First(section => section.Type == ElfSection.SymbolTable);
        ElfSection strings = elf.Sections[symbols.Link];
        if (elf.Sections.Any(section => section.Type == ElfSection.SymbolTableIndexes))
            throw new ToolException($"{input} has more sections than this linker step can handle.");

        string[] added = [.. Replacements.Values.Distinct(StringComparer.Ordinal)];
        int firstAdded = (int)(symbols.Size / SymbolSize);
        Dictionary<(int Section, ulong Address), int> target = [];
        foreach (ElfSymbol symbol in elf.Symbols)
        {
            if (!symbol.IsUndefined && Replacements.TryGetValue(symbol.Name, out string? replacement))
                target[(symbol.Section, symbol.Value)] = firstAdded + Array.IndexOf(added, replacement);
        }

        List<(ElfSection Section, byte[] Content)> moved = [];
        foreach (IGrouping<int, ElfSymbol> methods in elf.Symbols.Where(IsKernelMethod).GroupBy(symbol => symbol.Section))
        {
            ElfSection relocations = elf.Sections.Single(section => section.Type == ElfSection.Relocations && section.Info == methods.Key);
            using MemoryStream entries = new();
            entries.Write(elf.Content(relocations));
            foreach (ElfSymbol method in methods)
                RetargetMethod(data, elf.Sections[methods.Key], method, target, entries);
            moved.Add((relocations, entries.ToArray()));
        }
        moved.Add(ExtendStrings(elf, strings, added, out byte[] symbolEntries));
        moved.Add((symbols, [.. elf.Content(symbols), .. symbolEntries]));

        using FileStream stream = File.Create(output);
        long end = data.Length;
        foreach ((ElfSection section, byte[] content) in moved)
        {
            end = (end + 15) & ~15;
            MoveSection(data, section.Index, end, content.Length);
            stream.Position = end;
            stream.Write(content);
            end += content.Length;
        }
        stream.Position = 0;
        stream.Write(data);
    }

    private static bool IsKernelMethod(ElfSymbol symbol) =>
        symbol.Type == ElfSymbolType.Function && !symbol.IsUndefined
        && KernelPrefixes.Any(prefix => symbol.Name.StartsWith(prefix, StringComparison.Ordinal));

    // Calls within a section are resolved by ilc and have no relocation, so they are found in the code and given one.
    private static void RetargetMethod(
        byte[] data, ElfSection code, ElfSymbol method, Dictionary<(int Section, ulong Address), int> target, MemoryStream relocations)
    {
        int start = (int)(code.Offset + method.Value);
        ByteArrayCodeReader reader = new(data, start, (int)method.Size);
        Decoder decoder = Decoder.Create(64, reader, method.Value);
        byte[] entry = new byte[RelocationSize];
        while (reader.CanReadByte)
        {
            decoder.Decode(out Instruction instruction);
            if (!(instruction.IsCallNear || instruction.IsJmpNear || instruction.IsJccNear)
                || !target.TryGetValue((method.Section, instruction.NearBranchTarget), out int symbol))
                continue;
            ulong operand = instruction.IP + (ulong)decoder.GetConstantOffsets(instruction).ImmediateOffset;
            data.AsSpan((int)(code.Offset + operand), sizeof(int)).Clear();
            BinaryPrimitives.WriteUInt64LittleEndian(entry, operand);
            BinaryPrimitives.WriteUInt64LittleEndian(entry.AsSpan(8), ((ulong)symbol << 32) | RelativeToProcedure);
            BinaryPrimitives.WriteInt64LittleEndian(entry.AsSpan(16), -sizeof(int));
            relocations.Write(entry);
        }
    }

    private static (ElfSection Section, byte[] Content) ExtendStrings(ObjectFile elf, ElfSection strings, string[] names, out byte[] symbols)
    {
        using MemoryStream content = new();
        content.Write(elf.Content(strings));
        symbols = new byte[names.Length * SymbolSize];
        for (int i = 0; i < names.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(symbols.AsSpan(i * SymbolSize), (uint)content.Length);
            symbols[i * SymbolSize + 4] = GlobalUntyped;
            content.Write(Encoding.ASCII.GetBytes(names[i]));
            content.WriteByte(0);
        }
        return (strings, content.ToArray());
    }

    private static void MoveSection(byte[] data, int index, long offset, long size)
    {
        const int HeaderTableOffset = 40;
        int header = (int)BinaryPrimitives.ReadUInt64LittleEndian(data.AsSpan(HeaderTableOffset)) + index * SectionHeaderSize;
        BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(header + 24), offset);
        BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(header + 32), size);
    }
}
