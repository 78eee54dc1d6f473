// Memory of any size for the kernel itself: names, tables, buffers. Sizes up to 2 KiB come from slabs, larger ones from blocks of pages.
using System;
using System.Numerics;
using System.Runtime.CompilerServices;
using Ukl.Kernel.Diagnostics;

namespace Ukl.Kernel.Memory;

/// <summary>Allocates memory of variable size. Never blocks. Up to 4 MiB at once.</summary>
public static unsafe class KernelHeap
{
    /// <summary>Largest possible request, in bytes.</summary>
    public const nuint MaximumSize = (nuint)PageAllocator.PageSize << PageAllocator.MaximumOrder;

    private const nuint LargestClassSize = 2048;
    private const int ClassCount = 14;

    [InlineArray(ClassCount)]
    private struct SizeClasses
    {
        private Slab _slab;
    }

    private static SizeClasses s_classes;

    /// <summary>Takes zeroed memory, aligned to 16 bytes. Null when out of memory or beyond <see cref="MaximumSize"/>.</summary>
    public static void* Allocate(nuint size)
    {
        if (size <= LargestClassSize)
        {
            int sizeClass = ClassOf(size);
            return s_classes[sizeClass].Allocate(SizeOfClass(sizeClass), (ushort)sizeClass);
        }
        if (size > MaximumSize)
            return null;
        int order = OrderOf(size);
        PhysicalAddress block = PageAllocator.Allocate(order);
        if (block.IsNone)
            return null;
        Arch.PageOperations.Clear(block.Pointer, (nuint)1 << order);
        return block.Pointer;
    }

    /// <summary>Gives memory back. Does nothing for null.</summary>
    public static void Free(void* pointer)
    {
        if (pointer == null)
            return;
        PhysicalAddress address = PhysicalAddress.Of(pointer);
        PageFrame* frame = PageFrame.Of(address);
        if (frame->State != FrameState.Slab)
            PageAllocator.Free(address, frame->Order);
        else if (frame->SlabClass < ClassCount)
            s_classes[frame->SlabClass].Free(pointer, SizeOfClass(frame->SlabClass), frame->SlabClass);
        else
            Panic.Halt("an object of a pool was freed to the kernel heap"u8);
    }

    /// <summary>
    /// Makes memory larger or smaller, moving it if need be; what was never part of it is zero. Null as <paramref name="pointer"/> allocates. Returns null when out of
    /// memory; then the old memory stays as it was.
    /// </summary>
    public static void* Reallocate(void* pointer, nuint newSize)
    {
        if (pointer == null)
            return Allocate(newSize);
        nuint capacity = CapacityOf(pointer);
        if (newSize <= capacity && newSize > capacity / 2)
            return pointer;
        void* moved = Allocate(newSize);
        if (moved == null)
            return null;
        nuint count = newSize < capacity ? newSize : capacity;
        new ReadOnlySpan<byte>(pointer, (int)count).CopyTo(new Span<byte>(moved, (int)count));
        Free(pointer);
        return moved;
    }

    private static nuint CapacityOf(void* pointer)
    {
        PageFrame* frame = PageFrame.Of(PhysicalAddress.Of(pointer));
        return frame->State == FrameState.Slab ? SizeOfClass(frame->SlabClass) : (nuint)PageAllocator.PageSize << frame->Order;
    }

    /// <summary>Classes are 16, 32, then two to each power of two: 48, 64, 96, 128 … 1536, 2048.</summary>
    private static int ClassOf(nuint size)
    {
        if (size <= 32)
            return size <= 16 ? 0 : 1;
        // size - 1 lies in [2^power, 2^(power+1)); the next bit says which half.
        int power = BitOperations.Log2(size - 1);
        int upperHalf = (int)((size - 1) >> (power - 1)) & 1;
        return 2 + (2 * (power - 5)) + upperHalf;
    }

    private static uint SizeOfClass(int sizeClass)
    {
        if (sizeClass < 2)
            return 16u << sizeClass;
        int power = 5 + ((sizeClass - 2) >> 1);
        return ((sizeClass & 1) == 0 ? 3u : 4u) << (power - 1);
    }

    private static int OrderOf(nuint size) => size <= PageAllocator.PageSize ? 0 : BitOperations.Log2(size - 1) + 1 - PageAllocator.PageShift;
}
