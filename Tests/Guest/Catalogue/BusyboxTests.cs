using Ukl.Tool;
using Ukl.Tool.Testing;

namespace Ukl.Tests.Guest;

/// <summary>Debian's static busybox, unchanged, at level 0: each command prints what it prints on Linux.</summary>
public sealed class BusyboxTests : GuestCatalogue
{
    /// <inheritdoc/>
    public override IEnumerable<GuestTest> Tests(Repository repository) =>
        BusyboxCases.All.Select(command => new GuestTest($"busybox/{command.Name}", "bin/busybox")
        {
            Package = "busybox-static",
            Arguments = command.Arguments,
            Environment = [.. BusyboxCases.Environment.Select(variable => $"{variable.Key}={variable.Value}")],
            RootFiles = BusyboxCases.Files,
            FileTime = BusyboxCases.FileTime,
            MatchesLinux = true,
            AnyOrder = command.AnyOrder,
        });
}
