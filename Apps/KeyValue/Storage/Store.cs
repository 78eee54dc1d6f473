// The keys and their values: a hash table of chained entries in one array, the bytes of key and value side by side in a block of memory.

using System.Runtime.CompilerServices;

namespace KeyValue.Storage;

/// <summary>All keys. Not for several threads at a time.</summary>
/// <param name="limit">The most bytes that keys and values may take.</param>
internal sealed unsafe class Store(long limit)
{
    private const int None = -1;

    private const int FirstSize = 1024;

    private const int SweepLength = 256;

    private readonly BlockAllocator blocks = new();

    private readonly KeyHash hash = KeyHash.Create();

    private int[] buckets = NewBuckets(FirstSize);

    private Entry[] entries = new Entry[FirstSize];

    private int firstFree = None;

    private int used;

    private int sweep;

    private long now;

    /// <summary>A key and its value.</summary>
    internal struct Entry
    {
        /// <summary>Key and value, in this order; null in an entry that is not in use.</summary>
        public byte* Block;

        /// <summary>When it ceases to exist, in milliseconds since 1970; 0: never.</summary>
        public long Expires;

        /// <summary>The key's hash.</summary>
        public uint Hash;

        /// <summary>The next entry of the bucket or of the free list.</summary>
        public int Next;

        /// <summary>Bytes of the key.</summary>
        public int KeyLength;

        /// <summary>Bytes of the value.</summary>
        public int ValueLength;

        /// <summary>Bytes of the block.</summary>
        public int Capacity;

        /// <summary>The key.</summary>
        public readonly ReadOnlySpan<byte> Key => new(Block, KeyLength);

        /// <summary>The value.</summary>
        public readonly ReadOnlySpan<byte> Value => new(Block + KeyLength, ValueLength);
    }

    /// <summary>How many keys there are; those that have expired without having been noticed count.</summary>
    public int Count { get; private set; }

    /// <summary>How many keys will expire.</summary>
    public int Expiring { get; private set; }

    /// <summary>Keys that expired.</summary>
    public long Expired { get; private set; }

    /// <summary>Bytes of keys, values and table.</summary>
    public long Memory => blocks.Used + ((long)entries.Length * sizeof(Entry)) + ((long)buckets.Length * sizeof(int));

    /// <summary>The most bytes that keys and values may take.</summary>
    public long Limit => limit;

    /// <summary>The time, in milliseconds since 1970; it stands still until <see cref="ForgetTime"/>.</summary>
    public long Now => now != 0 ? now : now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    /// <summary>Lets <see cref="Now"/> read the clock again. Called once per batch of requests: most need no time at all.</summary>
    public void ForgetTime() => now = 0;

    /// <summary>Looks a key up.</summary>
    /// <returns>Its entry, or a null reference.</returns>
    public ref Entry Find(ReadOnlySpan<byte> key)
    {
        int index = IndexOf(key, hash.Of(key));
        return ref index < 0 ? ref Unsafe.NullRef<Entry>() : ref entries[index];
    }

    /// <summary>Stores a value, over what was there.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="expires">When it ends, in milliseconds since 1970; 0: never.</param>
    /// <returns>False when there is no memory for it.</returns>
    public bool Set(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long expires)
    {
        uint code = hash.Of(key);
        int index = IndexOf(key, code);
        if (index < 0)
        {
            if (!HasRoom(key.Length + value.Length))
                return false;
            index = Add(key, code, value.Length);
        }
        else if (!Resize(ref entries[index], value.Length))
        {
            return false;
        }
        ref Entry entry = ref entries[index];
        value.CopyTo(new Span<byte>(entry.Block + entry.KeyLength, value.Length));
        SetExpiry(ref entry, expires);
        return true;
    }

    /// <summary>Puts bytes behind a value.</summary>
    /// <returns>False when there is no memory for it.</returns>
    public bool Append(ref Entry entry, ReadOnlySpan<byte> value)
    {
        int before = entry.ValueLength;
        if (!Resize(ref entry, before + value.Length))
            return false;
        value.CopyTo(new Span<byte>(entry.Block + entry.KeyLength + before, value.Length));
        return true;
    }

    /// <summary>Changes when a key ends; 0: never.</summary>
    public void SetExpiry(ref Entry entry, long expires)
    {
        Expiring += (expires != 0 ? 1 : 0) - (entry.Expires != 0 ? 1 : 0);
        entry.Expires = expires;
    }

    /// <summary>Removes a key.</summary>
    /// <returns>Whether it was there.</returns>
    public bool Remove(ReadOnlySpan<byte> key)
    {
        int index = IndexOf(key, hash.Of(key));
        if (index < 0)
            return false;
        RemoveAt(index);
        return true;
    }

