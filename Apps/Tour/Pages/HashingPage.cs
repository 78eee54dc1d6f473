// A page of the tour: hash codes and check sums in managed code.

using System.Numerics;
using System.Text;

namespace Ukl.Tour.Pages;

internal sealed class HashingPage : Page
{
    public override string Name => "hashing";

    public override string About => "hash codes and check sums in managed code";

    public override void Visit(Guide guide)
    {
        guide.Equal("hash".GetHashCode(), string.Concat("ha", "sh").GetHashCode(), "equal strings have equal hash codes");
        guide.Equal(HashCode.Combine(1, "x", 2.5), HashCode.Combine(1, "x", 2.5), "combined hash codes are stable within a run");
        guide.Check(Enumerable.Range(0, 10_000).Select(i => $"item {i}".GetHashCode()).Distinct().Count() > 9_900, "and spread");
        guide.Equal(0xe3069283u, ~Encoding.ASCII.GetBytes("123456789").Aggregate(~0u, BitOperations.Crc32C), "CRC-32C of the usual nine digits");
        guide.Equal(0x5d2a4a4fu, Fowler("hashing"u8), "FNV-1a, by hand");
    }

    private static uint Fowler(ReadOnlySpan<byte> data)
    {
        uint hash = 2166136261;
        foreach (byte value in data)
            hash = (hash ^ value) * 16777619;
        return hash;
    }
}
