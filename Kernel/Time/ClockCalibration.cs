using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Time;

/// <summary>
/// Finds out how fast the time stamp counter and the local APIC's timer run. What the processor or the hypervisor tells is believed; otherwise both are measured against
/// the reference counter over short windows, one millisecond in all when consecutive windows agree and never more than about four. Being descheduled by the host
/// does no harm: see <see cref="CalibrationPoint"/>. Boot work can be done between <see cref="Begin"/> and <see cref="Finish"/>, so that the first window costs nothing.
/// </summary>
public static unsafe class ClockCalibration
{
    private const int PointCount = 9;

    /// <summary>A window is this part of a second: 0.5 ms.</summary>
    private const uint WindowsPerSecond = 2000;

    /// <summary>Two windows agree when their rates differ by less than one part in this.</summary>
    private const ulong AgreementParts = 2000;

    /// <summary>A result is poor when the confined edges leave more than one part in this open; then all is measured again.</summary>
    private const ulong PoorParts = 300;
    private const int Attempts = 10;

    /// <summary>A counter that does not get to the end of a window in this many readings (each takes a microsecond or so) does not count.</summary>
    private const int PatientReadings = 1_000_000;

    private static PointArray s_points;
    private static CentreArray s_centres;
    private static CentreArray s_widths;
    private static int s_count;

    /// <summary>Starts the counters and takes the first point.</summary>
    public static void Begin(in CalibrationSources sources)
    {
        s_count = 0;
        sources.StartTimer(uint.MaxValue);
        if (sources.Reference.Start != null && sources.Reference.Start() && Point(0).TryTake(sources))
            s_count = 1;
    }

    /// <summary>Takes as many further points as it needs, and stops the APIC's timer. Call it within 50 ms of <see cref="Begin"/>; later it has to begin anew.</summary>
    public static ClockRates Finish(in CalibrationSources sources)
    {
        ClockRates rates = default;
        rates.TimestampRate = ClockRates.Identify(sources.Identify);
        if (rates.TimestampRate != 0)
        {
            rates.Source = RateSource.Identified;
            rates.TimerRate = MeasureTimer(sources, rates.TimestampRate);
        }
        else
        {
            Measure(sources, ref rates);
        }
        sources.StartTimer(0);
        return rates;
    }

    private static void Measure(in CalibrationSources sources, ref ClockRates rates)
    {
        ulong best = 0;
        for (int attempt = 0; attempt < Attempts && best < PoorParts; attempt++)
        {
            if (attempt != 0 || s_count == 0)
                Begin(sources);
            if (s_count == 0)
                break;
            bool isAgreed = false;
            while (s_count < PointCount && !isAgreed && TryAddPoint(sources))
                isAgreed = s_count >= 3 && DoWindowsAgree();
            if (s_count < 2)
                continue;
            ulong quality = FindBestPair(out int first, out int last);
            ulong rate = (ScaledTick(first, last) * sources.Reference.Frequency) >> 16;
            if (rate < ClockRates.LowestMeasurable)
                break;
            if (quality <= best)
                continue;
            best = isAgreed ? ulong.MaxValue : quality;
            rates.TimestampRate = rate;
            rates.TimerRate = TimerRateBetween(ref Point(first), ref Point(last), rates.TimestampRate);
            rates.Source = RateSource.Measured;
        }
        if (rates.Source == RateSource.Measured)
            return;
        rates.TimestampRate = ClockRates.AssumedTimestampRate;
        rates.TimerRate = MeasureTimer(sources, rates.TimestampRate);
    }

    /// <summary>Waits until a window after the last point has passed and takes the next.</summary>
    private static bool TryAddPoint(in CalibrationSources sources)
    {
        uint target = Point(s_count - 1).Ticks + sources.Reference.Frequency / WindowsPerSecond;
        uint ticks = 0;
        for (int i = 0; ticks < target; i++)
        {
            if (i == PatientReadings || target > sources.Reference.MaximumTicks || !sources.Reference.TryRead(&ticks))
                return false;
        }
        if (!Point(s_count).TryTake(sources) || Point(s_count).Ticks < target)
            return false;
        s_count++;
        Refine();
        return true;
    }

