using Ukl.Tool;
using Ukl.Tool.Testing;

namespace Ukl.Tests.Guest;

/// <summary>
/// What a kernel prints that failed: the reason, the registers, and who called whom with file and line. The failures are those of Kernel/Arch/X64/PanicTest.cs.
/// </summary>
public sealed class PanicTests : GuestCatalogue
{
    private const string Source = "in Kernel/Arch/X64/PanicTest.cs:";

    /// <inheritdoc/>
    public override IEnumerable<GuestTest> Tests(Repository repository) =>
    [
        Case("pointer", "panic=test", "page fault in the kernel") with
        {
            Contains =
            [
                "ukl: kernel panic: page fault in the kernel", " vector=0xe", " cr2=0xffffa88000000000", " rip=0x",
                "  at Ukl.Kernel.Arch.PanicTest.ReadWildPointer", Source,
                "  at Ukl.Kernel.Arch.PanicTest.Start", Source,
                "  at Ukl.Kernel.Arch.KernelMain.Main", "in Kernel/Arch/X64/KernelMain.cs:",
            ],
        },
        Case("bounds", "panic=bounds", "index or length out of range in the kernel") with
        {
            Contains =
            [
                "ukl: kernel panic: index or length out of range in the kernel",
                "  at Ukl.Kernel.Arch.PanicTest.ReadPastEnd", Source,
                "  at Ukl.Kernel.Arch.PanicTest.ReadNested", Source,
                "  at Ukl.Kernel.Arch.PanicTest.Start", Source,
                "  at Ukl.Kernel.Arch.KernelMain.Main",
            ],
        },
        // In the middle of a program that never ends by itself: the backtrace goes through the kernel's entry to the code that was interrupted.
        Case("interrupt", "panic=timer", "page fault in the kernel") with
        {
            Program = "Tests/Guest/spin.c",
            Levels = ["linked"],
            Contains = [.. Interrupted, "  entered from\n", "  at spin_for_ever"],
        },
        Case("interrupt", "panic=timer", "page fault in the kernel") with
        {
            Program = "Tests/Guest/spin.c",
            Levels = ["general"],
            Contains = [.. Interrupted, "  entered from a program at 0x"],
        },
    ];

    private static string[] Interrupted =>
    [
        "spinning", "  at Ukl.Kernel.Arch.PanicTest.ReadWildPointer", Source,
        "  at Ukl.Kernel.Arch.PanicTest.HandleTimer", Source,
        "  at Ukl.Kernel.Time.Timers.RunExpired", "in Kernel/Time/Timers.cs:",
    ];

    private static GuestTest Case(string name, string words, string reason) =>
        new($"panic/{name}", "Apps/Hello") { KernelWords = [words], Panics = true, Reason = reason };
}
