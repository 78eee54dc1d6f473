using System.Text;
using Ukl.Tool.Build;
using Ukl.Tool.Qemu;

namespace Ukl.Tool.Bench;

/// <summary>The Linux that UKL is measured against: the distribution's kernel for virtual machines, with one program as /init.</summary>
/// <param name="repository">The tree and its cache.</param>
public sealed class LinuxGuest(Repository repository)
{
    /// <summary>The metapackages of Debian's and Ubuntu's kernels for virtual machines.</summary>
    private static readonly string[] Metapackages = ["linux-image-cloud-amd64", "linux-image-virtual"];

    /// <summary>
    /// The command line that booted fastest: quiet, no calibration of the time-stamp counter against slow devices; "poweroff" is the programs' own word
    /// (Tests/Bench/guest.h).
    /// </summary>
    public const string CommandLine = $"{Words} poweroff";

    private const string Words = "console=ttyS0 quiet panic=-1 tsc=reliable";

    /// <summary>The drivers of the card; the last one is for machines without PCI.</summary>
    private static readonly string[] CardModules = ["virtio_pci", "virtio_net", "virtio_mmio"];

    /// <summary>The kernel's file, downloaded on first use.</summary>
    public string Kernel() =>
        Directory.GetFiles(Path.Combine(Package(), "boot"), "vmlinuz-*").FirstOrDefault() ?? throw new ToolException($"The package {Package()} holds no kernel.");

    /// <summary>The name and release of the kernel, for the table's heading.</summary>
    public string Name => $"Linux {Path.GetFileName(Kernel())["vmlinuz-".Length..]}";

    /// <summary>Packs an initramfs with a program as /init.</summary>
    public string Pack(BuiltImage image)
    {
        string file = Path.Combine(image.Folder, "linux.cpio");
        using FileStream stream = File.Create(file);
        using CpioWriter cpio = new(stream);
        cpio.AddFolder("/dev");
        cpio.AddFile("/init", File.ReadAllBytes(image.Program), permissions: 0b111_101_101);
        return file;
    }

    /// <summary>
    /// Packs an initramfs for a program that needs the network: Tests/Bench/linux-init.c with the card's drivers, then the files of the program's own image of
    /// level 0. Linux takes several archives one after the other.
    /// </summary>
    /// <param name="image">The program at level 0.</param>
    /// <param name="init">Tests/Bench/linux-init.c at level 0.</param>
    public string PackNetwork(BuiltImage image, BuiltImage init)
    {
        string file = Path.Combine(image.Folder, "linux-net.cpio");
        using FileStream stream = File.Create(file);
        using (CpioWriter cpio = new(stream))
        {
            cpio.AddFolder("/dev");
            cpio.AddFile("/init", File.ReadAllBytes(init.Program), permissions: 0b111_101_101);
            List<string> paths = [];
            foreach (string module in new LinuxModules(Path.Combine(Package(), "lib", "modules")).Closure(CardModules))
            {
                paths.Add($"/modules/{Path.GetFileName(module)}");
                cpio.AddFile(paths[^1], File.ReadAllBytes(module));
            }
            cpio.AddFile("/modules/list", Encoding.UTF8.GetBytes(string.Concat(paths.Select(path => $"{path}\n"))));
        }
        using FileStream program = File.OpenRead(image.Initramfs);
        program.CopyTo(stream);
        return file;
    }

    /// <summary>The command line for a program that needs the network.</summary>
    /// <param name="image">The program at level 0.</param>
    /// <param name="words">Addresses, for <see cref="PackNetwork"/>'s first process.</param>
    /// <param name="arguments">The program's.</param>
    public static string NetworkCommandLine(BuiltImage image, IEnumerable<string> words, IEnumerable<string> arguments)
    {
        // Names of functions by fixed addresses; no check of the timer, which fails when this machine is busy with other things.
        KernelCommandLine own = new();
        foreach (string word in (string[])[.. Words.Split(' '), "nokaslr", "no_timer_check", .. words])
            own.Add(word);
        return own.AddArguments([image.GuestPath, .. arguments]).ToString();
    }

    /// <summary>The unpacked package of the kernel.</summary>
    private string Package()
    {
        DebianPackages packages = new(repository);
        foreach (string metapackage in Metapackages)
            if (packages.FirstDependency(metapackage) is { } package)
                return packages.Unpacked(package);
        throw new ToolException($"This distribution has no kernel for virtual machines (looked for {string.Join(" and ", Metapackages)}).");
    }
}
