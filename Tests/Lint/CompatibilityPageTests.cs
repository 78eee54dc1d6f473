using System.IO;
using System.Linq;
using Microsoft.CodeAnalysis;
using Ukl.Lint.Page;
using Xunit;

namespace Ukl.Tests.Lint;

public class CompatibilityPageTests
{
    [Fact]
    public void The_committed_page_is_up_to_date() => Assert.True(
        File.ReadAllText(Path.Combine(Toolchain.Metadata("Root"), "docs", "compatibility.md")) == CompatibilityPage.Write(CompatibilityPage.ReadCalls(Toolchain.Metadata("Kernel"))),
        "docs/compatibility.md is out of date: dotnet run --project Sdk/Lint -- page Kernel/bin/Release/net10.0/Ukl.Kernel.dll docs/compatibility.md");

    [Fact]
    public void Declarations_are_read_from_metadata()
    {
        using var tools = new Toolchain();
        string assembly = tools.Compile("Calls", OutputKind.DynamicallyLinkedLibrary, ("Calls.cs", """
            using System;
            class SyscallAttribute(int number, string name) : Attribute { public string Limits { get; set; } }
            class Calls
            {
                [Syscall(1, "write", Limits = "a | b")] static void Write() { }
                [Syscall(0, "read"), Obsolete] static void Read() { }
                static void Other() { }
            }
            """));
        Assert.Equal([new(0, "read", null), new(1, "write", "a | b")], CompatibilityPage.ReadCalls(assembly));
        string[] lines = CompatibilityPage.Write(CompatibilityPage.ReadCalls(assembly)).Split('\n');
        Assert.Contains("| 0 | read | **supported** |", lines);
        Assert.Contains(@"| 1 | write | **supported**, limits: a \| b |", lines);
        Assert.Contains("| 2 | open | not supported |", lines);
        Assert.Equal(335 + 46, lines.Count(line => line.StartsWith("| ", System.StringComparison.Ordinal) && char.IsAsciiDigit(line[2])));
    }
}
