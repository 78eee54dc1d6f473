namespace Ukl.Tool.Build;

/// <summary>What a program is given as.</summary>
public enum ProgramKind
{
    /// <summary>A folder with a .NET project.</summary>
    DotNet,

    /// <summary>A C source file.</summary>
    C,

    /// <summary>A finished static Linux program.</summary>
    Elf,
}

/// <summary>The APP of a command line, found and checked.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Name">The name of its output folder and of the program in the guest.</param>
/// <param name="Path">The project file, source file or ELF file, absolute.</param>
public sealed record ProgramReference(ProgramKind Kind, string Name, string Path)
{
    /// <summary>The folder the program's sources lie in.</summary>
    public string Folder => System.IO.Path.GetDirectoryName(Path)!;

    /// <summary>Finds a program.</summary>
    /// <param name="repository">The tree; a bare name is looked up in its Apps folder.</param>
    /// <param name="text">A project folder, project file, ELF file, C file, or the name of a folder in Apps.</param>
    /// <exception cref="ToolException">There is no such program, or it is none that UKL runs.</exception>
    public static ProgramReference Resolve(Repository repository, string text)
    {
        if (text.Length == 0)
            throw new ToolException($"No program was named. {Suggest(repository)}");
        foreach (string candidate in (string[])[text, repository.At(text), repository.At("Apps", text)])
        {
            if (Directory.Exists(candidate))
                return FromFolder(candidate);
            if (File.Exists(candidate))
                return FromFile(candidate);
        }
        throw new ToolException($"There is no program '{text}'. {Suggest(repository)}");
    }

    private static string Suggest(Repository repository)
    {
        string apps = repository.At("Apps");
        string[] names = Directory.Exists(apps)
            ? [.. Directory.GetDirectories(apps).Where(folder => Directory.GetFiles(folder, "*.csproj").Length == 1).Select(folder => $"Apps/{System.IO.Path.GetFileName(folder)}").Order()]
            : [];
        return $"Name a project folder ({string.Join(", ", names)}), a static x86-64 Linux program, or a C file.";
    }

    private static ProgramReference FromFolder(string folder)
    {
        string[] projects = Directory.GetFiles(folder, "*.csproj");
        return projects.Length switch
        {
            1 => FromFile(projects[0]),
            0 => throw new ToolException($"The folder {folder} holds no .csproj file."),
            _ => throw new ToolException($"The folder {folder} holds {projects.Length} .csproj files; name one of them."),
        };
    }

    private static ProgramReference FromFile(string file)
    {
        string path = System.IO.Path.GetFullPath(file);
        string stem = System.IO.Path.GetFileNameWithoutExtension(path);
        switch (System.IO.Path.GetExtension(path))
        {
            case ".csproj":
                return new ProgramReference(ProgramKind.DotNet, stem, path);
            case ".c":
                return new ProgramReference(ProgramKind.C, stem, path);
        }

        using FileStream stream = OpenRead(path);
        byte[] head = new byte[Math.Min(stream.Length, 1 << 16)];
        stream.ReadExactly(head);
        if (!ElfFile.HasMagic(head))
            throw new ToolException($"{file} is neither a project, nor a C file, nor an ELF program.");
        ElfFile? elf = ElfFile.Parse(head);
        if (elf is null)
            throw new ToolException($"{file} is a damaged ELF file.");
        if (!elf.IsX64 || !elf.IsExecutable)
            throw new ToolException($"{file} is an ELF file, but not an x86-64 program.");
        if (elf.Interpreter is not null)
            throw new ToolException($"{file} is dynamically linked (it asks for {elf.Interpreter}); only static programs can be run.");
        return new ProgramReference(ProgramKind.Elf, System.IO.Path.GetFileName(path), path);
    }

    private static FileStream OpenRead(string path)
    {
        try
        {
            return File.OpenRead(path);
        }
        catch (UnauthorizedAccessException)
        {
            throw new ToolException($"{path} cannot be read: permission denied.");
        }
    }
}
