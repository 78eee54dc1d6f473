using Ukl.Tool;
using Ukl.Tool.Testing;

namespace Ukl.Tests.Guest;

/// <summary>
/// Boot information that lies: Tests/Guest/hostile.c stands between QEMU and the kernel and spoils it. What can be used is used, and the program runs; otherwise the
/// kernel says what is wrong.
/// </summary>
public sealed class HostileBootTests : GuestCatalogue
{
    private const string Cut = "ukl: the memory map has too many pieces";
    private const string Absent = "ukl: the memory map names memory that is not there";

    /// <inheritdoc/>
    public override IEnumerable<GuestTest> Tests(Repository repository) =>
    [
        Works("none"),
        Works("shuffled"),
        Works("many", Cut),
        Works("huge", Absent),
        Works("absent-high", Absent),
        Works("absent-low", Absent),
        Refused("nothing-usable", "the memory map has no usable memory"),
        Refused("kernel-reserved", "the kernel does not lie in memory that can be used"),
        Refused("countless", "the memory map has an absurd number of entries"),
        Refused("no-map", "the boot loader gave no memory map"),
        Refused("map-outside", "the memory map lies outside memory"),
        Refused("module-over-kernel", "the initramfs lies over the kernel"),
        Refused("module-wraps", "the initramfs lies outside memory"),
        Refused("modules-outside", "the module list lies outside memory"),
        Refused("countless-modules", "the boot loader passed an absurd number of modules"),
        Refused("command-line-outside", "the command line lies outside memory"),
        Refused("bad-magic", "the PVH start info has the wrong magic number"),
    ];

    private static GuestTest Works(string name, string message = "") => Test(name) with { Contains = [message, "booted"] };

    private static GuestTest Refused(string name, string reason) => Test(name) with { Panics = true, Reason = reason, Contains = ["ukl: cannot start: "] };

    private static GuestTest Test(string name) =>
        new($"hostile-boot/{name}", "Tests/Bench/boot.c") { Loader = "Tests/Guest/hostile.c", KernelWords = [$"hostile={name}"], Limit = TimeSpan.FromSeconds(30) };
}
