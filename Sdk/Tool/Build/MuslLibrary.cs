using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ukl.Tool.Shell;

namespace Ukl.Tool.Build;

/// <summary>How a libc calls the kernel.</summary>
public enum LibcFlavor
{
    /// <summary>By the SYSCALL instruction: for programs of level 0.</summary>
    Plain,

    /// <summary>By a call of the gate in the same image: for linked programs. Source: Sdk/Musl/syscall_arch.h.</summary>
    Gate,
}

/// <summary>
/// musl, built from the distribution's source package into the cache: static, position independent, in two flavours. Every version from 1.2.2 on
/// will do; the names that later versions dropped are supplied by Sdk/Link/lfs64.S.
/// </summary>
/// <param name="repository">The tree and its cache.</param>
/// <param name="reporter">Told of the long steps.</param>
public sealed class MuslLibrary(Repository repository, Reporter reporter)
{
    private const string CommonFlags = "-O2 -fPIE";

    private const string GateFlags = $"{CommonFlags} -mno-red-zone";

    private static readonly string[] Products = ["lib/libc.a", "lib/crt1.o", "lib/rcrt1.o", "lib/crti.o", "lib/crtn.o", "include/stdlib.h"];

    private string Recipe => repository.At("Sdk", "Musl", "syscall_arch.h");

    /// <summary>The folder with lib/ and include/ of a flavour, built when the cache does not have it.</summary>
    public string Get(LibcFlavor flavor)
    {
        string home = Path.Combine(repository.Cache, $"musl-{Key()}");
        string prefix = Path.Combine(home, FlavorName(flavor));
        if (!IsComplete(prefix))
            reporter.Step("Building libc (musl, once per machine)", () => Build(home));
        return prefix;
    }

    private static string FlavorName(LibcFlavor flavor) => flavor == LibcFlavor.Gate ? "gate" : "plain";

    private static bool IsComplete(string prefix) => Products.All(file => File.Exists(Path.Combine(prefix, file)));

    /// <summary>Changes whenever the result would: with our header, the flags, the distribution's release (and so its musl and compiler).</summary>
    private string Key()
    {
        string release = File.Exists("/etc/os-release") ? File.ReadAllText("/etc/os-release") : "";
        byte[] recipe = [.. File.ReadAllBytes(Recipe), .. Encoding.UTF8.GetBytes($"{GateFlags}\n{release}")];
        return Convert.ToHexStringLower(SHA256.HashData(recipe))[..12];
    }

    private void Build(string home)
    {
        Directory.CreateDirectory(home);
        // Two builds at the same time must not see each other's half: the second waits and finds the work done.
        using IDisposable guard = FileLock.Take(Path.Combine(home, "lock"));
        foreach (LibcFlavor flavor in Enum.GetValues<LibcFlavor>())
        {
            string prefix = Path.Combine(home, FlavorName(flavor));
            if (IsComplete(prefix))
                continue;
            // dpkg-source leaves the original archive beside the tree, so the tree gets a folder of its own.
            string work = Path.Combine(home, $"work-{FlavorName(flavor)}");
            if (Directory.Exists(work))
                Directory.Delete(work, recursive: true);
            Directory.CreateDirectory(work);
            string source = Path.Combine(work, "musl");
            new DebianPackages(repository).UnpackSource("musl", source);
            if (flavor == LibcFlavor.Gate)
                File.Copy(Recipe, Path.Combine(source, "arch", "x86_64", "syscall_arch.h"), overwrite: true);
            Compile(source, prefix, flavor == LibcFlavor.Gate ? GateFlags : CommonFlags);
            Directory.Delete(work, recursive: true);
        }
    }

    private static void Compile(string source, string prefix, string flags)
    {
        const string Purpose = "musl could not be built";
        string staging = $"{prefix}.new";
        if (Directory.Exists(staging))
            Directory.Delete(staging, recursive: true);
        CommandRunner.Require(
            Purpose, "sh", ["./configure", $"--prefix={prefix}", "--disable-shared", "--disable-gcc-wrapper"], source,
            new Dictionary<string, string> { ["CFLAGS"] = flags, ["CC"] = "gcc" });
        CommandRunner.Require(Purpose, "make", ["-j", Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture), "install", $"prefix={staging}"], source);
        if (Directory.Exists(prefix))
            Directory.Delete(prefix, recursive: true);
        Directory.Move(staging, prefix);
    }
}
