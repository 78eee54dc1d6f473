using System;
using System.Linq;
using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Ukl.Generators;
using Ukl.Kernel.Arch;
using Xunit;

namespace Ukl.Tests.Generators;

public unsafe class SyscallTableTests
{
    // What the tests call: dispatches through the table, as the kernel's entry does.
    private const string Dispatch = """
        internal static unsafe class Dispatch
        {
            private static long Unknown(TrapFrame* frame) => -38;

            public static long Call(long number, nint frame)
            {
                delegate*<TrapFrame*, long>* table = stackalloc delegate*<TrapFrame*, long>[SyscallTable.Count];
                SyscallTable.Fill(table, &Unknown);
                return table[number]((TrapFrame*)frame);
            }
        }
        """;

    private static long Run(string members, long number, TrapFrame frame, string others = "")
    {
        Assembly assembly = KernelCompilation.Calls(members, Dispatch + others).Load();
        return (long)KernelCompilation.Call(assembly, "Ukl.Kernel.Syscalls.Dispatch", "Call", number, (nint)(&frame))!;
    }

    [Fact]
    public void Arguments_come_from_the_registers_in_order()
    {
        const string Call = """[Syscall(9, "mmap")] public static Result M(ulong a, ulong b, ulong c, ulong d, ulong e, ulong f) => a + 10 * b + 100 * c + 1000 * d + 10000 * e + 100000 * f;""";
        Assert.Equal(654321, Run(Call, 9, new() { Rdi = 1, Rsi = 2, Rdx = 3, R10 = 4, R8 = 5, R9 = 6 }));
    }

    [Theory]
    [InlineData("int", -1L)]
    [InlineData("uint", 0xffff_ffffL)]
    [InlineData("short", -1L)]
    [InlineData("ushort", 0xffffL)]
    [InlineData("byte", 0xffL)]
    [InlineData("sbyte", -1L)]
    [InlineData("long", 0x1234_ffff_ffffL)]
    [InlineData("nint", 0x1234_ffff_ffffL)]
    [InlineData("ulong", 0x1234_ffff_ffffL)]
    [InlineData("nuint", 0x1234_ffff_ffffL)]
    [InlineData("Small", 0xffL)]
    public void Registers_are_cut_to_the_parameter(string type, long expected)
    {
        string call = $$"""[Syscall(0, "read")] public static Result M({{type}} value) => new((long)value);""";
        Assert.Equal(expected, Run(call, 0, new() { Rdi = 0x1234_ffff_ffff }, "enum Small : byte { A }"));
    }

    [Fact]
    public void Small_structs_are_made_of_registers()
    {
        const string Call = """
            [Syscall(0, "read")] public static Result M(Fd fd, UserSpan span, TrapFrame* frame, UserPtr<int> pointer, UserString text, Pid pid) =>
                (ulong)fd.Value + span.Address + span.Length + pointer.Address + text.Address + (ulong)pid.Value + frame->Rax;
            """;
        Assert.Equal(1234567, Run(Call, 0, new() { Rdi = 1_000_000, Rsi = 200_000, Rdx = 30_000, R10 = 4_000, R8 = 500, R9 = 60, Rax = 7 }));
    }

    [Fact]
    public void A_call_without_handler_gets_the_unknown_one()
    {
        Assert.Equal(-38, Run("""[Syscall(0, "read")] public static Result M() => 1;""", 1, default));
        Assert.Equal(-38, Run("""[Syscall(0, "read")] public static Result M() => 1;""", LinuxSyscalls.Count - 1, default));
    }

    [Fact]
    public void Errors_are_negated() =>
        Assert.Equal(-9, Run("""[Syscall(3, "close")] public static Result M(Fd fd) => Errno.EBADF;""", 3, default));

