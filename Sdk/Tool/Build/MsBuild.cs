using Ukl.Tool.Shell;

namespace Ukl.Tool.Build;

/// <summary>Calls MSBuild for a UKL project.</summary>
/// <param name="repository">The tree.</param>
public sealed class MsBuild(Repository repository)
{
    private static readonly Dictionary<string, string> Environment = new()
    {
        ["MSBUILDDISABLENODEREUSE"] = "1",
        ["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0",
        ["DOTNET_NOLOGO"] = "1",
    };

    /// <summary>Compiles a program to an object for a level.</summary>
    /// <returns>The description that the build wrote.</returns>
    public ImageDescription Compile(string project, string name, Level level) =>
        Describe(project, "UklCompile", name, level.Name);

    /// <summary>Compiles the kernel's assemblies and finds the compiler for them.</summary>
    public ImageDescription DescribeKernel(Level level) =>
        Describe(repository.At("Sdk", "Link", "KernelImage", "KernelImage.csproj"), "UklDescribe", "The kernel", level.Name);

    /// <summary>Runs the dotnet command in the tree's own way: one process that ends when it is done.</summary>
    public CommandResult Run(params IEnumerable<string> arguments) => CommandRunner.Run("dotnet", arguments, repository.Root, environment: Environment);

    /// <summary>The errors in a build's output, each once, without the project they came from.</summary>
    public static IReadOnlyList<string> Errors(string output)
    {
        List<string> errors = [];
        foreach (string line in output.Split('\n', StringSplitOptions.TrimEntries))
            if (line.Contains(": error ", StringComparison.Ordinal) || line.StartsWith("error ", StringComparison.Ordinal) || line.StartsWith("MSBUILD : error", StringComparison.Ordinal))
            {
                int project = line.LastIndexOf(" [", StringComparison.Ordinal);
                string error = project > 0 && line.EndsWith(']') ? line[..project] : line;
                if (!errors.Contains(error))
                    errors.Add(error);
            }
        return errors;
    }

    private ImageDescription Describe(string project, string target, string name, string level)
    {
        CommandResult result = Run(
            "msbuild", project, "-restore", "-nologo", "-m", "-v:quiet", $"-t:{target}", $"-getProperty:UklDescription", "-p:Configuration=Release",
            "-p:_IsPublishing=true", "-p:UklDescribeOnly=true", $"-p:SpecializationLevel={level}");
        if (result.ExitCode != 0)
            throw Failure($"{name} could not be compiled", result);
        string description = result.Lines.LastOrDefault() ?? "";
        if (!File.Exists(description))
            throw new ToolException($"The build of {name} wrote no description; {project} must lie below a folder whose Directory.Build.targets imports Sdk/Targets/Ukl.targets.");
        return ImageDescription.Parse(File.ReadAllLines(description));
    }

    /// <summary>The exception for a build that failed.</summary>
    public static ToolException Failure(string purpose, CommandResult result)
    {
        IReadOnlyList<string> errors = Errors(result.Output);
        if (result.Output.Contains("No space left on device", StringComparison.Ordinal))
            return new ToolException($"{purpose}: the disk is full.");
        if (errors.Any(error => error.Contains("MSB4057", StringComparison.Ordinal)))
            return new ToolException($"{purpose}: it is not a UKL program; its Directory.Build.targets must import Sdk/Targets/Ukl.targets, as in Apps.");
        if (errors.Any(error => error.Contains("NU1301", StringComparison.Ordinal)))
            return new ToolException($"{purpose}: the NuGet package source cannot be reached.", [.. errors.Take(1)]);
        return errors.Count > 0 ? new ToolException($"{purpose}.", errors) : CommandRunner.Failure(purpose, "dotnet", result);
    }
}
