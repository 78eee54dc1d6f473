using System;
using System.Collections.Generic;
using System.Linq;
using Ukl.Lint.Dwarf;
using Ukl.Lint.Elf;
using Ukl.Lint.Names;

namespace Ukl.Lint.Checks;

/// <summary>What a check looks at.</summary>
/// <param name="Assemblies">The names of the assemblies under the discipline.</param>
/// <param name="Roots">For a kernel compiled alone: the symbols that the link starts from. Null: every kernel method of the object counts, as in a joint one.</param>
/// <param name="Provided">Symbols that other objects of the link define.</param>
public sealed record CheckOptions(IReadOnlyList<string> Assemblies, IReadOnlyCollection<string>? Roots, IReadOnlySet<string> Provided);

/// <summary>
/// Finds the kernel methods whose machine code gives a forbidden construct away: by what it refers to, directly or through generic code of the class library that
/// was made for the kernel's types.
/// </summary>
public sealed class DisciplineCheck
{
    private readonly CodeGraph _graph;
    private readonly Demangler _names;
    private readonly CheckOptions _options;
    private readonly string[] _prefixes;
    private readonly List<Violation> _violations = [];
    private readonly HashSet<(string, string)> _reported = [];
    private readonly Dictionary<int, (Construct Construct, string Argument, string Symbol)?> _throughLibrary = [];
    private LineTable? _lines;

    private DisciplineCheck(ElfFile elf, Demangler names, CheckOptions options)
    {
        _graph = new(elf);
        _names = names;
        _options = options;
        _prefixes = [.. options.Assemblies.Select(assembly => Mangling.Assembly(assembly) + "_")];
    }

    /// <summary>Checks an object.</summary>
    public static List<Violation> Run(ElfFile elf, Demangler names, CheckOptions options)
    {
        var check = new DisciplineCheck(elf, names, options);
        check.Run();
        return check.WithoutConsequences();
    }

    private void Run()
    {
        HashSet<int>? reachable = _options.Roots is null ? null : Reachability.From(_graph, _options.Roots);
        var tryBlocks = new HashSet<string>(_graph.Elf.Symbols.Where(symbol => symbol.Name.StartsWith("__ehinfo_", StringComparison.Ordinal)).Select(symbol => symbol.Name["__ehinfo_".Length..]));
        foreach (ElfSymbol symbol in _graph.Elf.Symbols)
        {
            if (symbol.Type != ElfSymbolType.Function || symbol.Section <= 0 || !IsKernel(symbol.Name))
                continue;
            if (reachable is not null && !reachable.Contains(symbol.Section))
                continue;
            if (IsExempt(symbol.Name))
                continue;
            CheckMethod(symbol);
            foreach (ulong offset in LostAddresses.Find(_graph, symbol))
                Report(symbol, offset, Construct.LostAddress, "", "no relocation");
            if (tryBlocks.Contains(symbol.Name))
                Report(symbol, symbol.Value, Construct.Try, "", "__ehinfo_" + symbol.Name);
        }
    }

    /// <summary>A line that allocates or throws also calls and stores things; the first cause is said, its consequences are not.</summary>
    private List<Violation> WithoutConsequences()
    {
        var causes = new HashSet<(string, int)>(_violations.Where(violation => !IsConsequence(violation)).Select(violation => (violation.Method, violation.Line)));
        return [.. _violations.Where(violation => !IsConsequence(violation) || !causes.Contains((violation.Method, violation.Line)))];
    }

    private static bool IsConsequence(Violation violation) =>
        violation.Id == Construct.Outside.Id || violation.Id == Construct.Undefined.Id || violation.Text == Construct.ReferenceStore.Text;

    private bool IsKernel(string symbol) => Array.Exists(_prefixes, prefix => symbol.StartsWith(prefix, StringComparison.Ordinal));

    // What the compiler adds for boxed values, and attributes, which only reflection makes.
    private bool IsExempt(string symbol) => symbol.EndsWith("____GetFieldHelper", StringComparison.Ordinal) || _names.IsAttribute(symbol);

    private void CheckMethod(ElfSymbol method)
    {
        string? type = null;
        foreach (Reference reference in _graph.ReferencesOf(method))
        {
            if (Constructs.MethodTableOf(reference.Target.Name) is { } table)
            {
                // The next reference says what is done with the type.
                if (type is not null)
                    Report(method, reference.Offset, Construct.Cast, "", type);
                type = table;
                continue;
            }
            if (Judge(reference.Target, type) is { } finding)
                Report(method, reference.Offset, finding.Construct, finding.Argument, finding.Symbol);
            type = null;
        }
        if (type is not null)
            Report(method, method.Value, Construct.Cast, "", type);
    }

    /// <summary>What is wrong with a reference; <paramref name="type"/> is the method table loaded just before it.</summary>
    private (Construct Construct, string Argument, string Symbol)? Judge(ElfSymbol target, string? type)
    {
        if (_options.Provided.Contains(target.Name) || Constructs.IsAllowed(target.Name) && !target.IsUndefined)
            return null;
        if (Constructs.Find(target.Name) is { } construct)
        {
            if (construct != Construct.Object)
                return (construct, "", target.Name);
            const string Boxed = "Boxed_";
            return type is not null && type.StartsWith(Boxed, StringComparison.Ordinal)
                ? (Construct.Boxing, _names.DisplayType(type[Boxed.Length..]), target.Name)
                : (Construct.Object, type is null ? "unknown type" : _names.DisplayType(type), target.Name);
        }
        if (target.IsUndefined)
        {
            // In a joint object the rest of the link defines it, unless it is one of those above.
            return _options.Roots is null ? null : (Construct.Undefined, _names.Display(target.Name), target.Name);
        }
        if (target.Type != ElfSymbolType.Function || _graph.NamesOf(target).Any(IsKernel))
            return null;
        return IsInstance(target.Name) ? JudgeLibrary(target) : (Construct.Outside, _names.Display(target.Name), target.Name);
    }

    // Generic code of the class library over the kernel's types is compiled for the kernel; it is as good as what it does.
    private static bool IsInstance(string symbol) => symbol.Contains('<');

    private (Construct Construct, string Argument, string Symbol)? JudgeLibrary(ElfSymbol function)
    {
        if (_throughLibrary.TryGetValue(function.Index, out var known))
            return known;
        _throughLibrary[function.Index] = null; // recursion finds nothing new
        string? type = null;
        foreach (Reference reference in _graph.ReferencesOf(function))
        {
            string? table = Constructs.MethodTableOf(reference.Target.Name);
            if (table is null && Judge(reference.Target, type) is { } finding)
                return _throughLibrary[function.Index] = (finding.Construct, finding.Argument, $"{finding.Symbol} in {_names.Display(function.Name)}");
            type = table;
        }
        return null;
    }

    private void Report(ElfSymbol method, ulong offset, Construct construct, string argument, string symbol)
    {
        string text = string.Format(System.Globalization.CultureInfo.InvariantCulture, construct.Text, argument);
        if (!_reported.Add((method.Name, text)))
            return;
        _lines ??= LineTable.Read(_graph.Elf);
        (string File, int Line)? place = _lines.Find(method.Section, method.Value, method.Value + method.Size, offset);
        _violations.Add(new(construct.Id, _names.Display(method.Name), text, symbol, place?.File, place?.Line ?? 0));
    }
}
