// The table that Kernel/Diagnostics/Symbols.cs reads when the kernel panics. All numbers are little-endian; offsets count from the table's start.
//   0  u32 magic "UKLS"      4  u32 version
//   8  u64 base: the address of the first method
//  16  u32 number of methods   20 u32 offset of the methods
//  24  u32 number of files     28 u32 offset of the files
//  32  u64 address and 40 u64 length of .eh_frame_hdr
//  48  u64 address and 56 u64 length of .eh_frame
// A method is four u32: start less base, offset of the type's name, offset of the method's name, offset of the lines; 0xffffffff for no lines, and as
// name for a gap. Methods are sorted. A file is a u32, the offset of its name. A name is its length (LEB128) and UTF-8. Lines are LEB128 numbers: file, first line, then
// pairs of bytes to the next row (0 ends) and, signed, lines to add.
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Text;

namespace Ukl.Lint.Symbols;

/// <summary>A function with what is to be printed of it.</summary>
/// <param name="Start">Its address.</param>
/// <param name="End">The address behind it.</param>
/// <param name="Type">The type's name; empty for native code.</param>
/// <param name="Method">The method's name.</param>
/// <param name="File">The source file; null when unknown.</param>
/// <param name="Lines">Rows by address; empty when unknown.</param>
public sealed record SymbolEntry(ulong Start, ulong End, string Type, string Method, string? File, IReadOnlyList<(ulong Address, int Line)> Lines);

/// <summary>Where a section of the image lies in memory.</summary>
public readonly record struct Range(ulong Address, ulong Length);

/// <summary>Writes the table.</summary>
public static class SymbolTableWriter
{
    private const uint Magic = 0x534c4b55, Version = 1, None = 0xffff_ffff;
    private const int HeaderSize = 64, MethodSize = 16;

    // Padding between functions belongs to the one before; more than this is code that the table does not know.
    private const ulong SmallestGap = 64;

    /// <summary>The table of these functions, which are sorted and do not overlap.</summary>
    public static byte[] Write(IReadOnlyList<SymbolEntry> entries, Range frameHeader, Range frames)
    {
        ulong start = entries.Count == 0 ? 0 : entries[0].Start;
        List<(ulong Start, SymbolEntry? Entry)> methods = WithGaps(entries);
        var pool = new Pool(HeaderSize + (methods.Count * MethodSize));
        var table = new byte[methods.Count * MethodSize];
        var files = new List<uint>();
        var fileIndexes = new Dictionary<string, int>();
        for (int i = 0; i < methods.Count; i++)
        {
            (ulong address, SymbolEntry? entry) = methods[i];
            Span<byte> row = table.AsSpan(i * MethodSize, MethodSize);
            BinaryPrimitives.WriteUInt32LittleEndian(row, checked((uint)(address - start)));
            BinaryPrimitives.WriteUInt32LittleEndian(row[4..], entry is null ? None : pool.Text(entry.Type));
            BinaryPrimitives.WriteUInt32LittleEndian(row[8..], entry is null ? None : pool.Text(entry.Method));
            BinaryPrimitives.WriteUInt32LittleEndian(row[12..], entry?.File is null || entry.Lines.Count == 0 ? None : WriteLines(entry, pool, files, fileIndexes));
        }

        uint filesAt = pool.End;
        var output = new MemoryStream();
        using var writer = new BinaryWriter(output);
        writer.Write(Magic);
        writer.Write(Version);
        writer.Write(start);
        writer.Write(methods.Count);
        writer.Write(HeaderSize);
        writer.Write(files.Count);
        writer.Write(filesAt);
        writer.Write(frameHeader.Address);
        writer.Write(frameHeader.Length);
        writer.Write(frames.Address);
        writer.Write(frames.Length);
        writer.Write(table);
        writer.Write(pool.ToArray());
        foreach (uint file in files)
            writer.Write(file);
        writer.Flush();
        return output.ToArray();
    }

    private static List<(ulong, SymbolEntry?)> WithGaps(IReadOnlyList<SymbolEntry> entries)
    {
        var methods = new List<(ulong, SymbolEntry?)>();
        ulong end = 0;
        foreach (SymbolEntry entry in entries)
        {
            if (methods.Count > 0 && entry.Start > end + SmallestGap)
                methods.Add((end, null));
            methods.Add((entry.Start, entry));
            end = entry.End;
        }
        if (methods.Count > 0)
            methods.Add((end, null));
        return methods;
    }

    private static uint WriteLines(SymbolEntry entry, Pool pool, List<uint> files, Dictionary<string, int> fileIndexes)
    {
        if (!fileIndexes.TryGetValue(entry.File!, out int file))
        {
            file = files.Count;
            files.Add(pool.Text(entry.File!));
            fileIndexes.Add(entry.File!, file);
        }
        uint at = pool.End;
        pool.Unsigned((ulong)file);
        int line = entry.Lines[0].Line;
        pool.Unsigned((ulong)line);
        ulong address = entry.Start;
        foreach ((ulong rowAddress, int rowLine) in entry.Lines)
        {
            // Of rows at one address the last counts; rows of one line need not be told apart.
            if (rowAddress <= address || rowLine == line)
                continue;
            pool.Unsigned(rowAddress - address);
            pool.Signed(rowLine - line);
            address = rowAddress;
            line = rowLine;
        }
        pool.Unsigned(0);
        return at;
    }

    /// <summary>Names, each once, and line programs.</summary>
    private sealed class Pool(int start)
    {
        private readonly List<byte> _bytes = [];
        private readonly Dictionary<string, uint> _texts = [];

        public uint End => checked((uint)(start + _bytes.Count));

        public uint Text(string text)
        {
            if (!_texts.TryGetValue(text, out uint at))
            {
                at = End;
                _texts.Add(text, at);
                byte[] bytes = Encoding.UTF8.GetBytes(text);
                Unsigned((ulong)bytes.Length);
                _bytes.AddRange(bytes);
            }
            return at;
        }

        public void Unsigned(ulong value)
        {
            for (; value >= 0x80; value >>= 7)
                _bytes.Add((byte)(value | 0x80));
            _bytes.Add((byte)value);
        }

        public void Signed(long value)
        {
            while (value is < -64 or > 63)
            {
                _bytes.Add((byte)(value | 0x80));
                value >>= 7;
            }
            _bytes.Add((byte)(value & 0x7f));
        }

        public byte[] ToArray() => [.. _bytes];
    }
}
