namespace Ukl.Kernel.Files;

/// <summary>The tree of all files.</summary>
public static unsafe partial class Vfs
{
    private static Path s_root;

    /// <summary>The root of the tree; empty before a file system is mounted there.</summary>
    public static Path Root => s_root;
}
