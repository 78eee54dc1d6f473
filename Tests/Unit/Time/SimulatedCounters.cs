using System;
using Ukl.Kernel.Core;
using Ukl.Kernel.Time;

namespace Ukl.Tests.Unit.Time;

/// <summary>A machine whose counters all follow one true time, whose every access takes some of it, and that the host may stop at any moment.</summary>
internal static unsafe class SimulatedCounters
{
    private const double Nanosecond = 1e-9;
    private const double PitFrequency = 105e6 / 88;
    private const uint PitMaximum = 65534;

    private static System.Random s_random = new(0);
    private static double s_timestampRate;
    private static double s_timerRate;
    private static double s_stopProbability;
    private static double s_pitStart;
    private static double s_timerStart;
    private static uint s_timerInitial;

    /// <summary>True time, in seconds.</summary>
    internal static double Now { get; private set; }

    /// <summary>How long the host had stopped the machine, in seconds.</summary>
    internal static double Stopped { get; private set; }

    /// <summary>CPUID leaves; others read as 0.</summary>
    internal static Func<uint, uint[]> Leaves { get; set; } = _ => new uint[4];

    /// <summary>What became of the reference counter.</summary>
    internal static Func<uint, uint> Distort { get; set; } = ticks => ticks;

    internal static CalibrationSources Sources => new()
    {
        ReadTimestamp = &ReadTimestamp,
        Identify = &Identify,
        StartTimer = &StartTimer,
        ReadTimerCount = &ReadTimerCount,
        Reference = new ReferenceCounter { Frequency = 1_193_182, MaximumTicks = PitMaximum, Start = &StartReference, TryRead = &TryReadReference },
    };

    internal static void Reset(int seed, double timestampRate, double timerRate, double stopProbability)
    {
        s_random = new System.Random(seed);
        s_timestampRate = timestampRate;
        s_timerRate = timerRate;
        s_stopProbability = stopProbability;
        Leaves = _ => new uint[4];
        Distort = ticks => ticks;
        Now = 3 + s_random.NextDouble();
        Stopped = 0;
    }

    private static void Pass(double nanoseconds)
    {
        Now += nanoseconds * (0.9 + 0.2 * s_random.NextDouble()) * Nanosecond;
        if (s_random.NextDouble() >= s_stopProbability)
            return;
        double stop = Math.Pow(10, -6 + 4.3 * s_random.NextDouble());
        Now += stop;
        Stopped += stop;
    }

    private static ulong ReadTimestamp()
    {
        Pass(10);
        ulong value = (ulong)(Now * s_timestampRate);
        Pass(10);
        return value;
    }

    private static void Identify(uint leaf, uint subleaf, uint* four)
    {
        uint[] values = Leaves(leaf);
        for (int i = 0; i < 4; i++)
            four[i] = values[i];
    }

    private static void StartTimer(uint count)
    {
        Pass(300);
        s_timerStart = Now;
        s_timerInitial = count;
    }

    private static uint ReadTimerCount()
    {
        Pass(200);
        uint count = s_timerInitial - (uint)((Now - s_timerStart) * s_timerRate);
        Pass(200);
        return count;
    }

    private static bool StartReference()
    {
        Pass(3000);
        s_pitStart = Now;
        return true;
    }

    private static bool TryReadReference(uint* ticks)
    {
        Pass(1000);
        double passed = (Now - s_pitStart) * PitFrequency;
        Pass(2000);
        *ticks = Distort((uint)((ulong)passed & 0xffff));
        return passed <= PitMaximum;
    }
}
