using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.IO;
using System.Linq;
using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Ukl.Generators;
using Ukl.Kernel.Abi;

namespace Ukl.Tests.Generators;

/// <summary>A small kernel, compiled in memory with the generator against the kernel's own types.</summary>
internal sealed class KernelCompilation
{
    private static readonly MetadataReference[] s_references =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal))
            .Append(typeof(SyscallAttribute).Assembly.Location)
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    // This assembly lets one of this name see its internals.
    private const string AssemblyName = "TestKernel";

    private readonly Compilation _compilation;

    private KernelCompilation(Compilation compilation, ImmutableArray<Diagnostic> diagnostics, GeneratorDriver driver)
    {
        _compilation = compilation;
        Diagnostics = diagnostics;
        Driver = driver;
    }

    public ImmutableArray<Diagnostic> Diagnostics { get; }

    public GeneratorDriver Driver { get; }

    public Compilation Compilation => _compilation;

    /// <summary>Compiles the members of one class of system calls, and what else is given.</summary>
    public static KernelCompilation Calls(string members, string others = "") => Of($$"""
        using System;
        using Ukl.Kernel.Abi;
        using Ukl.Kernel.Arch;
        using Ukl.Kernel.Memory;
        namespace Ukl.Kernel.Syscalls;
        {{others}}
        internal static unsafe class TestCalls
        {
            {{members}}
        }
        """);

    public static KernelCompilation Of(params string[] sources)
    {
        var options = new CSharpParseOptions(LanguageVersion.CSharp14);
        var compilation = CSharpCompilation.Create(
            AssemblyName,
            sources.Select((source, i) => CSharpSyntaxTree.ParseText(source, options, $"Test{i}.cs")),
            s_references,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true));
        GeneratorDriver driver = CSharpGeneratorDriver.Create(
            [new SyscallGenerator().AsSourceGenerator()],
            parseOptions: options,
            driverOptions: new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));
        driver = driver.RunGeneratorsAndUpdateCompilation(compilation, out Compilation result, out ImmutableArray<Diagnostic> diagnostics);
        return new(result, diagnostics, driver);
    }

    public static string Resource(string name)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }

    /// <summary>The rules reported.</summary>
    public IEnumerable<string> RuleIds => Diagnostics.Select(d => d.Id);

    /// <summary>Loads the compiled kernel.</summary>
    public Assembly Load()
    {
        using var image = new MemoryStream();
        var emitted = _compilation.Emit(image);
        if (!emitted.Success)
            throw new InvalidOperationException(string.Join('\n', emitted.Diagnostics));
        return Assembly.Load(image.ToArray());
    }

    /// <summary>Calls a static method of the compiled kernel; pointers are passed as nint.</summary>
    public static object? Call(Assembly assembly, string type, string method, params object[] arguments) =>
        assembly.GetType(type)!.GetMethod(method, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!.Invoke(null, arguments);
}
