// A reader of 64-bit little-endian ELF files, objects and images alike. Source: System V ABI (gABI) 4.1, chapters 4 and 5.
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Text;

namespace Ukl.Lint.Elf;

/// <summary>A parsed ELF file. Damaged input is an <see cref="InvalidDataException"/>.</summary>
public sealed class ElfFile
{
    private const int HeaderSize = 64, SectionHeaderSize = 64, SegmentSize = 56, SymbolSize = 24, RelocationSize = 24;
    private const ushort ExtendedIndex = 0xffff, LowestReservedIndex = 0xff00;

    private readonly byte[] _data;
    private readonly Dictionary<int, int> _relocationSections = [];

    /// <summary>Parses the bytes of a file.</summary>
    public ElfFile(byte[] data, string path = "")
    {
        _data = data;
        Path = path;
        ReadOnlySpan<byte> header = data;
        if (data.Length < HeaderSize || !header.StartsWith("\u007fELF"u8) || data[4] != 2 || data[5] != 1)
            throw new InvalidDataException($"{path}: not a 64-bit little-endian ELF file");
        try
        {
            Segments = ReadSegments();
            Sections = ReadSections();
            Symbols = ReadSymbols();
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or IndexOutOfRangeException or OverflowException)
        {
            throw new InvalidDataException($"{path}: damaged ELF file", e);
        }
        foreach (ElfSection section in Sections)
        {
            if (section.Type != ElfSection.NoBits && (section.Offset > (ulong)data.Length || section.Size > (ulong)data.Length - section.Offset))
                throw new InvalidDataException($"{path}: section {section.Name} lies outside the file");
            if (section.Type == ElfSection.Relocations)
                _relocationSections[section.Info] = section.Index;
        }
    }

    /// <summary>Where it was read from.</summary>
    public string Path { get; }

    /// <summary>All sections, the empty first one included.</summary>
    public IReadOnlyList<ElfSection> Sections { get; }

    /// <summary>All symbols, the empty first one included.</summary>
    public IReadOnlyList<ElfSymbol> Symbols { get; }

    /// <summary>The segments of an image; empty for an object.</summary>
    public IReadOnlyList<ElfSegment> Segments { get; }

    /// <summary>Reads a file.</summary>
    public static ElfFile Read(string path) => new(File.ReadAllBytes(path), path);

    /// <summary>The section with this name, or null.</summary>
    public ElfSection? Find(string name)
    {
        foreach (ElfSection section in Sections)
        {
            if (section.Name == name)
                return section;
        }
        return null;
    }

    /// <summary>A section's content; empty when it has none in the file.</summary>
    public ReadOnlySpan<byte> Content(ElfSection section) =>
        section.Type == ElfSection.NoBits ? default : Slice(section.Offset, section.Size);

    /// <summary>A section's content as memory that can be kept.</summary>
    public ReadOnlyMemory<byte> ContentMemory(ElfSection section) =>
        section.Type == ElfSection.NoBits ? default : _data.AsMemory(checked((int)section.Offset), checked((int)section.Size));

