// The paths that carry less than their first link. Source: RFC 1191, RFC 8201. An entry is a report that a transport has found to be about a packet of its own, so
// that a stranger's message alone lowers nothing.
using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Net.Ip;

/// <summary>What is known of paths, by destination; a new entry takes an older one's place.</summary>
public struct PathMtuTable
{
    /// <summary>Lower reports are taken as this much: IPv4 (as Linux's min_pmtu) and IPv6 (RFC 8200 section 5).</summary>
    public const uint Minimum4 = 552;
    public const uint Minimum6 = 1280;

    /// <summary>After this long a larger packet is tried again (RFC 8201 section 4), in nanoseconds.</summary>
    private const ulong Lifetime = 600_000_000_000;

    private const int SetCount = 32;
    private const int WaysPerSet = 4;

    private EntryArray _entries;

    /// <summary>The largest packet to a destination, or <paramref name="linkMtu"/> when nothing lower is known.</summary>
    public readonly uint Get(in IpAddress destination, uint linkMtu, ulong now)
    {
        int set = SetOf(destination);
        for (int i = set; i < set + WaysPerSet; i++)
        {
            if (_entries[i].Mtu != 0 && _entries[i].Destination == destination && now < _entries[i].ValidUntil && _entries[i].Mtu < linkMtu)
                return _entries[i].Mtu;
        }
        return linkMtu;
    }

    /// <summary>Notes a lower value. Returns what holds from now on.</summary>
    public uint Lower(in IpAddress destination, uint mtu, ulong now)
    {
        uint least = destination.IsV4 ? Minimum4 : Minimum6;
        if (mtu < least)
            mtu = least;
        int set = SetOf(destination);
        int chosen = set;
        for (int i = set; i < set + WaysPerSet; i++)
        {
            if (_entries[i].Mtu != 0 && _entries[i].Destination == destination)
            {
                chosen = i;
                break;
            }
            if (_entries[i].ValidUntil < _entries[chosen].ValidUntil)
                chosen = i;
        }
        _entries[chosen] = new Entry { Destination = destination, Mtu = mtu, ValidUntil = now + Lifetime };
        return mtu;
    }

    private static int SetOf(in IpAddress destination) =>
        (int)(((destination.High ^ destination.Low) * 0x9e37_79b9_7f4a_7c15) >> 59) * WaysPerSet;

    private struct Entry
    {
        public IpAddress Destination;
        public ulong ValidUntil;
        public uint Mtu;
    }

    [InlineArray(SetCount * WaysPerSet)]
    private struct EntryArray
    {
        private Entry _first;
    }
}
