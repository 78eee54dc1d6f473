// A page of the tour: allocation, collection, finalizers, weak references, statistics.

using System.Runtime;
using System.Runtime.CompilerServices;

namespace Ukl.Tour.Pages;

internal sealed class GarbagePage : Page
{
    public override string Name => "garbage";

    public override string About => "allocation, collection, finalizers, weak references, statistics";

    public override void Visit(Guide guide)
    {
        int before = GC.CollectionCount(0);
        long allocated = GC.GetTotalAllocatedBytes();
        long checksum = 0;
        for (int i = 0; i < 200_000; i++)
        {
            byte[] block = new byte[500];
            block[i % 500] = (byte)i;
            checksum += block[i % 500];
        }
        guide.Equal(25_493_856L, checksum, "a hundred megabytes are allocated in small pieces");
        guide.Check(GC.GetTotalAllocatedBytes() - allocated >= 100_000_000, "and counted");
        GC.Collect();
        guide.Check(GC.CollectionCount(0) > before, "collections happened");

        WeakReference weak = MakeGarbage();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        guide.Check(!weak.IsAlive, "a weak reference lets go");
        guide.Check(Finalized.Count >= 100, "finalizers ran");

        object kept = new();
        WeakReference strong = new(kept);
        GC.Collect();
        guide.Check(strong.IsAlive, "what is in use stays");
        GC.KeepAlive(kept);

        List<byte[]> survivors = [.. Enumerable.Range(0, 1000).Select(i => new byte[1000 + i])];
        GC.Collect(2, GCCollectionMode.Forced, blocking: true, compacting: true);
        GC.Collect();
        guide.Check(survivors.Select((block, i) => block.Length == 1000 + i).All(same => same), "survivors of collections are whole");
        guide.Equal(GC.MaxGeneration, GC.GetGeneration(survivors), "and have aged");
        byte[] large = GC.AllocateUninitializedArray<byte>(10_000_000, pinned: true);
        guide.Check(large.Length == 10_000_000 && GC.GetGeneration(large) == GC.MaxGeneration, "a large pinned array");

        GCMemoryInfo info = GC.GetGCMemoryInfo();
        guide.Check(info.HeapSizeBytes > 0 && info.TotalAvailableMemoryBytes > 1_000_000 && info.Index > 0, "statistics of the heap");
        guide.Check(GC.GetTotalMemory(forceFullCollection: true) > 1_000_000 && GC.GetTotalPauseDuration() > TimeSpan.Zero, "its size and its pauses");
        guide.Check(!GCSettings.IsServerGC, "the workstation collector");
        guide.Check(GC.TryStartNoGCRegion(1_000_000), "a region without collections begins");
        GC.EndNoGCRegion();
        GC.KeepAlive(survivors);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference MakeGarbage()
    {
        for (int i = 0; i < 100; i++)
            _ = new Finalized();
        return new WeakReference(new byte[100]);
    }

    private sealed class Finalized
    {
        public static int Count;

        ~Finalized() => Interlocked.Increment(ref Count);
    }
}
