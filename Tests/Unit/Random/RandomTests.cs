using System;
using System.Linq;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Core;
using Xunit;

namespace Ukl.Tests.Unit.Random;

public unsafe class RandomTests
{
    [Fact]
    public void The_block_function_agrees_with_RFC_8439_section_2_3_2()
    {
        byte[] keyBytes = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
        var output = new byte[64];
        fixed (byte* key = keyBytes, to = output)
            ChaCha20.Block((uint*)key, 1, 0x0900_0000, 0x4a00_0000, 0, to);
        Assert.Equal(
            "10F1E7E4D13B5915500FDD1FA32071C4C7D1F4C733C068030422AA9AC3D46C4ED2826446079FAA0914C2D705D98B02A2B5129CD1DE164EB9CBD083E8A2503C4E",
            Convert.ToHexString(output));
    }

    [Fact]
    public void The_block_function_agrees_with_RFC_8439_appendix_A_1_vector_1()
    {
        var output = new byte[64];
        uint* key = stackalloc uint[8];
        new Span<uint>(key, 8).Clear();
        fixed (byte* to = output)
            ChaCha20.Block(key, 0, 0, 0, 0, to);
        Assert.Equal(
            "76B8E0ADA0F13D90405D6AE55386BD28BDD219B8A08DED1AA836EFCC8B770DC7DA41597C5157488D7724E03FB8D84A376A43B8F41518A11CC387B669B2EE6586",
            Convert.ToHexString(output));
    }

    [Fact]
    public void Output_does_not_depend_on_how_it_is_cut()
    {
        byte[] whole = Generate(5000, 5000);
        Assert.Equal(whole, Generate(5000, 1));
        Assert.Equal(whole, Generate(5000, 479));
        Assert.Equal(whole, Generate(5000, 481));
    }

    [Fact]
    public void A_generator_keeps_nothing_of_what_it_handed_out()
    {
        var generator = new RandomGenerator();
        generator.Mix(42);
        var output = new byte[1000];
        fixed (byte* to = output)
            generator.Fill(to, 1000);
        ReadOnlySpan<byte> state = new(&generator, sizeof(RandomGenerator));
        for (int i = 0; i + 8 <= output.Length; i++)
            Assert.Equal(-1, state.IndexOf(output.AsSpan(i, 8)));
    }

    [Fact]
    public void Seeds_matter()
    {
        RandomGenerator first = default, second = default;
        first.Mix(1);
        second.Mix(2);
        ulong a, b;
        first.Fill((byte*)&a, 8);
        second.Fill((byte*)&b, 8);
        Assert.NotEqual(a, b);
    }

    [Fact]
    public void Bits_are_balanced_with_and_without_a_generator_in_the_processor()
    {
        foreach (Func<ulong?> source in new Func<ulong?>[] { () => null, () => 7 })
        {
            HostedDevices.ReadRandom = source;
            var bytes = new byte[1 << 21];
            fixed (byte* to = bytes)
                Ukl.Kernel.Core.Random.Fill(to, (nuint)bytes.Length);
            long ones = bytes.Sum(value => (long)System.Numerics.BitOperations.PopCount(value));
            // Six standard deviations of a fair coin.
            Assert.InRange(ones, bytes.Length * 4L - 6 * 2048, bytes.Length * 4L + 6 * 2048);
            Assert.NotEqual(Ukl.Kernel.Core.Random.NextUInt64(), Ukl.Kernel.Core.Random.NextUInt64());
        }
        HostedDevices.ReadRandom = null;
    }

    private static byte[] Generate(int count, int piece)
    {
        var generator = new RandomGenerator();
        generator.Mix(1);
        generator.Mix(2);
        var output = new byte[count];
        fixed (byte* to = output)
        {
            for (int at = 0; at < count; at += piece)
                generator.Fill(to + at, (nuint)Math.Min(piece, count - at));
        }
        return output;
    }
}
