using Ukl.Tool;
using Ukl.Tool.Build;
using Ukl.Tool.Testing;

namespace Ukl.Tests.Guest;

/// <summary>
/// Machines and boot input that are not as they should be: the kernel says on the status port and on the console why it cannot start, or starts all the
/// same. Boot structures that lie are in <see cref="HostileBootTests"/>.
/// </summary>
public sealed class BadBootTests : GuestCatalogue
{
    private const string Program = "Apps/Hello";
    private const string Greeting = "Hello from .NET";

    /// <inheritdoc/>
    public override IEnumerable<GuestTest> Tests(Repository repository) => [.. Archives, .. Programs, .. Machines];

    private static GuestTest[] Archives =>
    [
        Refused("initramfs-cut-off", "the initramfs is cut off") with { Initramfs = archive => archive[..(archive.Length / 2)] },
        Refused("initramfs-bad-magic", "no cpio header where one should be") with { Initramfs = archive => Overwrite(archive, 0, 6) },
        Refused("initramfs-bad-number", "a header field is no number") with { Initramfs = archive => Overwrite(archive, 14, 8) },
        Refused("initramfs-noise", "no cpio header where one should be") with { Initramfs = archive => [.. archive.Select((_, at) => (byte)(at * 167 + 13))] },
        Refused("initramfs-packed", "the initramfs is packed") with { Initramfs = archive => [0x1f, 0x8b, 8, 0, .. archive] },
    ];

    private static GuestTest[] Programs =>
    [
        Refused("init-missing", "no executable at the path") with { Levels = ["general"], KernelWords = ["init=/nowhere"] },
        Refused("init-empty-initramfs", "no executable at the path") with { Levels = ["general"], Initramfs = _ => [] },
        Refused("init-no-elf", "no x86-64 Linux executable") with
        {
            Levels = ["general"],
            KernelWords = ["init=/text"],
            Files = [new GuestFile("LICENSE", "/text")],
        },
        Refused("init-dynamic", "dynamically linked") with
        {
            Levels = ["general"],
            KernelWords = ["init=/dynamic"],
            Files = [new GuestFile("/bin/true", "/dynamic")],
        },
    ];

    private static GuestTest[] Machines =>
    [
        // Little, but Hello's own image and heap fit. Below, QEMU puts the initramfs over the kernel, and the tool refuses before (MemoryNeedTests).
        Works("memory-8") with { Machine = new() { Memory = 8 } },
        Works("no-clock") with { Machine = new() { Type = "microvm,rtc=off" } },
        Works("no-firmware-tables") with { Machine = new() { Type = "pc,acpi=off" } },
        Refused("old-processor", "the processor is older than x86-64-v2") with { Machine = new() { CpuModel = "qemu64" } },
        // The oldest that will do: no FSGSBASE, no SMEP or SMAP, no XSAVE, no random numbers.
        Works("oldest-processor") with { Machine = new() { CpuModel = "Nehalem" } },
        // Nobody sees the greeting, but the program runs and its end is known; and a reason gets out without a console.
        new("bad-boot/no-serial", Program) { Machine = new() { HasSerial = false } },
        Refused("no-serial-reason", "the initramfs is cut off") with
        {
            Machine = new() { HasSerial = false },
            Initramfs = archive => archive[..(archive.Length / 2)],
            Contains = [],
        },
        new("bad-boot/no-serial-screen", Program) { Machine = new() { HasSerial = false, Extra = ["-vga", "std"] } },
    ];

    private static GuestTest Refused(string name, string reason) =>
        new($"bad-boot/{name}", Program) { Panics = true, Reason = reason, Contains = ["ukl: cannot start: "], Limit = TimeSpan.FromSeconds(20) };

    private static GuestTest Works(string name) => new($"bad-boot/{name}", Program) { Contains = [Greeting] };

    private static byte[] Overwrite(byte[] archive, int start, int length)
    {
        byte[] changed = [.. archive];
        changed.AsSpan(start, length).Fill((byte)'?');
        return changed;
    }
}
