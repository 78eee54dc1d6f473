using System;
using System.Collections.Generic;
using System.Linq;
using FsCheck;
using FsCheck.Fluent;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Memory;
using Xunit;

namespace Ukl.Tests.Unit.Memory;

public unsafe class PageAllocatorTests
{
    /// <summary>See <see cref="HostedMemory.Start"/> for how the map came in.</summary>
    [Fact]
    public void All_memory_but_page_0_and_the_frames_is_used()
    {
        nuint pages = DirectMap.PhysicalSize / PageAllocator.PageSize;
        nuint frames = ((pages - 1) * PageFrame.Bytes + PageAllocator.PageSize - 1) / PageAllocator.PageSize;
        Assert.Equal(pages - 1 - frames, PageAllocator.TotalPages);
        Assert.InRange(PageAllocator.FreePages, 1u, PageAllocator.TotalPages);
    }

    [Fact]
    public void Blocks_are_aligned_to_their_size_and_come_back()
    {
        nuint before = PageAllocator.FreePages;
        for (int order = 0; order <= PageAllocator.MaximumOrder; order++)
        {
            PhysicalAddress block = PageAllocator.Allocate(order);
            Assert.False(block.IsNone);
            Assert.Equal(0ul, block.Value % (4096ul << order));
            Assert.Equal(before - ((nuint)1 << order), PageAllocator.FreePages);
            PageAllocator.Free(block, order);
        }
        Assert.Equal(before, PageAllocator.FreePages);
    }

    [Fact]
    public void A_freed_page_is_the_next_one_allocated()
    {
        PhysicalAddress first = PageAllocator.Allocate();
        PageAllocator.Free(first);
        PhysicalAddress second = PageAllocator.Allocate();
        Assert.Equal(first.Value, second.Value);
        PageAllocator.Free(second);
    }

    [Fact]
    public void Zeroed_pages_are_zero_even_after_use()
    {
        PhysicalAddress page = PageAllocator.Allocate();
        new Span<byte>(page.Pointer, 4096).Fill(0xaa);
        PageAllocator.Free(page);
        page = PageAllocator.AllocateZeroed();
        Assert.True(new Span<byte>(page.Pointer, 4096).IndexOfAnyExcept((byte)0) < 0);
        PageAllocator.Free(page);
    }

    [Fact]
    public void A_page_lives_until_its_last_reference_is_released()
    {
        nuint before = PageAllocator.FreePages;
        PhysicalAddress page = PageAllocator.Allocate();
        PageFrame.Of(page)->AddReference();
        Assert.Equal(2u, PageFrame.Of(page)->ReferenceCount);
        PageFrame.Release(page);
        Assert.Equal(before - 1, PageAllocator.FreePages);
        PageFrame.Release(page);
        Assert.Equal(before, PageAllocator.FreePages);
    }

    [Fact]
    public void Freeing_wrongly_stops_the_machine()
    {
        PhysicalAddress page = PageAllocator.Allocate();
        Assert.Throws<KernelPanicException>(() => PageAllocator.Free(page, 1));
        Assert.Throws<KernelPanicException>(() => PageAllocator.Free(page + 1));
        PageAllocator.Free(page);
        Assert.Throws<KernelPanicException>(() => PageAllocator.Free(page));
        Assert.Throws<KernelPanicException>(() => PageAllocator.Free(new PhysicalAddress(0)));
        Assert.Throws<KernelPanicException>(() => PageAllocator.Free(new PhysicalAddress(DirectMap.PhysicalSize)));

        PhysicalAddress shared = PageAllocator.Allocate(2);
        PageFrame.Of(shared)->AddReference();
        Assert.Throws<KernelPanicException>(() => PageAllocator.Free(shared, 2));
        Assert.Throws<KernelPanicException>(() => PageAllocator.Free(shared + 4096));
        PageFrame.Release(shared);
        PageFrame.Release(shared);
    }

    [Fact]
    public void All_memory_can_be_taken_and_merges_again()
    {
        nuint before = PageAllocator.FreePages;
        using (new MemoryPressure(0))
        {
            Assert.Equal((nuint)0, PageAllocator.FreePages);
            Assert.True(PageAllocator.Allocate().IsNone);
            Assert.True(PageAllocator.AllocateZeroed().IsNone);
        }
        using (new MemoryPressure(37))
            Assert.Equal((nuint)37, PageAllocator.FreePages);
        Assert.Equal(before, PageAllocator.FreePages);

        // Single pages from all over, freed in scattered order, become large blocks again.
        var pages = new List<PhysicalAddress>();
        while (PageAllocator.FreePages > 0)
            pages.Add(PageAllocator.Allocate());
        foreach (PhysicalAddress page in pages.OrderBy(page => (page.Value * 0x9E3779B97F4A7C15ul) >> 20))
            PageAllocator.Free(page);
        Assert.Equal(before, PageAllocator.FreePages);
        PhysicalAddress large = PageAllocator.Allocate(PageAllocator.MaximumOrder);
        Assert.False(large.IsNone);
        PageAllocator.Free(large, PageAllocator.MaximumOrder);
    }

    [Fact]
    public void Random_allocations_never_overlap_and_all_memory_comes_back() =>
        Prop.ForAll(
            ArbMap.Default.ArbFor<(byte Action, byte Pick)[]>(),
            steps =>
            {
                nuint before = PageAllocator.FreePages;
                var held = new List<(ulong Start, int Order)>();
                foreach ((byte action, byte pick) in steps)
                {
                    if (action < 150 || held.Count == 0)
                    {
                        int order = action % 11;
                        PhysicalAddress block = PageAllocator.Allocate(order);
                        Assert.False(block.IsNone);
                        Assert.Equal(0ul, block.Value % (4096ul << order));
                        ulong end = block.Value + (4096ul << order);
                        Assert.DoesNotContain(held, other => other.Start < end && block.Value < other.Start + (4096ul << other.Order));
                        held.Add((block.Value, order));
                        *(ulong*)block.Pointer = block.Value;
                    }
                    else
                    {
                        int at = pick % held.Count;
                        Assert.Equal(held[at].Start, *(ulong*)new PhysicalAddress(held[at].Start).Pointer);
                        PageAllocator.Free(new PhysicalAddress(held[at].Start), held[at].Order);
                        held.RemoveAt(at);
                    }
                    Assert.Equal(before, PageAllocator.FreePages + (nuint)held.Sum(block => 1L << block.Order));
                }
                foreach ((ulong start, int order) in held)
                    PageAllocator.Free(new PhysicalAddress(start), order);
                Assert.Equal(before, PageAllocator.FreePages);
            }).QuickCheckThrowOnFailure();
}
