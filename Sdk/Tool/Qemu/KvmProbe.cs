using System.Diagnostics;
using Ukl.Tool.Build;
using Ukl.Tool.Shell;

namespace Ukl.Tool.Qemu;

/// <summary>
/// Decides between KVM and TCG by booting a tiny image on both: /dev/kvm may be there and still be useless, when it is itself emulated. The verdict
/// holds until the machine boots again and is kept in the cache. The image: Sdk/Link/probe.S.
/// </summary>
/// <param name="repository">The tree and its cache.</param>
/// <param name="linker">Assembles the image.</param>
public sealed class KvmProbe(Repository repository, Linker linker)
{
    /// <summary>What QEMU exits with after the image wrote 0x10 to isa-debug-exit: twice that, plus one.</summary>
    private const int SuccessCode = 0x21;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <summary>The accelerator to use, and why.</summary>
    /// <param name="Name">kvm or tcg, as QEMU spells it.</param>
    /// <param name="Reason">A line for the user.</param>
    public sealed record Verdict(string Name, string Reason);

    /// <summary>The verdict for this machine.</summary>
    public Verdict Decide()
    {
        if (!File.Exists("/dev/kvm"))
            return new Verdict("tcg", "TCG, because this machine has no /dev/kvm");
        if (!IsAccessible())
            return new Verdict("tcg", "TCG, because /dev/kvm may not be opened by this user");
        string memory = Path.Combine(repository.Cache, "kvm.txt");
        string key = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        if (File.Exists(memory) && File.ReadAllLines(memory) is [var boot, var name, var reason] && boot == key)
            return new Verdict(name, reason);
        Verdict verdict = Measure();
        Directory.CreateDirectory(repository.Cache);
        File.WriteAllLines(memory, [key, verdict.Name, verdict.Reason]);
        return verdict;
    }

    private static bool IsAccessible()
    {
        try
        {
            using FileStream device = new("/dev/kvm", FileMode.Open, FileAccess.ReadWrite);
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private Verdict Measure()
    {
        string image = Path.Combine(repository.KernelOutput, "probe.elf");
        string member = linker.Assemble(repository.At("Sdk", "Link", "probe.S"), []);
        CommandRunner.Require("The probe for KVM could not be linked", "ld.lld", ["-static", "--build-id=none", "-Ttext=0x100000", "-e", "probe_start", "-o", image, member]);
        TimeSpan? kvm = Boot(image, "kvm");
        if (kvm is null)
            return new Verdict("tcg", $"TCG, because a test image did not boot under KVM within {Limit.TotalSeconds:0} s");
        TimeSpan? tcg = Boot(image, "tcg");
        if (tcg is null)
            return new Verdict("kvm", "KVM, because a test image boots under it and not under TCG");
        string times = $"{kvm.Value.TotalSeconds:0.00} s against {tcg.Value.TotalSeconds:0.00} s";
        return kvm < tcg
            ? new Verdict("kvm", $"KVM, because a test image ran faster on it than on TCG ({times})")
            : new Verdict("tcg", $"TCG, because a test image ran no faster on KVM ({times})");
    }

    /// <summary>Boots the test image.</summary>
    /// <returns>How long it took, or null when it failed.</returns>
    private static TimeSpan? Boot(string image, string accelerator)
    {
        Stopwatch watch = Stopwatch.StartNew();
        try
        {
            CommandResult result = CommandRunner.Run(
                QemuCommand.Program,
                ["-nodefaults", "-no-user-config", "-machine", "q35", "-accel", accelerator, "-cpu", "max", "-m", "32", "-display", "none", "-no-reboot",
                    "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-kernel", image],
                limit: Limit);
            return result.ExitCode == SuccessCode ? watch.Elapsed : null;
        }
        catch (ToolException) when (CommandRunner.Exists(QemuCommand.Program))
        {
            return null;
        }
    }
}
