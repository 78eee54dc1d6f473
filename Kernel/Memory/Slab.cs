// Objects of one size in blocks of pages ("slabs"). All bookkeeping of a slab is in its page frame, so objects fill the pages from the first byte.
// Source of truth: J. Bonwick, The Slab Allocator, USENIX 1994 (without constructors and colours).
using System;
using System.Runtime.CompilerServices;
using Ukl.Kernel.Diagnostics;

namespace Ukl.Kernel.Memory;

/// <summary>
/// The slabs of one object size. Slabs with free objects form a list; full ones are in none. A slab that runs empty goes back to the page allocator unless it is
/// the only one with free objects.
/// </summary>
internal unsafe struct Slab
{
    /// <summary><see cref="PageFrame.SlabFirstFree"/> of a full slab.</summary>
    internal const ushort NoObject = ushort.MaxValue;

    /// <summary><see cref="PageFrame.SlabClass"/> of a slab that belongs to a <see cref="Pool{T}"/>.</summary>
    internal const ushort NoClass = ushort.MaxValue;

    /// <summary>Free objects hold their link and their mark.</summary>
    internal const int SmallestObject = 16;

    /// <summary>Objects are placed at multiples of this.</summary>
    private const int Unit = 8;

    private const int LargestOrder = 3;

    /// <summary>A slab holds at least this many objects if <see cref="LargestOrder"/> allows.</summary>
    private const int WantedObjects = 8;

    /// <summary>XORed with its address, the second word of a free object.</summary>
    private const ulong FreeMark = 0xf3ee_0b1e_c75a_b1e5;

    private struct FreeObject
    {
        public ulong Next;
        public ulong Mark;
    }

    /// <summary>All object sizes that ever had a slab, linked by <see cref="_nextSize"/>.</summary>
    private static Slab* s_firstSize;

    private Slab* _nextSize;
    private uint _objectSize;
    private nuint _notedPages;

    /// <summary>Pages of all slabs of this size.</summary>
    internal nuint PageCount { readonly get; private set; }

    /// <summary>Page number of the first slab with a free object.</summary>
    private uint _partial;

    /// <summary>Order of the slabs, chosen by the first allocation.</summary>
    private static int OrderFor(uint size)
    {
        int order = 0;
        while (order < LargestOrder && (PageAllocator.PageSize << order) / size < WantedObjects)
            order++;
        return order;
    }

    /// <summary>Takes a zeroed object of <paramref name="size"/> bytes, a multiple of 8 and the same at every call. Null when out of memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void* Allocate(uint size, ushort slabClass)
    {
        void* taken = Take(size, slabClass);
        if (taken != null)
            new Span<byte>(taken, (int)size).Clear();
        return taken;
    }

    /// <summary>Gives an object back. Freeing it twice, or what is no object, stops the machine.</summary>
    internal void Free(void* pointer, uint size, ushort slabClass)
    {
        PageFrame* frame = FrameOf(pointer, slabClass, out byte* start);
        uint offset = (uint)((byte*)pointer - start);
        var freed = (FreeObject*)pointer;
        if (offset % size != 0 || freed->Mark == (FreeMark ^ (ulong)pointer))
            Panic.Halt("an object was freed twice, or was none"u8);

        bool wasFull = frame->SlabFirstFree == NoObject;
        freed->Next = frame->SlabFirstFree;
        freed->Mark = FreeMark ^ (ulong)pointer;
        frame->SlabFirstFree = (ushort)(offset / Unit);
        frame->SlabInUse--;
        if (wasFull)
            Link(frame);
        else if (frame->SlabInUse == 0 && (frame->Next != 0 || frame->Previous != 0))
            Discard(frame, start);
    }

    /// <summary>Gives all slabs without objects back to the page allocator, also those kept for the next allocation.</summary>
    internal static void TrimAll()
    {
        for (Slab* slab = s_firstSize; slab != null; slab = slab->_nextSize)
            slab->Trim();
    }

    /// <summary>Notes how many pages each size has, for <see cref="WriteGrowth"/>.</summary>
    internal static void NoteAll()
    {
        for (Slab* slab = s_firstSize; slab != null; slab = slab->_nextSize)
            slab->_notedPages = slab->PageCount;
    }

