using System.Buffers.Binary;
using System.Text;
using Ukl.Lint.Elf;
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

    /// <summary>Writes a copy of <paramref name="input"/> in which no kernel method refers to a helper of the runtime that has a kernel version.</summary>
    public static void Retarget(string input, string output)
    {
        byte[] data = File.ReadAllBytes(input);
        ObjectFile elf = new(data, input);
        ElfSection symbols = elf.Sections.First(section => section.Type == ElfSection.SymbolTable);
        ElfSection strings = elf.Sections[symbols.Link];
        if (elf.Sections.Any(section => section.Type == ElfSection.SymbolTableIndexes))
            throw new ToolException($"{input} has more sections than this linker step can handle.");

        string[] added = [.. Replacements.Values.Distinct(StringComparer.Ordinal)];
        Dictionary<int, int> target = [];
        foreach (ElfSymbol symbol in elf.Symbols)
        {
            if (Replacements.TryGetValue(symbol.Name, out string? replacement))
                target[symbol.Index] = (int)(symbols.Size / SymbolSize) + Array.IndexOf(added, replacement);
        }
        foreach (IGrouping<int, ElfSymbol> methods in elf.Symbols.Where(IsKernelMethod).GroupBy(symbol => symbol.Section))
            RetargetSection(data, elf, methods.Key, [.. methods.OrderBy(method => method.Value)], target);

        using FileStream stream = File.Create(output);
        MemoryStream extended = new();
        extended.Write(elf.Content(strings));
        byte[] entries = new byte[added.Length * SymbolSize];
        for (int i = 0; i < added.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(entries.AsSpan(i * SymbolSize), (uint)extended.Length);
            entries[i * SymbolSize + 4] = GlobalUntyped;
            extended.Write(Encoding.ASCII.GetBytes(added[i]));
            extended.WriteByte(0);
        }
        long symbolsAt = Align(data.Length);
        long stringsAt = symbolsAt + (long)symbols.Size + entries.Length;
        MoveSection(data, symbols.Index, symbolsAt, (long)symbols.Size + entries.Length);
        MoveSection(data, strings.Index, stringsAt, extended.Length);
        stream.Write(data);
        stream.Position = symbolsAt;
        stream.Write(elf.Content(symbols));
        stream.Write(entries);
        extended.Position = 0;
        extended.CopyTo(stream);
    }

    private static bool IsKernelMethod(ElfSymbol symbol) =>
        symbol.Type == ElfSymbolType.Function && !symbol.IsUndefined
        && KernelPrefixes.Any(prefix => symbol.Name.StartsWith(prefix, StringComparison.Ordinal));

    private static void RetargetSection(byte[] data, ObjectFile elf, int code, ElfSymbol[] methods, Dictionary<int, int> target)
    {
        ulong[] starts = [.. methods.Select(method => method.Value)];
        foreach (ElfSection section in elf.Sections.Where(section => section.Type == ElfSection.Relocations && section.Info == code))
        {
            for (ulong at = section.Offset; at < section.Offset + section.Size; at += RelocationSize)
            {
                Span<byte> relocation = data.AsSpan((int)at, RelocationSize);
                int symbol = BinaryPrimitives.ReadInt32LittleEndian(relocation[12..]);
                if (!target.TryGetValue(symbol, out int replacement))
                    continue;
                ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(relocation);
                int index = Array.BinarySearch(starts, offset);
                if (index < 0)
                    index = ~index - 1;
                if (index >= 0 && offset < methods[index].Value + methods[index].Size)
                    BinaryPrimitives.WriteInt32LittleEndian(relocation[12..], replacement);
            }
        }
    }

    private static void MoveSection(byte[] data, int index, long offset, long size)
    {
        const int HeaderTableOffset = 40;
        int header = (int)BinaryPrimitives.ReadUInt64LittleEndian(data.AsSpan(HeaderTableOffset)) + index * SectionHeaderSize;
        BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(header + 24), offset);
        BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(header + 32), size);
    }

    private static long Align(long position) => (position + 15) & ~15;
}
