using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Microsoft.CodeAnalysis;
using Ukl.Lint.Checks;
using Ukl.Lint.Elf;
using Ukl.Lint.Names;

namespace Ukl.Tests.Lint;

/// <summary>All snippets in one kernel, compiled once alone and once with a program, and what the checks say of them.</summary>
public sealed class DisciplineFixture : IDisposable
{
    private const string KernelName = "Ukl.Kernel";

    private readonly Toolchain _tools = new();

    public DisciplineFixture()
    {
        Source = KernelSource();
        KernelAssembly = _tools.Compile(KernelName, OutputKind.DynamicallyLinkedLibrary, ("/source/Kernel/Snippets.cs", Source), ("/source/Attributes.cs", Toolchain.RuntimeAttributes));
        string program = _tools.Compile("Program", OutputKind.ConsoleApplication, ("/source/Program.cs", "class Program { static void Main() { } }"));
        KernelObject = ElfFile.Read(_tools.CompileKernel(KernelAssembly, "kernel.o"));
        JointObject = ElfFile.Read(_tools.CompileJointly(program, KernelAssembly, "joint.o"));
        Kernel = CheckKernel([.. KernelObject.Symbols.Where(symbol => symbol.Type == ElfSymbolType.Function && symbol.Name.Contains("_Test_", StringComparison.Ordinal)).Select(symbol => symbol.Name)]);
        using Demangler names = Names();
        Joint = DisciplineCheck.Run(JointObject, names, new([KernelName], null, new HashSet<string>()));
    }

    internal string Source { get; }

    internal string KernelAssembly { get; }

    internal ElfFile KernelObject { get; }

    internal ElfFile JointObject { get; }

    internal IReadOnlyList<Violation> Kernel { get; }

    internal IReadOnlyList<Violation> Joint { get; }

    public void Dispose() => _tools.Dispose();

    /// <summary>The kernel-only check from these roots; the rest of the link defines what the kernel's own object files do.</summary>
    internal List<Violation> CheckKernel(IReadOnlyCollection<string> roots)
    {
        using Demangler names = Names();
        var provided = new HashSet<string>(KernelObject.Symbols.Where(symbol => symbol.IsUndefined && Constructs.IsAllowed(symbol.Name)).Select(symbol => symbol.Name));
        return DisciplineCheck.Run(KernelObject, names, new([KernelName], roots, provided));
    }

    /// <summary>The line of the source that a class's members are on, from 1.</summary>
    internal int LineOf(string snippet) => Array.FindIndex(Source.Split('\n'), line => line.Contains($"class {snippet} ", StringComparison.Ordinal)) + 1;

    private Demangler Names() => new([KernelAssembly, Toolchain.CoreLibrary]);

    private static string KernelSource()
    {
        var text = new StringBuilder("""
            using System;
            using System.Buffers.Binary;
            using System.Collections.Generic;
            using System.Numerics;
            using System.Runtime;
            using System.Runtime.CompilerServices;
            using System.Runtime.InteropServices;
            using System.Threading;
            using System.Threading.Tasks;
            [module: SkipLocalsInit]
            namespace Ukl.Kernel.Test;

            """);
        text.Append(Snippets.Types).Append('\n');
        foreach (Snippet snippet in Snippets.All)
            text.Append($"static unsafe class {snippet.Name} {{ {snippet.Members} }}\n");
        text.Append($"static class {Snippets.Async.Name} {{ {Snippets.Async.Members} }}\n");
        return text.ToString();
    }
}
