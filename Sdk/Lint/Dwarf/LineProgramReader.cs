using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Ukl.Lint.Elf;

namespace Ukl.Lint.Dwarf;

/// <summary>Runs the line-number programs of .debug_line. Source: DWARF 4 and 5, section 6.2.</summary>
internal sealed class LineProgramReader
{
    private const int FirstVersion = 2, LastVersion = 5;
    private const int FormLineString = 0x1f, FormString = 0x08, FormStrp = 0x0e, FormUdata = 0x0f, FormData1 = 0x0b, FormData2 = 0x05, FormData4 = 0x06, FormData8 = 0x07, FormData16 = 0x1e, FormBlock = 0x09;
    private const int ContentPath = 1, ContentDirectory = 2;

    private readonly ElfFile _elf;
    private readonly ReadOnlyMemory<byte> _data;
    private readonly Dictionary<int, (int Section, ulong Offset)> _addresses = [];
    private readonly Dictionary<string, int> _fileIndexes = [];
    private readonly List<LineRow> _rows;
    private readonly List<string> _files;
    private int _at;

    public LineProgramReader(ElfFile elf, ElfSection section, List<LineRow> rows, List<string> files)
    {
        _elf = elf;
        _data = elf.ContentMemory(section);
        _rows = rows;
        _files = files;
        foreach (ElfRelocation relocation in elf.RelocationsOf(section.Index))
        {
            ElfSymbol symbol = elf.Symbols[relocation.Symbol];
            _addresses[(int)relocation.Offset] = (symbol.Section, symbol.Value + (ulong)relocation.Addend);
        }
    }

    private ReadOnlySpan<byte> Span => _data.Span;

    public void ReadAll()
    {
        try
        {
            while (_at + 4 <= _data.Length)
            {
                uint length = BinaryPrimitives.ReadUInt32LittleEndian(Span[_at..]);
                int next = checked(_at + 4 + (int)length);
                _at += 4;
                ReadUnit(next);
                _at = next;
            }
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or IndexOutOfRangeException or OverflowException)
        {
            throw new InvalidDataException($"{_elf.Path}: damaged .debug_line", e);
        }
    }

    private byte Byte() => Span[_at++];

    private ushort UInt16()
    {
        _at += 2;
        return BinaryPrimitives.ReadUInt16LittleEndian(Span[(_at - 2)..]);
    }

    private uint UInt32()
    {
        _at += 4;
        return BinaryPrimitives.ReadUInt32LittleEndian(Span[(_at - 4)..]);
    }

