// The table of methods and source lines that a second link puts at the end of the image (section .ukl.symbols). Written by Sdk/Lint/Symbols/SymbolTableWriter.cs,
// which documents the layout; Tests/Lint reads with this what that writes.
using System;

namespace Ukl.Kernel.Diagnostics;

/// <summary>What is known about an address. The texts are UTF-8; empty when unknown.</summary>
internal ref struct Symbol
{
    /// <summary>The type with its namespace; empty for a native function.</summary>
    public ReadOnlySpan<byte> Type;

    /// <summary>The method or function.</summary>
    public ReadOnlySpan<byte> Method;

    /// <summary>Bytes from the method's start.</summary>
    public ulong Offset;

    /// <summary>The source file.</summary>
    public ReadOnlySpan<byte> File;

    /// <summary>The line in it, from 1.</summary>
    public uint Line;
}

/// <summary>Looks addresses up in the symbol table. Reads only; safe in a panic, and on a damaged table finds nothing.</summary>
internal readonly ref struct SymbolTable
{
    public const uint Magic = 0x534c4b55;
    public const uint Version = 1;

    private const int MethodSize = 16;
    private const uint None = 0xffff_ffff;

    private readonly ReadOnlySpan<byte> _data;
    private readonly ulong _base;
    private readonly int _methodCount;
    private readonly int _methods;
    private readonly int _files;
    private readonly int _fileCount;

    /// <summary>Opens a table; <see cref="IsEmpty"/> when it is none.</summary>
    public SymbolTable(ReadOnlySpan<byte> data)
    {
        var header = new ByteReader(data, 0);
        if (header.UInt32() != Magic || header.UInt32() != Version)
            return;
        _base = header.UInt64();
        _methodCount = (int)header.UInt32();
        _methods = (int)header.UInt32();
        _fileCount = (int)header.UInt32();
        _files = (int)header.UInt32();
        FrameHeaderAddress = header.UInt64();
        FrameHeaderLength = header.UInt64();
        FramesAddress = header.UInt64();
        FramesLength = header.UInt64();
        if (!header.IsDamaged && (uint)_methods <= (uint)data.Length && (uint)_methodCount <= (uint)(data.Length - _methods) / MethodSize)
            _data = data;
    }

    /// <summary>Whether there is no table.</summary>
    public bool IsEmpty => _data.IsEmpty;

    /// <summary>Where .eh_frame_hdr was loaded.</summary>
    public readonly ulong FrameHeaderAddress;

    /// <summary>Its length in bytes.</summary>
    public readonly ulong FrameHeaderLength;

    /// <summary>Where .eh_frame was loaded.</summary>
    public readonly ulong FramesAddress;

    /// <summary>Its length in bytes.</summary>
    public readonly ulong FramesLength;

    /// <summary>The method that an address lies in, and its line.</summary>
    public bool TryFind(ulong address, out Symbol symbol)
    {
        symbol = default;
        if (address < _base || address - _base > uint.MaxValue)
            return false;
        uint offset = (uint)(address - _base);
        int low = 0, high = IsEmpty ? 0 : _methodCount;
        while (low < high)
        {
            int middle = (int)((uint)(low + high) / 2);
            if (Method(middle).UInt32() <= offset)
                low = middle + 1;
            else
                high = middle;
        }
        if (low == 0)
            return false;
        ByteReader method = Method(low - 1);
        uint start = method.UInt32();
        uint type = method.UInt32();
        uint name = method.UInt32();
        uint lines = method.UInt32();
        if (name == None)
            return false;
        symbol.Offset = offset - start;
        symbol.Type = Text(type);
        symbol.Method = Text(name);
        if (lines != None)
            FindLine(lines, offset - start, ref symbol);
        return true;
    }

    private ByteReader Method(int index) => new(_data, _methods + (index * MethodSize));

    private ReadOnlySpan<byte> Text(uint offset)
    {
        if (offset >= (uint)_data.Length)
            return default;
        var reader = new ByteReader(_data, (int)offset);
        ulong length = reader.Unsigned();
        int start = reader.Position;
        reader.Skip(length);
        return reader.IsDamaged ? default : _data.Slice(start, (int)length);
    }

    private void FindLine(uint at, uint offset, ref Symbol symbol)
    {
        if (at >= (uint)_data.Length)
            return;
        var rows = new ByteReader(_data, (int)at);
        ulong file = rows.Unsigned();
        long line = (long)rows.Unsigned();
        ulong reached = 0;
        while (!rows.IsDamaged)
        {
            ulong step = rows.Unsigned();
            if (step == 0 || reached + step > offset)
                break;
            reached += step;
            line += rows.Signed();
        }
        if (rows.IsDamaged || file >= (uint)_fileCount)
            return;
        symbol.Line = (uint)line;
        var entry = new ByteReader(_data, _files + ((int)file * sizeof(uint)));
        symbol.File = Text(entry.UInt32());
    }
}
