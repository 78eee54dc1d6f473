using Ukl.Lint.Linking;
using Ukl.Tool.Shell;

namespace Ukl.Tool.Build;

/// <summary>
/// Compiles the object of program and kernel again, with what MSBuild compiled it with, but for the parts of the kernel that it has. MSBuild takes the same options
/// the next time from a file beside the object (Sdk/Targets/Ukl.targets), so that it finds the object up to date.
/// </summary>
/// <param name="description">What MSBuild compiled.</param>
public sealed class Compiler(ImageDescription description)
{
    private string Response => Path.ChangeExtension(description.Object, ".ilc.rsp");

    private string Switches => Path.Combine(Path.GetDirectoryName(description.Object)!, "kernel.switches");

    /// <summary>Whether the object has these parts of the kernel and no others.</summary>
    public bool IsCompiledFor(KernelParts parts) => File.ReadLines(Response).Where(KernelSwitches.IsOption).SequenceEqual(parts.Options);

    /// <summary>Compiles the object with these parts of the kernel.</summary>
    public void Compile(KernelParts parts)
    {
        File.WriteAllLines(Switches, parts.Options);
        string[] others = [.. File.ReadLines(Response).Where(line => !KernelSwitches.IsOption(line))];
        File.WriteAllLines(Response, [.. parts.Options, .. others]);
        CommandRunner.Require(
            $"{description.Name} could not be compiled to machine code", description.Compiler, [$"@{Response}"], description.Project);
    }
}
