using System;
using System.Collections.Generic;
using Iced.Intel;
using Ukl.Lint.Elf;

namespace Ukl.Lint.Checks;

/// <summary>A reference from code, at an offset in its section, to a symbol.</summary>
public readonly record struct Reference(ulong Offset, ElfSymbol Target);

/// <summary>
/// What each function of an object refers to. Relocations say most of it; branches within one section were resolved by the compiler and are decoded from
/// the instructions.
/// </summary>
public sealed class CodeGraph
{
    private readonly Dictionary<int, ElfSymbol[]> _functions = [];
    private readonly Dictionary<int, ElfRelocation[]> _relocations = [];

    /// <summary>Indexes an object.</summary>
    public CodeGraph(ElfFile elf)
    {
        Elf = elf;
        var bySection = new Dictionary<int, List<ElfSymbol>>();
        foreach (ElfSymbol symbol in elf.Symbols)
        {
            if (symbol.Type != ElfSymbolType.Function || symbol.Section <= 0)
                continue;
            if (!bySection.TryGetValue(symbol.Section, out List<ElfSymbol>? list))
                bySection.Add(symbol.Section, list = []);
            list.Add(symbol);
        }
        foreach ((int section, List<ElfSymbol> list) in bySection)
        {
            // An export has two symbols for one place; the managed one, whose table entry came first, stands for both.
            list.Sort(static (a, b) => a.Value != b.Value ? a.Value.CompareTo(b.Value) : a.Index.CompareTo(b.Index));
            _functions.Add(section, [.. list]);
        }
    }

    /// <summary>The object.</summary>
    public ElfFile Elf { get; }

    /// <summary>The function whose code holds an offset of a section, or null.</summary>
    public ElfSymbol? FunctionAt(int section, ulong offset)
    {
        if (!_functions.TryGetValue(section, out ElfSymbol[]? list))
            return null;
        int low = 0, high = list.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (list[middle].Value <= offset)
                low = middle + 1;
            else
                high = middle;
        }
        if (low == 0)
            return null;
        ElfSymbol found = list[low - 1];
        for (int i = low - 1; i >= 0 && list[i].Value == found.Value; i--)
            found = list[i];
        return offset < found.Value + Math.Max(found.Size, 1) ? found : null;
    }

    /// <summary>Every name of the function that a symbol names: an export has its own beside the managed one.</summary>
    public IEnumerable<string> NamesOf(ElfSymbol function)
    {
        ElfSymbol[] list = _functions.GetValueOrDefault(function.Section, []);
        int at = Array.FindIndex(list, symbol => symbol.Value == function.Value);
        for (; at >= 0 && at < list.Length && list[at].Value == function.Value; at++)
            yield return list[at].Name;
    }

    /// <summary>The relocations of a section, by offset.</summary>
    public ElfRelocation[] RelocationsOf(int section)
    {
        if (!_relocations.TryGetValue(section, out ElfRelocation[]? relocations))
        {
            relocations = Elf.RelocationsOf(section);
            Array.Sort(relocations, static (a, b) => a.Offset.CompareTo(b.Offset));
            _relocations.Add(section, relocations);
        }
        return relocations;
    }

    /// <summary>The relocations of a function's code, by offset.</summary>
    internal ReadOnlySpan<ElfRelocation> RelocationsIn(ElfSymbol function)
    {
        ElfRelocation[] relocations = RelocationsOf(function.Section);
        int first = LowerBound(relocations, function.Value);
        return relocations.AsSpan(first, LowerBound(relocations, function.Value + function.Size) - first);
    }

    /// <summary>Everything a function refers to, in the order of its code.</summary>
    public List<Reference> ReferencesOf(ElfSymbol function)
    {
        var references = new List<Reference>();
        ulong start = function.Value, end = function.Value + function.Size;
        var patched = new HashSet<ulong>();
        foreach (ElfRelocation relocation in RelocationsIn(function))
        {
            patched.Add(relocation.Offset);
            references.Add(new(relocation.Offset, Resolve(relocation)));
        }
        AddResolved(function, start, end, patched, references);
        references.Sort(static (a, b) => a.Offset.CompareTo(b.Offset));
        return references;
    }

    /// <summary>The symbol that a relocation means: for a section symbol, the function at the place it names.</summary>
    public ElfSymbol Resolve(ElfRelocation relocation)
    {
        ElfSymbol symbol = Elf.Symbols[relocation.Symbol];
        if (symbol.Type != ElfSymbolType.Section)
            return symbol;
        // A relative operand is counted from its own end, four bytes on.
        return FunctionAt(symbol.Section, symbol.Value + (ulong)relocation.Addend + 4) ?? symbol;
    }

    private static int LowerBound(ElfRelocation[] relocations, ulong offset)
    {
        int low = 0, high = relocations.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (relocations[middle].Offset < offset)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    /// <summary>A decoder of a function's instructions, whose addresses are offsets in its section.</summary>
    internal Decoder Decode(ElfSymbol function)
    {
        ReadOnlySpan<byte> code = Elf.Content(Elf.Sections[function.Section]);
        int start = (int)Math.Min(function.Value, (ulong)code.Length);
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(code[start..(int)Math.Min(function.Value + function.Size, (ulong)code.Length)].ToArray()));
        decoder.IP = function.Value;
        return decoder;
    }

    private void AddResolved(ElfSymbol function, ulong start, ulong end, HashSet<ulong> patched, List<Reference> references)
    {
        if (end > Elf.Sections[function.Section].Size)
            return;
        Decoder decoder = Decode(function);
        while (decoder.IP < end)
        {
            Instruction instruction = decoder.Decode();
            ulong target;
            if (instruction.IsCallNear || instruction.IsJmpShortOrNear || instruction.IsJccShortOrNear)
                target = instruction.NearBranchTarget;
            else if (instruction.IsIPRelativeMemoryOperand)
                target = instruction.IPRelativeMemoryAddress;
            else
                continue;
            if (target >= start && target < end)
                continue;
            ConstantOffsets constants = decoder.GetConstantOffsets(instruction);
            int operand = constants.HasDisplacement ? constants.DisplacementOffset : constants.ImmediateOffset;
            if (!patched.Contains(instruction.IP + (ulong)operand) && FunctionAt(function.Section, target) is { } callee)
                references.Add(new(instruction.IP + (ulong)operand, callee));
        }
    }
}
