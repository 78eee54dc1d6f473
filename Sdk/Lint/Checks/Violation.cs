using System.IO;

namespace Ukl.Lint.Checks;

/// <summary>A kernel method that breaks the discipline. Prints as an MSBuild error.</summary>
public sealed record Violation(string Id, string Method, string Text, string Symbol, string? File, int Line)
{
    /// <summary>The error as MSBuild reads it; the file is relative to <paramref name="directory"/> when it lies in it.</summary>
    public string Format(string directory)
    {
        string origin = "ukl-lint";
        if (File is not null)
        {
            string path = File;
            if (Path.IsPathRooted(path) && Path.GetRelativePath(directory, path) is var relative && !relative.StartsWith("..", System.StringComparison.Ordinal))
                path = relative;
            origin = $"{path}({Line})";
        }
        return $"{origin}: error {Id}: {Method} {Text} ({Symbol})";
    }
}