    /// <summary>The relocations of a section, in the order of the file.</summary>
    public ElfRelocation[] RelocationsOf(int section)
    {
        if (!_relocationSections.TryGetValue(section, out int index))
            return [];
        ReadOnlySpan<byte> bytes = Content(Sections[index]);
        var relocations = new ElfRelocation[bytes.Length / RelocationSize];
        for (int i = 0; i < relocations.Length; i++)
        {
            ReadOnlySpan<byte> entry = bytes.Slice(i * RelocationSize, RelocationSize);
            ulong info = BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]);
            int symbol = (int)(info >> 32);
            if ((uint)symbol >= (uint)Symbols.Count)
                throw new InvalidDataException($"{Path}: a relocation names symbol {symbol} of {Symbols.Count}");
            relocations[i] = new(BinaryPrimitives.ReadUInt64LittleEndian(entry), (uint)info, symbol, BinaryPrimitives.ReadInt64LittleEndian(entry[16..]));
        }
        return relocations;
    }

    /// <summary>The bytes at a virtual address of an image; empty when the file does not hold them.</summary>
    public ReadOnlySpan<byte> At(ulong address, ulong length)
    {
        foreach (ElfSegment segment in Segments)
        {
            if (segment.Type == ElfSegment.Load && address >= segment.Address && address - segment.Address <= segment.FileSize
                && length <= segment.FileSize - (address - segment.Address))
                return Slice(segment.Offset + (address - segment.Address), length);
        }
        return default;
    }

    private ReadOnlySpan<byte> Slice(ulong offset, ulong size) => _data.AsSpan(checked((int)offset), checked((int)size));

    private ElfSegment[] ReadSegments()
    {
        ulong offset = UInt64(32);
        var segments = new ElfSegment[offset == 0 ? 0 : UInt16(56)];
        for (int i = 0; i < segments.Length; i++)
        {
            ulong at = offset + (ulong)(i * SegmentSize);
            segments[i] = new(UInt32(at), UInt32(at + 4), UInt64(at + 8), UInt64(at + 16), UInt64(at + 32), UInt64(at + 40));
        }
        return segments;
    }

    private ElfSection[] ReadSections()
    {
        ulong offset = UInt64(40);
        if (offset == 0)
            return [];
        // More sections than 16 bits can count: the counts are in the first section's header.
        int count = UInt16(60) != 0 ? UInt16(60) : checked((int)UInt64(offset + 32));
        int names = UInt16(62) != ExtendedIndex ? UInt16(62) : (int)UInt32(offset + 40);
        var sections = new ElfSection[count];
        ulong nameTable = UInt64(offset + ((ulong)names * SectionHeaderSize) + 24);
        for (int i = 0; i < count; i++)
        {
            ulong at = offset + ((ulong)i * SectionHeaderSize);
            sections[i] = new(i, Text(nameTable + UInt32(at)), UInt32(at + 4), UInt64(at + 8), UInt64(at + 16), UInt64(at + 24), UInt64(at + 32),
                (int)UInt32(at + 40), (int)UInt32(at + 44), UInt64(at + 56));
        }
        return sections;
    }

    private ElfSymbol[] ReadSymbols()
    {
        ElfSection? table = null, indexes = null;
        foreach (ElfSection section in Sections)
        {
            if (section.Type == ElfSection.SymbolTable)
                table = section;
            else if (section.Type == ElfSection.SymbolTableIndexes)
                indexes = section;
        }
        if (table is null)
            return [];
        ulong names = Sections[table.Link].Offset;
        var symbols = new ElfSymbol[table.Size / SymbolSize];
        for (int i = 0; i < symbols.Length; i++)
        {
            ulong at = table.Offset + ((ulong)i * SymbolSize);
            byte info = _data[checked((int)(at + 4))];
            int section = UInt16(at + 6);
            if (section == ExtendedIndex && indexes is not null)
                section = (int)UInt32(indexes.Offset + ((ulong)i * 4));
            else if (section >= LowestReservedIndex)
                section = -1;
            symbols[i] = new(i, Text(names + UInt32(at)), UInt64(at + 8), UInt64(at + 16), (ElfSymbolType)(info & 15), (ElfBinding)(info >> 4), section);
        }
        return symbols;
    }

    private ushort UInt16(ulong offset) => BinaryPrimitives.ReadUInt16LittleEndian(Slice(offset, 2));

    private uint UInt32(ulong offset) => BinaryPrimitives.ReadUInt32LittleEndian(Slice(offset, 4));

    private ulong UInt64(ulong offset) => BinaryPrimitives.ReadUInt64LittleEndian(Slice(offset, 8));

    private string Text(ulong offset)
    {
        ReadOnlySpan<byte> rest = _data.AsSpan(checked((int)offset));
        int end = rest.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? rest : rest[..end]);
    }
}
