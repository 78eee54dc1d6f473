using Ukl.Tool.Shell;

namespace Ukl.Tool.Build;

/// <summary>Builds the image of a program at a level, doing only what changed.</summary>
/// <param name="repository">The tree.</param>
/// <param name="levels">The spectrum.</param>
/// <param name="reporter">Told of the long steps.</param>
public sealed class ImageBuilder(Repository repository, Levels levels, Reporter reporter)
{
    /// <summary>The function of the .NET runtime that opens a socket.</summary>
    private const string OpenSocket = "SystemNative_Socket";

    private const string Home = "/root";

    /// <summary>Who the program is: libraries ask for the user's home folder and stop when there is none.</summary>
    private static readonly GuestFile[] Users =
    [
        new("", "/etc/passwd") { Text = $"root:x:0:0:root:{Home}:/bin/sh\n" },
        new("", "/etc/group") { Text = "root:x:0:\n" },
    ];

    private readonly MuslLibrary musl = new(repository, reporter);

    private Linker Linker => new(repository, musl);

    private OpenSslLibrary OpenSsl => new(repository, Linker, reporter);

    private KernelImage Kernel => new(repository, levels, Linker, reporter);

    /// <summary>The level that a program is built at when the command line names none.</summary>
    public Level DefaultLevel(ProgramReference program)
    {
        if (program.Kind != ProgramKind.DotNet)
            return levels.General;
        return ProjectFile.Level(program.Path) is { } text ? levels.Get(text) : levels.Default;
    }

    /// <summary>Builds a program, unless its image is up to date.</summary>
    /// <param name="program">What to build.</param>
    /// <param name="level">At which level.</param>
    /// <param name="files">Further files for the guest: where they are, and their absolute path there.</param>
    /// <exception cref="ToolException">It cannot be built.</exception>
    public BuiltImage Build(ProgramReference program, Level level, IReadOnlyList<GuestFile>? files = null)
    {
        GuestFile[] extra = [.. files ?? []];
        foreach (GuestFile file in extra)
            if (file.Text is null && !File.Exists(file.Source))
                throw new ToolException($"There is no file {file.Source}.");
        if (program.Kind == ProgramKind.Elf && level.IsLinked)
            throw new ToolException($"{program.Path} is a finished Linux program, which runs at level {levels.General} only.");
        BuiltImage image = new(program.Name, level, Path.Combine(repository.Output, program.Name, level.Name));
        Stamp stamp = ComputeStamp(program, image, extra);
        if (stamp.Matches(image.Stamp) && File.Exists(image.Kernel) && File.Exists(image.Initramfs))
            return image;

        Directory.CreateDirectory(image.Folder);
        File.Delete(image.Stamp);
        switch (program.Kind)
        {
            case ProgramKind.DotNet:
                musl.Get(level.IsLinked ? LibcFlavor.Gate : LibcFlavor.Plain);
                ImageDescription description = reporter.Step(
                    $"Compiling {program.Name} ({level.Name})", () => new MsBuild(repository).Compile(program.Path, program.Name, level));
                Link(description, image, extra);
                break;
            case ProgramKind.C:
                BuildC(program, image, extra);
                break;
            case ProgramKind.Elf:
                PackGeneral(image, program.Path, extra);
                break;
        }
        // Again: the build may have found projects that the program refers to.
        ComputeStamp(program, image, extra).Write(image.Stamp);
        return image;
    }

    /// <summary>Links and packs what MSBuild compiled.</summary>
    public BuiltImage Link(ImageDescription description)
    {
        BuiltImage image = new(description.Name, levels.Get(description.Level), description.Output);
        Directory.CreateDirectory(image.Folder);
        File.Delete(image.Stamp);
        Link(description, image, []);
        return image;
    }

    private void Link(ImageDescription description, BuiltImage image, GuestFile[] extra)
    {
        HashSet<string> imports = [.. Lint.Elf.ElfFile.Read(description.Object).Symbols.Where(symbol => symbol.IsUndefined).Select(symbol => symbol.Name)];
        IReadOnlyList<string> libraries = OpenSsl.Replace(description, imports);
        if (imports.Contains(OpenSocket))
            File.WriteAllText(image.SocketsMark, "");
        else
            File.Delete(image.SocketsMark);
        GuestFile[] content = [.. description.Content.Select(file => new GuestFile(file.Source, $"/app/{file.Target}")), .. extra];
        if (image.Level.IsLinked)
        {
            reporter.Step($"Linking {image.Name}", () =>
            {
                LinkJoint(image, description, libraries);
                LeaveOutUnused(image, description, libraries);
            });
            PackInitramfs(image, content);
        }
        else
        {
            reporter.Step($"Linking {image.Name}", () => Linker.LinkProgram(image.Name, [description.Object], libraries, image.ProgramSymbols));
            Linker.Strip(image.ProgramSymbols, image.Program);
            PackGeneral(image, image.Program, content, description.KernelDrivers);
        }
        File.WriteAllLines(image.Inputs, [.. description.Projects.Select(project => Path.GetDirectoryName(project)!).Distinct(), .. description.Sources]);
    }

