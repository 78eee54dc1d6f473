using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Ukl.Tool.Bench;
using Ukl.Tool.Network;
using Ukl.Tool.Testing;

namespace Ukl.Tool.Commands;

/// <summary>ukl bench net: servers under load over a tap device, a Linux guest and ours side by side, with instructions per request.</summary>
public static class BenchNetCommand
{
    private const string HttpSockets = "Tests/Bench/HttpSockets";
    private const string WebServer = "Apps/WebServer";
    private const string KeyValue = "Apps/KeyValue";
    private const string WireServer = "Tests/Wire/server.c";
    private const string LoopbackProgram = "Tests/Bench/loopback.c";
    private const string LoopbackGroup = "loopback";
    private const string StartGroup = "start";
    private const int StartBoots = 5;
    private const int HttpPort = 80;
    private const int RedisPort = 6379;

    /// <summary>A group of servers that do the same work under the same loads.</summary>
    private sealed record Group(string Name, string Description, int Port, IReadOnlyList<NetworkLoad> Loads, Func<CommandContext, NetworkBench, IEnumerable<Candidate>> Guests);

    /// <summary>A guest that is built only when it is measured.</summary>
    private sealed record Candidate(string Name, Func<NetworkBench.Guest> Build);

    private static readonly Group[] Groups =
    [
        new(
            "http", "C# async HTTP on bare sockets", HttpPort, [Wrk(HttpPort, 50, 14_000), Wrk(HttpPort, 1, 25_000)],
            (context, bench) => Everywhere(context, bench, HttpSockets, [])),
        new(
            "web", "WebServer: ASP.NET Core", HttpPort, [Wrk(HttpPort, 50, 32_000), Wrk(HttpPort, 1, null)],
            (context, bench) => Everywhere(context, bench, WebServer, [])),
        new(
            "redis", "KeyValue beside redis-server", RedisPort, [Redis(50, 1, 12_000), Redis(50, 16, 2_500), Redis(1, 1, null)], RedisGuests),
        new(
            "bulk", "TCP in bulk", WirePort.Echo, [Bulk(isToGuest: false), Bulk(isToGuest: true)],
            (context, bench) => Everywhere(context, bench, WireServer, [])),
    ];

    /// <summary>How many times Linux's bytes per instruction are to be reached in bulk.</summary>
    private const double BulkTarget = 1.2;

    private static readonly Dictionary<string, long> LoopbackTargets = new() { ["tcp-round-trip"] = 12_000, ["tcp-connect-accept-close"] = 30_000 };

    /// <summary>The command.</summary>
    public static Command Create()
    {
        string[] names = [.. Groups.Select(group => group.Name), LoopbackGroup, StartGroup];
        Option<string?> only = new("--only") { Description = $"Only one group: {string.Join(", ", names)}" };
        only.AcceptOnlyFromAmong(names);
        Option<int> seconds = CommonOptions.Number("--seconds", "How long each load lasts", 10);
        Option<int> profile = CommonOptions.Number("--profile", "How many functions to list per load, by instructions", 0);
        Option<string?> guest = new("--guest") { Description = "Only guests whose name contains this, such as 'Linux' or 'level 1'" };
        Command command = new("net", "Servers over a tap device: requests, latency, instructions per request (needs root)") { only, seconds, profile, guest };
        command.SetAction(parsed => Run(
            new CommandContext(), parsed.GetValue(only), parsed.GetValue(guest), Math.Max(1, parsed.GetValue(seconds)), parsed.GetValue(profile)));
        return command;
    }

