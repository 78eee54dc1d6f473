// Memory for keys and values, outside of the garbage collector's heap: blocks of fixed sizes with a list of free ones per size, so that a request
// that stores something allocates nothing. Blocks above the largest size come from malloc each by itself.

using System.Numerics;
using System.Runtime.InteropServices;

namespace KeyValue.Storage;

/// <summary>Hands out blocks of memory. Not for several threads at a time.</summary>
internal sealed unsafe class BlockAllocator
{
    private const int RegionSize = 1 << 20;

    /// <summary>Sizes grow by 16 up to this one, from there on in quarters of the power of two below.</summary>
    private const int LastFine = 128;

    private const int Step = 16;

    private const int LargestPooled = 1 << 16;

    private const int FineClasses = LastFine / Step;

    /// <summary>Bytes that are cut into blocks when a size has none left.</summary>
    private const int Refill = 4096;

    private readonly nint[] free = new nint[ClassOf(LargestPooled) + 1];

    private readonly List<nint> regions = [];

    private byte* next;

    private int left;

    /// <summary>Bytes in blocks that are in use.</summary>
    public long Used { get; private set; }

    /// <summary>The bytes that a block for a size really has.</summary>
    public static int CapacityFor(int size) => size > LargestPooled ? size : SizeOf(ClassOf(size));

    /// <summary>A block of at least a size; its contents are undefined.</summary>
    public byte* Allocate(int size)
    {
        int capacity = CapacityFor(size);
        Used += capacity;
        if (size > LargestPooled)
            return (byte*)NativeMemory.Alloc((nuint)size);
        int index = ClassOf(size);
        if (free[index] == 0)
            Cut(index);
        byte* block = (byte*)free[index];
        free[index] = *(nint*)block;
        return block;
    }

    /// <summary>Gives a block back.</summary>
    /// <param name="block">The block.</param>
    /// <param name="size">The size that it was asked for with, or its capacity.</param>
    public void Free(byte* block, int size)
    {
        Used -= CapacityFor(size);
        if (size > LargestPooled)
        {
            NativeMemory.Free(block);
            return;
        }
        int index = ClassOf(size);
        *(nint*)block = free[index];
        free[index] = (nint)block;
    }

    /// <summary>Gives all pooled blocks back at once; the larger ones must have been freed.</summary>
    public void Clear()
    {
        foreach (nint region in regions)
            NativeMemory.Free((void*)region);
        regions.Clear();
        Array.Clear(free);
        next = null;
        left = 0;
        Used = 0;
    }

    private static int ClassOf(int size)
    {
        if (size <= LastFine)
            return (Math.Max(size, 1) - 1) / Step;
        int power = BitOperations.Log2((uint)(size - 1));
        int quarter = ((size - 1) >> (power - 2)) & 3;
        return FineClasses + ((power - BitOperations.Log2(LastFine)) * 4) + quarter;
    }

    private static int SizeOf(int index)
    {
        if (index < FineClasses)
            return (index + 1) * Step;
        int coarse = index - FineClasses;
        return (LastFine << (coarse / 4)) / 4 * (5 + (coarse % 4));
    }

    private void Cut(int index)
    {
        int size = SizeOf(index);
        int count = Math.Max(Refill / size, 1);
        if (left < size)
        {
            next = (byte*)NativeMemory.Alloc(RegionSize);
            left = RegionSize;
            regions.Add((nint)next);
        }
        for (count = Math.Min(count, left / size); count > 0; count--)
        {
            *(nint*)next = free[index];
            free[index] = (nint)next;
            next += size;
            left -= size;
        }
    }
}
