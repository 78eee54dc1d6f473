using System.Globalization;
using Ukl.Tool;
using Ukl.Tool.Testing;

namespace Ukl.Tests.Guest;

/// <summary>Programs that use much of the system at once: the tour of the class library, threads under load, random system calls.</summary>
public sealed class LoadTests : GuestCatalogue
{
    /// <inheritdoc/>
    public override IEnumerable<GuestTest> Tests(Repository repository) =>
    [
        new("tour", "Apps/Tour") { Limit = TimeSpan.FromSeconds(120) },
        Preemption,
        Stress(3),
        Stress(10) with { IsSlow = true },
        Fuzz(5, 1),
        Fuzz(60, 2) with { IsSlow = true },
    ];

    private static GuestTest Stress(int seconds) => new($"stress/{seconds} s", "Tests/Programs/Stress")
    {
        Arguments = [$"{seconds}", "64"],
        KernelWords = ["leakcheck"],
        Contains = [$"ok after {seconds} s with 64 threads", "ukl: leak check: ", " 0 lost"],
        Limit = TimeSpan.FromSeconds(60 + (4 * seconds)),
    };

    /// <summary>A slice is a millisecond, so there are 1,000 switches a second: exactly, where time is instructions and not a build machine's.</summary>
    private static GuestTest Preemption => new("stress/preemption", "Tests/Guest/preemption.c")
    {
        Machine = new() { CountsInstructions = true },
        Verify = VerifyPreemption,
    };

    private static string? VerifyPreemption(string output)
    {
        const double Wanted = 1000, Tolerance = 100;
        string[] words = output.Split('\n', StringSplitOptions.TrimEntries).First(line => line.StartsWith("preemptions ", StringComparison.Ordinal)).Split(' ');
        double rate = double.Parse(words[1], CultureInfo.InvariantCulture) / double.Parse(words[3], CultureInfo.InvariantCulture) * 1e6;
        return Math.Abs(rate - Wanted) <= Tolerance ? null : $"{rate:0} preemptions a second";
    }

    private static GuestTest Fuzz(int seconds, int seed) => new($"fuzz/{seconds} s", "Tests/Fuzz/syscalls.c")
    {
        Arguments = [$"{seconds}", $"{seed}", "guest"],
        KernelWords = ["canaries"],
        Contains = ["calls ", "errnos ", "ok", "ukl: canaries: ", "pages untouched"],
        Limit = TimeSpan.FromSeconds(30 + (2 * seconds)),
    };
}
