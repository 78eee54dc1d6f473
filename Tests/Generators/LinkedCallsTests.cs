using System;
using System.Diagnostics.CodeAnalysis;
using System.Linq;
using System.Reflection;
using Ukl.Generators;
using Xunit;

namespace Ukl.Tests.Generators;

public class LinkedCallsTests
{
    private const string Calls = """
        [Syscall(0, "read")] public static Result A() => 1;
        [Syscall(41, "socket")] public static Result B() => 1;
        """;

    private static PropertyInfo Switch(Assembly assembly, string name) =>
        assembly.GetType("Ukl.Kernel.Syscalls.LinkedCalls")!.GetProperty(name, BindingFlags.Static | BindingFlags.NonPublic)!;

    [Theory]
    [InlineData("Has_read", "Ukl.Call.read")]
    [InlineData("Has_socket", "Ukl.Call.socket")]
    public void A_call_is_on_by_a_switch_that_ilc_knows(string property, string name)
    {
        PropertyInfo found = Switch(KernelCompilation.Calls(Calls).Load(), property);
        Assert.Equal(name, found.GetCustomAttribute<FeatureSwitchDefinitionAttribute>()!.SwitchName);
        Assert.True((bool)found.GetValue(null)!);
    }

    [Fact]
    public void A_call_that_is_not_supported_is_off_without_a_switch()
    {
        PropertyInfo found = Switch(KernelCompilation.Calls(Calls).Load(), "Has_write");
        Assert.Null(found.GetCustomAttribute<FeatureSwitchDefinitionAttribute>());
        Assert.False((bool)found.GetValue(null)!);
    }

    [Fact]
    public void The_table_asks_the_switch_before_it_names_the_handler()
    {
        string table = KernelCompilation.Calls(Calls).Driver.GetRunResult().GeneratedTrees.Single(tree => tree.FilePath.EndsWith("SyscallTable.g.cs", StringComparison.Ordinal)).ToString();
        foreach (string name in new[] { "read", "socket" })
            Assert.Matches($@"if \(LinkedCalls\.Has_{name}\)\s+table\[\d+\] = &Call_{name};", table);
        Assert.Equal(2, table.Split("= &Call_").Length - 1);
    }

    [Fact]
    public void Every_call_of_Linux_has_a_property()
    {
        Assembly assembly = KernelCompilation.Calls("").Load();
        Assert.All(Enumerable.Range(0, LinuxSyscalls.Count).Select(LinuxSyscalls.NameOf).OfType<string>(), name => Assert.NotNull(Switch(assembly, $"Has_{name}")));
    }
}
