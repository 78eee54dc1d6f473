using Ukl.Tool.Shell;

namespace Ukl.Tool.Build;

/// <summary>The kernel compiled without a program: the image of level 0, and the kernel half of linked C programs.</summary>
/// <param name="repository">The tree.</param>
/// <param name="levels">The spectrum.</param>
/// <param name="linker">Links it.</param>
/// <param name="reporter">Told of the long steps.</param>
public sealed class KernelImage(Repository repository, Levels levels, Linker linker, Reporter reporter)
{
    private const string ObjectName = "kernel.o";
    private const string ImageName = "kernel.elf";
    private const string StampName = "stamp.txt";

    private string ObjectPath => Path.Combine(repository.KernelOutput, ObjectName);

    private string DescriptionPath => Path.Combine(repository.KernelOutput, "kernel.txt");

    /// <summary>The kernel-only image with its symbols, up to date.</summary>
    /// <param name="drivers">Which drivers the program's project keeps: its property KernelDrivers.</param>
    /// <param name="parts">What the image has.</param>
    public string GetImage(string drivers, out KernelParts parts)
    {
        Ensure();
        ImageDescription description = GetDescription();
        parts = KernelParts.ForAnyProgram(description, drivers);
        if (parts.Options.Count == 0)
            return Path.Combine(repository.KernelOutput, ImageName);
        string folder = Path.Combine(repository.KernelOutput, $"without-{string.Join('-', parts.DriversLeftOut)}");
        Stamp stamp = Stamp.Compute(repository, Stamp.KernelInputs, "kernel");
        if (!IsUpToDate(stamp, folder))
        {
            IReadOnlyList<string> options = parts.Options;
            reporter.Step("Compiling the kernel", () => Compile(description, folder, options));
            stamp.Write(Path.Combine(folder, StampName));
        }
        return Path.Combine(folder, ImageName);
    }

    /// <summary>The kernel's objects, boot code included, up to date.</summary>
    public IEnumerable<string> GetObjects()
    {
        Ensure();
        return [.. BootObjects(), ObjectPath];
    }

    /// <summary>The objects made of the kernel's assembly files: entry, exceptions, context switch.</summary>
    public IEnumerable<string> BootObjects() =>
        [.. Directory.GetFiles(repository.At("Kernel", "Arch", "X64"), "*.S").Order(StringComparer.Ordinal).Select(file => linker.Assemble(file, []))];

    /// <summary>The kernel's assemblies, up to date.</summary>
    public ImageDescription GetDescription()
    {
        Ensure();
        return ImageDescription.Parse(File.ReadAllLines(DescriptionPath));
    }

    private void Ensure()
    {
        Stamp stamp = Stamp.Compute(repository, Stamp.KernelInputs, "kernel");
        if (IsUpToDate(stamp, repository.KernelOutput))
            return;
        reporter.Step("Compiling the kernel", () =>
        {
            ImageDescription kernel = new MsBuild(repository).DescribeKernel(levels.General);
            Compile(kernel, repository.KernelOutput, []);
            kernel.Save(DescriptionPath);
        });
        stamp.Write(Path.Combine(repository.KernelOutput, StampName));
    }

    private static bool IsUpToDate(Stamp stamp, string folder) =>
        stamp.Matches(Path.Combine(folder, StampName)) && File.Exists(Path.Combine(folder, ImageName)) && File.Exists(Path.Combine(folder, ObjectName));

    private void Compile(ImageDescription kernel, string folder, IReadOnlyList<string> switches)
    {
        Directory.CreateDirectory(folder);
        string output = Path.Combine(folder, ObjectName);
        string image = Path.Combine(folder, ImageName);
        string[] options =
        [
            .. kernel.Kernel,
            $"-o:{output}",
            .. kernel.References.Select(reference => $"-r:{reference}"),
            "--targetos:linux", "--targetarch:x64", "-O", "--Ot", "-g", "--nativelib", "--multifile",
            .. switches,
        ];
        string response = Path.Combine(folder, "kernel.rsp");
        File.WriteAllLines(response, options);
        CommandRunner.Require("The kernel could not be compiled to machine code", kernel.Compiler, [$"@{response}"]);

        string[] boot = [.. BootObjects()];
        new KernelDiscipline(repository).CheckKernel(kernel, output, boot);
        new SymbolTable(repository).Link(kernel, image, further => linker.LinkKernel([.. boot, output, .. further], image));
    }
}