    private static int Run(CommandContext context, string? only, string? guestName, int seconds, int profile)
    {
        if (only is null or LoopbackGroup && BenchCommand.Operations(context, LoopbackProgram, LoopbackTargets) is not 0)
            return 1;
        if (only == LoopbackGroup)
            return 0;
        if (NetworkRig.Obstacle() is { } obstacle)
            throw new ToolException(obstacle);
        NetworkBench bench = new(context, seconds);
        foreach (Group group in Groups.Where(group => only is null || group.Name == only))
        {
            List<NetworkFigure> figures = [];
            foreach (Candidate candidate in group.Guests(context, bench).Where(candidate => guestName is null || candidate.Name.Contains(guestName, StringComparison.OrdinalIgnoreCase)))
            {
                NetworkBench.Guest guest = candidate.Build();
                figures.AddRange(context.Reporter.Step($"Measuring {group.Name}, {candidate.Name}", () => bench.Measure(guest, candidate.Name, group.Port, group.Loads)));
            }
            Print(group, figures);
            foreach (NetworkFigure figure in figures.Where(_ => profile > 0))
                PrintProfile(figure, profile);
        }
        if (only is null or StartGroup)
            PrintStart(context, guestName);
        Console.WriteLine($"{bench.LinuxName}; one CPU, QEMU's TCG with -cpu max,-erms,-fsrm and a counting plugin; instructions of an idle guest are taken off.");
        return 0;
    }

    private static IEnumerable<Candidate> Everywhere(CommandContext context, NetworkBench bench, string program, string[] arguments) =>
    [
        new("Linux", () => bench.Linux(program, arguments)),
        new("level 0", () => bench.Ours(program, context.Levels.General, arguments)),
        new("level 1", () => bench.Ours(program, context.Levels.Linked, arguments)),
    ];

    private static IEnumerable<Candidate> RedisGuests(CommandContext context, NetworkBench bench)
    {
        RedisServer redis = new(context.Repository, context.Reporter);
        string[] options = ["--save", "", "--appendonly", "no", "--protected-mode", "no"];
        return
        [
            new("redis-server, Linux", () => bench.Linux(redis.Get(), options)),
            new("redis-server, level 0", () => bench.Ours(redis.Get(), context.Levels.General, options)),
            .. Everywhere(context, bench, KeyValue, []).Select(candidate => candidate with { Name = $"KeyValue, {candidate.Name}" }),
        ];
    }

    private static NetworkLoad Wrk(int port, int connections, long? target) =>
        new($"wrk, {Count(connections, "connection")}", (_, rig, seconds, _) => LoadGenerators.Wrk(rig, $"http://{NetworkRig.Guest}:{port}/", connections, seconds)) { Target = target };

    private static NetworkLoad Redis(int clients, int pipeline, long? target) =>
        new($"GET, {Count(clients, "client")}, pipeline {pipeline}", (_, rig, seconds, earlier) => LoadGenerators.Redis(rig, RedisPort, clients, pipeline, seconds, earlier)) { Target = target };

    private static NetworkLoad Bulk(bool isToGuest) =>
        new(isToGuest ? "guest receives" : "guest sends", (guest, _, seconds, earlier) => LoadGenerators.Bulk(guest, isToGuest, seconds, earlier)) { IsBulk = true };

    private static string Count(int count, string what) => $"{count} {what}{(count == 1 ? "" : "s")}";

    private static void Print(Group group, List<NetworkFigure> figures)
    {
        foreach (NetworkLoad load in group.Loads)
        {
            string title = $"{group.Description}; {load.Name}";
            NetworkFigure[] rows = [.. figures.Where(figure => figure.Load == load)];
            // The first guest of a group is what the others are compared with.
            NetworkFigure? reference = rows.FirstOrDefault(row => row.Guest.Contains("Linux", StringComparison.Ordinal));
            AnsiConsole.Write(load.IsBulk ? BulkTable(title, rows, reference) : RequestTable(title, load, rows, reference));
        }
    }

