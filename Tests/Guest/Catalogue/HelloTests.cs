using Ukl.Tool;
using Ukl.Tool.Testing;

namespace Ukl.Tests.Guest;

/// <summary>The first program: it greets, gets its arguments, and its exit code comes back.</summary>
public sealed class HelloTests : GuestCatalogue
{
    /// <inheritdoc/>
    public override IEnumerable<GuestTest> Tests(Repository repository) =>
    [
        new("hello/arguments", "Apps/Hello") { Arguments = ["one", "two words", "quote\"d"], Contains = ["Hello from .NET", "one two words quote\"d"] },
        new("hello/microvm", "Apps/Hello") { Machine = new() { Type = "microvm" }, Contains = ["Hello from .NET"] },
        new("hello/pc", "Apps/Hello") { Machine = new() { Type = "pc" }, Contains = ["Hello from .NET"] },
        new("hello/iso-bios", "Apps/Hello") { Machine = new() { IsIso = true }, Contains = ["Hello from .NET"] },
        new("hello/iso-uefi", "Apps/Hello") { Machine = new() { IsIso = true, IsUefi = true }, Contains = ["Hello from .NET"] },
    ];
}
