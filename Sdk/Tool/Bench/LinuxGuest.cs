using Ukl.Tool.Build;

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
    public const string CommandLine = "console=ttyS0 quiet panic=-1 tsc=reliable poweroff";

    /// <summary>The kernel's file, downloaded on first use.</summary>
    public string Kernel()
    {
        DebianPackages packages = new(repository);
        foreach (string metapackage in Metapackages)
            if (packages.FirstDependency(metapackage) is { } package)
            {
                string boot = Path.Combine(packages.Unpacked(package), "boot");
                return Directory.GetFiles(boot, "vmlinuz-*").FirstOrDefault() ?? throw new ToolException($"The package {package} holds no kernel.");
            }
        throw new ToolException($"This distribution has no kernel for virtual machines (looked for {string.Join(" and ", Metapackages)}).");
    }

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
}
