// A page of the tour: lists, dictionaries, sets, queues, immutable and concurrent ones.

using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Ukl.Tour.Pages;

internal sealed class CollectionsPage : Page
{
    public override string Name => "collections";

    public override string About => "lists, dictionaries, sets, queues, immutable and concurrent ones";

    public override void Visit(Guide guide)
    {
        List<int> list = [.. Enumerable.Range(0, 1000).Select(i => i * 7919 % 1000)];
        list.Sort();
        guide.Check(list.SequenceEqual(Enumerable.Range(0, 1000)), "a list of a thousand numbers sorts");
        guide.Equal(500, list.BinarySearch(500), "and is searched by halves");

        Dictionary<string, int> dictionary = [];
        for (int i = 0; i < 10_000; i++)
            dictionary[$"key {i}"] = i;
        guide.Check(Enumerable.Range(0, 10_000).All(i => dictionary[$"key {i}"] == i), "a dictionary of strings finds every key");
        for (int i = 0; i < 10_000; i += 2)
            dictionary.Remove($"key {i}");
        guide.Equal(5000, dictionary.Count, "and forgets what is removed");
        guide.Throws<KeyNotFoundException>(() => _ = dictionary["key 0"], "and throws for a key it does not have");

        HashSet<int> evens = [.. Enumerable.Range(0, 50).Select(i => i * 2)];
        evens.IntersectWith(Enumerable.Range(0, 50).Select(i => i * 3));
        guide.Sequence(Enumerable.Range(0, 17).Select(i => i * 6), evens.Order(), "sets intersect");

        SortedDictionary<int, char> sorted = new() { [3] = 'c', [1] = 'a', [2] = 'b' };
        guide.Equal("abc", string.Concat(sorted.Values), "a sorted dictionary keeps order");

        PriorityQueue<string, int> queue = new();
        foreach ((string word, int priority) in new[] { ("late", 9), ("first", 1), ("middle", 5) })
            queue.Enqueue(word, priority);
        guide.Equal("first middle late", $"{queue.Dequeue()} {queue.Dequeue()} {queue.Dequeue()}", "a priority queue serves by priority");

        LinkedList<int> linked = new([1, 3]);
        linked.AddAfter(linked.First!, 2);
        guide.Sequence([1, 2, 3], linked, "a linked list takes an element between others");

        ImmutableList<int> before = [1, 2, 3];
        ImmutableList<int> after = before.Add(4);
        guide.Check(before.Count == 3 && after.Count == 4, "an immutable list does not change");

        FrozenDictionary<string, int> frozen = dictionary.ToFrozenDictionary();
        guide.Equal(777, frozen["key 777"], "a frozen dictionary is read");

        ConcurrentDictionary<int, int> concurrent = new();
        Parallel.For(0, 10_000, i => concurrent.AddOrUpdate(i % 10, 1, (_, count) => count + 1));
        guide.Check(concurrent.Count == 10 && concurrent.Values.All(count => count == 1000), "a concurrent dictionary counts from many threads");
    }
}
