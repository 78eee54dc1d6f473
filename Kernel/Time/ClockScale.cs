namespace Ukl.Kernel.Time;

/// <summary>
/// Converts between ticks of two rates by one multiplication and a shift, without 128-bit arithmetic. Exact to about one part in 2^30 while the multiplier
/// has 31 or 32 significant bits, which it has for every pair of rates that differ by less than a factor of 2^32.
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
    public ulong Convert(ulong ticks) =>
        ((ticks >> 32) * _multiplier << (32 - _shift)) + ((ulong)(uint)ticks * _multiplier >> _shift);
}
