// CUBIC (RFC 9438) in integers. Windows are bytes; times are milliseconds inside the cube, which then stays within 63 bits.
using System.Numerics;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>How the congestion window of one connection grows after a loss.</summary>
internal struct Cubic
{
    /// <summary>β_cubic = 0.7 and C = 0.4 (RFC 9438 section 4.6 and 5), in tenths.</summary>
    private const uint BetaTenths = 7;

    /// <summary>A cube of milliseconds times C is this many segments times 1024: 10^9 / 0.4 / 1024, rounded.</summary>
    private const long CubesPerKiloSegment = 2_441_406;

    /// <summary>t - K is cut to this, in milliseconds, so that its cube fits.</summary>
    private const long LongestTime = 1 << 20;

    /// <summary>α_cubic = 3 (1 - β) / (1 + β) = 9/17 (section 4.3).</summary>
    private const uint AlphaNumerator = 9;
    private const uint AlphaDenominator = 17;

    /// <summary>No window grows beyond this.</summary>
    public const uint Limit = 1u << 30;

    /// <summary>W_max; 0 before the first loss.</summary>
    private uint _wMax;

    /// <summary>The window at the beginning of the congestion avoidance stage, and the one before the loss (cwnd_prior).</summary>
    private uint _cwndPrior;

    /// <summary>When the stage began, in nanoseconds; 0: not begun.</summary>
    private ulong _epoch;

    /// <summary>K in milliseconds.</summary>
    private uint _k;

    /// <summary>W_est, the window that Reno would have, and what does not yet make a byte of either window.</summary>
    private ulong _wEst;
    private ulong _estimateRest;
    private ulong _windowRest;

    /// <summary>A loss was noticed: returns ssthresh (section 4.6), and remembers where it happened (fast convergence, section 4.7).</summary>
    public uint OnLoss(uint cwnd, uint mss)
    {
        _epoch = 0;
        _wMax = cwnd < _wMax ? (uint)((ulong)cwnd * (10 + BetaTenths) / 20) : cwnd;
        _cwndPrior = cwnd;
        var reduced = (uint)((ulong)cwnd * BetaTenths / 10);
        return reduced > 2 * mss ? reduced : 2 * mss;
    }

    /// <summary>The connection was idle: the time that passed is not the network's (section 5.8).</summary>
    public void OnIdle() => _epoch = 0;

    /// <summary>New data was acknowledged in congestion avoidance: returns the window.</summary>
    /// <param name="cwnd">The window, in bytes.</param>
    /// <param name="mss">A full segment, in bytes.</param>
    /// <param name="acked">How much was acknowledged, in bytes.</param>
    /// <param name="now">The time in nanoseconds.</param>
    /// <param name="roundTrip">SRTT in nanoseconds.</param>
    public uint OnAck(uint cwnd, uint mss, uint acked, ulong now, ulong roundTrip)
    {
        if (_epoch == 0)
            Begin(cwnd, mss, now);

        // W_est (equation 4); Reno's own pace once it has caught up with the window before the loss.
        bool isAhead = _wEst >= _cwndPrior;
        _estimateRest += isAhead ? (ulong)acked * mss * AlphaDenominator : (ulong)acked * mss * AlphaNumerator;
        ulong unit = (ulong)cwnd * AlphaDenominator;
        ulong grown = _estimateRest / unit;
        _wEst += grown;
        _estimateRest -= grown * unit;

        var elapsed = (long)((now - _epoch) / 1_000_000);
        if (WindowAt(elapsed, mss) < _wEst)
            return (uint)(_wEst > cwnd ? _wEst < Limit ? _wEst : Limit : cwnd);

        // The window a round trip from now (section 4.2), between cwnd and 1.5 cwnd; each segment acknowledged brings the window closer by its share.
        ulong target = WindowAt(elapsed + (long)(roundTrip / 1_000_000), mss);
        if (target > cwnd + (ulong)(cwnd / 2))
            target = cwnd + (ulong)(cwnd / 2);
        // In the plateau around W_max the window still moves a little: 1/100 of a segment for each segment (as Linux).
        ulong wanted = target > cwnd ? (target - cwnd) * acked : (ulong)acked * mss / 100;
        _windowRest += wanted;
        ulong growth = _windowRest / cwnd;
        _windowRest -= growth * cwnd;
        return cwnd + growth < Limit ? (uint)(cwnd + growth) : Limit;
    }

    private void Begin(uint cwnd, uint mss, ulong now)
    {
        _epoch = now;
        _wEst = cwnd;
        _estimateRest = 0;
        _windowRest = 0;
        if (_cwndPrior == 0)
            _cwndPrior = cwnd;
        if (_wMax <= cwnd)
        {
            _wMax = cwnd;
            _k = 0;
        }
        else
        {
            // K = cbrt((W_max - cwnd_epoch) / C) seconds: 10^9 for the milliseconds' cube.
            ulong segments = ((ulong)(_wMax - cwnd) << 10) / mss;
            _k = CubeRoot(segments * CubesPerKiloSegment);
        }
    }

    /// <summary>W_cubic (equation 1), in bytes.</summary>
    private readonly ulong WindowAt(long milliseconds, uint mss)
    {
        long time = milliseconds - _k;
        if (time > LongestTime)
            time = LongestTime;
        if (time < -LongestTime)
            time = -LongestTime;
        long kiloSegments = time * time * time / CubesPerKiloSegment;
        if (kiloSegments > (long)Limit)
            kiloSegments = Limit;
        long window = _wMax + (kiloSegments * mss >> 10);
        return window < mss ? mss : window > Limit ? Limit : (ulong)window;
    }

    /// <summary>The whole part of the cube root, bit by bit from the top.</summary>
    private static uint CubeRoot(ulong value)
    {
        ulong root = 0;
        int top = value == 0 ? 0 : (63 - BitOperations.LeadingZeroCount(value)) / 3;
        for (int bit = top; bit >= 0; bit--)
        {
            ulong next = root | (1UL << bit);
            if (next * next * next <= value && next < 1UL << 21)
                root = next;
        }
        return (uint)root;
    }
}
