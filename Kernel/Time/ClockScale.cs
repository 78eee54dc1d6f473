using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Time;

/// <summary>
/// Converts between ticks of two rates by one multiplication and a shift, without 128-bit arithmetic. The result is never ahead, and behind by at most one part
/// in 2^32 times the ratio of the rates, or in 2^31 when the second rate, below 2^32, is the higher one: half a nanosecond in a second for a clock of 2 GHz.
/// </summary>
public readonly struct ClockScale
{
    private readonly uint _multiplier;
    private readonly int _shift;

    private ClockScale(uint multiplier, int shift)
    {
        _multiplier = multiplier;
        _shift = shift;
    }

    /// <summary>Whether this converts everything to 0: no rates were given.</summary>
    public bool IsZero => _multiplier == 0;

    /// <summary>The numbers by which <see cref="Convert"/> works.</summary>
    internal void Describe(out uint multiplier, out int shift)
    {
        multiplier = _multiplier;
        shift = _shift;
    }

    /// <summary>From ticks of <paramref name="fromRate"/> hertz to ticks of <paramref name="toRate"/> hertz, neither of them 0.</summary>
    public static ClockScale Between(ulong fromRate, ulong toRate)
    {
        int shift = 32;
        while (toRate > ulong.MaxValue >> shift)
            shift--;
        ulong multiplier = (toRate << shift) / fromRate;
        while (multiplier > uint.MaxValue && shift > 0)
        {
            shift--;
            multiplier = (toRate << shift) / fromRate;
        }
        return new ClockScale((uint)multiplier, shift);
    }

    /// <summary>The ticks at the second rate for <paramref name="ticks"/> at the first, rounded down.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Convert(ulong ticks) =>
        ((ticks >> 32) * _multiplier << (32 - _shift)) + ((ulong)(uint)ticks * _multiplier >> _shift);
}
