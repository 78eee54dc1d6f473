using System;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Boot;

/// <summary>
/// What the boot loader told, in one form for every protocol and without pointers into its structures. About 7 KB: it lives in a static field.
/// Filled by <see cref="PvhStartInfo"/> or <see cref="Multiboot2"/>.
/// </summary>
public struct BootInformation
{
    /// <summary>How many modules are remembered.</summary>
    public const int ModuleCapacity = 8;

    private const ulong FirstMegabyte = 1 << 20;

    /// <summary>Memory that the firmware reports as usable, less all that it also reports otherwise.</summary>
    public MemoryMap Memory;

    /// <summary>The command line.</summary>
    public CommandLine CommandLine;

    /// <summary>Physical address of the ACPI root pointer, or 0 when the loader gave none.</summary>
    public ulong RsdpAddress;

    /// <summary>The loader's own structure, which the root pointer may lie in; empty when nothing in it is used later.</summary>
    public MemoryRange Structure;

    private ModuleArray _modules;
    private int _moduleCount;

    /// <summary>The modules in the loader's order.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<MemoryRange> Modules => ((ReadOnlySpan<MemoryRange>)_modules).Slice(0, _moduleCount);

    /// <summary>The first module, which is the initramfs; empty when there is none.</summary>
    public readonly MemoryRange Initramfs => _moduleCount == 0 ? default : _modules[0];

    /// <summary>
    /// The memory that nobody occupies yet: <see cref="Memory"/> without the first megabyte, the kernel image (physical addresses), the modules and
    /// <see cref="Structure"/>.
    /// </summary>
    public readonly void GetUsableRanges(ref MemoryMap usable, ulong kernelStart, ulong kernelEnd)
    {
        usable = Memory;
        usable.Remove(0, FirstMegabyte);
        if (kernelStart < kernelEnd)
            usable.Remove(kernelStart, kernelEnd - kernelStart);
        for (int i = 0; i < _moduleCount; i++)
            usable.Remove(_modules[i].Start, _modules[i].Length);
        usable.Remove(Structure.Start, Structure.Length);
    }

    /// <summary>
    /// Whether the kernel image (physical addresses) has its memory for itself. Loaders put image and modules where they fit, and on a machine too small for
    /// both over each other. Returns a message when it does not, or nothing.
    /// </summary>
    public readonly ReadOnlySpan<byte> FindConflict(ulong kernelStart, ulong kernelEnd)
    {
        for (int i = 0; i < _moduleCount; i++)
        {
            if (_modules[i].Start < kernelEnd && _modules[i].End > kernelStart)
                return "too little memory: the initramfs lies over the kernel"u8;
        }
        ReadOnlySpan<MemoryRange> ranges = Memory.Ranges;
        for (int i = 0; i < ranges.Length; i++)
        {
            if (ranges[i].Start <= kernelStart && ranges[i].End >= kernelEnd)
                return default;
        }
        return "too little memory: the kernel does not lie in memory that can be used"u8;
    }

    /// <summary>First address above all that the kernel uses: memory up to <paramref name="memoryEnd"/>, modules and <see cref="Structure"/>.</summary>
    public readonly ulong EndOfUse(ulong memoryEnd)
    {
        ulong end = memoryEnd > Structure.End ? memoryEnd : Structure.End;
        for (int i = 0; i < _moduleCount; i++)
        {
            if (_modules[i].End > end)
                end = _modules[i].End;
        }
        return end;
    }

    /// <summary>Forgets everything.</summary>
    internal void Clear()
    {
        Memory.Clear();
        _ = CommandLine.Set(default);
        RsdpAddress = 0;
        Structure = default;
        _moduleCount = 0;
    }

    /// <summary>Remembers a module; empty ones and those beyond the eighth are ignored. False when it does not lie in memory that is seen.</summary>
    internal bool TryAddModule(PhysicalView memory, ulong start, ulong length)
    {
        if (length == 0)
            return true;
        if (!memory.Contains(start, length))
            return false;
        if (_moduleCount < ModuleCapacity)
            _modules[_moduleCount++] = new MemoryRange(start, start + length);
        return true;
    }

    [InlineArray(ModuleCapacity)]
    private struct ModuleArray
    {
        private MemoryRange _first;
    }
}