    [Theory]
    [InlineData("""[Syscall(0, "read")] public static Result A() => 0; [Syscall(0, "read")] public static Result B() => 0;""", "UKL0001")]
    [InlineData("""[Syscall(0, "read")] public static Result A() => 0; [Syscall(1, "read")] public static Result B() => 0;""", "UKL0002,UKL0008")]
    [InlineData("""[Syscall(0, "read")] public static Result A(string text) => 0;""", "UKL0003")]
    [InlineData("""[Syscall(0, "read")] public static Result A(byte* bytes) => 0;""", "UKL0003")]
    [InlineData("""[Syscall(0, "read")] public static Result A(bool value) => 0;""", "UKL0003")]
    [InlineData("""[Syscall(0, "read")] public static Result A(ref int value) => 0;""", "UKL0003")]
    [InlineData("""[Syscall(0, "read")] public static Result A(Span<byte> span) => 0;""", "UKL0003")]
    [InlineData("""[Syscall(0, "read")] public static long A() => 0;""", "UKL0005")]
    [InlineData("""[Syscall(0, "read")] public static void A() { }""", "UKL0005")]
    [InlineData("""[Syscall(-1, "read")] public static Result A() => 0;""", "UKL0006")]
    [InlineData("""[Syscall(335, "read")] public static Result A() => 0;""", "UKL0006")]
    [InlineData("""[Syscall(5000, "read")] public static Result A() => 0;""", "UKL0006")]
    [InlineData("""[Syscall(0, "read")] public static Result A(int a, int b, int c, int d, int e, UserSpan f) => 0;""", "UKL0007")]
    [InlineData("""[Syscall(0, "raed")] public static Result A() => 0;""", "UKL0008")]
    [InlineData("""[Syscall(0, "read")] private static Result A() => 0;""", "UKL0009")]
    [InlineData("""[Syscall(0, "read")] public static Result A<T>() => 0;""", "UKL0009")]
    public void A_wrong_declaration_is_an_error_and_makes_no_wrapper(string members, string rules)
    {
        KernelCompilation kernel = KernelCompilation.Calls(members);
        Assert.Equal(rules.Split(','), kernel.RuleIds.Order());
        Assert.All(kernel.Diagnostics, d => Assert.Equal(DiagnosticSeverity.Error, d.Severity));
        Assert.All(kernel.Diagnostics, d => Assert.Equal("Test0.cs", d.Location.GetLineSpan().Path));
        Assert.DoesNotContain(kernel.Compilation.GetDiagnostics(TestContext.Current.CancellationToken), d => d.Severity == DiagnosticSeverity.Error);
    }

    [Fact]
    public void An_instance_method_is_an_error()
    {
        KernelCompilation kernel = KernelCompilation.Calls("", """class Other { [Syscall(0, "read")] public Result A() => 0; }""");
        Assert.Equal(["UKL0004"], kernel.RuleIds);
    }

    [Fact]
    public void A_kernel_without_calls_still_has_a_table() =>
        Assert.Equal(-38, Run("", 0, default));

    [Fact]
    public void An_edit_elsewhere_does_not_parse_or_emit_again()
    {
        KernelCompilation kernel = KernelCompilation.Calls("""[Syscall(0, "read")] public static Result M() => 1;""");
        SyntaxTree other = CSharpSyntaxTree.ParseText("class Unrelated;", new CSharpParseOptions(LanguageVersion.CSharp14), "Other.cs", cancellationToken: TestContext.Current.CancellationToken);
        Compilation original = kernel.Compilation.RemoveSyntaxTrees(kernel.Compilation.SyntaxTrees.Where(tree => tree.FilePath.EndsWith(".g.cs", StringComparison.Ordinal)));
        GeneratorDriver driver = kernel.Driver.RunGenerators(original, TestContext.Current.CancellationToken).RunGenerators(original.AddSyntaxTrees(other), TestContext.Current.CancellationToken);
        var outputs = driver.GetRunResult().Results.Single().TrackedOutputSteps.SelectMany(step => step.Value).SelectMany(step => step.Outputs);
        Assert.All(outputs, output => Assert.Equal(IncrementalStepRunReason.Cached, output.Reason));
    }
}
