namespace Ukl.Tool.Build;

/// <summary>The files of a finished build: out/APP/LEVEL/….</summary>
/// <param name="Name">The program.</param>
/// <param name="Level">Its level.</param>
/// <param name="Folder">The output folder.</param>
public sealed record BuiltImage(string Name, Level Level, string Folder)
{
    /// <summary>What QEMU boots, without symbols.</summary>
    public string Kernel { get; init; } = Path.Combine(Folder, $"{Name}.elf");

    /// <summary>The same with symbols and DWARF, for gdb and for backtraces.</summary>
    public string Symbols => Path.Combine(Folder, $"{Name}.debug");

    /// <summary>The initramfs: the program's content files, at level 0 the program too.</summary>
    public string Initramfs { get; init; } = Path.Combine(Folder, $"{Name}.cpio");

    /// <summary>The bootable image for BIOS and UEFI, made on demand.</summary>
    public string Iso => Path.Combine(Folder, $"{Name}.iso");

    /// <summary>At level 0 the Linux program, which also runs on Linux; does not exist at linked levels.</summary>
    public string Program => Path.Combine(Folder, Name);

    /// <summary>At level 0 the Linux program with its symbols.</summary>
    public string ProgramSymbols => Path.Combine(Folder, $"{Name}.program.debug");

    /// <summary>Where the program is in the guest, at every level; its folder is the program's base directory.</summary>
    public string GuestPath => $"/app/{Name}";

    /// <summary>One line: what of the kernel the image does not have.</summary>
    public string Parts => Path.Combine(Folder, "kernel.txt");

    /// <summary>Exists when the program can open sockets; known of .NET programs only.</summary>
    public string SocketsMark => Path.Combine(Folder, "sockets");

    /// <summary>Whether the program can open sockets, and so gets a network card when nobody says otherwise.</summary>
    public bool UsesSockets => File.Exists(SocketsMark);

    /// <summary>Says that the files above belong together and are complete.</summary>
    public string Stamp => Path.Combine(Folder, "stamp.txt");

    /// <summary>What the program was built from besides its own folder: project folders and source files, one a line.</summary>
    public string Inputs => Path.Combine(Folder, "inputs.txt");
}
