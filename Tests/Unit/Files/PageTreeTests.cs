using System;
using System.Collections.Generic;
using System.Linq;
using FsCheck;
using FsCheck.Fluent;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;
using Xunit;

namespace Ukl.Tests.Unit.Files;

/// <summary>The radix tree of a file's pages against a sorted dictionary.</summary>
public class PageTreeTests
{
    private static readonly Gen<ulong> s_index = Gen.OneOf(
        Gen.Choose(0, 200).Select(index => (ulong)index),
        Gen.Choose(0, 62).Select(shift => 1ul << shift),
        Gen.Choose(0, 63).Select(shift => ulong.MaxValue >> shift));

    private static readonly Gen<(int Kind, ulong First, ulong Second)> s_step =
        from kind in Gen.Choose(0, 3)
        from first in s_index
        from second in s_index
        select (kind, first, second);

    [Fact]
    public void It_does_what_a_sorted_dictionary_does() =>
        Prop.ForAll(s_step.ListOf().Resize(80).ToArbitrary(), steps => Compare(steps)).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    private static bool Compare(IEnumerable<(int Kind, ulong First, ulong Second)> steps)
    {
        var model = new SortedDictionary<ulong, ulong>();
        PageTree tree = default;
        foreach ((int kind, ulong first, ulong second) in steps)
        {
            if (kind <= 1 && !model.ContainsKey(first))
            {
                PhysicalAddress page = PageAllocator.Allocate();
                Assert.True(tree.Insert(first, page));
                model[first] = page.Value;
            }
            else if (kind == 2)
            {
                (ulong low, ulong high) = (Math.Min(first, second), Math.Max(first, second));
                tree.Remove(low, high);
                foreach (ulong index in model.Keys.Where(index => index >= low && index <= high).ToList())
                    model.Remove(index);
            }
            Assert.Equal(model.GetValueOrDefault(second), tree.Find(second).Value);
            Assert.Equal(model.Keys.Where(index => index >= first).DefaultIfEmpty(ulong.MaxValue).First(), tree.Next(first));
            Assert.Equal((ulong)model.Count, tree.Count);
        }
        foreach ((ulong index, ulong page) in model)
            Assert.Equal(page, tree.Find(index).Value);
        tree.Remove(0, ulong.MaxValue);
        return tree.Count == 0;
    }
}
