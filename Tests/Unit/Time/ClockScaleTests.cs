using System;
using FsCheck;
using FsCheck.Fluent;
using Ukl.Kernel.Time;
using Xunit;

namespace Ukl.Tests.Unit.Time;

public class ClockScaleTests
{
    [Fact]
    public void Conversion_is_hardly_behind_and_never_ahead()
    {
        Gen<ulong> rate = Gen.Choose(0, 1 << 30).Select(x => 1_000_000ul + (ulong)x * 10);
        Gen<ulong> ticks = Gen.Choose(0, int.MaxValue).Zip(Gen.Choose(0, 28)).Select(x => (ulong)x.Item1 << x.Item2);
        Prop.ForAll(rate.Zip(rate.Select(hertz => hertz % 4_000_000_000 + 1_000_000)).Zip(ticks).ToArbitrary(), input =>
        {
            ((ulong from, ulong to), ulong count) = (input.Item1, input.Item2);
            UInt128 exact = (UInt128)count * to / from;
            if (exact > ulong.MaxValue)
                return true;
            ulong converted = ClockScale.Between(from, to).Convert(count);
            double error = to >= from ? 1.0 / (1u << 31) : (double)from / to / (1ul << 32);
            return converted <= exact && (ulong)exact - converted <= (double)exact * error * 1.001 + 2;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(5000));
    }

    [Fact]
    public void Time_never_goes_back()
    {
        var scale = ClockScale.Between(2_399_999_123, 1_000_000_000);
        ulong previous = 0;
        for (ulong ticks = (1ul << 32) - 1000; ticks < (1ul << 32) + 1000; ticks++)
        {
            ulong now = scale.Convert(ticks);
            Assert.InRange(now - previous, 0ul, ticks == (1ul << 32) - 1000 ? ulong.MaxValue : 1ul);
            previous = now;
        }
    }
}