    private ulong Unsigned()
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte part = Byte();
            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80)
                return value;
        }
    }

    private long Signed()
    {
        long value = 0;
        for (int shift = 0; ;)
        {
            byte part = Byte();
            value |= (long)(part & 0x7f) << shift;
            shift += 7;
            if (part < 0x80)
                return shift < 64 && (part & 0x40) != 0 ? value | (-1L << shift) : value;
        }
    }

    private string Text() => Text(_data, ref _at);

    private static string Text(ReadOnlyMemory<byte> data, ref int at)
    {
        ReadOnlySpan<byte> rest = data.Span[at..];
        int end = rest.IndexOf((byte)0);
        if (end < 0)
            throw new ArgumentOutOfRangeException(nameof(data));
        at += end + 1;
        return Encoding.UTF8.GetString(rest[..end]);
    }

    private void ReadUnit(int end)
    {
        int version = UInt16();
        if (version is < FirstVersion or > LastVersion)
            return;
        if (version >= 5)
            _at += 2; // address size, segment selector size
        uint headerLength = UInt32();
        int program = checked(_at + (int)headerLength);
        int minimumInstructionLength = Byte();
        if (version >= 4)
            _at++; // operations per instruction: 1 on x86-64
        _at++; // default is_stmt
        int lineBase = (sbyte)Byte();
        int lineRange = Byte();
        int opcodeBase = Byte();
        var operands = new int[opcodeBase];
        for (int i = 1; i < opcodeBase; i++)
            operands[i] = Byte();
        int[] files = version >= 5 ? ReadFilesVersion5() : ReadFiles();
        _at = program;
        if (lineRange != 0)
            Run(end, minimumInstructionLength, lineBase, lineRange, opcodeBase, operands, files);
    }

    private int FileIndex(string directory, string name)
    {
        string path = name.StartsWith('/') || directory.Length == 0 ? name : directory + "/" + name;
        if (!_fileIndexes.TryGetValue(path, out int index))
        {
            index = _files.Count;
            _files.Add(path);
            _fileIndexes.Add(path, index);
        }
        return index;
    }

    private int[] ReadFiles()
    {
        var directories = new List<string> { "" };
        while (Text() is { Length: > 0 } directory)
            directories.Add(directory);
        var files = new List<int> { -1 };
        while (Text() is { Length: > 0 } name)
        {
            int directory = (int)Unsigned();
            Unsigned();
            Unsigned();
            files.Add(FileIndex(directory < directories.Count ? directories[directory] : "", name));
        }
        return [.. files];
    }

    private int[] ReadFilesVersion5()
    {
        var directories = new List<string>();
        ReadEntries((path, _) => directories.Add(path));
        var files = new List<int>();
        ReadEntries((path, directory) => files.Add(FileIndex(directory < directories.Count ? directories[directory] : "", path)));
        return [.. files];
    }

    private void ReadEntries(Action<string, int> add)
    {
        int formatCount = Byte();
        var formats = new (ulong Content, ulong Form)[formatCount];
        for (int i = 0; i < formatCount; i++)
            formats[i] = (Unsigned(), Unsigned());
        ulong count = Unsigned();
        if (formatCount == 0 && count != 0)
            throw new InvalidDataException($"{_elf.Path}: entries without a format in .debug_line");
        for (ulong i = 0; i < count; i++)
        {
            string path = "";
            int directory = 0;
            foreach ((ulong content, ulong form) in formats)
            {
                (string text, ulong number) = ReadForm(form);
                if (content == ContentPath)
                    path = text;
                else if (content == ContentDirectory)
                    directory = (int)number;
            }
            add(path, directory);
        }
    }

    private (string Text, ulong Number) ReadForm(ulong form)
    {
        switch (form)
        {
            case FormString:
                return (Text(), 0);
            case FormLineString:
                return (TextAt(".debug_line_str"), 0);
            case FormStrp:
                return (TextAt(".debug_str"), 0);
            case FormUdata:
                return ("", Unsigned());
            case FormData1:
                return ("", Byte());
            case FormData2:
                return ("", UInt16());
            case FormData4:
                return ("", UInt32());
            case FormData8:
                _at += 8;
                return ("", 0);
            case FormData16:
                _at += 16;
                return ("", 0);
            case FormBlock:
                ulong length = Unsigned();
                _at = checked(_at + (int)length);
                return ("", 0);
            default:
                throw new InvalidDataException($"{_elf.Path}: form 0x{form:x} in .debug_line");
        }
    }

    private string TextAt(string section)
    {
        int place = _at;
        ulong offset = UInt32();
        if (_addresses.TryGetValue(place, out (int Section, ulong Offset) target))
            offset = target.Offset;
        if (_elf.Find(section) is not { } table)
            return "";
        int at = checked((int)offset);
        return Text(_elf.ContentMemory(table), ref at);
    }

    private void Run(int end, int instructionLength, int lineBase, int lineRange, int opcodeBase, int[] operands, int[] files)
    {
        ulong address = 0;
        int section = 0, file = 1, line = 1;
        void Emit(bool isEnd) => _rows.Add(new(section, address, file < files.Length && files[file] >= 0 ? files[file] : 0, files.Length == 0 ? 0 : line, isEnd));

        while (_at < end)
        {
            int opcode = Byte();
            if (opcode >= opcodeBase)
            {
                int adjusted = opcode - opcodeBase;
                address += (ulong)(adjusted / lineRange * instructionLength);
                line += lineBase + (adjusted % lineRange);
                Emit(isEnd: false);
                continue;
            }
            switch (opcode)
            {
                case 0:
                    int size = checked((int)Unsigned());
                    int next = checked(_at + size);
                    switch (size > 0 ? Byte() : (byte)0)
                    {
                        case 1: // end of sequence
                            Emit(isEnd: true);
                            (address, section, file, line) = (0, 0, 1, 1);
                            break;
                        case 2: // set address
                            if (_addresses.TryGetValue(_at, out (int Section, ulong Offset) target))
                                (section, address) = target;
                            else
                                address = BinaryPrimitives.ReadUInt64LittleEndian(Span[_at..]);
                            break;
                    }
                    _at = next;
                    break;
                case 1: // copy
                    Emit(isEnd: false);
                    break;
                case 2: // advance the address
                    address += Unsigned() * (ulong)instructionLength;
                    break;
                case 3: // advance the line
                    line += (int)Signed();
                    break;
                case 4: // set the file
                    file = (int)Unsigned();
                    break;
                case 8: // advance the address by what the last special opcode would
                    address += (ulong)((255 - opcodeBase) / lineRange * instructionLength);
                    break;
                case 9: // advance the address by a fixed amount
                    address += UInt16();
                    break;
                default:
                    for (int i = 0; i < operands[opcode]; i++)
                        Unsigned();
                    break;
            }
        }
    }
}
