using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Spectre.Console;
using Ukl.Tool.Build;
using Ukl.Tool.Network;
using Ukl.Tool.Testing;

namespace Ukl.Tool.Commands;

/// <summary>ukl test: runs the host tests, then the guest tests in QEMU, and closes with the line "N passed, N failed".</summary>
public static class TestCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        Option<string?> filter = new("--filter") { Description = "Run only tests whose name contains this" };
        Option<bool> all = new("--all") { Description = "Run the slow tests too" };
        Command command = new("test", "Run every test: on this machine, then in QEMU") { filter, all };
        command.SetAction(parsed => Run(new CommandContext(), parsed.GetValue(filter), parsed.GetValue(all)));
        return command;
    }

    private static int Run(CommandContext context, string? filter, bool withSlow)
    {
        Dictionary<string, TimeSpan> times = [];
        List<TestResult> results = [];
        Stopwatch watch = Stopwatch.StartNew();
        void Add(IReadOnlyList<TestResult> found)
        {
            foreach (TestResult failed in found.Where(result => !result.HasPassed))
                Console.WriteLine($"FAILED {failed.Suite}: {failed.Name}: {failed.Failure}");
            results.AddRange(found);
            if (found.Count > 0)
                times[found[0].Suite] = times.GetValueOrDefault(found[0].Suite) + watch.Elapsed;
            watch.Restart();
        }

        HostTestRunner host = new(context.Repository);
        // Only names of guest tests have a slash; compiling the others takes minutes.
        foreach (string project in filter?.Contains('/') == true ? [] : host.Projects())
            Add(RunHost(context, host, project, filter, withSlow));

        string accelerator = context.DecideAccelerator().Name;
        GuestTestRunner guest = new(context, accelerator);
        foreach (GuestTestRunner.Case item in guest.Cases(GuestCatalogue.All(context.Repository)))
            if ((withSlow || !item.Test.IsSlow) && (filter is null || item.Name.Contains(filter, StringComparison.OrdinalIgnoreCase)))
                Add(RunGuest(guest, item));

        if (withSlow)
            RunWire(context, new WireTestRunner(context, accelerator), filter, Add);

        Print(results, times);
        int failed = results.Count(result => !result.HasPassed);
        Console.WriteLine($"{results.Count - failed} passed, {failed} failed");
        return failed > 0 || results.Count == 0 ? 1 : 0;
    }

    private static IReadOnlyList<TestResult> RunHost(CommandContext context, HostTestRunner host, string project, string? filter, bool withSlow)
    {
        string name = Path.GetFileNameWithoutExtension(project);
        try
        {
            string assembly = context.Reporter.Step($"Compiling {name}", () => host.Build(project));
            return context.Reporter.Step($"Running {name}", () => host.Run(assembly, filter, withSlow));
        }
        catch (ToolException failure)
        {
            return [new TestResult(name, name, Sentence(failure))];
        }
    }

    private static IReadOnlyList<TestResult> RunGuest(GuestTestRunner guest, GuestTestRunner.Case item)
    {
        try
        {
            BuiltImage image = guest.Build(item);
            Stopwatch watch = Stopwatch.StartNew();
            IReadOnlyList<TestResult> results = guest.Run(item, image);
            int failed = results.Count(result => !result.HasPassed);
            Console.WriteLine($"{(failed == 0 ? "ok" : "not ok")} {item.Name}: {results.Count - failed} of {results.Count} passed, {watch.Elapsed.TotalSeconds:0.0} s");
            return results;
        }
        catch (ToolException failure)
        {
            return [new TestResult($"guest, {item.Level.Name}", item.Name, Sentence(failure))];
        }
    }

    private static void RunWire(CommandContext context, WireTestRunner wire, string? filter, Action<IReadOnlyList<TestResult>> add)
    {
        // On Linux the tests run only when the filter asks for it.
        WireTestRunner.Case[] cases =
        [
            .. wire.Cases(WireCatalogue.All()).Where(item =>
                filter is null ? !item.IsReference : item.Name.Contains(filter, StringComparison.OrdinalIgnoreCase) && (!item.IsReference || filter.Contains("(Linux)", StringComparison.OrdinalIgnoreCase))),
        ];
        if (cases.Length > 0 && NetworkRig.Obstacle() is { } obstacle)
        {
            context.Reporter.Say($"ukl: {cases.Length} tests on the wire are left out. {obstacle}");
            return;
        }
        foreach (WireTestRunner.Case item in cases)
        {
            Stopwatch watch = Stopwatch.StartNew();
            TestResult result = wire.Run(item);
            Console.WriteLine($"{(result.HasPassed ? "ok" : "not ok")} {item.Name}: {watch.Elapsed.TotalSeconds:0.0} s");
            add([result]);
        }
    }

    private static string Sentence(ToolException failure) => string.Join(Environment.NewLine, [failure.Message, .. failure.Details.Select(detail => $"  {detail}")]);

    private static void Print(List<TestResult> results, Dictionary<string, TimeSpan> times)
    {
        Table table = new Table().Border(TableBorder.Simple)
            .AddColumn("suite")
            .AddColumn(new TableColumn("passed").RightAligned())
            .AddColumn(new TableColumn("failed").RightAligned())
            .AddColumn(new TableColumn("seconds").RightAligned());
        foreach (IGrouping<string, TestResult> suite in results.GroupBy(result => result.Suite))
            table.AddRow(
                Markup.Escape(suite.Key),
                suite.Count(result => result.HasPassed).ToString(CultureInfo.InvariantCulture),
                suite.Count(result => !result.HasPassed).ToString(CultureInfo.InvariantCulture),
                times.GetValueOrDefault(suite.Key).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture));
        AnsiConsole.Write(table);
    }
}
