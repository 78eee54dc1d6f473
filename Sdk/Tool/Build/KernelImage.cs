using Ukl.Tool.Shell;

namespace Ukl.Tool.Build;

/// <summary>The kernel compiled without a program: the image of level 0, and the kernel half of linked C programs.</summary>
/// <param name="repository">The tree.</param>
/// <param name="levels">The spectrum.</param>
/// <param name="linker">Links it.</param>
/// <param name="reporter">Told of the long steps.</param>
public sealed class KernelImage(Repository repository, Levels levels, Linker linker, Reporter reporter)
{
    private string ObjectPath => Path.Combine(repository.KernelOutput, "kernel.o");

    private string ImagePath => Path.Combine(repository.KernelOutput, "kernel.elf");

    private string DescriptionPath => Path.Combine(repository.KernelOutput, "kernel.txt");

    private string StampPath => Path.Combine(repository.KernelOutput, "stamp.txt");

    /// <summary>The kernel-only image with its symbols, up to date.</summary>
    public string GetImage()
    {
        Ensure();
        return ImagePath;
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
        if (stamp.Matches(StampPath) && File.Exists(ImagePath) && File.Exists(ObjectPath))
            return;
        reporter.Step("Compiling the kernel", () => Compile(new MsBuild(repository).DescribeKernel(levels.General)));
        stamp.Write(StampPath);
    }

    private void Compile(ImageDescription kernel)
    {
        Directory.CreateDirectory(repository.KernelOutput);
        string[] options =
        [
            .. kernel.Kernel,
            $"-o:{ObjectPath}",
            .. kernel.References.Select(reference => $"-r:{reference}"),
            "--targetos:linux", "--targetarch:x64", "-O", "--Ot", "-g", "--nativelib", "--multifile",
        ];
        string response = Path.Combine(repository.KernelOutput, "kernel.rsp");
        File.WriteAllLines(response, options);
        CommandRunner.Require("The kernel could not be compiled to machine code", kernel.Compiler, [$"@{response}"]);

        string[] boot = [.. BootObjects()];
        new KernelDiscipline(repository).CheckKernel(kernel, ObjectPath, boot);
        new SymbolTable(repository).Link(kernel, ImagePath, further => linker.LinkKernel([.. boot, ObjectPath, .. further], ImagePath));
        kernel.Save(DescriptionPath);
    }
}
