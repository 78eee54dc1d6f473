using System;
using Ukl.Kernel.Time;
using Xunit;

namespace Ukl.Tests.Unit.Time;

public class ClockCalibrationTests
{
    private static readonly double[] s_rates = [1e9, 2.399987e9, 4.7e9, 0.8e9];

    [Fact]
    public void A_quiet_machine_is_measured_closely_and_fast()
    {
        const int Runs = 400;
        double total = 0;
        for (int seed = 0; seed < Runs; seed++)
        {
            double rate = s_rates[seed % 4];
            SimulatedCounters.Reset(seed, rate, 1e9, stopProbability: 0);
            double start = SimulatedCounters.Now;
            ClockRates rates = Calibrate();
            Assert.Equal(RateSource.Measured, rates.Source);
            AssertClose(rate, rates.TimestampRate, 500);
            AssertClose(1e9, rates.TimerRate, 1000);
            Assert.InRange(SimulatedCounters.Now - start, 0, 0.005);
            total += SimulatedCounters.Now - start;
        }
        Assert.InRange(total / Runs, 0, 0.002);
    }

    [Theory]
    [InlineData(0.001, 600)]
    [InlineData(0.01, 600)]
    [InlineData(0.02, 5000)]
    public void A_machine_that_is_stopped_at_random_is_still_measured(double stopProbability, double partsPerMillion)
    {
        for (int seed = 0; seed < 1000; seed++)
        {
            double rate = s_rates[seed % 4];
            SimulatedCounters.Reset(seed, rate, 62.5e6, stopProbability);
            double start = SimulatedCounters.Now;
            ClockRates rates = Calibrate();
            Assert.Equal(RateSource.Measured, rates.Source);
            AssertClose(rate, rates.TimestampRate, partsPerMillion);
            AssertClose(62.5e6, rates.TimerRate, 5 * partsPerMillion);
            Assert.InRange(SimulatedCounters.Now - start - SimulatedCounters.Stopped, 0, 0.02);
        }
    }

    [Fact]
    public void Work_between_the_two_halves_makes_it_closer()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            SimulatedCounters.Reset(seed, 3e9, 1e9, stopProbability: 0);
            ClockCalibration.Begin(SimulatedCounters.Sources);
            for (int i = 0; i < 20_000; i++)
                Pass();
            AssertClose(3e9, ClockCalibration.Finish(SimulatedCounters.Sources).TimestampRate, 100);
        }
    }

    [Fact]
    public void Too_long_a_pause_between_the_two_halves_begins_anew()
    {
        SimulatedCounters.Reset(1, 3e9, 1e9, stopProbability: 0);
        ClockCalibration.Begin(SimulatedCounters.Sources);
        double start = SimulatedCounters.Now;
        while (SimulatedCounters.Now < start + 0.1)
            Pass();
        AssertClose(3e9, ClockCalibration.Finish(SimulatedCounters.Sources).TimestampRate, 300);
    }

    [Fact]
    public void A_rate_told_by_the_hypervisor_is_believed()
    {
        SimulatedCounters.Reset(1, 2.1e9, 1e9, stopProbability: 0);
        SimulatedCounters.Leaves = leaf => leaf switch
        {
            1 => [0, 0, 1u << 31, 0],
            0x4000_0000 => [0x4000_0010, 0x4b4d_564b, 0x564b_4d56, 0x4d],
            0x4000_0010 => [2_100_000, 0, 0, 0],
            _ => new uint[4],
        };
        ClockRates rates = Calibrate();
        Assert.Equal(RateSource.Identified, rates.Source);
        Assert.Equal(2_100_000_000ul, rates.TimestampRate);
        AssertClose(1e9, rates.TimerRate, 2000);
    }

    [Theory]
    [InlineData(0x16u, 2u, 176u, 24_000_000u, 0u, 2_112_000_000ul)]
    [InlineData(0x16u, 2u, 176u, 0u, 2100u, 2_100_000_000ul)]
    [InlineData(0x15u, 2u, 176u, 0u, 0u, 0ul)]
    [InlineData(0x16u, 0u, 0u, 0u, 2100u, 0ul)]
    [InlineData(0x16u, 1u, 1u, 1u, 0u, 0ul)]
    [InlineData(0x0du, 2u, 176u, 24_000_000u, 0u, 0ul)]
    public unsafe void Rates_told_by_the_processor(uint highest, uint denominator, uint numerator, uint crystal, uint megahertz, ulong expected)
    {
        SimulatedCounters.Reset(1, 1e9, 1e9, stopProbability: 0);
        SimulatedCounters.Leaves = leaf => leaf switch
        {
            0 => [highest, 0, 0, 0],
            0x15 => [denominator, numerator, crystal, 0],
            0x16 => [megahertz, 0, 0, 0],
            _ => new uint[4],
        };
        Assert.Equal(expected, ClockRates.Identify(SimulatedCounters.Sources.Identify));
    }

    [Fact]
    public void Without_a_working_counter_a_rate_is_assumed()
    {
        var random = new System.Random(1);
        foreach (Func<uint, uint> distortion in new Func<uint, uint>[] { _ => 0, _ => 65535, _ => (uint)random.Next(65535), ticks => 65535 - ticks })
        {
            SimulatedCounters.Reset(1, 1e9, 1e9, stopProbability: 0);
            SimulatedCounters.Distort = distortion;
            ClockRates rates = Calibrate();
            Assert.Equal((RateSource.Assumed, ClockRates.AssumedTimestampRate), (rates.Source, rates.TimestampRate));
        }
        SimulatedCounters.Reset(1, 1e9, 1e9, stopProbability: 0);
        CalibrationSources none = SimulatedCounters.Sources;
        none.Reference = default;
        ClockCalibration.Begin(none);
        Assert.Equal(RateSource.Assumed, ClockCalibration.Finish(none).Source);
    }

    private static ClockRates Calibrate()
    {
        ClockCalibration.Begin(SimulatedCounters.Sources);
        return ClockCalibration.Finish(SimulatedCounters.Sources);
    }

    private static unsafe void Pass() => _ = SimulatedCounters.Sources.ReadTimerCount();

    private static void AssertClose(double expected, ulong actual, double partsPerMillion) =>
        Assert.InRange(actual, expected * (1 - partsPerMillion / 1e6), expected * (1 + partsPerMillion / 1e6));
}
