// The parts of an ELF file. Source: System V ABI (gABI) 4.1, chapters 4 and 5; the x86-64 psABI for relocations.
namespace Ukl.Lint.Elf;

/// <summary>A section header.</summary>
public sealed record ElfSection(int Index, string Name, uint Type, ulong Flags, ulong Address, ulong Offset, ulong Size, int Link, int Info, ulong EntrySize)
{
    public const uint SymbolTable = 2, Relocations = 4, NoBits = 8, Group = 17, SymbolTableIndexes = 18;

    public const ulong Alloc = 2, Executable = 4;

    /// <summary>Whether it is in memory when the program runs.</summary>
    public bool IsLoaded => (Flags & Alloc) != 0;

    /// <summary>Whether it holds code.</summary>
    public bool IsCode => IsLoaded && (Flags & Executable) != 0;
}

/// <summary>A symbol. <see cref="Section"/> is the index of its section, 0 when it is undefined, -1 when it has none (absolute, common).</summary>
public sealed record ElfSymbol(int Index, string Name, ulong Value, ulong Size, ElfSymbolType Type, ElfBinding Binding, int Section)
{
    /// <summary>Whether another object must define it.</summary>
    public bool IsUndefined => Section == 0 && Index != 0;
}

/// <summary>A symbol's type.</summary>
public enum ElfSymbolType
{
    None,
    Object,
    Function,
    Section,
    File,
    Common,
    ThreadLocal,
}

/// <summary>A symbol's binding.</summary>
public enum ElfBinding
{
    Local,
    Global,
    Weak,
}

/// <summary>A place to patch: in which section is known from the list that it is in.</summary>
public readonly record struct ElfRelocation(ulong Offset, uint Type, int Symbol, long Addend);

/// <summary>A segment.</summary>
public readonly record struct ElfSegment(uint Type, uint Flags, ulong Offset, ulong Address, ulong FileSize, ulong MemorySize)
{
    public const uint Load = 1, EhFrameHeader = 0x6474e550;
}
