using Ukl.Lint.Checks;
using Ukl.Lint.Elf;
using Ukl.Lint.Names;
using ObjectFile = Ukl.Lint.Elf.ElfFile;

namespace Ukl.Tool.Build;

/// <summary>
/// The check of the kernel's machine code: no method may allocate, throw, or run a static constructor. The check itself is Sdk/Lint.
/// </summary>
/// <param name="repository">The tree; source files are named relative to it.</param>
public sealed class KernelDiscipline(Repository repository)
{
    private const string ExportPrefix = "ukl_";

    /// <summary>Checks the object of the kernel without a program: what the image's other objects start from is looked at.</summary>
    /// <param name="description">The kernel's assemblies.</param>
    /// <param name="target">The kernel's object.</param>
    /// <param name="others">The other objects of the link.</param>
    /// <exception cref="ToolException">A method breaks the discipline; the details name method, place and construct.</exception>
    public void CheckKernel(ImageDescription description, string target, IEnumerable<string> others)
    {
        HashSet<string> provided = [], wanted = [];
        foreach (string other in others)
            foreach (ElfSymbol symbol in ObjectFile.Read(other).Symbols.Where(symbol => symbol.Binding != ElfBinding.Local))
                (symbol.IsUndefined ? wanted : provided).Add(symbol.Name);
        // What one kernel assembly exports and another imports goes by a name of its own in the same object.
        provided.UnionWith(ObjectFile.Read(target).Symbols.Where(symbol => !symbol.IsUndefined && symbol.Name.StartsWith(ExportPrefix, StringComparison.Ordinal)).Select(symbol => symbol.Name));
        Check(description, target, wanted, provided);
    }

    /// <summary>Checks every kernel method in an object of program and kernel together.</summary>
    /// <param name="description">The assemblies.</param>
    /// <param name="target">The object.</param>
    /// <exception cref="ToolException">A method breaks the discipline; the details name method, place and construct.</exception>
    public void CheckJoint(ImageDescription description, string target) => Check(description, target, roots: null, new HashSet<string>());

    private void Check(ImageDescription description, string target, IReadOnlyCollection<string>? roots, HashSet<string> provided)
    {
        using Demangler names = new([.. description.Kernel, .. description.Program, .. description.References]);
        CheckOptions options = new([.. description.Kernel.Select(file => Path.GetFileNameWithoutExtension(file))], roots, provided);
        List<Violation> violations = DisciplineCheck.Run(ObjectFile.Read(target), names, options);
        if (violations.Count > 0)
            throw new ToolException("The kernel's code needs what a kernel does not have.", [.. violations.Select(violation => violation.Format(repository.Root))]);
    }
}
