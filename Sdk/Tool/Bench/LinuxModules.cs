using System.Text;
using ObjectFile = Ukl.Lint.Elf.ElfFile;

namespace Ukl.Tool.Bench;

/// <summary>Finds modules of a Linux kernel with all that they need. Source of truth: Linux Documentation/kbuild/modules.rst, modinfo(8).</summary>
/// <param name="folder">The folder lib/modules of the kernel's package.</param>
public sealed class LinuxModules(string folder)
{
    private const string Depends = "depends=";

    private readonly Dictionary<string, string> files = Directory.Exists(folder)
        ? Directory.EnumerateFiles(folder, "*.ko", SearchOption.AllDirectories).ToDictionary(file => NameOf(Path.GetFileNameWithoutExtension(file)))
        : [];

    /// <summary>The files of modules in the order in which they can be loaded; what the package does not hold is built into the kernel.</summary>
    public IReadOnlyList<string> Closure(params ReadOnlySpan<string> names)
    {
        List<string> order = [];
        foreach (string name in names)
            Add(name, order);
        return order;
    }

    private void Add(string name, List<string> order)
    {
        if (!files.TryGetValue(NameOf(name), out string? file) || order.Contains(file))
            return;
        foreach (string needed in DependenciesOf(file))
            Add(needed, order);
        order.Add(file);
    }

    private static string[] DependenciesOf(string file)
    {
        ObjectFile module = ObjectFile.Read(file);
        if (module.Find(".modinfo") is not { } section)
            return [];
        string? line = Encoding.UTF8.GetString(module.Content(section)).Split('\0').FirstOrDefault(field => field.StartsWith(Depends, StringComparison.Ordinal));
        return line?[Depends.Length..].Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [];
    }

    /// <summary>Linux takes '-' and '_' in a module's name for the same.</summary>
    private static string NameOf(string name) => name.Replace('-', '_');
}
