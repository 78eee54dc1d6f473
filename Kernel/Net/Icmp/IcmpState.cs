namespace Ukl.Kernel.Net.Icmp;

/// <summary>What ICMP of one stack remembers.</summary>
public struct IcmpState
{
    /// <summary>How many errors may be sent now.</summary>
    internal uint Tokens;

    /// <summary>Up to when tokens were given out, in the stack's time.</summary>
    internal ulong TokensCounted;
}