    /// <summary>Removes all keys and gives their memory back.</summary>
    public void Clear()
    {
        for (int index = 0; index < used; index++)
            if (entries[index].Block != null)
                blocks.Free(entries[index].Block, entries[index].Capacity);
        blocks.Clear();
        buckets = NewBuckets(FirstSize);
        entries = new Entry[FirstSize];
        firstFree = None;
        used = sweep = Count = Expiring = 0;
    }

    /// <summary>The next key at or after a position, for walks over all keys that are made in one go; expired ones are passed over.</summary>
    /// <param name="position">Starts at 0, is left behind the entry.</param>
    /// <returns>The entry, or a null reference at the end.</returns>
    public ref Entry Next(ref int position)
    {
        while (position < used)
        {
            ref Entry entry = ref entries[position++];
            if (entry.Block != null && !HasExpired(entry))
                return ref entry;
        }
        return ref Unsafe.NullRef<Entry>();
    }

    /// <summary>Removes what has expired among the next entries; nobody may ever ask for those keys again.</summary>
    public void Sweep()
    {
        if (Expiring == 0)
            return;
        for (int count = Math.Min(SweepLength, used); count > 0; count--)
        {
            sweep = sweep + 1 < used ? sweep + 1 : 0;
            if (entries[sweep].Block != null && HasExpired(entries[sweep]))
            {
                Expired++;
                RemoveAt(sweep);
            }
        }
    }

    private static int[] NewBuckets(int size)
    {
        int[] array = new int[size];
        Array.Fill(array, None);
        return array;
    }

    private bool HasExpired(in Entry entry) => entry.Expires != 0 && entry.Expires <= Now;

    private bool HasRoom(int size) => blocks.Used + BlockAllocator.CapacityFor(size) <= limit;

    private int IndexOf(ReadOnlySpan<byte> key, uint code)
    {
        Entry[] table = entries;
        for (int index = buckets[code & (uint)(buckets.Length - 1)]; index >= 0; index = table[index].Next)
        {
            ref Entry entry = ref table[index];
            if (entry.Hash != code || !entry.Key.SequenceEqual(key))
                continue;
            if (!HasExpired(entry))
                return index;
            Expired++;
            RemoveAt(index);
            return None;
        }
        return None;
    }

    private int Add(ReadOnlySpan<byte> key, uint code, int valueLength)
    {
        if (firstFree == None && used == entries.Length)
            Grow();
        int index = firstFree;
        if (index == None)
            index = used++;
        else
            firstFree = entries[index].Next;
        int size = key.Length + valueLength;
        ref int bucket = ref buckets[code & (uint)(buckets.Length - 1)];
        entries[index] = new Entry
        {
            Block = blocks.Allocate(size),
            Capacity = BlockAllocator.CapacityFor(size),
            Hash = code,
            KeyLength = key.Length,
            ValueLength = valueLength,
            Next = bucket,
        };
        key.CopyTo(new Span<byte>(entries[index].Block, key.Length));
        bucket = index;
        Count++;
        return index;
    }

    /// <summary>Gives an entry's value another length and keeps what it has of it.</summary>
    private bool Resize(ref Entry entry, int length)
    {
        int size = entry.KeyLength + length;
        // A block is kept while it is neither too small nor four times too large.
        if (size > entry.Capacity || BlockAllocator.CapacityFor(size) < entry.Capacity / 4)
        {
            if (!HasRoom(size))
                return false;
            byte* block = blocks.Allocate(size);
            int kept = entry.KeyLength + Math.Min(entry.ValueLength, length);
            new ReadOnlySpan<byte>(entry.Block, kept).CopyTo(new Span<byte>(block, kept));
            blocks.Free(entry.Block, entry.Capacity);
            entry.Block = block;
            entry.Capacity = BlockAllocator.CapacityFor(size);
        }
        entry.ValueLength = length;
        return true;
    }

    private void RemoveAt(int index)
    {
        ref Entry entry = ref entries[index];
        ref int link = ref buckets[entry.Hash & (uint)(buckets.Length - 1)];
        while (link != index)
            link = ref entries[link].Next;
        link = entry.Next;
        blocks.Free(entry.Block, entry.Capacity);
        SetExpiry(ref entry, 0);
        entry = new Entry { Next = firstFree };
        firstFree = index;
        Count--;
    }

    private void Grow()
    {
        Array.Resize(ref entries, entries.Length * 2);
        buckets = NewBuckets(entries.Length);
        for (int index = 0; index < used; index++)
        {
            ref int bucket = ref buckets[entries[index].Hash & (uint)(buckets.Length - 1)];
            entries[index].Next = bucket;
            bucket = index;
        }
    }
}
