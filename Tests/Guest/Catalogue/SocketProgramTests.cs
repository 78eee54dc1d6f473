using Ukl.Tool;
using Ukl.Tool.Testing;

namespace Ukl.Tests.Guest;

/// <summary>The class library's sockets: Tests/Programs/Sockets, at every level and on Linux.</summary>
public sealed class SocketProgramTests : GuestCatalogue
{
    /// <inheritdoc/>
    public override IEnumerable<GuestTest> Tests(Repository repository) =>
    [
        new("sockets", "Tests/Programs/Sockets") { HasChecks = true, MatchesLinux = true, Limit = TimeSpan.FromSeconds(90) },
    ];
}
