using System.Runtime.CompilerServices;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Net.Ip;

/// <summary>
/// The neighbours of all interfaces of a stack, by address. Bounded: when it is full, one that is not being used goes, so that nobody on the link can fill memory.
/// </summary>
public unsafe struct NeighborTable
{
    /// <summary>How many there may be.</summary>
    public const int Capacity = 1024;

    private const int BucketCount = 256;

    private BucketArray _buckets;
    private int _evictionBucket;

    /// <summary>How many there are.</summary>
    public int Count { readonly get; private set; }

    /// <summary>Whether one that only asked for this host is remembered too; the other half is for those this host wants to talk to.</summary>
    public readonly bool HasRoomForStrangers => Count < Capacity / 2;

    /// <summary>The neighbour with an address, or null.</summary>
    public readonly Neighbor* Find(NetworkInterface* on, in IpAddress address)
    {
        var neighbor = (Neighbor*)_buckets[BucketOf(address)];
        while (neighbor != null && (neighbor->Address != address || neighbor->Interface != on))
            neighbor = neighbor->NextInBucket;
        return neighbor;
    }

    /// <summary>The neighbour with an address, made if need be. Null when out of memory.</summary>
    public Neighbor* Get(NetworkInterface* on, in IpAddress address)
    {
        Neighbor* neighbor = Find(on, address);
        if (neighbor != null)
            return neighbor;
        if (Count >= Capacity && !Evict())
            return null;
        neighbor = Pool<Neighbor>.Allocate();
        if (neighbor == null)
            return null;
        neighbor->Interface = on;
        neighbor->Address = address;
        int bucket = BucketOf(address);
        neighbor->NextInBucket = (Neighbor*)_buckets[bucket];
        _buckets[bucket] = (nint)neighbor;
        Count++;
        NeighborDiscovery.Begin(neighbor);
        return neighbor;
    }

    /// <summary>The neighbour after another, for lists; null begins and ends.</summary>
    public readonly Neighbor* Next(Neighbor* neighbor)
    {
        int bucket = 0;
        if (neighbor != null)
        {
            if (neighbor->NextInBucket != null)
                return neighbor->NextInBucket;
            bucket = BucketOf(neighbor->Address) + 1;
        }
        while (bucket < BucketCount && _buckets[bucket] == 0)
            bucket++;
        return bucket < BucketCount ? (Neighbor*)_buckets[bucket] : null;
    }

    /// <summary>Forgets all of one interface, and drops what waits for them.</summary>
    public void Clear(NetworkInterface* on)
    {
        for (int bucket = 0; bucket < BucketCount; bucket++)
        {
            for (Neighbor* neighbor = (Neighbor*)_buckets[bucket], next; neighbor != null; neighbor = next)
            {
                next = neighbor->NextInBucket;
                if (neighbor->Interface == on)
                    Remove(neighbor);
            }
        }
    }

    /// <summary>Forgets a neighbour; routes that lead to it are found again.</summary>
    public void Remove(Neighbor* gone)
    {
        NetworkStack* stack = gone->Interface->Stack;
        stack->Timers.Cancel(&gone->Timer);
        gone->Waiting.Clear();
        if (gone->IsReferenced)
            stack->RouteGeneration++;
        int bucket = BucketOf(gone->Address);
        if ((Neighbor*)_buckets[bucket] == gone)
        {
            _buckets[bucket] = (nint)gone->NextInBucket;
        }
        else
        {
            var before = (Neighbor*)_buckets[bucket];
            while (before->NextInBucket != gone)
                before = before->NextInBucket;
            before->NextInBucket = gone->NextInBucket;
        }
        Count--;
        Pool<Neighbor>.Free(gone);
    }

    /// <summary>
    /// Makes room: the next one in turn that no route refers to, or the next one at all, but none that is just being asked. Going in turn needs no order of use to be kept.
    /// </summary>
    private bool Evict()
    {
        Neighbor* second = null;
        for (int i = 0; i < BucketCount; i++)
        {
            _evictionBucket = (_evictionBucket + 1) % BucketCount;
            for (var neighbor = (Neighbor*)_buckets[_evictionBucket]; neighbor != null; neighbor = neighbor->NextInBucket)
            {
                // One that is being asked is in somebody's hands.
                if (neighbor->State is NeighborState.Incomplete or NeighborState.Probe)
                    continue;
                if (!neighbor->IsReferenced)
                {
                    Remove(neighbor);
                    return true;
                }
                if (second == null)
                    second = neighbor;
            }
        }
        if (second == null)
            return false;
        Remove(second);
        return true;
    }

    private static int BucketOf(in IpAddress address)
    {
        ulong mixed = (address.High ^ address.Low) * 0x9e37_79b9_7f4a_7c15;
        return (int)(mixed >> 56);
    }

    [InlineArray(BucketCount)]
    private struct BucketArray
    {
        private nint _first;
    }
}
