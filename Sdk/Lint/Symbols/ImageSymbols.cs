using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Ukl.Lint.Dwarf;
using Ukl.Lint.Elf;
using Ukl.Lint.Names;

namespace Ukl.Lint.Symbols;

/// <summary>How much an image's symbol table tells.</summary>
/// <param name="Kernel">The kernel's assemblies: always with names and lines.</param>
/// <param name="Program">The program's assemblies: names and lines as far as the budget goes.</param>
/// <param name="SourceRoot">Source files in this folder are named relative to it; null for names as they are.</param>
/// <param name="Budget">The part of the image's size that all but the kernel's own may take, in percent.</param>
public sealed record SymbolOptions(IReadOnlyList<string> Kernel, IReadOnlyList<string> Program, string? SourceRoot, int Budget = 3);

/// <summary>Makes the symbol table of a linked image. The image must still have its symbols and line tables.</summary>
public static class ImageSymbols
{
    /// <summary>The section that holds the table in the image.</summary>
    public const string SectionName = ".ukl.symbols";

    // What is left out first stands last.
    private enum Importance
    {
        Kernel,
        Program,
        Library,
        Native,
    }

    /// <summary>Makes the table.</summary>
    public static byte[] Make(ElfFile image, Demangler names, SymbolOptions options)
    {
        LineTable lines = LineTable.Read(image);
        List<(SymbolEntry Entry, Importance Importance)> all = [.. FunctionsOf(image, names, options, lines)];
        Range header = RangeOf(image, ".eh_frame_hdr"), frames = RangeOf(image, ".eh_frame");
        ulong size = image.Segments.Where(segment => segment.Type == ElfSegment.Load).Aggregate(0ul, (sum, segment) => sum + segment.FileSize);
        size -= Math.Min(size, image.Find(SectionName)?.Size ?? 0);
        byte[] Write(Importance least) =>
            SymbolTableWriter.Write([.. all.Where(function => function.Importance <= least).Select(function => function.Entry)], header, frames);
        byte[] kernel = Write(Importance.Kernel);
        for (Importance least = Importance.Native; least > Importance.Kernel; least--)
        {
            byte[] table = Write(least);
            if ((ulong)(table.Length - kernel.Length) * 100 <= size * (ulong)options.Budget)
                return table;
        }
        return kernel;
    }

    private static IEnumerable<(SymbolEntry, Importance)> FunctionsOf(ElfFile image, Demangler names, SymbolOptions options, LineTable lines)
    {
        ElfSymbol[] functions = [.. image.Symbols
            .Where(symbol => symbol.Type == ElfSymbolType.Function && symbol.Section > 0 && image.Sections[symbol.Section].IsCode)
            .OrderBy(symbol => symbol.Value)];
        for (int i = 0; i < functions.Length;)
        {
            int next = i + 1;
            while (next < functions.Length && functions[next].Value == functions[i].Value)
                next++;
            ulong limit = next < functions.Length ? functions[next].Value : ulong.MaxValue;
            // Of several names of one place, the managed method's says most.
            ElfSymbol symbol = functions[i];
            MethodName? method = null;
            for (int candidate = i; candidate < next && method is null; candidate++)
            {
                method = names.Find(functions[candidate].Name);
                if (method is not null)
                    symbol = functions[candidate];
            }
            i = next;
            ulong end = symbol.Size == 0 ? Math.Min(limit, EndOf(image, symbol)) : Math.Min(limit, symbol.Value + symbol.Size);
            Importance importance = ImportanceOf(symbol, method, options);
            (string? file, List<(ulong, int)> rows) = importance <= Importance.Program ? RowsOf(lines, symbol.Value, end, options.SourceRoot) : (null, []);
            yield return (new(symbol.Value, end, method?.Type ?? "", method?.Method ?? symbol.Name, file, rows), importance);
        }
    }

    private static ulong EndOf(ElfFile image, ElfSymbol symbol) => image.Sections[symbol.Section].Address + image.Sections[symbol.Section].Size;

    private static Importance ImportanceOf(ElfSymbol symbol, MethodName? method, SymbolOptions options)
    {
        if (method is null)
            return symbol.Name.StartsWith("ukl_", StringComparison.Ordinal) ? Importance.Kernel : Importance.Native;
        if (options.Kernel.Contains(method.Assembly))
            return Importance.Kernel;
        return options.Program.Contains(method.Assembly) ? Importance.Program : Importance.Library;
    }

    private static (string? File, List<(ulong Address, int Line)> Rows) RowsOf(LineTable lines, ulong start, ulong end, string? root)
    {
        var rows = new List<(ulong, int)>();
        int file = -1;
        for (int i = lines.LowerBound(0, start); i < lines.Rows.Count && lines.Rows[i].Address < end; i++)
        {
            LineRow row = lines.Rows[i];
            if (row.Line <= 0 || (file >= 0 && row.File != file))
                continue;
            file = row.File;
            rows.Add((row.Address, row.Line));
        }
        if (file < 0)
            return (null, rows);
        string path = lines.Files[file];
        if (root is not null && Path.GetRelativePath(root, path) is var relative && !relative.StartsWith("..", StringComparison.Ordinal))
            path = relative;
        return (path, rows);
    }

    private static Range RangeOf(ElfFile image, string section) => image.Find(section) is { } found ? new(found.Address, found.Size) : default;
}
