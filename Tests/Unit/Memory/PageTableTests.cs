using System.Collections.Generic;
using FsCheck;
using FsCheck.Fluent;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Memory;
using Xunit;

namespace Ukl.Tests.Unit.Memory;

public unsafe class PageTableTests
{
    private const ulong Page = 4096;
    private const ulong Marked = PageEntry.Present | PageEntry.Writable;

    [Fact]
    public void A_new_table_shares_the_kernels_half_and_nothing_else()
    {
        var kernel = (ulong*)Paging.KernelRoot.Pointer;
        kernel[300] = 0x1234_5003;
        PageTable table = PageTable.Create(Paging.KernelRoot);
        var root = (ulong*)table.Root.Pointer;
        Assert.Equal(0x1234_5003ul, root[300]);
        for (int i = 0; i < 256; i++)
            Assert.Equal(0ul, root[i]);
        kernel[300] = 0;
        root[300] = 0;
        table.Destroy();
    }

    [Fact]
    public void Huge_pages_translate_and_have_no_small_entry()
    {
        PageTable table = PageTable.Create(PhysicalAddress.None);
        ulong address = 0x1234_4567_8000;
        _ = table.FindOrCreate(address);
        ulong* slot = (ulong*)table.Root.Pointer + ((address >> 39) & 511);
        ulong* middle = PageTable.TableOf(*slot) + ((address >> 30) & 511);
        ulong* directory = PageTable.TableOf(*middle) + ((address >> 21) & 511);
        ulong saved = *directory;
        *directory = 0x4020_0000 | Marked | PageEntry.Huge;
        Assert.True(table.TryTranslate(address, out PhysicalAddress physical));
        Assert.Equal(0x4020_0000 + (address & 0x1f_ffff), physical.Value);
        Assert.True(table.Find(address) == null);
        *directory = saved;
        table.Destroy();
    }

    [Fact]
    public void Tables_are_freed_only_when_nothing_outside_the_hole_needs_them()
    {
        nuint before = PageAllocator.FreePages;
        PageTable table = PageTable.Create(PhysicalAddress.None);
        ulong address = 5ul << 30;
        *table.FindOrCreate(address) = Marked;
        nuint during = PageAllocator.FreePages;
        *table.FindOrCreate(address) = 0;
        table.FreeTables(address, address + Page, 0, address + (2 * Page));
        Assert.Equal(during, PageAllocator.FreePages);
        table.FreeTables(address, address + Page, 0, address + (1ul << 21));
        Assert.Equal(during + 1, PageAllocator.FreePages);
        table.FreeTables(address, address + Page, 0, PageTable.LowerHalfEnd);
        Assert.Equal(before - 1, PageAllocator.FreePages);
        table.Destroy();
        Assert.Equal(before, PageAllocator.FreePages);
    }

    [Fact]
    public void Out_of_memory_leaves_no_entry()
    {
        nuint before = PageAllocator.FreePages;
        for (int pages = 0; pages < 4; pages++)
        {
            using (new MemoryPressure(pages))
            {
                PageTable table = PageTable.Create(PhysicalAddress.None);
                Assert.Equal(pages == 0, table.Root.IsNone);
                if (pages == 0)
                    continue;
                Assert.True(table.FindOrCreate(Page) == null);
                Assert.True(table.Find(Page) == null);
                table.Destroy();
            }
            Assert.Equal(before, PageAllocator.FreePages);
        }
    }

    [Fact]
    public void Random_entries_are_found_walked_and_freed_like_a_dictionary() =>
        Prop.ForAll(
            ArbMap.Default.ArbFor<(byte Far, byte Middle, byte Near, byte Action)[]>(),
            steps =>
            {
                nuint before = PageAllocator.FreePages;
                PageTable table = PageTable.Create(PhysicalAddress.None);
                var model = new SortedDictionary<ulong, ulong>();
                foreach ((byte far, byte middle, byte near, byte action) in steps)
                {
                    // Few places of each level, so that neighbours share tables.
                    ulong address = ((far % 3ul) << 39) | ((far % 2ul) << 30) | ((middle % 3ul) << 21) | ((near * 2ul) << 12);
                    if (action < 200)
                    {
                        *table.FindOrCreate(address) = ((ulong)action << 12) | Marked;
                        model[address] = ((ulong)action << 12) | Marked;
                    }
                    else
                    {
                        ulong* entry = table.Find(address);
                        if (entry != null)
                            *entry = 0;
                        model.Remove(address);
                    }
                }
                foreach ((ulong start, ulong end) in new[] { (0ul, PageTable.LowerHalfEnd), (1ul << 21, 1ul << 30), (Page, 3ul << 39) })
                {
                    var expected = new List<(ulong, ulong)>();
                    foreach ((ulong address, ulong value) in model)
                    {
                        if (address >= start && address < end)
                            expected.Add((address, value));
                    }
                    var seen = new List<(ulong, ulong)>();
                    PageTableCursor cursor = table.Walk(start, end);
                    while (cursor.MoveNext())
                        seen.Add((cursor.Address, *cursor.Entry));
                    Assert.Equal(expected, seen);
                }
                foreach ((ulong address, ulong value) in model)
                {
                    Assert.True(table.TryTranslate(address + 5, out PhysicalAddress physical));
                    Assert.Equal((value & PageEntry.AddressMask) + 5, physical.Value);
                }
                table.Destroy();
                Assert.Equal(before, PageAllocator.FreePages);
            }).QuickCheckThrowOnFailure();
}