    private void LinkJoint(BuiltImage image, ImageDescription description, IReadOnlyList<string> libraries)
    {
        new KernelDiscipline(repository).CheckJoint(description, description.Object);
        string joint = Path.ChangeExtension(description.Object, ".kernel.o");
        KernelReferences.Retarget(description.Object, joint);
        LinkImage(image, description, [.. Kernel.BootObjects(), joint], libraries);
    }

    /// <summary>
    /// Which calls the program can make is known once it is linked. When the kernel in the image has others, both are compiled again: at an app's first build,
    /// and when what it uses has changed. The calls the program can make do not depend on those the kernel has, so once is enough.
    /// </summary>
    private void LeaveOutUnused(BuiltImage image, ImageDescription description, IReadOnlyList<string> libraries)
    {
        KernelParts parts = KernelParts.ForProgram(description, image.Symbols);
        Compiler compiler = new(description);
        if (!compiler.IsCompiledFor(parts))
        {
            compiler.Compile(parts);
            LinkJoint(image, description, libraries);
        }
        File.WriteAllText(image.Parts, parts.Summary);
    }

    private void BuildC(ProgramReference program, BuiltImage image, GuestFile[] extra)
    {
        LibcFlavor flavor = image.Level.IsLinked ? LibcFlavor.Gate : LibcFlavor.Plain;
        string output = Path.Combine(image.Folder, $"{image.Name}.o");
        // The gate pushes on the program's stack, so a linked program keeps nothing below its stack pointer.
        string[] redZone = image.Level.IsLinked ? ["-mno-red-zone"] : [];
        CommandResult result = CommandRunner.Run(
            "gcc", ["-c", "-g", "-O2", "-std=gnu11", "-Wall", "-fPIE", .. redZone, .. Linker.HeaderOptions(flavor), "-I", program.Folder, "-o", output, program.Path]);
        if (result.ExitCode != 0)
            throw new ToolException($"{program.Path} could not be compiled.", [.. result.Lines.Where(line => line.Contains("error", StringComparison.Ordinal)).Take(20)]);
        if (image.Level.IsLinked)
        {
            ImageDescription kernel = Kernel.GetDescription();
            LinkImage(image, kernel, [.. Kernel.GetObjects(), output], []);
            File.WriteAllText(image.Parts, KernelParts.ForAnyProgram(kernel, drivers: "").Summary);
            PackInitramfs(image, extra);
        }
        else
        {
            Linker.LinkProgram(image.Name, [output], [], image.ProgramSymbols);
            Linker.Strip(image.ProgramSymbols, image.Program);
            PackGeneral(image, image.Program, extra);
        }
    }

    private void LinkImage(BuiltImage image, ImageDescription description, string[] objects, IReadOnlyList<string> libraries)
    {
        new SymbolTable(repository).Link(description, image.Symbols, further => Linker.LinkImage(image.Name, [.. objects, .. further], libraries, image.Symbols));
        Linker.Strip(image.Symbols, image.Kernel);
    }

    /// <summary>Level 0: the kernel's own image, and the program in the initramfs.</summary>
    private void PackGeneral(BuiltImage image, string program, GuestFile[] content, string drivers = "")
    {
        string kernel = Kernel.GetImage(drivers, out KernelParts parts);
        File.WriteAllText(image.Parts, parts.Summary);
        File.Copy(kernel, image.Symbols, overwrite: true);
        Linker.Strip(kernel, image.Kernel);
        PackInitramfs(image, content, program);
    }

    private static void PackInitramfs(BuiltImage image, GuestFile[] content, string? program = null)
    {
        using FileStream stream = File.Create(image.Initramfs);
        using CpioWriter cpio = new(stream);
        cpio.AddFolder("/app");
        cpio.AddFolder(Home);
        foreach (GuestFile file in Users.Where(file => content.All(given => given.Target != file.Target)).Concat(content))
            cpio.AddFile(file.Target, file.Read(), time: file.Time);
        // A linked program is not in the initramfs, but its path names a file all the same: programs look for what lies beside them.
        cpio.AddFile(image.GuestPath, program is null ? [] : File.ReadAllBytes(program), permissions: 0b111_101_101);
    }

    private Stamp ComputeStamp(ProgramReference program, BuiltImage image, GuestFile[] extra)
    {
        string[] own = program.Kind switch
        {
            ProgramKind.DotNet => [program.Folder],
            ProgramKind.C => [program.Path, .. Directory.GetFiles(program.Folder, "*.h")],
            _ => [program.Path],
        };
        string[] referred = File.Exists(image.Inputs) ? File.ReadAllLines(image.Inputs) : [];
        string settings = $"{program.Kind} {program.Path} {image.Level.Name} {string.Join(' ', extra.Select(file => $"{file.Target} {file.Time} {file.Text}"))}";
        return Stamp.Compute(repository, [.. own, .. referred, .. extra.Where(file => file.Text is null).Select(file => file.Source), .. Stamp.KernelInputs], settings);
    }
}
