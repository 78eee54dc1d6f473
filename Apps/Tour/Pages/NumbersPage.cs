// A page of the tour: integers of all sizes, decimals, random numbers, mathematics.

using System.Numerics;

namespace Ukl.Tour.Pages;

internal sealed class NumbersPage : Page
{
    public override string Name => "numbers";

    public override string About => "integers of all sizes, decimals, random numbers, mathematics";

    public override void Visit(Guide guide)
    {
        BigInteger factorial = BigInteger.One;
        for (int i = 2; i <= 100; i++)
            factorial *= i;
        string digits = factorial.ToString();
        guide.Check(digits.Length == 158 && digits.StartsWith("93326215443944152681"), "the factorial of a hundred");
        guide.Equal(factorial, BigInteger.Parse(digits), "read back");
        guide.Equal(BigInteger.One, BigInteger.ModPow(3, BigInteger.Pow(2, 127) - 2, BigInteger.Pow(2, 127) - 1), "Fermat's little theorem for 2^127-1");
        guide.Equal("170141183460469231731687303715884105727", Int128.MaxValue.ToString(), "128 bits");
        guide.Equal((UInt128)ulong.MaxValue * ulong.MaxValue / ulong.MaxValue, ulong.MaxValue, "multiplied and divided");
        guide.Equal(79228162514264337593543950335m, decimal.MaxValue, "the greatest decimal");
        guide.Equal(0.3m, 0.1m + 0.2m, "decimals are exact");
        guide.Throws<OverflowException>(() => _ = checked(int.MaxValue + Environment.ProcessorCount), "checked arithmetic overflows");
        guide.Throws<DivideByZeroException>(() => _ = 1 / (Environment.ProcessorCount - Environment.ProcessorCount), "division by zero");
        guide.Check(Math.Abs(Math.Sin(Math.PI / 6) - 0.5) < 1e-15 && Math.Abs(Math.Exp(Math.Log(10)) - 10) < 1e-14, "sine, logarithm and exponential");
        guide.Equal(1.4142135623730951, Math.Sqrt(2), "the square root of two, to the last digit");
        guide.Equal(2.0, Math.Round(2.5), "rounding to even");
        guide.Equal((3, 5), (BitOperations.TrailingZeroCount(40), BitOperations.PopCount(0b1011_0110u)), "bits");
        guide.Equal(new Complex(-5, 10), new Complex(1, 2) * new Complex(3, 4), "complex numbers");
        guide.Equal((Half)1.5f, (Half)0.75f * (Half)2f, "half precision");
        Random seeded = new(42), same = new(42);
        guide.Sequence(Enumerable.Range(0, 20).Select(_ => seeded.Next()), Enumerable.Range(0, 20).Select(_ => same.Next()), "the same seed gives the same numbers");
        int[] counts = new int[10];
        for (int i = 0; i < 100_000; i++)
            counts[Random.Shared.Next(10)]++;
        guide.Check(counts.All(count => count is > 9_000 and < 11_000), "and shared random numbers are even");
    }
}
