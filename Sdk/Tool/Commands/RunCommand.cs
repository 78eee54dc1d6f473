using System.CommandLine;
using Ukl.Tool.Build;
using Ukl.Tool.Qemu;

namespace Ukl.Tool.Commands;

/// <summary>ukl run: builds a program's image, boots it in QEMU and ends with the program's exit code.</summary>
public static class RunCommand
{
    /// <summary>The command.</summary>
    /// <param name="programArguments">What followed "--".</param>
    public static Command Create(IReadOnlyList<string> programArguments)
    {
        Argument<string> app = CommonOptions.App();
        Option<string?> level = CommonOptions.Level();
        Option<int> cpus = CommonOptions.Number("--cpus", "Number of CPUs", new MachineOptions().Cpus);
        Option<int> memory = CommonOptions.Number("--memory", "Memory in MiB", new MachineOptions().Memory);
        Option<string> machine = new("--machine") { Description = "q35, microvm or pc", DefaultValueFactory = _ => new MachineOptions().Type };
        Option<bool> iso = new("--iso") { Description = "Boot the ISO (GRUB) instead of the ELF file" };
        Option<bool> uefi = new("--uefi") { Description = "Boot the ISO by UEFI firmware" };
        Option<bool> gdb = new("--gdb") { Description = "Wait for gdb before the first instruction" };
        Option<bool> dryRun = new("--dry-run") { Description = "Print the QEMU command line instead of running it" };
        Option<bool> trace = new("--trace") { Description = "Print every system call, and at the end the unknown ones" };
        Option<string[]> environment = new("--env") { Description = "Environment variable NAME=VALUE for the program; may be repeated" };
        Option<string[]> files = new("--file") { Description = "Put a file into the guest, as HOST:/GUEST; may be repeated" };
        Option<string?> net = new("--net") { Description = "What the network card is connected with: user, tap=NAME or none; a .NET program that can open sockets gets user" };
        Option<string[]> publish = new("--publish") { Description = "Reach a port of the guest by one of this machine, as HOST:GUEST[/udp]; may be repeated" };
        Option<string?> pcap = new("--pcap") { Description = "Capture what passes the network card into a file for Wireshark" };
        Option<string[]> ip = new("--ip") { Description = "The guest's address as ADDRESS/LENGTH in place of DHCP; once for IPv4 and once for IPv6" };
        Option<string[]> gateway = new("--gateway") { Description = "The router's address, with --ip" };
        Command command = new("run", "Build a program, boot it in QEMU and end with its exit code; arguments for the program follow --")
        {
            app, level, cpus, memory, machine, iso, uefi, gdb, dryRun, trace, environment, files, net, publish, pcap, ip, gateway,
        };
        command.SetAction(parsed => Run(
            new CommandContext(), parsed.GetValue(app)!, parsed.GetValue(level),
            new MachineOptions
            {
                Type = parsed.GetValue(machine)!,
                Cpus = parsed.GetValue(cpus),
                Memory = parsed.GetValue(memory),
                IsIso = parsed.GetValue(iso) || parsed.GetValue(uefi),
                IsUefi = parsed.GetValue(uefi),
                WaitsForDebugger = parsed.GetValue(gdb),
                Network = NetworkOptions.Parse(
                    parsed.GetValue(net), parsed.GetValue(publish) ?? [], parsed.GetValue(pcap), parsed.GetValue(ip) ?? [], parsed.GetValue(gateway) ?? []),
            },
            parsed.GetValue(dryRun), parsed.GetValue(trace), parsed.GetValue(environment) ?? [],
            [.. (parsed.GetValue(files) ?? []).Select(GuestFile.Parse)], programArguments));
        return command;
    }

    private static int Run(
        CommandContext context, string app, string? level, MachineOptions options, bool isDryRun, bool isTraced, string[] environment,
        GuestFile[] files, IReadOnlyList<string> programArguments)
    {
        options.Validate();
        (ProgramReference program, Level chosen) = context.Resolve(app, level);
        if (!isDryRun)
            options.Network.RequireHost();
        KvmProbe.Verdict accelerator = context.DecideAccelerator();
        BuiltImage image = context.Builder.Build(program, chosen, files);
        options = options with { Network = options.Network.For(image.UsesSockets) };
        MemoryNeed.Require(image, options);

        KernelCommandLine commandLine = CommandLineFor(image, isTraced, environment, programArguments);
        options.Network.AddTo(commandLine);
        SerialLine serial = Console.IsInputRedirected ? SerialLine.Pipe : SerialLine.Terminal;
        if (serial == SerialLine.Pipe)
            commandLine.Add("console", "pipe");
        else
            DescribeTerminal(commandLine);
        if (options.IsIso)
            IsoImage.Make(image, commandLine, context.Reporter);
        IReadOnlyList<string> Arguments(string status) => QemuCommand.Arguments(image, options, accelerator.Name, commandLine, status, serial);
        if (isDryRun)
        {
            Console.WriteLine(QemuCommand.Display(Arguments("/dev/null")));
            return 0;
        }

        context.Reporter.Say($"ukl: {image.Name}, level {image.Level}, {accelerator.Reason}");
        if (options.WaitsForDebugger)
        {
            QemuRunner.RequireFreePort(QemuCommand.DebuggerPort);
            context.Reporter.Say($"ukl: waiting for gdb; in another terminal:\n  gdb {image.Symbols}\n  (gdb) target remote :{QemuCommand.DebuggerPort}\n  (gdb) continue");
        }
        return Report(QemuRunner.Run(Arguments));
    }

    /// <summary>The kernel command line that every way of booting a program has in common.</summary>
    public static KernelCommandLine CommandLineFor(BuiltImage image, bool isTraced, IEnumerable<string> environment, IEnumerable<string> programArguments)
    {
        KernelCommandLine commandLine = new KernelCommandLine().Add("init", image.GuestPath);
        if (isTraced)
            commandLine.Add("trace");
        foreach (string assignment in environment)
            commandLine.AddEnvironment(assignment);
        return commandLine.AddArguments(programArguments);
    }

    /// <summary>Tells the guest which terminal is at the other end of its serial line, which cannot be asked.</summary>
    private static void DescribeTerminal(KernelCommandLine commandLine)
    {
        if (Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } term)
            commandLine.Add("TERM", term);
        if (!Console.IsOutputRedirected)
            commandLine.Add("winsize", $"{Console.WindowHeight}x{Console.WindowWidth}");
    }

    private static int Report(GuestStatus status)
    {
        switch (status.End)
        {
            case GuestEnd.Unknown:
                throw new ToolException("The guest ended without reporting how its program ended: QEMU was stopped, or the machine was reset.");
            case GuestEnd.Panicked:
                throw new ToolException($"The kernel stopped: {(status.Reason.Length == 0 ? "see the last lines above" : status.Reason)}.");
            default:
                return status.ExitCode;
        }
    }
}
