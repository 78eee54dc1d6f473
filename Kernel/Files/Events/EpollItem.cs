using System.Runtime.InteropServices;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files.Events;

/// <summary>Linux's <c>struct epoll_event</c>, packed to 12 bytes on x86-64.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
public struct EpollEvent
{
    public uint Events;
    public ulong Data;
}

/// <summary>One file that an epoll watches (what EPOLL_CTL_ADD makes).</summary>
public unsafe struct EpollItem
{
    /// <summary>EPOLLEXCLUSIVE, EPOLLWAKEUP, EPOLLONESHOT, EPOLLET: how to report, not what.</summary>
    internal const uint Exclusive = 1u << 28, WakeUp = 1u << 29, OneShot = 1u << 30, EdgeTriggered = 1u << 31;

    private const uint ManagementBits = Exclusive | WakeUp | OneShot | EdgeTriggered;

    /// <summary>Called when the file ends. First, so that its address is the item's.</summary>
    public CloseWatcher CloseWatcher;

    /// <summary>Stands in the file's wait queue.</summary>
    public Waiter Waiter;

    public Epoll* Owner;
    public OpenFile* File;
    public int Descriptor;
    public bool IsReady;
    public uint Events;
    public ulong Data;

    /// <summary>Links of the owner's hash bucket and ready list, and of the items that watch the same epoll.</summary>
    public EpollItem* NextInBucket, NextReady, PreviousReady, NextParent;

    /// <summary>Whether anything is asked for: a one-shot item that was reported waits for EPOLL_CTL_MOD.</summary>
    public readonly bool IsArmed => (Events & ~ManagementBits) != 0;

    /// <summary>What is asked for and ready now.</summary>
    public readonly PollEvents Poll() => IsArmed ? File->Operations->Poll(File) & (PollEvents)(Events & ~ManagementBits) : PollEvents.None;

    /// <summary>Sets what is asked for; errors and hang-ups always are.</summary>
    public void SetInterest(uint events, ulong data)
    {
        Events = events | (uint)(PollEvents.Error | PollEvents.HangUp);
        Data = data;
        Waiter.Interest = (PollEvents)(Events & ~ManagementBits);
    }

    /// <summary>Asks for nothing more until <see cref="SetInterest"/>.</summary>
    public void Disarm()
    {
        Events &= ManagementBits;
        Waiter.Interest = PollEvents.None;
    }
}

/// <summary>The items of an epoll by file and descriptor: a chained hash table that doubles.</summary>
public unsafe struct EpollItemTable
{
    private const uint FirstBuckets = 16;
    private EpollItem** _buckets;
    private uint _bucketCount;

    /// <summary>How many items there are.</summary>
    public uint Count { get; private set; }

    /// <summary>How many buckets <see cref="FirstIn"/> knows.</summary>
    public readonly uint BucketCount => _bucketCount;

    /// <summary>The first item of a bucket, or null; the next is <see cref="EpollItem.NextInBucket"/>.</summary>
    public readonly EpollItem* FirstIn(uint bucket) => _buckets[bucket];

    /// <summary>Finds an item, or null.</summary>
    public readonly EpollItem* Find(OpenFile* file, int descriptor)
    {
        if (Count == 0)
            return null;
        EpollItem* item = _buckets[Hash(file, descriptor)];
        while (item != null && (item->File != file || item->Descriptor != descriptor))
            item = item->NextInBucket;
        return item;
    }

    /// <summary>Adds an item that is not there yet. False when out of memory.</summary>
    public bool Add(EpollItem* item)
    {
        if (Count >= _bucketCount && !Grow())
            return false;
        EpollItem** bucket = &_buckets[Hash(item->File, item->Descriptor)];
        item->NextInBucket = *bucket;
        *bucket = item;
        Count++;
        return true;
    }

    /// <summary>Takes an item out that is there.</summary>
    public void Remove(EpollItem* item)
    {
        EpollItem** link = &_buckets[Hash(item->File, item->Descriptor)];
        while (*link != item)
            link = &(*link)->NextInBucket;
        *link = item->NextInBucket;
        Count--;
    }

    /// <summary>Gives the memory back; the items are gone already.</summary>
    public void Dispose()
    {
        if (_buckets != null)
            KernelHeap.Free(_buckets);
        this = default;
    }

    private readonly uint Hash(OpenFile* file, int descriptor)
    {
        // Open files are at least cache-line apart; the descriptor tells duplicates apart.
        ulong key = ((ulong)file >> 6) ^ (uint)descriptor;
        return (uint)(key * 0x9e37_79b9_7f4a_7c15 >> 32) & (_bucketCount - 1);
    }

    private bool Grow()
    {
        // When there is no memory to grow, longer chains serve too.
        uint oldCount = _bucketCount;
        EpollItem** old = _buckets;
        uint count = oldCount == 0 ? FirstBuckets : oldCount * 2;
        var buckets = (EpollItem**)KernelHeap.Allocate(count * (nuint)sizeof(EpollItem*));
        if (buckets == null)
            return oldCount != 0;
        _buckets = buckets;
        _bucketCount = count;
        for (uint i = 0; i < oldCount; i++)
        {
            EpollItem* next;
            for (EpollItem* item = old[i]; item != null; item = next)
            {
                next = item->NextInBucket;
                EpollItem** bucket = &_buckets[Hash(item->File, item->Descriptor)];
                item->NextInBucket = *bucket;
                *bucket = item;
            }
        }
        if (old != null)
            KernelHeap.Free(old);
        return true;
    }
}
