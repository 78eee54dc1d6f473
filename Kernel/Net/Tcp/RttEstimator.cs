namespace Ukl.Kernel.Net.Tcp;

/// <summary>
/// Smoothed round-trip time and retransmission timeout in nanoseconds (RFC 6298). Where the RFC asks for a least timeout of a second, this has a least
/// allowance of 200 ms beyond the round trip, as Linux.
/// </summary>
internal struct RttEstimator
{
    /// <summary>Before anything was measured (RFC 6298 section 2.1).</summary>
    public const ulong InitialTimeout = 1_000_000_000;

    /// <summary>The longest timeout, backed off or not.</summary>
    public const ulong LongestTimeout = 120_000_000_000;

    private const ulong LeastAllowance = 200_000_000;

    /// <summary>SRTT; 0 when nothing was measured.</summary>
    public ulong Smoothed;

    /// <summary>RTTVAR.</summary>
    public ulong Variation;

    /// <summary>The least that was ever measured.</summary>
    public ulong Least;

    /// <summary>RTO before backing off.</summary>
    public ulong Timeout;

    /// <summary>How often it is doubled (RFC 6298 section 5.5).</summary>
    public byte Backoff;

    /// <summary>The timeout as it is now.</summary>
    public readonly ulong CurrentTimeout
    {
        get
        {
            ulong timeout = Timeout << Backoff;
            return timeout > LongestTimeout ? LongestTimeout : timeout;
        }
    }

    /// <summary>Begins without a measurement.</summary>
    public void Initialize() => Timeout = InitialTimeout;

    /// <summary>Doubles the timeout.</summary>
    public void BackOff()
    {
        if (Backoff < 16)
            Backoff++;
    }

    /// <summary>A round trip was measured.</summary>
    public void Measure(ulong sample)
    {
        if (sample == 0)
            sample = 1;
        if (Smoothed == 0)
        {
            Smoothed = sample;
            Variation = sample / 2;
            Least = sample;
        }
        else
        {
            ulong difference = sample > Smoothed ? sample - Smoothed : Smoothed - sample;
            Variation += (difference >> 2) - (Variation >> 2);
            Smoothed += (sample >> 3) - (Smoothed >> 3);
            if (sample < Least)
                Least = sample;
        }
        ulong allowance = Variation * 4;
        Timeout = Smoothed + (allowance < LeastAllowance ? LeastAllowance : allowance);
    }
}
