using System.Globalization;
using Ukl.Tool.Build;

namespace Ukl.Tool.Qemu;

/// <summary>Where the guest's serial line goes.</summary>
public enum SerialLine
{
    /// <summary>The terminal: QEMU sets it raw, Ctrl-C goes to the guest, Ctrl-A X ends QEMU.</summary>
    Terminal,

    /// <summary>Standard input and output, byte by byte.</summary>
    Pipe,
}

/// <summary>QEMU's command line for an image. Source of truth: qemu(1).</summary>
public static class QemuCommand
{
    /// <summary>The program.</summary>
    public const string Program = "qemu-system-x86_64";

    /// <summary>The port of QEMU's gdb server.</summary>
    public const int DebuggerPort = 1234;

    /// <summary>The I/O port to which the guest writes what became of the program.</summary>
    private const string StatusPort = "0xe9";

    /// <summary>The arguments for one of our images.</summary>
    /// <param name="image">What to boot.</param>
    /// <param name="options">On which machine.</param>
    /// <param name="accelerator">kvm or tcg.</param>
    /// <param name="commandLine">The kernel's.</param>
    /// <param name="statusFile">Where QEMU writes what the guest reports.</param>
    /// <param name="serial">Where the serial line goes.</param>
    public static IReadOnlyList<string> Arguments(
        BuiltImage image, MachineOptions options, string accelerator, KernelCommandLine commandLine, string statusFile, SerialLine serial)
    {
        if (!options.IsIso && !options.IsUefi)
            return Arguments(image.Kernel, image.Initramfs, commandLine.ToString(), options, accelerator, statusFile, serial);
        List<string> arguments = Machine(options, accelerator, statusFile, serial);
        if (options.IsUefi)
            arguments.AddRange(["-drive", $"if=pflash,format=raw,readonly=on,file={Firmware()}"]);
        arguments.AddRange(["-drive", $"if=ide,media=cdrom,format=raw,readonly=on,file={Escape(image.Iso)}"]);
        return arguments;
    }

    /// <summary>The arguments for any kernel that QEMU can load, Linux among them.</summary>
    /// <param name="kernel">The kernel's file.</param>
    /// <param name="initramfs">The initramfs's file.</param>
    /// <param name="commandLine">The kernel's.</param>
    /// <param name="options">On which machine.</param>
    /// <param name="accelerator">kvm or tcg.</param>
    /// <param name="statusFile">Where QEMU writes what the guest reports.</param>
    /// <param name="serial">Where the serial line goes.</param>
    public static IReadOnlyList<string> Arguments(
        string kernel, string initramfs, string commandLine, MachineOptions options, string accelerator, string statusFile, SerialLine serial) =>
        [.. Machine(options, accelerator, statusFile, serial), "-kernel", kernel, "-initrd", initramfs, "-append", commandLine];

    private static List<string> Machine(MachineOptions options, string accelerator, string statusFile, SerialLine serial)
    {
        List<string> arguments =
        [
            "-nodefaults", "-no-user-config",
            "-machine", options.Type,
            "-accel", options.CountsInstructions ? "tcg" : accelerator,
            "-cpu", options.CpuModel,
            "-m", options.Memory.ToString(CultureInfo.InvariantCulture),
            "-smp", options.Cpus.ToString(CultureInfo.InvariantCulture),
            "-display", "none", "-no-reboot",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
            "-chardev", $"file,id=status,path={Escape(statusFile)}",
            "-device", $"isa-debugcon,iobase={StatusPort},chardev=status",
        ];
        arguments.AddRange(!options.HasSerial
            ? ["-serial", "none"]
            : serial == SerialLine.Terminal
            ? ["-chardev", "stdio,id=console,mux=on,signal=off", "-serial", "chardev:console", "-mon", "chardev=console"]
            : ["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"]);
        arguments.AddRange(options.Network.Arguments(options.Type));
        if (options.CountsInstructions)
            arguments.AddRange(["-icount", "shift=0,sleep=off", "-rtc", "clock=vm,base=2026-01-01", "-seed", "1"]);
        if (options.WaitsForDebugger)
            arguments.AddRange(["-S", "-gdb", $"tcp:127.0.0.1:{DebuggerPort}"]);
        arguments.AddRange(options.Extra);
        return arguments;
    }

    /// <summary>A command line as one would type it in a shell.</summary>
    public static string Display(IEnumerable<string> arguments) => string.Join(' ', arguments.Prepend(Program).Select(QuoteForShell));

    private static string QuoteForShell(string word) =>
        word.Length > 0 && word.All(character => char.IsAsciiLetterOrDigit(character) || "-_=+,.:/@%".Contains(character, StringComparison.Ordinal))
            ? word
            : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    /// <summary>Inside an option's value a comma is doubled.</summary>
    public static string Escape(string value) => value.Replace(",", ",,", StringComparison.Ordinal);

    private static string Firmware()
    {
        string[] places = ["/usr/share/ovmf/OVMF.fd", "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_CODE.fd"];
        return Array.Find(places, File.Exists) ?? throw new ToolException("The UEFI firmware is not installed (package ovmf).");
    }
}