    private static Table RequestTable(string title, NetworkLoad load, NetworkFigure[] rows, NetworkFigure? reference)
    {
        Table table = NewTable(title, "requests/s", "p50, ms", "p99, ms", "errors", "insn/request", "program's", "insn / Linux", "rate / Linux");
        foreach (NetworkFigure row in rows)
            table.AddRow(
                row.Guest, Whole(row.Client.PerSecond), Decimal(row.Client.Median), Decimal(row.Client.Percentile99), Whole(row.Client.Errors),
                Whole(row.PerRequest), Whole(row.ProgramPerRequest), Ratio(row.PerRequest, reference?.PerRequest), Ratio(row.Client.PerSecond, reference?.Client.PerSecond));
        if (load.Target is { } target)
            table.AddRow("to reach at level 1", "", "", "", "0", Whole(target));
        return table;
    }

    private static Table BulkTable(string title, NetworkFigure[] rows, NetworkFigure? reference)
    {
        Table table = NewTable(title, "MB/s", "bytes/insn", "bytes/insn / Linux", "rate / Linux");
        foreach (NetworkFigure row in rows)
            table.AddRow(
                row.Guest, Decimal(row.Client.PerSecond / 1e6), Decimal(1 / row.PerRequest), Ratio(1 / row.PerRequest, 1 / reference?.PerRequest),
                Ratio(row.Client.PerSecond, reference?.Client.PerSecond));
        return table.AddRow("to reach at level 1", "", "", Decimal(BulkTarget));
    }

    private static Table NewTable(string title, params IEnumerable<string> columns)
    {
        Table table = new Table().Border(TableBorder.Simple).Title(Markup.Escape(title)).AddColumn(new TableColumn("guest").NoWrap());
        foreach (string column in columns)
            table.AddColumn(new TableColumn(column).RightAligned().NoWrap());
        return table;
    }

    private static void PrintStart(CommandContext context, string? guestName)
    {
        NetworkImages images = new(context);
        ServerStart start = new(context.DecideAccelerator().Name);
        (string Name, Func<NetworkImage> Build)[] guests =
        [
            ("Linux", () => images.Linux(WebServer, [])),
            ("level 0", () => images.Ours(WebServer, context.Levels.General, [])),
            ("level 1", () => images.Ours(WebServer, context.Levels.Linked, [])),
        ];
        Table table = NewTable("WebServer, from QEMU's start", "first answer, s", "least memory, MiB", "kernel file, KiB", "initramfs, KiB");
        foreach ((string name, Func<NetworkImage> build) in guests.Where(guest => guestName is null || guest.Name.Contains(guestName, StringComparison.OrdinalIgnoreCase)))
        {
            NetworkImage image = build();
            context.Reporter.Step($"Measuring {StartGroup}, {name}", () =>
            {
                table.AddRow(
                    name, Decimal(start.Seconds(image, StartBoots)), Whole(start.LeastMemory(image)),
                    Whole(new FileInfo(image.Kernel).Length / 1024.0), Whole(new FileInfo(image.Initramfs).Length / 1024.0));
            });
        }
        table.AddRow("to reach at level 1", "1.20", "40", "12,288");
        AnsiConsole.Write(table);
    }

    private static void PrintProfile(NetworkFigure figure, int count)
    {
        double requests = Math.Max(figure.Client.Requests, 1);
        Table table = new Table().Border(TableBorder.Simple).Title(Markup.Escape($"{figure.Guest}: {figure.Load.Name}"))
            .AddColumn(new TableColumn(figure.Load.IsBulk ? "insn/byte" : "insn/request").RightAligned()).AddColumn("whose").AddColumn("function");
        foreach (FunctionCount function in figure.Functions.Take(count))
            table.AddRow((function.Instructions / requests).ToString(figure.Load.IsBulk ? "N4" : "N1", CultureInfo.InvariantCulture), function.Owner == CodeOwner.Kernel ? "kernel" : "program", Markup.Escape(function.Name));
        AnsiConsole.Write(table);
    }

    private static string Whole(double value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Decimal(double value) => double.IsNaN(value) ? "-" : value.ToString("N2", CultureInfo.InvariantCulture);

    private static string Ratio(double value, double? reference) => reference is > 0 ? (value / reference.Value).ToString("0.00", CultureInfo.InvariantCulture) : "-";
}
