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
    private readonly HashSet<ulong> _compared;
    private readonly Queue<(CodeRegion Region, ulong Address)> _entries = [];

    /// <summary>Reads an image that was linked with its symbols, at fixed addresses.</summary>
    public CodeImage(ElfFile elf)
    {
        _elf = elf;
        _regions = [.. elf.Sections.Where(section => section.IsCode && section.Type != ElfSection.NoBits).OrderBy(section => section.Address).SelectMany(Split)];
        _compared = [.. elf.Symbols.Where(symbol => s_comparedLabels.Contains(symbol.Name)).Select(symbol => symbol.Value)];
        foreach (CodeRegion region in _regions.Where(region => region.IsFunction))
            Scan(region, region.Instructions);
        foreach (ElfSection section in elf.Sections.Where(section => section.IsLoaded && !section.IsCode))
            ScanData(elf.Content(section));
        while (_entries.TryDequeue(out (CodeRegion Region, ulong Address) entry))
            Scan(entry.Region, entry.Region.Follow(entry.Address));
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
        ElfSymbol[] symbols =
        [
            .. _elf.Symbols.Where(symbol => symbol.Section == section.Index && symbol.Type == ElfSymbolType.Function && symbol.Value >= section.Address && symbol.Value < section.Address + section.Size)
                .OrderBy(symbol => symbol.Value).ThenBy(symbol => symbol.Binding == ElfBinding.Local).ThenByDescending(symbol => symbol.Size).DistinctBy(symbol => symbol.Value),
        ];
        CodeRegion Region(string name, ulong start, ulong end, bool isFunction) =>
            new(name, start, content[(int)(start - section.Address)..(int)(end - section.Address)].ToArray(), isFunction);
        ulong done = section.Address;
        string before = section.Name;
        for (int i = 0; i < symbols.Length; i++)
        {
            (ulong start, ulong next) = (symbols[i].Value, i + 1 < symbols.Length ? symbols[i + 1].Value : section.Address + section.Size);
            if (start > done)
                yield return Region(before, done, start, isFunction: false);
            bool isFunction = symbols[i].Size != 0;
            done = isFunction ? Math.Min(start + symbols[i].Size, next) : next;
            before = symbols[i].Name;
            CodeRegion region = Region(before, start, done, isFunction);
            if (!isFunction)
                _entries.Enqueue((region, start));
            yield return region;
        }
        if (done < section.Address + section.Size)
            yield return Region(before, done, section.Address + section.Size, isFunction: false);
    }

    private void Scan(CodeRegion region, IEnumerable<Instruction> instructions)
    {
        Instruction last = default;
        foreach (Instruction instruction in instructions)
        {
            if (instruction.Mnemonic == Mnemonic.Syscall)
                WithSyscall.Add(region);
            if (instruction.IsDirectBranch())
                AddBranch(region, instruction.NearBranchTarget, instruction.IsCallNear);
            else if (instruction.IsIPRelativeMemoryOperand)
                Take(instruction.IPRelativeMemoryAddress);
            for (int i = 0; i < instruction.OpCount; i++)
            {
                if (instruction.GetOpKind(i) is OpKind.Immediate32 or OpKind.Immediate32to64 or OpKind.Immediate64)
                    Take(instruction.GetImmediate(i));
            }
            // A call at the end of a function does not return, and padding says nothing.
            if (!instruction.IsPadding())
                last = instruction;
            if (!region.IsFunction && instruction.NextIP == region.End)
                NoteRunningOn(region, last);
        }
        if (region.IsFunction)
            NoteRunningOn(region, last);
    }

    private void NoteRunningOn(CodeRegion region, in Instruction last)
    {
        if (last.FlowControl is not (FlowControl.Next or FlowControl.ConditionalBranch) || last.IsInvalid)
            return;
        AddBranch(region, region.End, isCall: false);
        RunningOn.Add(region);
    }

    private void Take(ulong address)
    {
        if (RegionAt(address) is null || _compared.Contains(address) || !_taken.Add(address))
            return;
        NoteEntry(address);
    }

    private void AddBranch(CodeRegion from, ulong target, bool isCall)
    {
        bool isInside = from.Contains(target) && target != from.Start;
        if (!isInside || isCall)
            NoteEntry(target);
        if (isInside)
            return;
        if (!_branches.TryGetValue(target, out List<CodeRegion>? callers))
            _branches.Add(target, callers = []);
        if (callers.Count == 0 || callers[^1] != from)
            callers.Add(from);
    }

    private void NoteEntry(ulong address)
    {
        if (RegionAt(address) is not { } region)
            return;
        bool isNew = region.Start == address || region.EnteredAt.Add(address);
        if (isNew && !region.IsFunction)
            _entries.Enqueue((region, address));
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
        for (; data.Length >= sizeof(ulong); data = data[sizeof(ulong)..])
            Take(BinaryPrimitives.ReadUInt64LittleEndian(data));
    }
}
