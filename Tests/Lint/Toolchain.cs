using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Emit;
using Microsoft.CodeAnalysis.Text;

namespace Ukl.Tests.Lint;

/// <summary>Roslyn, ilc, gcc and lld on small sources, in a folder that is deleted at the end.</summary>
internal sealed class Toolchain : IDisposable
{
    /// <summary>The two attributes by which ilc matches methods and symbols, as Kernel/Arch/RuntimeAttributes.cs declares them.</summary>
    public const string RuntimeAttributes = """
        namespace System.Runtime;
        class RuntimeExportAttribute(string name) : Attribute { public string Name { get; } = name; }
        class RuntimeImportAttribute(string library, string name) : Attribute { public string Library { get; } = library; public string Name { get; } = name; }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("ukl-lint-").FullName;

    public static string CoreLibrary => Path.Combine(Metadata("RuntimePack"), "lib", "net10.0") is var library && File.Exists(Path.Combine(library, "System.Private.CoreLib.dll"))
        ? Path.Combine(library, "System.Private.CoreLib.dll")
        : Path.Combine(Metadata("RuntimePack"), "native", "System.Private.CoreLib.dll");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public string At(string name) => Path.Combine(_folder, name);

    /// <summary>Compiles C# to an assembly with a portable PDB beside it.</summary>
    public string Compile(string name, OutputKind kind, params (string File, string Text)[] sources)
    {
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path));
        var compilation = CSharpCompilation.Create(
            name,
            sources.Select(source => CSharpSyntaxTree.ParseText(SourceText.From(source.Text, Encoding.UTF8), new(LanguageVersion.CSharp14), source.File)),
            references,
            new CSharpCompilationOptions(kind, allowUnsafe: true, optimizationLevel: OptimizationLevel.Release));
        string assembly = At(name + ".dll");
        using FileStream image = File.Create(assembly), symbols = File.Create(At(name + ".pdb"));
        EmitResult result = compilation.Emit(image, symbols, options: new EmitOptions(debugInformationFormat: DebugInformationFormat.PortablePdb));
        if (!result.Success)
            throw new InvalidOperationException(string.Join('\n', result.Diagnostics));
        return assembly;
    }

    /// <summary>The kernel-only compilation.</summary>
    public string CompileKernel(string assembly, string output) => Ilc([assembly, $"-o:{At(output)}", "--nativelib", "--multifile"], At(output));

    /// <summary>The joint compilation of a program and a kernel of which every method counts as used.</summary>
    public string CompileJointly(string program, string kernel, string output) =>
        Ilc([program, $"-r:{kernel}", $"-o:{At(output)}", $"--root:{Path.GetFileNameWithoutExtension(kernel)}"], At(output));

    /// <summary>The joint compilation of a program and what a kernel exports, as the build of an image does it.</summary>
    public string CompileWithExports(string program, string kernel, string output, params string[] options) =>
        Ilc([program, $"-r:{kernel}", $"-o:{At(output)}", $"--generateunmanagedentrypoints:{Path.GetFileNameWithoutExtension(kernel)},HIDDEN", .. options], At(output));

    public void Run(string program, params IEnumerable<string> arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = _folder })!;
        System.Threading.Tasks.Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} ended with {process.ExitCode}\n{output}\n{errors.Result}");
    }

    private string Ilc(IEnumerable<string> arguments, string output)
    {
        string pack = Metadata("RuntimePack");
        Run(Metadata("Ilc"), [.. arguments, $"-r:{pack}/native/*.dll", $"-r:{pack}/lib/net10.0/*.dll", "--targetos:linux", "--targetarch:x64", "-O", "-g"]);
        return output;
    }

    public static string Metadata(string key) =>
        Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;
}
