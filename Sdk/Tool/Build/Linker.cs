using Ukl.Tool.Shell;

namespace Ukl.Tool.Build;

/// <summary>
/// The links of UKL: images at the kernel's address, and programs for level 0. Source of truth: the lld manual (ld.lld(1)), musl's Makefile and
/// ldso/dlstart.c for the order of the startup objects, Kernel/Arch/X64/image.ld for the image's layout.
/// </summary>
/// <param name="repository">The tree.</param>
/// <param name="musl">libc in its two flavours.</param>
public sealed class Linker(Repository repository, MuslLibrary musl)
{
    /// <summary>Bytes of a thread's stack by default: what the .NET runtime expects, against musl's 128 KiB.</summary>
    private const ulong StackSize = 0x180000;

    private const string Program = "ld.lld";

    private static readonly string[] CommonOptions =
        ["-static", "--gc-sections", "-z", "nostart-stop-gc", "--eh-frame-hdr", "-z", "max-page-size=4096", "-z", $"stack-size=0x{StackSize:x}", "--build-id=none"];

    /// <summary>The image's layout.</summary>
    public string Script => repository.At("Kernel", "Arch", "X64", "image.ld");

    /// <summary>Links the kernel alone. An undefined symbol is a construct that needs a runtime, and so a build error.</summary>
    /// <param name="objects">Boot objects and the kernel's object.</param>
    /// <param name="output">The image with its symbols.</param>
    public void LinkKernel(IEnumerable<string> objects, string output) =>
        CommandRunner.Require("The kernel could not be linked without a runtime", Program, [.. CommonOptions, "-T", Script, "-o", output, .. objects]);

    /// <summary>Links kernel and program into one image; the program's libc calls the kernel through the gate.</summary>
    /// <param name="name">The program, for the error.</param>
    /// <param name="objects">Boot objects, and the object or objects of kernel and program.</param>
    /// <param name="libraries">The .NET runtime's objects and archives; empty for C.</param>
    /// <param name="output">The image with its symbols.</param>
    public void LinkImage(string name, IEnumerable<string> objects, IEnumerable<string> libraries, string output)
    {
        string libc = Path.Combine(musl.Get(LibcFlavor.Gate), "lib");
        Link($"The image of {name} could not be linked", [.. CommonOptions, "-T", Script], libc, "crt1.o", [.. objects, CompileNameCache()], libraries, output);
        byte[] image = File.ReadAllBytes(output);
        if (!ElfFile.SetStackSize(image, StackSize))
            throw new ToolException($"{Script} gives the image no PT_GNU_STACK header, where musl finds the size of stacks.");
        File.WriteAllBytes(output, image);
    }

    /// <summary>Links a position-independent static Linux program, which runs at level 0 and on Linux itself.</summary>
    /// <param name="name">The program, for the error.</param>
    /// <param name="objects">Its objects.</param>
    /// <param name="libraries">The .NET runtime's objects and archives; empty for C.</param>
    /// <param name="output">The program with its symbols.</param>
    public void LinkProgram(string name, IEnumerable<string> objects, IEnumerable<string> libraries, string output)
    {
        string libc = Path.Combine(musl.Get(LibcFlavor.Plain), "lib");
        Link($"{name} could not be linked", [.. CommonOptions, "-pie", "--no-dynamic-linker", "-z", "relro", "-z", "now"], libc, "rcrt1.o", objects, libraries, output);
    }

    /// <summary>Copies an ELF file without symbols and debug information.</summary>
    public static void Strip(string input, string output) =>
        CommandRunner.Require($"{Path.GetFileName(input)} could not be stripped", "objcopy", ["--strip-all", input, output]);

    private void Link(
        string purpose, string[] options, string libc, string start, IEnumerable<string> objects, IEnumerable<string> libraries, string output)
    {
        string[] runtime = [.. libraries];
        string[] support = runtime.Length > 0 ? [CompileSupport()] : [];
        string[] arguments =
        [
            .. options, "-o", output,
            Path.Combine(libc, start), Path.Combine(libc, "crti.o"),
            .. objects, .. support,
            .. runtime.Where(file => file.EndsWith(".o", StringComparison.Ordinal)),
            "--start-group",
            .. runtime.Where(file => file.EndsWith(".a", StringComparison.Ordinal)),
            Path.Combine(libc, "libc.a"), ArchiveLargeFileNames(), CompilerLibrary("libgcc.a"), CompilerLibrary("libgcc_eh.a"),
            "--end-group",
            Path.Combine(libc, "crtn.o"),
        ];
        CommandResult result = CommandRunner.Run(Program, arguments);
        if (result.ExitCode != 0)
            throw CommandRunner.Failure(purpose, Program, result);
    }

    private string CompileSupport() => CompileC("support.c");

    private string CompileNameCache() => CompileC("nscd.c");

    private string CompileC(string name) => Assemble(repository.At("Sdk", "Link", name), ["-O2", "-fPIE", "-mno-red-zone", .. HeaderOptions(LibcFlavor.Plain)]);

    private string ArchiveLargeFileNames()
    {
        string member = Assemble(repository.At("Sdk", "Link", "lfs64.S"), []);
        string archive = Path.ChangeExtension(member, ".a");
        if (!File.Exists(archive) || File.GetLastWriteTimeUtc(archive) < File.GetLastWriteTimeUtc(member))
            CommandRunner.Require("The large-file names could not be archived", "ar", ["crs", archive, member]);
        return archive;
    }

    /// <summary>Compiles one of our own sources into the kernel's output folder, when it is newer than its object.</summary>
    public string Assemble(string source, IEnumerable<string> options)
    {
        string output = Path.Combine(repository.KernelOutput, $"{Path.GetFileName(source)}.o");
        if (File.Exists(output) && File.GetLastWriteTimeUtc(output) >= File.GetLastWriteTimeUtc(source))
            return output;
        Directory.CreateDirectory(repository.KernelOutput);
        CommandRunner.Require($"{Path.GetFileName(source)} could not be compiled", "gcc", ["-c", "-g", .. options, "-o", output, source]);
        return output;
    }

    /// <summary>Makes gcc compile against musl's headers; the kernel's own come last, for the few that musl leaves to it (linux/…).</summary>
    public IEnumerable<string> HeaderOptions(LibcFlavor flavor) =>
    [
        "-nostdinc", "-isystem", Path.Combine(musl.Get(flavor), "include"), "-isystem", CompilerPath("-print-file-name=include"),
        "-idirafter", "/usr/include", "-idirafter", "/usr/include/x86_64-linux-gnu",
    ];

    private static string CompilerLibrary(string name) => CompilerPath($"-print-file-name={name}");

    private static string CompilerPath(string query) => CommandRunner.Require("The compiler's own files were not found", "gcc", [query]).Trim();
}
