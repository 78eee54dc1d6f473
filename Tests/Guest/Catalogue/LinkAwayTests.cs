using Ukl.Tool;
using Ukl.Tool.Testing;

namespace Ukl.Tests.Guest;

/// <summary>What an image is linked without: calls that its program cannot make, and drivers that its project leaves out.</summary>
public sealed class LinkAwayTests : GuestCatalogue
{
    private const string Program = "Tests/Programs/RawCalls", Whole = "Tests/Programs/WholeKernel";
    private const string Descriptor = "timerfd_create: a descriptor\n", NotThere = "timerfd_create: error 38\n";

    /// <inheritdoc/>
    public override IEnumerable<GuestTest> Tests(Repository repository) =>
    [
        new("linkaway/left-out-call", Program) { Levels = ["linked"], Contains = [NotThere] },
        new("linkaway/left-out-call-traced", Program)
        {
            Levels = ["linked"],
            KernelWords = ["trace"],
            Contains = ["timerfd_create(", " = -1 ENOSYS", "calls left out of this image", "timerfd_create (283)"],
        },
        new("linkaway/general", Program) { Levels = ["general"], Contains = [Descriptor] },
        new("linkaway/all-calls", Whole) { Contains = ["no real-time clock", Descriptor] },
    ];
}