    /// <summary>Writes a line to the log for each size that has more pages than were noted.</summary>
    internal static void WriteGrowth()
    {
        for (Slab* slab = s_firstSize; slab != null; slab = slab->_nextSize)
        {
            if (slab->PageCount <= slab->_notedPages)
                continue;
            Log.Write("  objects of "u8);
            Log.WriteUnsigned(slab->_objectSize);
            Log.Write(" bytes: "u8);
            Log.WriteUnsigned(slab->PageCount - slab->_notedPages);
            Log.WriteLine(" pages more"u8);
        }
    }

    private void Trim()
    {
        uint next;
        for (uint page = _partial; page != 0; page = next)
        {
            PageFrame* frame = PageAllocator.Frames + page;
            next = frame->Next;
            if (frame->SlabInUse == 0)
                Discard(frame, (byte*)PageFrame.AddressOf(frame).Pointer);
        }
    }

    private void* Take(uint size, ushort slabClass)
    {
        if (_partial == 0 && !Grow(size, slabClass))
            return null;
        PageFrame* frame = PageAllocator.Frames + _partial;
        byte* start = (byte*)PageFrame.AddressOf(frame).Pointer;
        var taken = (FreeObject*)(start + (frame->SlabFirstFree * Unit));
        if (taken->Mark != (FreeMark ^ (ulong)taken))
            Panic.Halt("a freed object was written to"u8);
        frame->SlabFirstFree = (ushort)taken->Next;
        frame->SlabInUse++;
        if (frame->SlabFirstFree == NoObject)
            Unlink(frame);
        return taken;
    }

    private bool Grow(uint size, ushort slabClass)
    {
        int order = OrderFor(size);
        PhysicalAddress block = PageAllocator.Allocate(order);
        if (block.IsNone)
            return false;
        PageFrame* frame = PageFrame.Of(block);
        for (int i = 0; i < 1 << order; i++)
            frame[i].SetSlab(order, slabClass);

        // From the last object to the first, so that the list runs upwards.
        byte* start = (byte*)block.Pointer;
        ulong next = NoObject;
        for (int i = (int)((uint)(PageAllocator.PageSize << order) / size) - 1; i >= 0; i--)
        {
            byte* item = start + ((uint)i * size);
            ((FreeObject*)item)->Next = next;
            ((FreeObject*)item)->Mark = FreeMark ^ (ulong)item;
            next = (ulong)(item - start) / Unit;
        }
        frame->SlabFirstFree = 0;
        Link(frame);
        PageCount += (nuint)1 << order;
        if (_objectSize == 0)
        {
            _objectSize = size;
            _nextSize = s_firstSize;
            s_firstSize = (Slab*)Unsafe.AsPointer(ref this);
        }
        return true;
    }

    private void Discard(PageFrame* frame, byte* start)
    {
        Unlink(frame);
        int order = frame->Order;
        for (int i = 1; i < 1 << order; i++)
            frame[i].SetInner();
        frame->SetAllocated(order);
        PageCount -= (nuint)1 << order;
        PageAllocator.Free(PhysicalAddress.Of(start), order);
    }

    private void Link(PageFrame* frame)
    {
        var number = (uint)(frame - PageAllocator.Frames);
        frame->Previous = 0;
        frame->Next = _partial;
        if (_partial != 0)
            PageAllocator.Frames[_partial].Previous = number;
        _partial = number;
    }

    private void Unlink(PageFrame* frame)
    {
        if (frame->Next != 0)
            PageAllocator.Frames[frame->Next].Previous = frame->Previous;
        if (frame->Previous != 0)
            PageAllocator.Frames[frame->Previous].Next = frame->Next;
        else
            _partial = frame->Next;
        frame->Next = 0;
        frame->Previous = 0;
    }

    /// <summary>The slab's first frame and first byte. Slabs are aligned to their size.</summary>
    private static PageFrame* FrameOf(void* pointer, ushort slabClass, out byte* start)
    {
        ulong address = PhysicalAddress.Of(pointer).Value;
        PageFrame* frame = PageFrame.Of(new PhysicalAddress(address));
        if (frame->State != FrameState.Slab || frame->SlabClass != slabClass)
            Panic.Halt("what is no object of this pool was freed"u8);
        var first = new PhysicalAddress(address & ~(((ulong)PageAllocator.PageSize << frame->Order) - 1));
        start = (byte*)first.Pointer;
        return PageFrame.Of(first);
    }
}