    /// <summary>Confines all edges, with a length of the tick that gets better with each round.</summary>
    private static void Refine()
    {
        const int Rounds = 3;
        ref CalibrationPoint last = ref Point(s_count - 1);
        ulong scaledTick = ((last.Guess - Point(0).Guess) << 16) / (last.Ticks - Point(0).Ticks);
        for (int round = 0; round < Rounds; round++)
        {
            for (int i = 0; i < s_count; i++)
            {
                s_centres[i] = Point(i).Confine(scaledTick, out ulong width);
                s_widths[i] = width;
            }
            scaledTick = ScaledTick(0, s_count - 1);
        }
    }

    /// <summary>Time stamps per tick of the reference counter, times 2^16, between two points.</summary>
    private static ulong ScaledTick(int first, int last) =>
        ((s_centres[last] - s_centres[first]) << 16) / (Point(last).Ticks - Point(first).Ticks);

    private static bool DoWindowsAgree()
    {
        ulong before = ScaledTick(s_count - 3, s_count - 2);
        ulong after = ScaledTick(s_count - 2, s_count - 1);
        ulong difference = before > after ? before - after : after - before;
        return difference < before / AgreementParts;
    }

    /// <summary>The two points to reckon with: those whose edges are confined best for their distance. Returns one over the part of the distance that is left open.</summary>
    private static ulong FindBestPair(out int first, out int last)
    {
        first = 0;
        last = s_count - 1;
        ulong best = 0;
        for (int i = 0; i < s_count; i++)
        {
            for (int j = i + 1; j < s_count; j++)
            {
                ulong parts = (s_centres[j] - s_centres[i]) / (s_widths[i] + s_widths[j] + 1);
                if (parts > best)
                {
                    best = parts;
                    first = i;
                    last = j;
                }
            }
        }
        return best;
    }

    /// <summary>Measures the APIC's timer against a time stamp counter of known rate, over half a millisecond.</summary>
    private static ulong MeasureTimer(in CalibrationSources sources, ulong timestampRate)
    {
        const int Tries = 8;
        sources.StartTimer(uint.MaxValue);
        ReadTimerPair(sources, Tries, out ulong startTimestamp, out uint startCount);
        ulong until = startTimestamp + timestampRate / WindowsPerSecond;
        while (sources.ReadTimestamp() < until)
        {
        }
        ReadTimerPair(sources, Tries, out ulong endTimestamp, out uint endCount);
        return (startCount - endCount) * timestampRate / (endTimestamp - startTimestamp);
    }

    private static void ReadTimerPair(in CalibrationSources sources, int tries, out ulong timestamp, out uint count)
    {
        timestamp = 0;
        count = 0;
        ulong narrowest = ulong.MaxValue;
        for (int i = 0; i < tries; i++)
        {
            ulong before = sources.ReadTimestamp();
            uint read = sources.ReadTimerCount();
            ulong after = sources.ReadTimestamp();
            if (after - before >= narrowest)
                continue;
            narrowest = after - before;
            timestamp = before + narrowest / 2;
            count = read;
        }
    }

    private static ulong TimerRateBetween(ref CalibrationPoint first, ref CalibrationPoint last, ulong timestampRate) =>
        (first.TimerCount - last.TimerCount) * timestampRate / (last.TimerTimestamp - first.TimerTimestamp);

    // Not inlined: RyuJIT (10.0.12) would fold the "- 1" of a caller into the address of the field and lose its relocation.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ref CalibrationPoint Point(int index) => ref Unsafe.Add(ref Unsafe.As<PointArray, CalibrationPoint>(ref s_points), index);

    [InlineArray(PointCount)]
    private struct PointArray
    {
        private CalibrationPoint _first;
    }

    [InlineArray(PointCount)]
    private struct CentreArray
    {
        private ulong _first;
    }
}
