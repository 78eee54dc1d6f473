using System;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Boot;

/// <summary>A range of physical memory, from <see cref="Start"/> up to but without <see cref="End"/>, in bytes.</summary>
public struct MemoryRange(ulong start, ulong end)
{
    /// <summary>The first byte.</summary>
    public ulong Start = start;

    /// <summary>The first byte after it.</summary>
    public ulong End = end;

    /// <summary>The length in bytes.</summary>
    public readonly ulong Length => End - Start;
}

/// <summary>
/// A set of memory pages as sorted ranges that neither overlap nor touch. It takes what firmware reports in any order and however wrong: first every usable
/// range is added, then every other range is removed, so a byte that is reported both ways is not used. When there are more ranges than
/// places, the smallest are given up; memory is then lost, never gained.
/// </summary>
public struct MemoryMap
{
    /// <summary>How many ranges there is place for.</summary>
    public const int Capacity = 128;

    /// <summary>Addresses from here on are ignored: 2^46, what four-level paging and the direct map reach.</summary>
    public const ulong Limit = 1ul << 46;

    private const ulong PageMask = 4095;

    private RangeArray _ranges;
    private int _count;

    /// <summary>Whether ranges were given up for want of places.</summary>
    public bool IsTruncated { readonly get; private set; }

    /// <summary>The ranges in ascending order; bounds are multiples of 4096.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<MemoryRange> Ranges => ((ReadOnlySpan<MemoryRange>)_ranges).Slice(0, _count);

    /// <summary>All ranges together, in bytes.</summary>
    public readonly ulong TotalBytes
    {
        get
        {
            ulong total = 0;
            for (int i = 0; i < _count; i++)
                total += _ranges[i].Length;
            return total;
        }
    }

    /// <summary>First address above the highest range; 0 when empty.</summary>
    public readonly ulong End => _count == 0 ? 0 : _ranges[_count - 1].End;

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        _count = 0;
        IsTruncated = false;
    }

    /// <summary>
    /// Adds the whole pages of a range. One that is empty, starts above <see cref="Limit"/> or wraps around is ignored; one that reaches over the limit is clipped.
    /// </summary>
    public void Add(ulong start, ulong length)
    {
        ulong end = start + length;
        if (end <= start || start >= Limit)
            return;
        if (end > Limit)
            end = Limit;
        start = (start + PageMask) & ~PageMask;
        end &= ~PageMask;
        if (start < end)
            Insert(start, end);
    }

    /// <summary>Removes every page that the range touches. One that wraps around reaches to the end.</summary>
    public void Remove(ulong start, ulong length)
    {
        if (length == 0 || start >= Limit)
            return;
        ulong end = start + length;
        if (end < start || end > Limit)
            end = Limit;
        Carve(start & ~PageMask, (end + PageMask) & ~PageMask);
    }

    private void Insert(ulong start, ulong end)
    {
        // Ranges first..last-1 overlap or touch the new one and melt into it.
        int first = 0;
        while (first < _count && _ranges[first].End < start)
            first++;
        int last = first;
        while (last < _count && _ranges[last].Start <= end)
            last++;

        if (first < last)
        {
            if (_ranges[first].Start < start)
                start = _ranges[first].Start;
            if (_ranges[last - 1].End > end)
                end = _ranges[last - 1].End;
            _ranges[first] = new MemoryRange(start, end);
            Delete(first + 1, last - first - 1);
        }
        else
        {
            InsertAt(first, new MemoryRange(start, end));
        }
    }

    private void Carve(ulong start, ulong end)
    {
        for (int i = 0; i < _count; i++)
        {
            MemoryRange range = _ranges[i];
            if (range.End <= start)
                continue;
            if (range.Start >= end)
                return;

            bool isLeftKept = range.Start < start;
            bool isRightKept = range.End > end;
            if (isLeftKept && isRightKept)
            {
                Split(i, start, end);
                return;
            }
            if (isLeftKept)
                _ranges[i].End = start;
            else if (isRightKept)
                _ranges[i].Start = end;
            else
                Delete(i--, 1);
        }
    }

    /// <summary>Takes a hole out of the middle of one range.</summary>
    private void Split(int index, ulong holeStart, ulong holeEnd)
    {
        var right = new MemoryRange(holeEnd, _ranges[index].End);
        _ranges[index].End = holeStart;
        if (_count == Capacity && _ranges[index].Length < right.Length)
        {
            // No place for both halves, and InsertAt would compare the right one with all others: the larger half stays here.
            _ranges[index] = right;
            IsTruncated = true;
        }
        else
        {
            InsertAt(index + 1, right);
        }
    }

    private void InsertAt(int index, MemoryRange range)
    {
        if (_count == Capacity)
        {
            IsTruncated = true;
            int smallest = 0;
            for (int i = 1; i < _count; i++)
            {
                if (_ranges[i].Length < _ranges[smallest].Length)
                    smallest = i;
            }
            if (_ranges[smallest].Length >= range.Length)
                return;
            Delete(smallest, 1);
            if (smallest < index)
                index--;
        }
        for (int i = _count; i > index; i--)
            _ranges[i] = _ranges[i - 1];
        _ranges[index] = range;
        _count++;
    }

    private void Delete(int index, int count)
    {
        for (int i = index + count; i < _count; i++)
            _ranges[i - count] = _ranges[i];
        _count -= count;
    }

    [InlineArray(Capacity)]
    private struct RangeArray
    {
        private MemoryRange _first;
    }
}
