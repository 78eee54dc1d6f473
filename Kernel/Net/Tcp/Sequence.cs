using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>Comparing sequence numbers, which wrap (RFC 9293 section 3.4). True as long as the two are less than 2^31 apart.</summary>
public static class Sequence
{
    /// <summary>a &lt; b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsBefore(uint a, uint b) => (int)(a - b) < 0;

    /// <summary>a &gt; b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsAfter(uint a, uint b) => (int)(b - a) < 0;

    /// <summary>a ≤ b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsAtMost(uint a, uint b) => (int)(b - a) >= 0;

    /// <summary>a ≥ b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsAtLeast(uint a, uint b) => (int)(a - b) >= 0;

    /// <summary>The later of two.</summary>
    public static uint Later(uint a, uint b) => IsAfter(a, b) ? a : b;

    /// <summary>The earlier of two.</summary>
    public static uint Earlier(uint a, uint b) => IsBefore(a, b) ? a : b;
}
