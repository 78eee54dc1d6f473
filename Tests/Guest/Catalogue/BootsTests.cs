using Ukl.Tool;
using Ukl.Tool.Testing;

namespace Ukl.Tests.Guest;

/// <summary>Boots in a row, none of which may fail: a few always, a thousand with ukl test --all --filter boots.</summary>
public sealed class BootsTests : GuestCatalogue
{
    /// <inheritdoc/>
    public override IEnumerable<GuestTest> Tests(Repository repository) => [Boots(5), Boots(1000) with { IsSlow = true }];

    private static GuestTest Boots(int count) =>
        new($"boots/{count}", "Apps/Hello") { Boots = count, Contains = ["Hello from .NET"], Limit = TimeSpan.FromSeconds(30) };
}
