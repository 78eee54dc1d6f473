using System.Collections.Generic;
using System.Linq;
using FsCheck;
using FsCheck.Fluent;
using Ukl.Kernel.Boot;
using Xunit;

namespace Ukl.Tests.Unit.Boot;

public class MemoryMapTests
{
    private const ulong Page = 4096;

    [Fact]
    public void Touching_and_overlapping_ranges_melt_together()
    {
        var map = new MemoryMap();
        map.Add(0x5000, 0x1000);
        map.Add(0x1000, 0x1000);
        map.Add(0x2000, 0x3000);
        Assert.Equal([(0x1000ul, 0x6000ul)], RangesOf(map));
    }

    [Fact]
    public void Usable_ranges_shrink_to_whole_pages_and_removed_ones_grow()
    {
        var map = new MemoryMap();
        map.Add(0x1001, 0x5000);
        map.Remove(0x3fff, 2);
        Assert.Equal([(0x2000ul, 0x3000ul), (0x5000ul, 0x6000ul)], RangesOf(map));
    }

    [Fact]
    public void Empty_wrapping_and_too_high_ranges_are_not_memory()
    {
        var map = new MemoryMap();
        map.Add(0x1000, 0);
        map.Add(ulong.MaxValue - 0x1000, 0x10000);
        map.Add(MemoryMap.Limit, 0x10000);
        Assert.True(map.Ranges.IsEmpty);
        map.Add(MemoryMap.Limit - Page, ulong.MaxValue / 2);
        Assert.Equal([(MemoryMap.Limit - Page, MemoryMap.Limit)], RangesOf(map));
    }

    [Fact]
    public void A_wrapping_reserved_range_reaches_to_the_end()
    {
        var map = new MemoryMap();
        map.Add(0, 0x10000);
        map.Remove(0x4000, ulong.MaxValue);
        Assert.Equal([(0ul, 0x4000ul)], RangesOf(map));
    }

    [Fact]
    public void A_full_map_gives_up_the_smallest_range()
    {
        var map = new MemoryMap();
        for (ulong i = 0; i < MemoryMap.Capacity; i++)
            map.Add(i * 16 * Page, (i == 7 ? 1ul : 2) * Page);
        Assert.False(map.IsTruncated);
        map.Add(1ul << 40, 1ul << 30);
        Assert.True(map.IsTruncated);
        Assert.Equal(MemoryMap.Capacity, map.Ranges.Length);
        Assert.DoesNotContain(RangesOf(map), range => range.Item1 == 7 * 16 * Page);
        Assert.Equal((1ul << 40) + (1ul << 30), map.End);
    }

    [Fact]
    public void Any_sequence_agrees_with_a_set_of_pages()
    {
        Gen<(bool IsAdd, int Start, int Length)> step = Gen.Choose(0, 1).SelectMany(
            kind => Gen.Choose(0, 400 * 16).Zip(Gen.Choose(0, 40 * 16)).Select(pair => (kind == 0, pair.Item1, pair.Item2)));
        Prop.ForAll(step.ListOf().Select(steps => steps.ToArray()).ToArbitrary(), AgreesWithPages).QuickCheckThrowOnFailure();
    }

    private static bool AgreesWithPages((bool IsAdd, int Start, int Length)[] steps)
    {
        // Lengths in 1/16 pages, so that partial pages occur. At most 441 pages: the map may overflow only above 128 ranges, which 441 pages allow.
        const int Unit = 256;
        var map = new MemoryMap();
        var pages = new SortedSet<int>();
        foreach ((bool isAdd, int start, int length) in steps)
        {
            if (isAdd)
            {
                map.Add((ulong)start * Unit, (ulong)length * Unit);
                for (int page = (start + 15) / 16; page < (start + length) / 16; page++)
                    pages.Add(page);
            }
            else
            {
                map.Remove((ulong)start * Unit, (ulong)length * Unit);
                for (int page = start / 16; length != 0 && page < (start + length + 15) / 16; page++)
                    pages.Remove(page);
            }
        }

        ulong previousEnd = 0;
        var seen = new HashSet<int>();
        bool isFirst = true;
        foreach ((ulong start, ulong end) in RangesOf(map))
        {
            if (start >= end || start % Page != 0 || end % Page != 0 || (!isFirst && start <= previousEnd))
                return false;
            isFirst = false;
            previousEnd = end;
            for (ulong page = start / Page; page < end / Page; page++)
                seen.Add((int)page);
        }
        return map.IsTruncated ? seen.IsSubsetOf(pages) : seen.SetEquals(pages);
    }

    [Fact]
    public void Truncation_never_gains_memory()
    {
        var random = new System.Random(1);
        for (int round = 0; round < 50; round++)
        {
            var map = new MemoryMap();
            var usable = new HashSet<int>();
            var reserved = new HashSet<int>();
            for (int i = 0; i < 600; i++)
            {
                int page = random.Next(2000), count = random.Next(1, 5);
                map.Add((ulong)page * Page, (ulong)count * Page);
                usable.UnionWith(Enumerable.Range(page, count));
            }
            for (int i = 0; i < 600; i++)
            {
                int page = random.Next(2000);
                map.Remove((ulong)page * Page, Page);
                reserved.Add(page);
            }
            foreach ((ulong start, ulong end) in RangesOf(map))
            {
                for (ulong page = start / Page; page < end / Page; page++)
                {
                    Assert.Contains((int)page, usable);
                    Assert.DoesNotContain((int)page, reserved);
                }
            }
        }
    }

    private static List<(ulong, ulong)> RangesOf(in MemoryMap map)
    {
        var ranges = new List<(ulong, ulong)>();
        foreach (MemoryRange range in map.Ranges)
            ranges.Add((range.Start, range.End));
        return ranges;
    }
}
