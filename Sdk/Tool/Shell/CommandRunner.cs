using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Ukl.Tool.Shell;

/// <summary>What a finished command left behind.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Output">Standard output and standard error, in the order they came.</param>
public sealed record CommandResult(int ExitCode, string Output)
{
    /// <summary>The output's lines that are not empty.</summary>
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}

/// <summary>Runs other programs and captures what they print.</summary>
public static class CommandRunner
{
    /// <summary>Which package brings a program, for the sentence shown when it is missing.</summary>
    private static readonly Dictionary<string, string> Packages = new()
    {
        ["qemu-system-x86_64"] = "qemu-system-x86",
        ["ld.lld"] = "lld",
        ["gcc"] = "gcc",
        ["ar"] = "binutils",
        ["objcopy"] = "binutils",
        ["make"] = "make",
        ["dpkg-source"] = "dpkg-dev",
        ["perl"] = "perl",
        ["grub-mkrescue"] = "grub-common",
        ["xorriso"] = "xorriso",
        ["dotnet"] = "dotnet-sdk-10.0",
        ["ip"] = "iproute2",
        ["wrk"] = "wrk",
        ["redis-benchmark"] = "redis-tools",
        ["ping"] = "iputils-ping",
        ["curl"] = "curl",
    };

    /// <summary>Runs a command to its end, whatever its exit code.</summary>
    /// <exception cref="ToolException">The program is not installed, or the time limit passed.</exception>
    public static CommandResult Run(
        string program, IEnumerable<string> arguments, string? folder = null, string? input = null, TimeSpan? limit = null,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = folder ?? "",
        };
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;

        using Process process = Start(start);
        StringBuilder output = new();
        void Append(string? line)
        {
            if (line is null)
                return;
            lock (output)
                output.Append(line).Append('\n');
        }
        process.OutputDataReceived += (_, received) => Append(received.Data);
        process.ErrorDataReceived += (_, received) => Append(received.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (input is not null)
            process.StandardInput.Write(input);
        process.StandardInput.Close();
        if (limit is { } time && !process.WaitForExit(time))
        {
            process.Kill(entireProcessTree: true);
            throw new ToolException($"{Path.GetFileName(program)} did not end within {time.TotalSeconds:0} s.");
        }
        process.WaitForExit();
        return new CommandResult(process.ExitCode, output.ToString());
    }

    /// <summary>Runs a command that must succeed.</summary>
    /// <param name="purpose">What failed, as the beginning of a sentence: "The image of Hello could not be linked".</param>
    /// <param name="program">The program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="folder">Its working folder.</param>
    /// <param name="environment">Variables set for it.</param>
    /// <returns>Its output.</returns>
    /// <exception cref="ToolException">It failed; the details are its last lines.</exception>
    public static string Require(
        string purpose, string program, IEnumerable<string> arguments, string? folder = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        CommandResult result = Run(program, arguments, folder, environment: environment);
        return result.ExitCode == 0 ? result.Output : throw Failure(purpose, program, result);
    }

    /// <summary>The exception for a command that failed.</summary>
    public static ToolException Failure(string purpose, string program, CommandResult result)
    {
        if (result.Output.Contains("No space left on device", StringComparison.Ordinal))
            return new ToolException($"{purpose}: the disk is full.");
        return new ToolException($"{purpose}: {Path.GetFileName(program)} ended with exit code {result.ExitCode}.", Excerpt(result.Lines));
    }

    /// <summary>The lines that name an error, or else the last ones; never more than fit a screen.</summary>
    private static string[] Excerpt(string[] lines)
    {
        const int MostLines = 12, MostColumns = 240;
        string[] errors = Array.FindAll(lines, line => line.Contains("error", StringComparison.OrdinalIgnoreCase) && !line.Contains("-Werror", StringComparison.Ordinal));
        string[] chosen = errors.Length > 0 ? [.. errors.Take(MostLines)] : [.. lines.TakeLast(MostLines)];
        return Array.ConvertAll(chosen, line => line.Length > MostColumns ? $"{line[..MostColumns]} …" : line);
    }

    /// <summary>Starts a process.</summary>
    /// <exception cref="ToolException">The program is not installed.</exception>
    public static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            throw Missing(start.FileName);
        }
    }

    /// <summary>The exception for a program that is not there.</summary>
    public static ToolException Missing(string program)
    {
        string package = Packages.TryGetValue(program, out string? name) ? $" (package {name})" : "";
        return new ToolException($"The program {program}{package} is not installed or not in PATH.");
    }

    /// <summary>Whether a program can be found in PATH.</summary>
    public static bool Exists(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));
}
