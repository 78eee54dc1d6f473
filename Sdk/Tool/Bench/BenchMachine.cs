using System.Diagnostics;
using System.Globalization;
using Ukl.Tool.Build;
using Ukl.Tool.Commands;
using Ukl.Tool.Qemu;
using Ukl.Tool.Shell;

namespace Ukl.Tool.Bench;

/// <summary>Boots guests for measurement, Linux and ours with the same flags.</summary>
/// <param name="context">Tree and builder.</param>
public sealed class BenchMachine(CommandContext context)
{
    /// <summary>The time that one boot may take.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    /// <summary>A guest with too little memory may fall silent; one with enough is done by then.</summary>
    private static readonly TimeSpan MemoryLimit = TimeSpan.FromSeconds(30);

    /// <summary>Images are loaded at 2 MiB, so less memory than that cannot hold one.</summary>
    private const int LoadAddress = 2;

    /// <summary>
    /// Under TCG a string instruction is executed byte by byte, and Linux uses them when the CPU says they are fast: taking that away is the fair comparison.
    /// </summary>
    private static readonly MachineOptions Machine = new() { CpuModel = "max,-erms,-fsrm" };

    /// <summary>One virtual nanosecond per instruction: the time-stamp counter then counts instructions, the same in every run.</summary>
    private static readonly MachineOptions Counting = Machine with { CountsInstructions = true };

    private readonly LinuxGuest linux = new(context.Repository);

    /// <summary>A guest that can be booted again and again.</summary>
    /// <param name="Name">The column it fills.</param>
    /// <param name="Kernel">Its kernel.</param>
    /// <param name="Initramfs">Its initramfs.</param>
    /// <param name="CommandLine">Its kernel's command line.</param>
    public sealed record Guest(string Name, string Kernel, string Initramfs, string CommandLine);

    /// <summary>A program at one of our levels.</summary>
    public Guest Ours(string program, Level level)
    {
        BuiltImage image = Build(program, level);
        string commandLine = RunCommand.CommandLineFor(image, isTraced: false, [], []).Add("console", "pipe").ToString();
        return new Guest($"level {level.Number}", image.Kernel, image.Initramfs, commandLine);
    }

    /// <summary>The same program's file of level 0 as the first process of Linux.</summary>
    public Guest Linux(string program) =>
        new("Linux", linux.Kernel(), linux.Pack(Build(program, context.Levels.General)), LinuxGuest.CommandLine);

    /// <summary>The release of the Linux that is measured against.</summary>
    public string LinuxName => linux.Name;

    /// <summary>The image of a program.</summary>
    public BuiltImage Build(string program, Level level) => context.Builder.Build(ProgramReference.Resolve(context.Repository, context.Repository.At(program)), level);

    /// <summary>Boots a guest under the instruction clock.</summary>
    /// <returns>What it printed.</returns>
    public static string RunCounted(Guest guest) => Run(guest, Counting, "tcg").Output;

    /// <summary>The time from QEMU's start to a text in the guest's output, in seconds: the least of several boots.</summary>
    public double WallSeconds(Guest guest, string text, int boots)
    {
        string accelerator = context.DecideAccelerator().Name;
        double least = double.MaxValue;
        for (int boot = 0; boot < boots; boot++)
            least = Math.Min(least, TimeTo(guest, text, accelerator));
        return least;
    }

    /// <summary>The instructions from reset to the end of QEMU.</summary>
    public long Instructions(Guest guest)
    {
        const string Word = "instructions ";
        string output = Run(guest, Counting with { Extra = ["-plugin", InstructionCounter.Compile(context.Repository)] }, "tcg").Output;
        string? line = output.Split('\n').LastOrDefault(line => line.StartsWith(Word, StringComparison.Ordinal));
        return line is not null && long.TryParse(line.AsSpan(Word.Length), CultureInfo.InvariantCulture, out long count)
            ? count
            : throw new ToolException("QEMU did not report how many instructions it executed; this build of it may not load plugins.");
    }

    /// <summary>The least memory, in MiB, in which a guest still prints a text.</summary>
    public int LeastMemory(Guest guest, string text, int most)
    {
        int fails = LoadAddress, works = most;
        while (works - fails > 1)
        {
            int middle = (works + fails) / 2;
            if (Run(guest, Machine with { Memory = middle }, context.DecideAccelerator().Name, MemoryLimit).Output.Contains(text, StringComparison.Ordinal))
                works = middle;
            else
                fails = middle;
        }
        return works;
    }

    private static GuestRun Run(Guest guest, MachineOptions machine, string accelerator, TimeSpan? limit = null) =>
        QemuRunner.Capture(
            status => QemuCommand.Arguments(guest.Kernel, guest.Initramfs, guest.CommandLine, machine, accelerator, status, SerialLine.Pipe), limit ?? Limit);

    private static double TimeTo(Guest guest, string text, string accelerator)
    {
        IReadOnlyList<string> arguments = QemuCommand.Arguments(guest.Kernel, guest.Initramfs, guest.CommandLine, Machine, accelerator, "/dev/null", SerialLine.Pipe);
        Stopwatch watch = Stopwatch.StartNew();
        using Process process = CommandRunner.Start(new ProcessStartInfo(QemuCommand.Program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true });
        double seconds = double.NaN;
        while (process.StandardOutput.ReadLine() is { } line)
            if (double.IsNaN(seconds) && line.Contains(text, StringComparison.Ordinal))
                seconds = watch.Elapsed.TotalSeconds;
        process.WaitForExit();
        return double.IsNaN(seconds) ? throw new ToolException($"{guest.Name} ended without printing '{text}'.") : seconds;
    }
}
