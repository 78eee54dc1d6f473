namespace Ukl.Tool.Build;

/// <summary>
/// What MSBuild knows of a program and the linker needs, as the target UklDescribe writes it: lines key=value, keys may repeat.
/// Source: Sdk/Targets/Ukl.targets.
/// </summary>
public sealed class ImageDescription
{
    private readonly string[] lines;

    private readonly ILookup<string, string> values;

    private ImageDescription(string[] lines)
    {
        this.lines = lines;
        values = lines.Select(line => line.Split('=', 2)).Where(parts => parts.Length == 2).ToLookup(parts => parts[0], parts => parts[1]);
    }

    /// <summary>The program's name.</summary>
    public string Name => Single("name");

    /// <summary>The level's name.</summary>
    public string Level => Single("level");

    /// <summary>The folder that the image goes to.</summary>
    public string Output => Single("output");

    /// <summary>The folder of the project, which relative paths in the compiler's options start from.</summary>
    public string Project => Single("folder");

    /// <summary>The property KernelCalls: which system calls the image is to have.</summary>
    public string KernelCalls => values["calls"].FirstOrDefault() ?? "";

    /// <summary>The property KernelDrivers: which drivers the image is to have.</summary>
    public string KernelDrivers => values["drivers"].FirstOrDefault() ?? "";

    /// <summary>The program's machine code, at linked levels with the kernel's.</summary>
    public string Object => Single("object");

    /// <summary>The program's own assembly and those of the projects it refers to; empty for the kernel without a program.</summary>
    public IReadOnlyList<string> Program => [.. values["assembly"], .. values["projectassembly"]];

    /// <summary>The path of ilc.</summary>
    public string Compiler => Single("compiler");

    /// <summary>The kernel's assemblies.</summary>
    public IReadOnlyList<string> Kernel => [.. values["kernel"]];

    /// <summary>The framework's assemblies.</summary>
    public IReadOnlyList<string> References => [.. values["reference"]];

    /// <summary>The runtime's objects and archives, in the order of the SDK's own link.</summary>
    public IReadOnlyList<string> Libraries => [.. values["library"]];

    /// <summary>Projects that the program refers to, directly or not.</summary>
    public IReadOnlyList<string> Projects => [.. values["project"]];

    /// <summary>Source files of the program that do not lie in its project's folder.</summary>
    public IReadOnlyList<string> Sources => [.. values["source"]];

    /// <summary>Files that lie beside the program: where they are, and their path from the program's folder.</summary>
    public IEnumerable<(string Source, string Target)> Content =>
        values["content"].Distinct().Select(line => line.Split('|', 2)).Where(parts => parts.Length == 2).Select(parts => (parts[0], parts[1].Replace('\\', '/')));

    /// <summary>Reads the description.</summary>
    public static ImageDescription Parse(IEnumerable<string> lines) => new([.. lines]);

    /// <summary>Writes the description as it was read.</summary>
    public void Save(string file) => File.WriteAllLines(file, lines);

    private string Single(string key) =>
        values[key].FirstOrDefault() ?? throw new ToolException($"The build of the program gave no '{key}'; its Directory.Build.targets must import Sdk/Targets/Ukl.targets.");
}
