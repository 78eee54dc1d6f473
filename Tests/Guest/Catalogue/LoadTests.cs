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
        Verify = VerifyPreemption,
        Limit = TimeSpan.FromSeconds(60 + (4 * seconds)),
    };

    /// <summary>A slice is a millisecond, so there are 1,000 switches a second; on a build machine that is shared with others most may be lost.</summary>
    private static string? VerifyPreemption(string output)
    {
        const string Label = "preemptions per second ";
        const int Least = 100;
        string? line = output.Split('\n', StringSplitOptions.TrimEntries).FirstOrDefault(line => line.StartsWith(Label, StringComparison.Ordinal));
        return line is not null && int.TryParse(line.AsSpan(Label.Length), out int rate) && rate >= Least ? null : $"too few preemptions: {line}";
    }

    private static GuestTest Fuzz(int seconds, int seed) => new($"fuzz/{seconds} s", "Tests/Fuzz/syscalls.c")
    {
        Arguments = [$"{seconds}", $"{seed}", "guest"],
        Contains = ["calls ", "errnos ", "ok"],
        Limit = TimeSpan.FromSeconds(30 + (2 * seconds)),
    };
}
