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
        Contains = [$"ok after {seconds} s with 64 threads"],
        Limit = TimeSpan.FromSeconds(60 + (4 * seconds)),
    };

    private static GuestTest Fuzz(int seconds, int seed) => new($"fuzz/{seconds} s", "Tests/Fuzz/syscalls.c")
    {
        Arguments = [$"{seconds}", $"{seed}", "guest"],
        Contains = ["calls ", "errnos ", "ok"],
        Limit = TimeSpan.FromSeconds(30 + (2 * seconds)),
    };
}
