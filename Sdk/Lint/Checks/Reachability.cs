using System.Collections.Generic;
using Ukl.Lint.Elf;

namespace Ukl.Lint.Checks;

/// <summary>The sections that a link with --gc-sections keeps: what the roots refer to, directly or not.</summary>
internal static class Reachability
{
    public static HashSet<int> From(CodeGraph graph, IReadOnlyCollection<string> roots)
    {
        ElfFile elf = graph.Elf;
        var names = new HashSet<string>(roots);
        var reached = new HashSet<int>();
        var pending = new Stack<int>();
        void Reach(ElfSymbol symbol)
        {
            if (symbol.Section > 0 && reached.Add(symbol.Section))
                pending.Push(symbol.Section);
        }
        foreach (ElfSymbol symbol in elf.Symbols)
        {
            if (names.Contains(symbol.Name))
                Reach(symbol);
        }
        while (pending.TryPop(out int section))
        {
            foreach (ElfRelocation relocation in graph.RelocationsOf(section))
                Reach(elf.Symbols[relocation.Symbol]);
        }
        return reached;
    }
}
