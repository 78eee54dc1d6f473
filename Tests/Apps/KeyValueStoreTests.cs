using System.Runtime.CompilerServices;
using KeyValue.Storage;
using Xunit;

namespace Ukl.Tests.Apps;

/// <summary>KeyValue's table of keys, beside a dictionary that is told the same.</summary>
public sealed unsafe class KeyValueStoreTests
{
    private const long NoLimit = long.MaxValue / 2;

    [Fact]
    public void A_store_is_a_dictionary()
    {
        Random random = new(1);
        Store store = new(NoLimit);
        Dictionary<string, byte[]> model = [];
        for (int step = 0; step < 200_000; step++)
        {
            string name = $"key{random.Next(5000)}";
            byte[] key = Bytes(name);
            switch (random.Next(10))
            {
                case < 5:
                    byte[] value = new byte[random.Next(100) == 0 ? random.Next(200_000) : random.Next(200)];
                    random.NextBytes(value);
                    Assert.True(store.Set(key, value, expires: 0));
                    model[name] = value;
                    break;
                case < 7:
                    Assert.Equal(model.Remove(name), store.Remove(key));
                    break;
                default:
                    ref Store.Entry entry = ref store.Find(key);
                    Assert.Equal(model.ContainsKey(name), !Unsafe.IsNullRef(ref entry));
                    if (!Unsafe.IsNullRef(ref entry))
                        Assert.True(entry.Value.SequenceEqual(model[name]));
                    break;
            }
            Assert.Equal(model.Count, store.Count);
        }
        int position = 0, seen = 0;
        for (ref Store.Entry entry = ref store.Next(ref position); !Unsafe.IsNullRef(ref entry); entry = ref store.Next(ref position))
        {
            Assert.True(model.ContainsKey(System.Text.Encoding.ASCII.GetString(entry.Key)));
            seen++;
        }
        Assert.Equal(model.Count, seen);
        store.Clear();
        Assert.Equal(0, store.Count);
        Assert.True(Unsafe.IsNullRef(ref store.Find(Bytes("key1"))));
    }

    [Fact]
    public void Memory_comes_back_when_keys_go()
    {
        Store store = new(NoLimit);
        long empty = store.Memory;
        for (int round = 0; round < 3; round++)
        {
            for (int key = 0; key < 500; key++)
                store.Set(Bytes($"{key}"), new byte[key * 300], expires: 0);
            Assert.True(store.Memory > empty);
            for (int key = 0; key < 500; key++)
                store.Remove(Bytes($"{key}"));
            Assert.Equal(empty, store.Memory);
        }
    }

    [Fact]
    public void There_is_no_more_memory_than_the_limit()
    {
        Store store = new(limit: 100_000);
        int stored = 0;
        while (store.Set(Bytes($"{stored}"), new byte[1000], expires: 0))
            stored++;
        Assert.InRange(stored, 50, 100);
        Assert.Equal(stored, store.Count);
        Assert.False(store.Set(Bytes("0"), new byte[90_000], expires: 0));
        Assert.Equal(1000, store.Find(Bytes("0")).ValueLength);
        store.Remove(Bytes("0"));
        Assert.True(store.Set(Bytes("new"), new byte[1000], expires: 0));
    }

    [Fact]
    public void What_has_expired_is_not_there_and_goes()
    {
        Store store = new(NoLimit);
        long now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        for (int key = 0; key < 1000; key++)
            store.Set(Bytes($"{key}"), Bytes("v"), expires: key % 2 == 0 ? now - 1 : now + 1_000_000);
        Assert.Equal(1000, store.Count);
        Assert.True(Unsafe.IsNullRef(ref store.Find(Bytes("0"))));
        Assert.False(Unsafe.IsNullRef(ref store.Find(Bytes("1"))));
        for (int sweep = 0; sweep < 10; sweep++)
            store.Sweep();
        Assert.Equal(500, store.Count);
        Assert.Equal(500, store.Expiring);
        Assert.Equal(500, store.Expired);
        store.SetExpiry(ref store.Find(Bytes("1")), 0);
        Assert.Equal(499, store.Expiring);
    }

    [Fact]
    public void Bytes_are_put_behind_a_value()
    {
        Store store = new(NoLimit);
        store.Set(Bytes("k"), [], expires: 0);
        List<byte> expected = [];
        Random random = new(1);
        for (int step = 0; step < 200; step++)
        {
            byte[] more = new byte[random.Next(1000)];
            random.NextBytes(more);
            expected.AddRange(more);
            Assert.True(store.Append(ref store.Find(Bytes("k")), more));
            Assert.True(store.Find(Bytes("k")).Value.SequenceEqual(expected.ToArray()));
        }
    }

    [Fact]
    public void Every_size_gets_a_block_that_holds_it_and_wastes_little()
    {
        int last = 0;
        for (int size = 1; size < 70_000; size++)
        {
            int capacity = BlockAllocator.CapacityFor(size);
            Assert.InRange(capacity, Math.Max(size, last), size <= 128 ? size + 15 : (size * 5 / 4) + 1);
            last = capacity;
        }
    }

    [Fact]
    public void Blocks_do_not_overlap()
    {
        Random random = new(1);
        BlockAllocator allocator = new();
        List<(nint Block, int Size, byte Mark)> blocks = [];
        for (int step = 0; step < 20_000; step++)
        {
            if (blocks.Count > 0 && random.Next(3) == 0)
            {
                int index = random.Next(blocks.Count);
                (nint block, int size, byte mark) = blocks[index];
                Assert.Equal(-1, new ReadOnlySpan<byte>((void*)block, size).IndexOfAnyExcept(mark));
                allocator.Free((byte*)block, size);
                blocks[index] = blocks[^1];
                blocks.RemoveAt(blocks.Count - 1);
                continue;
            }
            int length = random.Next(1, random.Next(10) == 0 ? 100_000 : 300);
            byte* fresh = allocator.Allocate(length);
            new Span<byte>(fresh, length).Fill((byte)step);
            blocks.Add(((nint)fresh, length, (byte)step));
        }
        foreach ((nint block, int size, byte mark) in blocks)
        {
            Assert.Equal(-1, new ReadOnlySpan<byte>((void*)block, size).IndexOfAnyExcept(mark));
            allocator.Free((byte*)block, size);
        }
        Assert.Equal(0, allocator.Used);
    }

    [Fact]
    public void Hashes_of_similar_keys_spread()
    {
        KeyHash hash = KeyHash.Create();
        HashSet<uint> low = [];
        for (int key = 0; key < 1024; key++)
            low.Add(hash.Of(Bytes($"user:{key:D8}:name")) & 1023);
        Assert.InRange(low.Count, 550, 750); // 647 are expected of a random function.
    }

    private static byte[] Bytes(string text) => System.Text.Encoding.ASCII.GetBytes(text);
}
