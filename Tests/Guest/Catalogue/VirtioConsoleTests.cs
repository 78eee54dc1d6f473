using Ukl.Tool;
using Ukl.Tool.Qemu;
using Ukl.Tool.Testing;

namespace Ukl.Tests.Guest;

/// <summary>The console of virtio in place of the serial line, and beside it.</summary>
public sealed class VirtioConsoleTests : GuestCatalogue
{
    private const string Program = "Tests/Programs/Behaviors";
    private const string Typed = "one\ntwo words\n\nlast\n";

    /// <inheritdoc/>
    public override IEnumerable<GuestTest> Tests(Repository repository) =>
    [
        Echo("q35"),
        Echo("pc"),
        Echo("microvm"),
        new("virtio-console/much-output", Program)
        {
            Arguments = ["stdout-flush"],
            Machine = Machine("q35"),
            ExitCode = 5,
            Verify = output => Outputs.Equal(output, Outputs.MuchOutput()),
        },
        new("virtio-console/interrupt", Program)
        {
            Arguments = ["hang"],
            Machine = Machine("q35"),
            Input = Outputs.CtrlC,
            InputAfter = "spinning\n",
            ExitCode = 128 + 2,
        },
        // A machine with a serial line as well: the command line decides.
        new("virtio-console/asked-for", Program)
        {
            Arguments = ["exit-call"],
            Machine = Machine("q35") with { HasSerial = true, Extra = ["-device", "virtio-serial-pci", "-chardev", "null,id=nowhere", "-device", "virtconsole,chardev=nowhere"] },
            KernelWords = ["console=virtio"],
            ExitCode = 7,
            Verify = output => Outputs.Equal(output, ""),
        },
    ];

    private static GuestTest Echo(string machine) => new($"virtio-console/echo-{machine}", Program)
    {
        Arguments = ["stdin-echo"],
        Machine = Machine(machine),
        Input = Typed,
        Verify = output => Outputs.Equal(output, Typed + "4 lines\n"),
    };

    private static MachineOptions Machine(string type) => new()
    {
        Type = type,
        HasSerial = false,
        Extra = ["-global", "virtio-mmio.force-legacy=false", "-chardev", "stdio,id=console,signal=off", "-device", type == "microvm" ? "virtio-serial-device" : "virtio-serial-pci", "-device", "virtconsole,chardev=console"],
    };
}
