using Ukl.Tool;
using Ukl.Tool.Testing;

namespace Ukl.Tests.Guest;

/// <summary>Every C program of Tests/Conformance, at every level; at level 0 the same file also runs on Linux and must agree.</summary>
public sealed class ConformanceTests : GuestCatalogue
{
    /// <inheritdoc/>
    public override IEnumerable<GuestTest> Tests(Repository repository)
    {
        string folder = repository.At("Tests", "Conformance");
        string[] programs = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.c") : [];
        return programs.Select(program => new GuestTest($"conformance/{Path.GetFileNameWithoutExtension(program)}", program) { HasChecks = true, HasTerminal = true, MatchesLinux = true, KernelWords = ["leakcheck"] });
    }
}
