using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Ukl.Tool.Bench;
using Ukl.Tool.Build;

namespace Ukl.Tool.Commands;

/// <summary>ukl bench: the figures of boot and of calls, beside those of a Linux guest in the same run, on the same QEMU with the same flags.</summary>
public static class BenchCommand
{
    private const string BootProgram = "Tests/Bench/boot.c";
    private const string BootText = "booted";
    private const string HelloProgram = "Apps/Hello";
    private const string HelloText = "Hello from";
    private const string CallsProgram = "Tests/Bench/calls.c";
    private const int Boots = 5;
    private const int MostMemory = 256;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        Command boot = new("boot", "Time, instructions and memory from QEMU's start to a program's first line");
        boot.SetAction(_ => Boot(new CommandContext()));
        Command calls = new("calls", "Instructions per operation, of a static C program");
        calls.SetAction(_ => Operations(new CommandContext(), CallsProgram, new Dictionary<string, long>()));
        return new Command("bench", "Measure boot, calls or servers beside a Linux guest") { boot, calls, BenchNetCommand.Create() };
    }

    private static int Boot(CommandContext context)
    {
        BenchMachine machine = new(context);
        (string Title, BenchMachine.Guest Guest, string Text)[] rows = context.Reporter.Step("Building the guests", () => new (string, BenchMachine.Guest, string)[]
        {
            ("C program, Linux", machine.Linux(BootProgram), BootText),
            ("C program, level 0", machine.Ours(BootProgram, context.Levels.General), BootText),
            ("C program, level 1", machine.Ours(BootProgram, context.Levels.Linked), BootText),
            ("Hello (C#), Linux", machine.Linux(HelloProgram), HelloText),
            ("Hello (C#), level 0", machine.Ours(HelloProgram, context.Levels.General), HelloText),
            ("Hello (C#), level 1", machine.Ours(HelloProgram, context.Levels.Linked), HelloText),
        });
        Table table = NewTable("guest", "first line, s", "instructions, M", "least memory, MiB", "kernel file, KiB");
        foreach ((string title, BenchMachine.Guest guest, string text) in rows)
            context.Reporter.Step($"Measuring {title}", () =>
            {
                table.AddRow(
                    Markup.Escape(title),
                    machine.WallSeconds(guest, text, Boots).ToString("0.00", CultureInfo.InvariantCulture),
                    (machine.Instructions(guest) / 1e6).ToString("0.0", CultureInfo.InvariantCulture),
                    machine.LeastMemory(guest, text, MostMemory).ToString(CultureInfo.InvariantCulture),
                    (new FileInfo(guest.Kernel).Length / 1024).ToString("N0", CultureInfo.InvariantCulture));
            });
        AnsiConsole.Write(table);
        Console.WriteLine($"{machine.LinuxName}.");
        Console.WriteLine($"Wall time is the least of {Boots} boots; instructions run from reset to power-off, firmware included.");
        PrintSizes(context, machine);
        return 0;
    }

    private static void PrintSizes(CommandContext context, BenchMachine machine)
    {
        BuiltImage image = machine.Build(HelloProgram, context.Levels.Linked);
        IsoImage.Make(image, RunCommand.CommandLineFor(image, isTraced: false, [], []), context.Reporter);
        Console.WriteLine($"Hello, level 1: image {new FileInfo(image.Kernel).Length / 1024} KiB, ISO {new FileInfo(image.Iso).Length / 1024} KiB, C# code of the kernel {KernelSize.Measure(image.Symbols):N0} bytes, {File.ReadAllText(image.Parts)}.");
    }

    /// <summary>Measures the operations of a program as Tests/Bench/calls.c in all guests, and prints them side by side.</summary>
    /// <param name="context">Tree and builder.</param>
    /// <param name="program">The C file.</param>
    /// <param name="targets">What level 1 may take at most, by operation; may be empty.</param>
    internal static int Operations(CommandContext context, string program, IReadOnlyDictionary<string, long> targets)
    {
        BenchMachine machine = new(context);
        BenchMachine.Guest[] guests =
        [
            machine.Linux(program),
            machine.Ours(program, context.Levels.General),
            machine.Ours(program, context.Levels.Linked),
        ];
        Dictionary<string, long>[] figures = [.. guests.Select(guest => context.Reporter.Step($"Measuring {guest.Name}", () => CallFigures.Parse(BenchMachine.RunCounted(guest))))];
        string[] targetColumn = targets.Count > 0 ? ["to reach"] : [];
        Table table = NewTable(["operation", .. guests.Select(guest => guest.Name), "level 0 / Linux", "level 1 / Linux", .. targetColumn]);
        foreach (string operation in figures.SelectMany(column => column.Keys).Distinct())
        {
            long?[] values = [.. figures.Select(column => column.TryGetValue(operation, out long value) ? value : (long?)null)];
            string[] target = targets.Count > 0 ? [Number(targets.TryGetValue(operation, out long most) ? most : null)] : [];
            table.AddRow([operation, .. values.Select(value => Number(value)), Ratio(values[1], values[0]), Ratio(values[2], values[0]), .. target]);
        }
        AnsiConsole.Write(table);
        Console.WriteLine($"{machine.LinuxName}; instructions per operation, one CPU, counted by QEMU's -icount.");
        return figures.All(column => column.Count > 0) ? 0 : throw new ToolException("A guest printed no figure.");
    }

    private static Table NewTable(params string[] columns)
    {
        Table table = new Table().Border(TableBorder.Simple);
        table.AddColumn(columns[0]);
        foreach (string column in columns.Skip(1))
            table.AddColumn(new TableColumn(Markup.Escape(column)).RightAligned());
        return table;
    }

    private static string Number(long? value) => value?.ToString("N0", CultureInfo.InvariantCulture) ?? "-";

    private static string Ratio(long? ours, long? theirs) =>
        ours is { } value && theirs is > 0 ? ((double)value / theirs.Value).ToString("0.00", CultureInfo.InvariantCulture) : "-";
}
