// The binary buddy system: blocks of 2^n pages aligned to their size; a free block merges with its buddy when that is free too.
// Source of truth: D. E. Knuth, The Art of Computer Programming 1, section 2.5.
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Memory;

/// <summary>Physical pages in blocks of 1 to 1024 pages. Works on page numbers; knows no addresses but its frames'.</summary>
internal unsafe struct BuddyAllocator
{
    /// <summary>Largest order: blocks of 4 MiB.</summary>
    internal const int MaximumOrder = 10;

    /// <summary>One list of free blocks per order: page number of the first, 0 when empty.</summary>
    [InlineArray(MaximumOrder + 1)]
    private struct FreeLists
    {
        private uint _first;
    }

    private PageFrame* _frames;
    private uint _firstPage;
    private uint _endPage;
    private uint _nonEmptyOrders;
    private FreeLists _lists;

    /// <summary>Pages in free blocks.</summary>
    internal nuint FreePages { get; private set; }

    /// <summary>
    /// Starts without free pages. <paramref name="frames"/> is biased so that page number n has frame n; those of
    /// <paramref name="firstPage"/> up to <paramref name="endPage"/> exist and are zero.
    /// </summary>
    internal void Initialize(PageFrame* frames, uint firstPage, uint endPage)
    {
        this = default;
        _frames = frames;
        _firstPage = firstPage;
        _endPage = endPage;
    }

    /// <summary>Whether the page numbers have frames.</summary>
    internal readonly bool Covers(uint first, uint end) => first >= _firstPage && end <= _endPage && first <= end;

    /// <summary>Gives pages to the allocator for the first time, in blocks as large as their alignment allows.</summary>
    internal void AddRange(uint first, uint end)
    {
        while (first < end)
        {
            int order = BitOperations.TrailingZeroCount(first | (1u << MaximumOrder));
            while (first + (1u << order) > end)
                order--;
            Insert(first, order);
            first += 1u << order;
        }
    }

    /// <summary>Takes a block. Returns its first page number, or 0 when no block is large enough.</summary>
    internal uint Allocate(int order)
    {
        uint candidates = _nonEmptyOrders >> order;
        if (candidates == 0)
            return 0;
        int found = order + BitOperations.TrailingZeroCount(candidates);
        uint page = _lists[found];
        Remove(page, found);
        while (found > order)
        {
            found--;
            Insert(page + (1u << found), found);
        }
        _frames[page].SetAllocated(order);
        return page;
    }

    /// <summary>Gives a block back and merges it with its buddies.</summary>
    internal void Free(uint page, int order)
    {
        while (order < MaximumOrder)
        {
            uint buddy = page ^ (1u << order);
            if (buddy < _firstPage || buddy >= _endPage || _frames[buddy].State != FrameState.Free || _frames[buddy].Order != order)
                break;
            Remove(buddy, order);
            _frames[page | buddy].SetInner();
            page &= buddy;
            order++;
        }
        Insert(page, order);
    }

    private void Insert(uint page, int order)
    {
        PageFrame* frame = &_frames[page];
        uint next = _lists[order];
        frame->SetFree(FrameState.Free, order);
        frame->Previous = 0;
        frame->Next = next;
        if (next != 0)
            _frames[next].Previous = page;
        _lists[order] = page;
        _nonEmptyOrders |= 1u << order;
        FreePages += (nuint)1 << order;
    }

    private void Remove(uint page, int order)
    {
        PageFrame* frame = &_frames[page];
        if (frame->Next != 0)
            _frames[frame->Next].Previous = frame->Previous;
        if (frame->Previous != 0)
            _frames[frame->Previous].Next = frame->Next;
        else
        {
            _lists[order] = frame->Next;
            if (frame->Next == 0)
                _nonEmptyOrders &= ~(1u << order);
        }
        FreePages -= (nuint)1 << order;
    }
}
