using System.Runtime.CompilerServices;
using Ukl.Kernel.Core;

namespace Ukl.Kernel.Time;

/// <summary>The functions that calibration reads the machine by; the machine of a host test is simulated.</summary>
public unsafe struct CalibrationSources
{
    /// <summary>Reads the time stamp counter.</summary>
    public delegate*<ulong> ReadTimestamp;

    /// <summary>CPUID: leaf, subleaf, four registers.</summary>
    public delegate*<uint, uint, uint*, void> Identify;

    /// <summary>Starts the local APIC's timer downwards from a count; 0 stops it.</summary>
    public delegate*<uint, void> StartTimer;

    /// <summary>Reads what is left of the count.</summary>
    public delegate*<uint> ReadTimerCount;

    /// <summary>The counter of known rate; without functions when there is none.</summary>
    public ReferenceCounter Reference;
}

/// <summary>
/// The moment of one edge of the reference counter in time stamps, found by reading the counter a few times. Each reading says: between these two time stamps the
/// counter stood at this value. That stays true however long the machine was stopped in between, so readings can only be useless, never wrong; all of them together
/// confine the edge better than any one does.
/// </summary>
internal unsafe struct CalibrationPoint
{
    private const int ReadingCount = 12;

    /// <summary>Readings further than this from the edge are left out: there an error in the length of a tick, which is not known yet, would weigh too much.</summary>
    private const int NearbyTicks = 128;

    private ReadingArray _readings;
    private int _narrowest;

    /// <summary>The tightest pair of time stamp and APIC timer count.</summary>
    internal ulong TimerTimestamp;
    internal uint TimerCount;

    /// <summary>The edge: the moment when the reference counter became this, which the narrowest reading saw.</summary>
    internal readonly uint Ticks => _readings[_narrowest].Ticks;

    /// <summary>The middle of the narrowest reading, a first guess of the edge.</summary>
    internal readonly ulong Guess => _readings[_narrowest].Before + WidthOf(_narrowest) / 2;

    /// <summary>Takes the readings. False when the counter has run out, or goes backwards.</summary>
    internal bool TryTake(in CalibrationSources sources)
    {
        ulong narrowestPair = ulong.MaxValue;
        _narrowest = 0;
        for (int i = 0; i < ReadingCount; i++)
        {
            uint ticks;
            ulong before = sources.ReadTimestamp();
            bool isCounting = sources.Reference.TryRead(&ticks);
            ulong between = sources.ReadTimestamp();
            uint count = sources.ReadTimerCount();
            ulong after = sources.ReadTimestamp();
            if (!isCounting || (i != 0 && ticks < _readings[i - 1].Ticks))
                return false;
            _readings[i] = new Reading { Before = before, After = between, Ticks = ticks };
            if (WidthOf(i) < WidthOf(_narrowest))
                _narrowest = i;
            if (after - between < narrowestPair)
            {
                narrowestPair = after - between;
                TimerTimestamp = between + narrowestPair / 2;
                TimerCount = count;
            }
        }
        return true;
    }

    /// <summary>
    /// Confines the edge, given about how many time stamps a tick has (times 2^16). Returns the middle of where it can be; <paramref name="width"/> is how wide that
    /// is.
    /// </summary>
    internal readonly ulong Confine(ulong scaledTick, out ulong width)
    {
        long earliest = long.MinValue;
        long latest = long.MaxValue;
        ulong origin = Guess;
        for (int i = 0; i < ReadingCount; i++)
        {
            int sinceEdge = (int)(_readings[i].Ticks - Ticks);
            if (sinceEdge is < -NearbyTicks or > NearbyTicks)
                continue;
            // The counter became what was read before the reading was over, and one more after it began.
            long end = (long)(_readings[i].After - origin) - (sinceEdge * (long)scaledTick >> 16);
            long begin = (long)(_readings[i].Before - origin) - ((sinceEdge + 1) * (long)scaledTick >> 16);
            if (end < latest)
                latest = end;
            if (begin > earliest)
                earliest = begin;
        }
        width = latest > earliest ? (ulong)(latest - earliest) : 0;
        return origin + (ulong)((earliest + latest) / 2);
    }

    private readonly ulong WidthOf(int reading) => _readings[reading].After - _readings[reading].Before;

    private struct Reading
    {
        internal ulong Before;
        internal ulong After;
        internal uint Ticks;
    }

    [InlineArray(ReadingCount)]
    private struct ReadingArray
    {
        private Reading _first;
    }
}
