using Ukl.Tool.Build;
using Ukl.Tool.Qemu;
using Ukl.Tool.Shell;

namespace Ukl.Tool.Testing;

/// <summary>
/// A freestanding C program that QEMU boots in the kernel's place, with the kernel already in memory: it can change what the kernel is told and then starts it.
/// Its functions are compiled for 32-bit protected mode without paging; its entry is the symbol <c>begin</c>, which its PVH note names too.
/// </summary>
public static class PvhLoader
{
    /// <summary>Far above the largest kernel image and below an initramfs at the end of 128 MiB of memory.</summary>
    private const string Address = "0x4000000", NoteAddress = "0x3ff0000";

    private static readonly string[] Options =
    [
        "-m32", "-O2", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fno-pic", "-fno-stack-protector", "-nostdlib", "-static",
        $"-Wl,-Ttext={Address},--section-start=.note.pvh={NoteAddress},-e,begin,--build-id=none",
    ];

    /// <summary>Puts the loader in front of an image.</summary>
    /// <param name="source">The loader's C file.</param>
    /// <param name="image">The image.</param>
    /// <param name="machine">The machine, which gets the device that loads the kernel.</param>
    public static (BuiltImage Image, MachineOptions Machine) Prepend(string source, BuiltImage image, MachineOptions machine)
    {
        string loader = Path.Combine(image.Folder, Path.GetFileNameWithoutExtension(source));
        CommandRunner.Require($"{Path.GetFileName(source)} could not be compiled", "gcc", [.. Options, source, "-o", loader]);
        return (image with { Kernel = loader }, machine with { Extra = [.. machine.Extra, "-device", $"loader,file={QemuCommand.Escape(image.Kernel)}"] });
    }
}
