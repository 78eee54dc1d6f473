using Ukl.Tool.Build;
using Ukl.Tool.Commands;
using Ukl.Tool.Qemu;
using Ukl.Tool.Shell;

namespace Ukl.Tool.Testing;

/// <summary>Builds and boots guest tests.</summary>
/// <param name="context">Tree, levels and builder.</param>
/// <param name="accelerator">kvm or tcg.</param>
public sealed class GuestTestRunner(CommandContext context, string accelerator)
{
    private static readonly TimeSpan LinuxLimit = TimeSpan.FromSeconds(60);

    /// <summary>A test at one level.</summary>
    /// <param name="Test">The test.</param>
    /// <param name="Level">The level.</param>
    public sealed record Case(GuestTest Test, Level Level)
    {
        /// <summary>How the case is called in output and in --filter.</summary>
        public string Name => $"{Test.Name} ({Level.Name})";
    }

    /// <summary>The levels that each test runs at.</summary>
    public IEnumerable<Case> Cases(IEnumerable<GuestTest> tests) =>
        from test in tests
        from level in context.Levels.Built
        where test.Levels?.Contains(level.Name) ?? (!IsFinished(test) || !level.IsLinked)
        select new Case(test, level);

    /// <summary>Builds what a case needs.</summary>
    public BuiltImage Build(Case test) => context.Builder.Build(Locate(test.Test), test.Level, [.. test.Test.Files.Select(Locate), .. RootFiles(test.Test)]);

    /// <summary>Boots a case and judges it.</summary>
    /// <returns>A result per check and one for the case itself.</returns>
    public IReadOnlyList<TestResult> Run(Case item, BuiltImage image)
    {
        GuestTest test = item.Test;
        using QemuMonitor? monitor = test.HasMonitor ? new() : null;
        GuestPeer? peer = test.Client is null ? null : new GuestPeer(test.Ports) { Monitor = monitor };
        KernelCommandLine commandLine = RunCommand.CommandLineFor(
            image, isTraced: false, test.Environment, test.Arguments.Select(argument => peer is null ? argument : argument.Replace("{port}", $"{peer.HostPort}", StringComparison.Ordinal)));
        if (!test.HasTerminal)
            commandLine.Add("console", "pipe");
        foreach (string word in test.KernelWords)
            commandLine.Add(word);
        if (test.Initramfs is { } change)
            image = image with { Initramfs = Change(image, test, change) };
        string? capture = test.VerifyCapture is null ? null : Path.Combine(image.Folder, $"{FileName(test)}.pcap");
        MachineOptions machine = peer is null ? test.Machine : test.Machine with { Network = NetworkOptions.Parse("user", peer.Published, capture, [], []) };
        if (monitor is not null)
            machine = machine with { Extra = [.. machine.Extra, .. monitor.Arguments] };
        if (test.Loader is { } loader)
            (image, machine) = PvhLoader.Prepend(context.Repository.At(loader), image, machine);
        if (machine.IsIso)
            IsoImage.Make(image, commandLine, context.Reporter);
        GuestRun Boot() => QemuRunner.Capture(
            status => QemuCommand.Arguments(image, machine, accelerator, commandLine, status, SerialLine.Pipe), test.Limit, test.Input, test.InputAfter,
            peer is null ? null : () => test.Client!(peer));

        GuestRun run = Boot();
        int boots = 1;
        for (; boots < test.Boots && GuestVerdict.Failure(test, run, linux: null) is null; boots++)
            run = Boot();
        string suite = $"guest, {item.Level.Name}";
        List<TestResult> results = [];
        if (test.HasChecks)
            results.AddRange(GuestVerdict.Checks(run.Output).Select(check => new TestResult(suite, $"{item.Name}: {check.Name}", check.Failure)));
        (string, int)? linux = test.MatchesLinux && !item.Level.IsLinked ? RunOnLinux(test, image) : null;
        string? failure = GuestVerdict.Failure(test, run, linux) ?? (capture is null ? null : test.VerifyCapture!(File.ReadAllBytes(capture)));
        if (failure is not null && test.Boots > 1)
            failure = $"boot {boots} of {test.Boots}: {failure}";
        if (failure is not null)
            failure += $"; full output in {Keep(image, item, run.Output)}";
        // A failed check has said why the program as a whole failed; only another end than its own says more.
        bool isSaid = run.Status.End == GuestEnd.Exited && !run.TimedOut && results.Any(result => !result.HasPassed);
        if (!isSaid)
            results.Add(new TestResult(suite, item.Name, failure));
        return results;
    }

    private static string Change(BuiltImage image, GuestTest test, Func<byte[], byte[]> change)
    {
        string file = Path.Combine(image.Folder, $"{FileName(test)}.cpio");
        File.WriteAllBytes(file, change(File.ReadAllBytes(image.Initramfs)));
        return file;
    }

    private static string FileName(GuestTest test) => test.Name.Replace('/', '-');

    /// <summary>Whether the program is a Linux executable that nothing can be linked with any more.</summary>
    private static bool IsFinished(GuestTest test) => test.Package is not null || test.Provide is not null;

    private ProgramReference Locate(GuestTest test)
    {
        string path = test.Provide is { } provide ? provide(context.Repository, context.Reporter)
            : test.Package is null ? context.Repository.At(test.Program)
            : Path.Combine(new DebianPackages(context.Repository).Unpacked(test.Package), test.Program.TrimStart('/'));
        return ProgramReference.Resolve(context.Repository, path);
    }

    private GuestFile Locate(GuestFile file) => file with { Source = context.Repository.At(file.Source) };

    private static IEnumerable<GuestFile> RootFiles(GuestTest test) =>
        test.RootFiles.Select(file => new GuestFile("", $"/{file.Key}") { Text = file.Value, Time = test.FileTime });

    /// <summary>
    /// Runs the test's program here: with the test's environment only, both outputs in one stream, in a folder of its own with the root files. Who is
    /// not root becomes it in a user namespace, for programs that show who owns a file.
    /// </summary>
    private (string Output, int ExitCode) RunOnLinux(GuestTest test, BuiltImage image)
    {
        string folder = Directory.CreateTempSubdirectory("ukl-").FullName;
        try
        {
            foreach (GuestFile file in RootFiles(test))
            {
                string path = Path.Combine(folder, file.Target.TrimStart('/'));
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                File.WriteAllText(path, file.Text);
                File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch.AddSeconds(file.Time));
            }
            string program = IsFinished(test) ? Locate(test).Path : image.Program;
            string[] user = Environment.UserName == "root" ? [] : ["unshare", "--user", "--map-root-user"];
            string[] command = [.. user, "env", "-i", .. test.Environment, program, .. test.Arguments];
            CommandResult result = CommandRunner.Run("/bin/sh", ["-c", "umask 022; chmod -R u=rwX,go=rX .; exec \"$@\" 2>&1", "sh", .. command], folder, test.Input, LinuxLimit);
            return (result.Output, result.ExitCode);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Keep(BuiltImage image, Case item, string output)
    {
        string file = Path.Combine(image.Folder, $"{FileName(item.Test)}.log");
        File.WriteAllText(file, output);
        return file;
    }
}
