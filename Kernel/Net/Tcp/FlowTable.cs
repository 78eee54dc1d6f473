// Finds what a segment belongs to by its two addresses and ports. The hash is keyed: J. Black et al., UMAC (CRYPTO 1999), function NH, with random keys, so that
// nobody who does not know them can choose flows that meet in one bucket.
using System.Runtime.CompilerServices;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>Connections, requests and TIME-WAITs of one stack.</summary>
internal unsafe struct FlowTable
{
    private const uint InitialBuckets = 1024;

    /// <summary>What one allocation of the kernel heap holds.</summary>
    private const uint MostBuckets = (uint)(KernelHeap.MaximumSize / 8);

    private FlowEntry** _buckets;
    private uint _mask;
    private KeyArray _keys;

    /// <summary>How many entries there are.</summary>
    public uint Count { get; private set; }

    /// <summary>Prepares an empty table. False when out of memory.</summary>
    public bool Initialize(NetworkStack* stack)
    {
        for (int i = 0; i < KeyCount; i++)
            _keys[i] = stack->NextRandom();
        _buckets = (FlowEntry**)KernelHeap.Allocate(InitialBuckets * 8);
        _mask = InitialBuckets - 1;
        return _buckets != null;
    }

    /// <summary>Gives the table's memory back; it is empty.</summary>
    public void Clear()
    {
        KernelHeap.Free(_buckets);
        _buckets = null;
    }

    /// <summary>The hash of a pair of ends.</summary>
    public readonly uint Hash(in IpAddress local, in IpAddress remote, uint ports)
    {
        ulong sum = Multiply(_keys[0], local.Low) + Multiply(_keys[1], remote.Low) + Multiply(_keys[2], ports);
        if ((local.High | remote.High) != 0)
            sum += Multiply(_keys[3], local.High) + Multiply(_keys[4], remote.High);
        return (uint)(sum >> 32);
    }

    /// <summary>Both ports as one number, for <see cref="Hash"/>.</summary>
    public static uint Ports(ushort local, ushort remote) => ((uint)local << 16) | remote;

    /// <summary>The entry of a pair of ends; null when there is none.</summary>
    public readonly FlowEntry* Find(in IpAddress local, in IpAddress remote, ushort localPort, ushort remotePort, uint hash)
    {
        for (FlowEntry* entry = _buckets[hash & _mask]; entry != null; entry = entry->Next)
        {
            if (entry->Hash == hash && entry->RemotePort == remotePort && entry->LocalPort == localPort && entry->Remote == remote && entry->Local == local)
                return entry;
        }
        return null;
    }

    /// <summary>The entry of a pair of ends; null when there is none.</summary>
    public readonly FlowEntry* Find(in IpAddress local, in IpAddress remote, ushort localPort, ushort remotePort) =>
        Find(local, remote, localPort, remotePort, Hash(local, remote, Ports(localPort, remotePort)));

    /// <summary>Adds an entry whose addresses and ports are set and in nobody else's use.</summary>
    public void Add(FlowEntry* entry)
    {
        if (Count > _mask)
            Grow();
        entry->Hash = Hash(entry->Local, entry->Remote, Ports(entry->LocalPort, entry->RemotePort));
        Insert(entry);
        entry->IsInTable = true;
        Count++;
    }

    /// <summary>Takes an entry out; does nothing when it is not in the table.</summary>
    public void Remove(FlowEntry* entry)
    {
        if (!entry->IsInTable)
            return;
        FlowEntry** link = &_buckets[entry->Hash & _mask];
        while (*link != entry)
            link = &(*link)->Next;
        *link = entry->Next;
        entry->IsInTable = false;
        Count--;
    }

    /// <summary>The first entry in or after a bucket, which becomes the bucket behind it: a walk over everything, in no order. Null at the end.</summary>
    public readonly FlowEntry* Walk(ref uint bucket)
    {
        while (bucket <= _mask)
        {
            FlowEntry* first = _buckets[bucket++];
            if (first != null)
                return first;
        }
        return null;
    }

    private const int KeyCount = 5;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Multiply(ulong key, ulong word) => (ulong)((uint)word + (uint)key) * ((uint)(word >> 32) + (uint)(key >> 32));

    private readonly void Insert(FlowEntry* entry)
    {
        FlowEntry** bucket = &_buckets[entry->Hash & _mask];
        entry->Next = *bucket;
        *bucket = entry;
    }

    /// <summary>Doubles the number of buckets. Without memory the chains just get longer.</summary>
    private void Grow()
    {
        uint old = _mask + 1;
        if (old * 2 > MostBuckets)
            return;
        var larger = (FlowEntry**)KernelHeap.Allocate(old * 2 * 8);
        if (larger == null)
            return;
        FlowEntry** buckets = _buckets;
        _buckets = larger;
        _mask = (old * 2) - 1;
        for (uint i = 0; i < old; i++)
        {
            for (FlowEntry* entry = buckets[i], next; entry != null; entry = next)
            {
                next = entry->Next;
                Insert(entry);
            }
        }
        KernelHeap.Free(buckets);
    }

    [InlineArray(KeyCount)]
    private struct KeyArray
    {
        private ulong _first;
    }
}
