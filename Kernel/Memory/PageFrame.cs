// What the kernel knows of one page of physical memory. One 16-byte record a page, in an array indexed by page number.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ukl.Kernel.Diagnostics;

namespace Ukl.Kernel.Memory;

/// <summary>What a page, or the block whose first page it is, serves as.</summary>
internal enum FrameState : byte
{
    /// <summary>Not the allocator's, or an inner page of a larger block.</summary>
    None = 0,

    /// <summary>First page of a free block of the buddy allocator.</summary>
    Free,

    /// <summary>A single free page in the fast list in front of the buddy allocator.</summary>
    Cached,

    /// <summary>First page of a block in use.</summary>
    Allocated,

    /// <summary>A page of a slab of small objects.</summary>
    Slab,
}

/// <summary>State, reference count and list links of one physical page.</summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
public unsafe struct PageFrame
{
    /// <summary>Bytes a frame takes.</summary>
    internal const int Bytes = 16;

    /// <summary><see cref="_word"/> of a single page with one reference.</summary>
    private const ulong AllocatedOnce = ((ulong)FrameState.Allocated << 32) | 1;

    /// <summary>Page number of the next frame of a list; 0 ends it.</summary>
    [FieldOffset(0)] internal uint Next;

    /// <summary>Page number of the previous frame of a list; 0 at its head.</summary>
    [FieldOffset(4)] internal uint Previous;

    /// <summary>References and state in one, so that the fast paths test and set them at once.</summary>
    [FieldOffset(8)] private ulong _word;

    [FieldOffset(8)] private uint _references;

    /// <summary>Of a slab: offset of the first free object in units of 8 bytes, or <see cref="Slab.NoObject"/>.</summary>
    [FieldOffset(8)] internal ushort SlabFirstFree;

    /// <summary>Of a slab: objects in use.</summary>
    [FieldOffset(10)] internal ushort SlabInUse;

    [FieldOffset(12)] internal FrameState State;

    /// <summary>The block has 1 &lt;&lt; Order pages.</summary>
    [FieldOffset(13)] internal byte Order;

    /// <summary>Of a slab: which size class of <see cref="KernelHeap"/> it belongs to, or <see cref="Slab.NoClass"/>.</summary>
    [FieldOffset(14)] internal ushort SlabClass;

    /// <summary>How many hold the page.</summary>
    public readonly uint ReferenceCount => _references;

    /// <summary>The frame of a page that the allocator manages.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PageFrame* Of(PhysicalAddress page) => PageAllocator.Frames + (page.Value >> PageAllocator.PageShift);

    /// <summary>The page this frame describes.</summary>
    public static PhysicalAddress AddressOf(PageFrame* frame) => new((ulong)(frame - PageAllocator.Frames) << PageAllocator.PageShift);

    /// <summary>One more holder of the page.</summary>
    public void AddReference() => _references++;

    /// <summary>One holder less; the last one frees the page.</summary>
    public static void Release(PhysicalAddress page)
    {
        PageFrame* frame = Of(page);
        if (frame->_references > 1 && frame->State == FrameState.Allocated)
            frame->_references--;
        else
            PageAllocator.Free(page, frame->Order);
    }

    /// <summary>Makes this the first frame of a block in use with one reference.</summary>
    internal void SetAllocated(int order) => _word = AllocatedOnce | ((ulong)(uint)order << 40);

    /// <summary>Makes this the first frame of a free block.</summary>
    internal void SetFree(FrameState state, int order) => _word = ((ulong)state << 32) | ((ulong)(uint)order << 40);

    /// <summary>Makes this an inner page.</summary>
    internal void SetInner() => _word = 0;

    /// <summary>Makes this a page of a slab with all objects free.</summary>
    internal void SetSlab(int order, ushort slabClass) =>
        _word = ((ulong)FrameState.Slab << 32) | ((ulong)(uint)order << 40) | ((ulong)slabClass << 48);

    /// <summary>Stops the machine unless this is a block of that order with one reference: anything else cannot be freed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly void RequireFreeable(int order)
    {
        if (_word != (AllocatedOnce | ((ulong)(uint)order << 40)))
            NotFreeable();
    }

    private readonly void NotFreeable()
    {
        if (State is FrameState.Free or FrameState.Cached)
            Panic.Halt("a free page was freed again"u8);
        if (State == FrameState.Allocated && _references != 1)
            Panic.Halt("a page was freed while others hold it"u8);
        if (State == FrameState.Allocated)
            Panic.Halt("a page block was freed with the wrong order"u8);
        Panic.Halt("a page that was never allocated was freed"u8);
    }
}
