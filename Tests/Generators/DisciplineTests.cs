using System.Linq;
using System.Threading.Tasks;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Ukl.Generators;
using Xunit;

namespace Ukl.Tests.Generators;

public class DisciplineTests
{
    private static async Task<string[]> Analyze(string members, string path = "Kernel/Test.cs")
    {
        string source = $$"""
            using System;
            using System.Collections.Generic;
            using System.Runtime.InteropServices;
            using System.Threading;
            using System.Threading.Tasks;
            using System.Diagnostics.CodeAnalysis;
            using Ukl.Kernel.Abi;
            namespace Ukl.Kernel.Test;
            class Plain { public int Field; }
            interface IShape { int Area(); }
            struct Square : IShape { public int Area() => 1; }
            static class Code
            {
                {{members}}
            }
            """;
        Compilation compilation = KernelCompilation.Of(source).Compilation;
        SyntaxTree old = compilation.SyntaxTrees.First(tree => tree.FilePath == "Test0.cs");
        compilation = compilation.ReplaceSyntaxTree(old, old.WithFilePath(path));
        Assert.DoesNotContain(compilation.GetDiagnostics(), d => d.Severity == DiagnosticSeverity.Error);
        var withAnalyzer = compilation.WithAnalyzers([new DisciplineAnalyzer()]);
        return [.. (await withAnalyzer.GetAnalyzerDiagnosticsAsync()).Select(d => d.Id).Distinct().Order()];
    }

    [Theory]
    [InlineData("static void M() => throw null;", "UKL0101")]
    [InlineData("static void M() { throw new Exception(); }", "UKL0101,UKL0103")]
    [InlineData("static void M() { try { } catch { } }", "UKL0102")]
    [InlineData("static void M() { try { } finally { } }", "UKL0102")]
    [InlineData("static void M(IDisposable d) { using var x = d; }", "UKL0102")]
    [InlineData("static object M() => new Plain();", "UKL0103")]
    [InlineData("static object M() => new { A = 1 };", "UKL0103")]
    [InlineData("static int[] M() => new int[3];", "UKL0103")]
    [InlineData("static int[] M() => [1, 2];", "UKL0103")]
    [InlineData("static void M() => N(1, 2); static void N(params int[] x) { }", "UKL0103")]
    [InlineData("static object M(int x) => x;", "UKL0104")]
    [InlineData("static IShape M(Square x) => x;", "UKL0104")]
    [InlineData("static string M() => \"text\";", "UKL0105")]
    [InlineData("static string M(string x) => $\"{x}\";", "UKL0105")]
    [InlineData("static Action M() => () => { };", "UKL0106")]
    [InlineData("static Action M() => N; static void N() { }", "UKL0106")]
    [InlineData("static int s_x = 3;", "UKL0107")]
    [InlineData("static int X { get; } = 3;", "UKL0107")]
    [InlineData("static Code() { }", "UKL0107")]
    [InlineData("static Plain s_x;", "UKL0108")]
    [InlineData("[ThreadStatic] static int s_x;", "UKL0109")]
    [InlineData("static void M(object x) { lock (x) { } }", "UKL0110")]
    [InlineData("static int M(IShape x) => x.Area();", "UKL0111")]
    [InlineData("static async Task M() => await Task.Yield();", "UKL0112")]
    [InlineData("static IEnumerable<int> M() { yield return 1; }", "UKL0112")]
    [InlineData("static int M(int x) => checked(x + 1);", "UKL0113")]
    [InlineData("static int M(long x) => checked((int)x);", "UKL0113")]
    [InlineData("static decimal M(decimal x) => x + x;", "UKL0113")]
    [InlineData("static UInt128 M(UInt128 x) => x * x;", "UKL0113")]
    [InlineData("[UnmanagedCallersOnly] static void M() { }", "UKL0114")]
    [InlineData("static Type M() => typeof(int);", "UKL0115")]
    public async Task A_forbidden_construct_is_an_error(string members, string rules) =>
        Assert.Equal(rules.Split(','), await Analyze(members));

    [Theory]
    [InlineData("const string Name = \"x\"; [Obsolete(Name)] static void M() { }")]
    [InlineData("[Syscall(0, \"read\", Limits = \"none\")] internal static Result M() => Errno.EBADF;")]
    [InlineData("static ReadOnlySpan<byte> X => [1, 2, 3]; static ReadOnlySpan<byte> Y => \"text\"u8; static ReadOnlySpan<byte> Z => new byte[] { 1, 2 };")]
    [InlineData("static int s_x; static void M() { s_x = 3; Interlocked.Increment(ref s_x); }")]
    [InlineData("static unsafe delegate*<int> M() => &N; static int N() => new Square().Area();")]
    [InlineData("static int M<T>(T x) where T : struct, IShape => x.Area();")]
    [InlineData("static void M() { Span<byte> x = stackalloc byte[10]; foreach (ref byte y in x) y = 1; }")]
    public async Task What_needs_no_runtime_is_allowed(string members) => Assert.Empty(await Analyze(members));

    [Fact]
    public async Task The_hosted_machine_is_exempt() =>
        Assert.Empty(await Analyze("[ThreadStatic] static object s_x; static Action M() => () => throw new Exception(\"text\");", "/work/Kernel/Arch/Hosted/Test.cs"));
}
