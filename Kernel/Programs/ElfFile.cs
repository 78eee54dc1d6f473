// Reading an executable's headers. Source: System V gABI chapters 4 and 5 (ELF-64), elf(5).
using System;
using System.Runtime.InteropServices;
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Programs;

/// <summary>The file header (Elf64_Ehdr).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ElfHeader
{
    public uint Magic;
    public byte Class;
    public byte DataEncoding;
    public byte IdentVersion;
    public byte OsAbi;
    public ulong IdentPadding;
    public ushort Type;
    public ushort Machine;
    public uint Version;
    public ulong Entry;
    public ulong ProgramHeaderOffset;
    public ulong SectionHeaderOffset;
    public uint Flags;
    public ushort HeaderSize;
    public ushort ProgramHeaderSize;
    public ushort ProgramHeaderCount;
    public ushort SectionHeaderSize;
    public ushort SectionHeaderCount;
    public ushort SectionNameIndex;

    /// <summary>0x7f 'E' 'L' 'F'.</summary>
    public const uint MagicNumber = 0x464c_457f;

    /// <summary>Size of the structure.</summary>
    public const int Size = 64;

    private const byte Class64 = 2;
    private const byte LittleEndian = 1;
    private const ushort Executable = 2;
    private const ushort SharedObject = 3;
    private const ushort X8664 = 62;

    /// <summary>The most program headers taken (64 KiB of them on Linux; 1170 × 56).</summary>
    private const int MaximumProgramHeaders = 64;

    /// <summary>Whether it may be loaded anywhere (static-PIE).</summary>
    public readonly bool IsRelocatable => Type == SharedObject;

    /// <summary>ENOEXEC for what is no x86-64 executable, or None.</summary>
    public static Errno Parse(ReadOnlySpan<byte> bytes, out ElfHeader header)
    {
        header = default;
        if (bytes.Length < Size)
            return Errno.ENOEXEC;
        header = MemoryMarshal.Read<ElfHeader>(bytes);
        bool isExecutable = header.Magic == MagicNumber && header.Class == Class64 && header.DataEncoding == LittleEndian
            && header.Machine == X8664 && header.Type is Executable or SharedObject
            && header.ProgramHeaderSize == ElfProgramHeader.Size
            && header.ProgramHeaderCount is > 0 and <= MaximumProgramHeaders;
        return isExecutable ? Errno.None : Errno.ENOEXEC;
    }
}

/// <summary>What a segment is (p_type).</summary>
public enum ElfSegmentType : uint
{
    Load = 1,
    Dynamic = 2,
    Interpreter = 3,
    ProgramHeaders = 6,
    ThreadLocal = 7,
    GnuStack = 0x6474_e551,
}

/// <summary>A program header (Elf64_Phdr).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ElfProgramHeader
{
    public ElfSegmentType Type;
    public uint Flags;
    public ulong Offset;
    public ulong Address;
    public ulong PhysicalAddress;
    public ulong FileSize;
    public ulong MemorySize;
    public ulong Alignment;

    /// <summary>Size of the structure.</summary>
    public const int Size = 56;

    private const uint FlagExecute = 1;
    private const uint FlagWrite = 2;
    private const uint FlagRead = 4;
    private const ulong PageMask = 4095;

    /// <summary>The page it starts in, before relocation.</summary>
    public readonly ulong PageStart => Address & ~PageMask;

    /// <summary>First page address after it, before relocation.</summary>
    public readonly ulong PageEnd => (Address + MemorySize + PageMask) & ~PageMask;

    /// <summary>The protection it asks for.</summary>
    public readonly Memory.Protection Protection =>
        ((Flags & FlagRead) != 0 ? Memory.Protection.Read : 0)
        | ((Flags & FlagWrite) != 0 ? Memory.Protection.Write : 0)
        | ((Flags & FlagExecute) != 0 ? Memory.Protection.Execute : 0);

    /// <summary>Whether a loadable segment's numbers make sense: congruent, no overflow, not larger in the file than in memory, below the user limit.</summary>
    public readonly bool IsLoadable =>
        FileSize <= MemorySize
        && Address + MemorySize >= Address
        && Offset + FileSize >= Offset
        && (Address & PageMask) == (Offset & PageMask)
        && Address + MemorySize <= Memory.UserMemory.Top;
}
