namespace Ukl.Tool;

/// <summary>The folders of one UKL source tree and of its cache.</summary>
/// <param name="root">The folder that holds Cosmos.props.</param>
public sealed class Repository(string root)
{
    /// <summary>The file that marks the root of the tree.</summary>
    public const string Marker = "Cosmos.props";

    /// <summary>The tree's root, absolute.</summary>
    public string Root { get; } = Path.GetFullPath(root);

    /// <summary>Everything built, one folder per program and level.</summary>
    public string Output => Path.Combine(Root, "out");

    /// <summary>The kernel without a program, shared by all images.</summary>
    public string KernelOutput => Path.Combine(Output, ".kernel");

    /// <summary>What outlives a tree and is expensive to make: libc, the Linux guest, the verdict on KVM.</summary>
    public string Cache { get; } = Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache && Path.IsPathRooted(cache)
            ? cache
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
        "ukl");

    /// <summary>The tree that this tool was built from.</summary>
    /// <exception cref="ToolException">The tool lies outside of any tree.</exception>
    public static Repository Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, Marker)))
                return new Repository(folder.FullName);
        throw new ToolException($"The ukl tool at {AppContext.BaseDirectory} is not inside a UKL source tree.");
    }

    /// <summary>A path below the root.</summary>
    public string At(params ReadOnlySpan<string> parts) => Path.Combine([Root, .. parts]);
}
