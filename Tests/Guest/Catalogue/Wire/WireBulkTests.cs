using Ukl.Tool.Testing;

namespace Ukl.Tests.Guest.Wire;

/// <summary>Many bytes in both directions, on a good wire and on bad ones: all arrive, once and in order.</summary>
public sealed class WireBulkTests : WireCatalogue
{
    private const long Gigabyte = 1L << 30;

    /// <inheritdoc/>
    public override IEnumerable<WireTest> Tests =>
    [
        new("wire/1 GB each way", session => BothWays(session, Gigabyte)),
        new("wire/loss 1 %", session => BothWays(session, Gigabyte)) { Wire = new() { Loss = 0.01 } },
        // Every twentieth segment lost leaves TCP mostly waiting.
        new("wire/loss 5 %", session => BothWays(session, Gigabyte / 4)) { Wire = new() { Loss = 0.05 } },
        new("wire/reordering", session => BothWays(session, Gigabyte)) { Wire = new() { Reorder = 0.05 } },
        new("wire/delay 100 ms", session => BothWays(session, Gigabyte)) { Wire = new() { Delay = TimeSpan.FromMilliseconds(100) } },
        new("wire/duplicates and wrong bits", session => BothWays(session, Gigabyte / 4)) { Wire = new() { Duplicate = 0.02, Corrupt = 0.01 } },
        new("wire/everything at once", session => BothWays(session, Gigabyte / 64))
        {
            Wire = new() { Loss = 0.02, Reorder = 0.05, Duplicate = 0.02, Corrupt = 0.01, Delay = TimeSpan.FromMilliseconds(10) },
        },
        new("wire/both ways at once", session => Task.WaitAll(
            Task.Run(() => session.Upload(Gigabyte / 4, 1)), Task.Run(() => session.Download(Gigabyte / 4, 2)), Task.Run(() => session.Upload(Gigabyte / 4, 3)))),
    ];

    private static void BothWays(WireSession session, long count)
    {
        session.Upload(count, 1);
        session.Download(count, 2);
    }
}
