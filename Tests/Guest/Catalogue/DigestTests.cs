using System.Text;
using Ukl.Tool;
using Ukl.Tool.Testing;

namespace Ukl.Tests.Guest;

/// <summary>Hashing in the guest gives what it gives on this machine.</summary>
public sealed class DigestTests : GuestCatalogue
{
    /// <inheritdoc/>
    public override IEnumerable<GuestTest> Tests(Repository repository)
    {
        yield return new GuestTest("digests/functions", "Tests/Programs/Digests")
        {
            Verify = output =>
            {
                StringBuilder expected = new();
                Digests.Print(line => expected.Append(line).Append('\n'));
                return Outputs.Equal(output, expected.ToString());
            },
        };
    }
}
