using Ukl.Tool.Bench;
using Ukl.Tool.Build;
using Ukl.Tool.Commands;
using Ukl.Tool.Qemu;

namespace Ukl.Tool.Network;

/// <summary>What QEMU boots, with the addresses of a <see cref="NetworkRig"/> on the kernel's command line.</summary>
/// <param name="Image">The program's image; on Linux that of level 0.</param>
/// <param name="Kernel">The kernel.</param>
/// <param name="Initramfs">The initramfs.</param>
/// <param name="CommandLine">The kernel's command line.</param>
public sealed record NetworkImage(BuiltImage Image, string Kernel, string Initramfs, string CommandLine)
{
    /// <summary>QEMU's arguments.</summary>
    public IReadOnlyList<string> Arguments(MachineOptions machine, string accelerator, string statusFile) =>
        QemuCommand.Arguments(Kernel, Initramfs, CommandLine, machine, accelerator, statusFile, SerialLine.Pipe);
}

/// <summary>Builds programs for a guest in a <see cref="NetworkRig"/>: ours at a level, or Linux with the program of level 0.</summary>
/// <param name="context">Tree, levels and builder.</param>
public sealed class NetworkImages(CommandContext context)
{
    private const string InitProgram = "Tests/Bench/linux-init.c";

    /// <summary>The Linux guest.</summary>
    public LinuxGuest LinuxGuest { get; } = new(context.Repository);

    /// <summary>A program at one of our levels.</summary>
    public NetworkImage Ours(string program, Level level, IEnumerable<string> arguments)
    {
        BuiltImage image = Build(program, level);
        KernelCommandLine commandLine = RunCommand.CommandLineFor(image, isTraced: false, [], arguments).Add("console", "pipe");
        foreach (string word in NetworkRig.AddressWords)
            commandLine.Add(word);
        return new NetworkImage(image, image.Kernel, image.Initramfs, commandLine.ToString());
    }

    /// <summary>The same program's file of level 0 on Linux.</summary>
    /// <param name="program">The program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="words">Further words for the kernel's command line.</param>
    public NetworkImage Linux(string program, IEnumerable<string> arguments, params IEnumerable<string> words)
    {
        BuiltImage image = Build(program, context.Levels.General);
        string initramfs = LinuxGuest.PackNetwork(image, Build(InitProgram, context.Levels.General));
        return new NetworkImage(image, LinuxGuest.Kernel(), initramfs, LinuxGuest.NetworkCommandLine(image, [.. NetworkRig.AddressWords, .. words], arguments));
    }

    /// <summary>The kernel without a program, with its symbols.</summary>
    public string KernelAlone() => Build(InitProgram, context.Levels.General).Symbols;

    private BuiltImage Build(string program, Level level) =>
        context.Builder.Build(ProgramReference.Resolve(context.Repository, Path.IsPathRooted(program) ? program : context.Repository.At(program)), level);
}
