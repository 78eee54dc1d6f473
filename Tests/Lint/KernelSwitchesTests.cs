using System.Linq;
using Microsoft.CodeAnalysis;
using Ukl.Lint.Elf;
using Ukl.Lint.Linking;
using Ukl.Lint.Page;
using Xunit;

namespace Ukl.Tests.Lint;

public class KernelSwitchesTests
{
    private const string Source = """
        using System;
        using System.Diagnostics.CodeAnalysis;
        using System.Runtime;
        using System.Runtime.CompilerServices;
        namespace System.Runtime { class RuntimeExportAttribute(string name) : Attribute { public string Name { get; } = name; } }
        namespace Ukl.Kernel.Abi { class ServesCallAttribute(string name) : Attribute { public string Name { get; } = name; } }
        namespace Ukl.Kernel.Test
        {
            static class Switches
            {
                [FeatureSwitchDefinition("Ukl.Call.write")] public static bool Write => true;
                [FeatureSwitchDefinition("Ukl.Call.read")] public static bool Read => true;
                [FeatureSwitchDefinition("Other.Thing")] public static bool Other => true;
                [FeatureSwitchDefinition("Ukl.Driver.Net")][Abi.ServesCall("socket")] public static bool Net => true;
                [FeatureSwitchDefinition("Ukl.Driver.Clock")] public static bool Clock => true;
                public static bool Both => Read | Net;
            }
            static unsafe class Table
            {
                [RuntimeExport("fill")]
                static void Fill(delegate*<long, long>* table)
                {
                    if (Switches.Read)
                        table[0] = &CallRead;
                    if (Switches.Write)
                        table[1] = &CallWrite;
                    if (Switches.Both)
                        table[2] = &CallBoth;
                }
                static long CallRead(long x) => x * 3;
                static long CallWrite(long x) => x * 5;
                static long CallBoth(long x) => x * 7;
            }
        }
        """;

    [Fact]
    public void The_switches_of_an_assembly_are_found()
    {
        using var tools = new Toolchain();
        KernelSwitches switches = KernelSwitches.Read([tools.Compile("Kernel", OutputKind.DynamicallyLinkedLibrary, ("Kernel.cs", Source))]);
        Assert.Equal(["read", "write"], switches.Calls);
        Assert.Equal(["Clock", "Net"], switches.Drivers.Select(driver => driver.Name));
        Assert.Equal(["socket"], switches.Drivers[1].Serves);
        Assert.Empty(switches.Drivers[0].Serves);
    }

    [Fact]
    public void The_kernels_own_calls_are_its_switches() =>
        Assert.Equal(CompatibilityPage.ReadCalls(Toolchain.Metadata("Kernel")).Select(call => call.Name).Order(System.StringComparer.Ordinal), KernelSwitches.Read([Toolchain.Metadata("Kernel")]).Calls);

    [Fact]
    public void A_handler_whose_switch_is_off_is_not_compiled()
    {
        using var tools = new Toolchain();
        string kernel = tools.Compile("Kernel", OutputKind.DynamicallyLinkedLibrary, ("Kernel.cs", Source));
        string program = tools.Compile("Program", OutputKind.ConsoleApplication, ("Program.cs", "class Program { static void Main() { } }"));
        string[] Handlers(params string[] options) =>
            [.. ElfFile.Read(tools.CompileWithExports(program, kernel, "joint.o", options)).Symbols.Where(symbol => symbol.Type == ElfSymbolType.Function && !symbol.IsUndefined && symbol.Name.Contains("Table__Call", System.StringComparison.Ordinal)).Select(symbol => symbol.Name.Split("__")[^1]).Distinct().Order()];
        Assert.Equal(["CallBoth", "CallRead", "CallWrite"], Handlers());
        Assert.Equal(["CallBoth", "CallWrite"], Handlers([.. KernelSwitches.Options(["read"], [])]));
        Assert.Empty(Handlers([.. KernelSwitches.Options(["read", "write"], ["Net"])]));
    }
}
