// Addresses to source lines, from .debug_line. Source: DWARF 4 and 5, section 6.2. ilc writes version 4; C and assembly in the same image may have 5.
using System.Collections.Generic;
using Ukl.Lint.Elf;

namespace Ukl.Lint.Dwarf;

/// <summary>
/// One row: from <see cref="Address"/> on, code is of this line. A row with <see cref="IsEnd"/> closes a sequence; ilc gives it the address of the method's last
/// row and not that of the method's end, so it is a row like any other for whoever knows where the method is.
/// </summary>
public readonly record struct LineRow(int Section, ulong Address, int File, int Line, bool IsEnd);

/// <summary>All rows of an ELF file, sorted. In an object, addresses are offsets in the row's section; in an image the section is 0.</summary>
public sealed class LineTable
{
    private static readonly Comparer<LineRow> s_order = Comparer<LineRow>.Create(static (a, b) =>
        a.Section != b.Section ? a.Section.CompareTo(b.Section)
        : a.Address != b.Address ? a.Address.CompareTo(b.Address)
        : b.IsEnd.CompareTo(a.IsEnd));

    private readonly List<LineRow> _rows;
    private readonly List<string> _files;

    private LineTable(List<LineRow> rows, List<string> files)
    {
        _rows = rows;
        _files = files;
    }

    /// <summary>All rows, by section and address.</summary>
    public IReadOnlyList<LineRow> Rows => _rows;

    /// <summary>The source files that rows refer to.</summary>
    public IReadOnlyList<string> Files => _files;

    /// <summary>Reads the line tables of a file; empty when it has none.</summary>
    public static LineTable Read(ElfFile elf)
    {
        var rows = new List<LineRow>();
        var files = new List<string>();
        if (elf.Find(".debug_line") is { } section)
        {
            var reader = new LineProgramReader(elf, section, rows, files);
            reader.ReadAll();
            // Stable within one address: a later row of the same address is the one that counts.
            var keyed = new List<(LineRow Row, int Order)>(rows.Count);
            for (int i = 0; i < rows.Count; i++)
                keyed.Add((rows[i], i));
            keyed.Sort(static (a, b) => s_order.Compare(a.Row, b.Row) is var order and not 0 ? order : a.Order.CompareTo(b.Order));
            for (int i = 0; i < rows.Count; i++)
                rows[i] = keyed[i].Row;
        }
        return new(rows, files);
    }

    /// <summary>The index of the first row at or after an address.</summary>
    public int LowerBound(int section, ulong address)
    {
        int low = 0, high = _rows.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            LineRow row = _rows[middle];
            if (row.Section < section || (row.Section == section && row.Address < address))
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    /// <summary>The line of the instruction at an address of the function between <paramref name="start"/> and <paramref name="end"/>, or null.</summary>
    public (string File, int Line)? Find(int section, ulong start, ulong end, ulong address)
    {
        int index = LowerBound(section, address + 1) - 1;
        // Before the first row is the prologue: it belongs to the first line.
        if (index < 0 || _rows[index].Section != section || _rows[index].Address < start)
            index++;
        if (index >= _rows.Count)
            return null;
        LineRow row = _rows[index];
        return row.Section == section && row.Address >= start && row.Address < end && row.Line > 0 ? (_files[row.File], row.Line) : null;
    }
}
