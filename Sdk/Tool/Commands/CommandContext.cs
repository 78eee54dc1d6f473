using Ukl.Tool.Build;
using Ukl.Tool.Qemu;
using Ukl.Tool.Shell;

namespace Ukl.Tool.Commands;

/// <summary>What every command works with.</summary>
public sealed class CommandContext
{
    /// <summary>Opens the tree that the tool belongs to.</summary>
    public CommandContext()
    {
        Repository = Repository.Find();
        Levels = Levels.Parse(File.ReadAllText(Repository.At(Repository.Marker)));
        Builder = new ImageBuilder(Repository, Levels, Reporter);
    }

    /// <summary>The tree.</summary>
    public Repository Repository { get; }

    /// <summary>The spectrum.</summary>
    public Levels Levels { get; }

    /// <summary>What the tool says.</summary>
    public Reporter Reporter { get; } = new();

    /// <summary>Builds images.</summary>
    public ImageBuilder Builder { get; }

    /// <summary>The accelerator for QEMU.</summary>
    /// <exception cref="ToolException">QEMU is not installed.</exception>
    public KvmProbe.Verdict DecideAccelerator()
    {
        if (!CommandRunner.Exists(QemuCommand.Program))
            throw new ToolException($"QEMU is not installed: {QemuCommand.Program} (package qemu-system-x86) is not in PATH.");
        return new KvmProbe(Repository, new Linker(Repository, new MuslLibrary(Repository, Reporter))).Decide();
    }

    /// <summary>Finds a program and the level to build it at.</summary>
    public (ProgramReference Program, Level Level) Resolve(string app, string? level)
    {
        Level? chosen = level is null ? null : Levels.Get(level);
        ProgramReference program = ProgramReference.Resolve(Repository, app);
        return (program, chosen ?? Builder.DefaultLevel(program));
    }
}
