using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Ukl.Tool.Build;

/// <summary>
/// Decides without MSBuild whether something must be built again: a hash over the paths, sizes and times of everything that went into it.
/// </summary>
public sealed class Stamp
{
    private static readonly string[] SkippedFolders = ["bin", "obj", "out", ".git", ".vs"];

    private readonly string key;

    private Stamp(string key) => this.key = key;

    /// <summary>What every image depends on, relative to the tree's root.</summary>
    public static IReadOnlyList<string> KernelInputs { get; } =
    [
        "Kernel", "Drivers", "Sdk/Generators", "Sdk/Link", "Sdk/Lint", "Sdk/Musl", "Sdk/Targets", "Sdk/Tool/Build",
        "Cosmos.props", "Directory.Build.props", "Directory.Packages.props", "global.json", ".editorconfig",
    ];

    /// <summary>Looks at the inputs as they are now.</summary>
    /// <param name="repository">The tree that relative paths start from.</param>
    /// <param name="inputs">Files and folders; missing ones count as empty.</param>
    /// <param name="settings">What else decides the result, such as the level.</param>
    public static Stamp Compute(Repository repository, IEnumerable<string> inputs, string settings)
    {
        StringBuilder list = new();
        list.Append(settings).Append('\n');
        foreach (string input in inputs)
        {
            string path = repository.At(input);
            foreach (FileInfo file in Files(path))
                list.Append(CultureInfo.InvariantCulture, $"{file.FullName}|{file.Length}|{file.LastWriteTimeUtc.Ticks}\n");
        }
        return new Stamp(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(list.ToString()))));
    }

    /// <summary>Whether the file holds this stamp.</summary>
    public bool Matches(string file) => File.Exists(file) && File.ReadAllText(file) == key;

    /// <summary>Writes the stamp, after the build that it describes succeeded.</summary>
    public void Write(string file) => File.WriteAllText(file, key);

    private static IEnumerable<FileInfo> Files(string path)
    {
        if (File.Exists(path))
            return [new FileInfo(path)];
        if (!Directory.Exists(path))
            return [];
        DirectoryInfo folder = new(path);
        return folder.GetFiles()
            .OrderBy(file => file.Name, StringComparer.Ordinal)
            .Concat(folder.GetDirectories()
                .Where(child => !SkippedFolders.Contains(child.Name))
                .OrderBy(child => child.Name, StringComparer.Ordinal)
                .SelectMany(child => Files(child.FullName)));
    }
}
