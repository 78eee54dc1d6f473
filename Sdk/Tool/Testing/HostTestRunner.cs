using System.Xml.Linq;
using Ukl.Tool.Build;
using Ukl.Tool.Shell;

namespace Ukl.Tool.Testing;

/// <summary>Builds and runs the xunit projects of the tree. Source of truth: the command line and the XML report of xunit.v3.</summary>
/// <param name="repository">The tree.</param>
public sealed class HostTestRunner(Repository repository)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10), SlowLimit = TimeSpan.FromMinutes(40);

    /// <summary>How much of what is chosen at random ukl test --all tries; the tests that read these say what they count.</summary>
    private static readonly Dictionary<string, string> LongRuns = new()
    {
        ["UKL_NET_FUZZ"] = "10000000",
        ["UKL_TCP_FUZZ"] = "500000",
        ["UKL_TCP_SEEDS"] = "20000",
    };

    /// <summary>The test projects.</summary>
    public IReadOnlyList<string> Projects() =>
    [
        .. Directory.GetFiles(repository.At("Tests"), "*.csproj", SearchOption.AllDirectories)
            .Where(project => File.ReadAllText(project).Contains("\"xunit.v3\"", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>Builds a project.</summary>
    /// <returns>The path of its test program.</returns>
    public string Build(string project)
    {
        CommandResult result = new MsBuild(repository).Run("build", project, "-nologo", "-m", "-v:quiet", "-t:Build", "-getProperty:TargetPath");
        string? assembly = result.Lines.LastOrDefault(line => line.EndsWith(".dll", StringComparison.Ordinal));
        return result.ExitCode == 0 && assembly is not null
            ? assembly
            : throw MsBuild.Failure($"{Path.GetFileNameWithoutExtension(project)} could not be compiled", result);
    }

    /// <summary>Runs a test program.</summary>
    /// <param name="assembly">Its path.</param>
    /// <param name="filter">Part of a test's name, or null for all.</param>
    /// <param name="withSlow">Whether random tests take as long as it needs to trust them, not as long as one likes to wait.</param>
    public IReadOnlyList<TestResult> Run(string assembly, string? filter, bool withSlow)
    {
        string suite = Path.GetFileNameWithoutExtension(assembly);
        string report = Path.Combine(Path.GetTempPath(), $"ukl-{Environment.ProcessId}-{suite}.xml");
        try
        {
            string[] selection = filter is null ? [] : ["-method", $"*{filter}*"];
            CommandResult result = CommandRunner.Run("dotnet", [assembly, "-noLogo", "-noColor", "-result-xml", report, .. selection], limit: withSlow ? SlowLimit : Limit, environment: withSlow ? LongRuns : null);
            return File.Exists(report)
                ? Parse(suite, XElement.Load(report))
                : [new TestResult(suite, suite, $"ended with exit code {result.ExitCode} and wrote no report: {result.Lines.LastOrDefault()}")];
        }
        finally
        {
            File.Delete(report);
        }
    }

    /// <summary>Reads a report; skipped tests do not count.</summary>
    public static IReadOnlyList<TestResult> Parse(string suite, XElement report) =>
    [
        .. from test in report.Descendants("test")
           let outcome = (string?)test.Attribute("result")
           where outcome is "Pass" or "Fail"
           select new TestResult(
               suite, (string?)test.Attribute("name") ?? "?",
               outcome == "Pass" ? null : ((string?)test.Element("failure")?.Element("message") ?? "failed").ReplaceLineEndings(" ").Trim()),
        .. from error in report.Descendants("error")
           select new TestResult(suite, (string?)error.Attribute("name") ?? suite, ((string?)error.Element("failure")?.Element("message") ?? "error").ReplaceLineEndings(" ").Trim()),
    ];
}
