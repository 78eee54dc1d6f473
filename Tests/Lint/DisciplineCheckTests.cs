using System;
using System.Collections.Generic;
using System.Linq;
using Ukl.Lint.Checks;
using Ukl.Lint.Names;
using Xunit;

namespace Ukl.Tests.Lint;

public class DisciplineCheckTests(DisciplineFixture fixture) : IClassFixture<DisciplineFixture>
{
    public static IEnumerable<TheoryDataRow<string>> Forbidden =>
        Snippets.All.Append(Snippets.Async).Where(snippet => snippet.Finding is not null).Select(snippet => new TheoryDataRow<string>(snippet.Name));

    public static IEnumerable<TheoryDataRow<string>> Allowed =>
        Snippets.All.Where(snippet => snippet.Finding is null).Select(snippet => new TheoryDataRow<string>(snippet.Name));

    private static Snippet Find(string name) => Snippets.All.Append(Snippets.Async).Single(snippet => snippet.Name == name);

    private static string[] Of(IEnumerable<Violation> violations, string snippet) =>
        [.. violations.Where(violation => violation.Method.StartsWith($"Ukl.Kernel.Test.{snippet}.", StringComparison.Ordinal)).Select(violation => $"{violation.Id} {violation.Text}")];

    [Theory]
    [MemberData(nameof(Forbidden))]
    public void The_link_check_names_the_construct(string snippet) =>
        Assert.Contains(Of(fixture.Kernel, snippet), text => text.StartsWith(Find(snippet).Finding!, StringComparison.Ordinal));

    [Theory]
    [MemberData(nameof(Forbidden))]
    public void The_joint_check_names_the_construct(string snippet) =>
        Assert.Contains(Of(fixture.Joint, snippet), text => text.StartsWith(Find(snippet).Joint ?? Find(snippet).Finding!, StringComparison.Ordinal));

    [Theory]
    [MemberData(nameof(Allowed))]
    public void What_needs_no_runtime_passes_both(string snippet)
    {
        Assert.Empty(Of(fixture.Kernel, snippet));
        Assert.Empty(Of(fixture.Joint, snippet));
    }

    [Fact]
    public void An_error_names_file_line_method_construct_and_helper()
    {
        string expected = $"Kernel/Snippets.cs({fixture.LineOf("NewArray")}): error UKL1001: Ukl.Kernel.Test.NewArray.M allocates an array (RhpNewArrayFast)";
        Assert.Contains(expected, fixture.Kernel.Select(violation => violation.Format("/source")));
        Assert.Contains(expected, fixture.Joint.Select(violation => violation.Format("/source")));
    }

    [Fact]
    public void Every_error_has_the_right_line()
    {
        foreach (Violation violation in fixture.Kernel.Concat(fixture.Joint).Where(violation => violation.File == "/source/Kernel/Snippets.cs"))
        {
            string[] parts = violation.Method.Split('.');
            Assert.Equal(fixture.LineOf(parts[3]), violation.Line);
        }
    }

    [Fact]
    public void Of_the_kernel_alone_only_what_is_reachable_counts()
    {
        const string Root = "Ukl_Kernel_Ukl_Kernel_Test_NewArray__M";
        List<Violation> violations = fixture.CheckKernel([Root]);
        Assert.Equal(["Ukl.Kernel.Test.NewArray.M"], violations.Select(violation => violation.Method));
    }

    [Fact]
    public void What_another_object_defines_is_no_error()
    {
        const string Root = "Ukl_Kernel_Ukl_Kernel_Test_NewArray__M";
        using var names = new Demangler([fixture.KernelAssembly]);
        Assert.Empty(DisciplineCheck.Run(fixture.KernelObject, names, new(["Ukl.Kernel"], [Root], new HashSet<string> { "RhpNewArrayFast" })));
    }
}
