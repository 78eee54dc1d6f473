using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Linq;
using Iced.Intel;
using Ukl.Lint.Elf;

namespace Ukl.Lint.Linking;

/// <summary>The code of a linked image, function by function, and who refers to whom.</summary>
internal sealed class CodeImage
{
    // Labels inside __syscall_cp_asm that musl's signal handler compares addresses with; nothing jumps to them from outside.
    private static readonly HashSet<string> s_comparedLabels = ["__cp_begin", "__cp_end", "__cp_cancel"];

    private readonly ElfFile _elf;
    private readonly CodeRegion[] _regions;
    private readonly Dictionary<ulong, List<CodeRegion>> _branches = [];
    private readonly HashSet<ulong> _taken = [];

    /// <summary>Reads an image that was linked with its symbols, at fixed addresses.</summary>
    public CodeImage(ElfFile elf)
    {
        _elf = elf;
        _regions = [.. elf.Sections.Where(section => section.IsCode && section.Type != ElfSection.NoBits).OrderBy(section => section.Address).SelectMany(Split)];
        foreach (CodeRegion region in _regions)
            Scan(region);
        foreach (ElfSection section in elf.Sections.Where(section => section.IsLoaded && !section.IsCode))
            ScanData(elf.Content(section));
        _taken.ExceptWith(elf.Symbols.Where(symbol => s_comparedLabels.Contains(symbol.Name)).Select(symbol => symbol.Value));
        foreach (ulong address in _taken)
            NoteEntry(address);
    }

    /// <summary>Functions with a SYSCALL instruction.</summary>
    public HashSet<CodeRegion> WithSyscall { get; } = [];

    /// <summary>Functions whose last instruction is followed by what lies behind them.</summary>
    public HashSet<CodeRegion> RunningOn { get; } = [];

    /// <summary>The address of a function by its symbol, or null.</summary>
    public ulong? Find(string name) =>
        _elf.Symbols.FirstOrDefault(symbol => symbol.Name == name && symbol.Section > 0)?.Value;

    /// <summary>The functions that call an address or jump to it.</summary>
    public IReadOnlyList<CodeRegion> CallersOf(ulong address) => _branches.GetValueOrDefault(address, []);

    /// <summary>Whether the address is kept somewhere, so that it may be called from anywhere.</summary>
    public bool IsAddressTaken(ulong address) => _taken.Contains(address);

    /// <summary>The content of the image at an address, up to the end of its segment.</summary>
    public ReadOnlySpan<byte> At(ulong address)
    {
        foreach (ElfSection section in _elf.Sections)
        {
            if (section.IsLoaded && section.Type != ElfSection.NoBits && address >= section.Address && address < section.Address + section.Size)
                return _elf.Content(section)[(int)(address - section.Address)..];
        }
        return default;
    }

    private IEnumerable<CodeRegion> Split(ElfSection section)
    {
        ReadOnlyMemory<byte> content = _elf.ContentMemory(section);
        (ulong Start, string Name)[] symbols =
        [
            .. _elf.Symbols.Where(symbol => symbol.Section == section.Index && symbol.Type == ElfSymbolType.Function && symbol.Value >= section.Address && symbol.Value < section.Address + section.Size)
                .OrderBy(symbol => symbol.Value).ThenBy(symbol => symbol.Binding == ElfBinding.Local)
                .Select(symbol => (symbol.Value, symbol.Name)).DistinctBy(symbol => symbol.Value),
        ];
        if (symbols.Length == 0 || symbols[0].Start != section.Address)
            symbols = [(section.Address, section.Name), .. symbols];
        for (int i = 0; i < symbols.Length; i++)
        {
            ulong end = i + 1 < symbols.Length ? symbols[i + 1].Start : section.Address + section.Size;
            yield return new(symbols[i].Name, symbols[i].Start, content[(int)(symbols[i].Start - section.Address)..(int)(end - section.Address)].ToArray());
        }
    }

    private void Scan(CodeRegion region)
    {
        bool fallsThrough = false;
        foreach (Instruction instruction in region.Decode())
        {
            // A call at the end does not return, and padding says nothing.
            if (instruction.Mnemonic is not (Mnemonic.Nop or Mnemonic.Int3))
                fallsThrough = instruction.FlowControl is FlowControl.Next or FlowControl.ConditionalBranch;
            if (instruction.Mnemonic == Mnemonic.Syscall)
                WithSyscall.Add(region);
            if (instruction.IsCallNear || instruction.IsJmpShortOrNear || instruction.IsJccShortOrNear)
                AddBranch(region, instruction.NearBranchTarget);
            else if (instruction.IsIPRelativeMemoryOperand)
                _taken.Add(instruction.IPRelativeMemoryAddress);
            for (int i = 0; i < instruction.OpCount; i++)
            {
                if (instruction.GetOpKind(i) is OpKind.Immediate32 or OpKind.Immediate32to64 or OpKind.Immediate64)
                    _taken.Add(instruction.GetImmediate(i));
            }
        }
        if (!fallsThrough)
            return;
        AddBranch(region, region.End);
        RunningOn.Add(region);
    }

    private void AddBranch(CodeRegion from, ulong target)
    {
        if (from.Contains(target) && target != from.Start)
            return;
        if (!_branches.TryGetValue(target, out List<CodeRegion>? callers))
            _branches.Add(target, callers = []);
        if (callers.Count == 0 || callers[^1] != from)
            callers.Add(from);
        NoteEntry(target);
    }

    private void NoteEntry(ulong address)
    {
        if (RegionAt(address) is { } region && region.Start != address)
            region.EnteredAt.Add(address);
    }

    private CodeRegion? RegionAt(ulong address)
    {
        int low = 0, high = _regions.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_regions[middle].Start <= address)
                low = middle + 1;
            else
                high = middle;
        }
        return low > 0 && _regions[low - 1].Contains(address) ? _regions[low - 1] : null;
    }

    // Pointers in data are absolute, because the image has fixed addresses, and aligned.
    private void ScanData(ReadOnlySpan<byte> data)
    {
        ulong lowest = _regions.Length == 0 ? 0 : _regions[0].Start, highest = _regions.Length == 0 ? 0 : _regions[^1].End;
        for (; data.Length >= sizeof(ulong); data = data[sizeof(ulong)..])
        {
            ulong word = BinaryPrimitives.ReadUInt64LittleEndian(data);
            if (word >= lowest && word < highest)
                _taken.Add(word);
        }
    }
}
