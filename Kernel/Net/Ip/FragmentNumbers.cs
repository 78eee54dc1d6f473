// What the pieces of a packet have in common. Source: RFC 7739 section 5.3: counters that begin anywhere, one for each of many groups of destinations, so that one
// destination can neither foresee nor count what others get.
using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Net.Ip;

/// <summary>Numbers for packets that may be cut.</summary>
internal struct FragmentNumbers
{
    private const int CounterBits = 6;
    private const ulong HashFactor = 0x9e37_79b9_7f4a_7c15;

    private CounterArray _counters;
    private ulong _key;

    /// <summary>Sets the counters to random numbers.</summary>
    public unsafe void Initialize(NetworkStack* stack)
    {
        _key = stack->NextRandom();
        for (int i = 0; i < 1 << CounterBits; i++)
            _counters[i] = (uint)stack->NextRandom();
    }

    /// <summary>A number for a packet to a destination.</summary>
    public uint Next(in IpAddress destination) =>
        _counters[(int)(((destination.High ^ destination.Low ^ _key) * HashFactor) >> (64 - CounterBits))]++;

    [InlineArray(1 << CounterBits)]
    private struct CounterArray
    {
        private uint _first;
    }
}
