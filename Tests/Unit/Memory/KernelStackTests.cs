using System.Collections.Generic;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Memory;
using Xunit;

namespace Ukl.Tests.Unit.Memory;

public unsafe class KernelStackTests
{
    [Fact]
    public void A_stack_is_mapped_writable_and_not_executable_above_an_unmapped_guard()
    {
        ulong top = KernelStack.Allocate();
        var table = new PageTable(Paging.KernelRoot);
        for (ulong address = top - KernelStack.Size; address < top; address += 4096)
        {
            ulong entry = *table.Find(address);
            Assert.Equal(PageEntry.Present | PageEntry.Writable | PageEntry.NoExecute, entry & (PageEntry.Present | PageEntry.Writable | PageEntry.NoExecute | PageEntry.User));
            Assert.False(KernelStack.IsGuardPage(address));
        }
        Assert.True(KernelStack.IsGuardPage(top - KernelStack.Size - 1));
        Assert.False(table.TryTranslate(top - KernelStack.Size - 1, out _));
        Assert.False(KernelStack.IsGuardPage(KernelLayout.StackWindow - 1));
        *(ulong*)(top - 8) = 42;
        KernelStack.Free(top);
    }

    [Fact]
    public void A_freed_stack_is_reused_and_many_come_back()
    {
        ulong warm = KernelStack.Allocate();
        KernelStack.Free(warm);
        Assert.Equal(warm, KernelStack.Allocate());

        var tops = new HashSet<ulong> { warm };
        for (int i = 0; i < 200; i++)
            Assert.True(tops.Add(KernelStack.Allocate()));
        nuint during = PageAllocator.FreePages;
        foreach (ulong top in tops)
            KernelStack.Free(top);
        Assert.Equal(during + ((201 - 8) * 4), PageAllocator.FreePages);
    }

    [Fact]
    public void Out_of_memory_is_zero_and_leaves_nothing_behind()
    {
        // The stacks kept mapped are taken first.
        var tops = new List<ulong>();
        for (int i = 0; i < 8; i++)
            tops.Add(KernelStack.Allocate());
        using (new MemoryPressure(3))
        {
            Assert.Equal(0ul, KernelStack.Allocate());
            Assert.InRange(PageAllocator.FreePages, 2u, 3u);
        }
        foreach (ulong top in tops)
            KernelStack.Free(top);
    }

    [Fact]
    public void Freeing_twice_or_what_is_no_stack_stops_the_machine()
    {
        ulong top = KernelStack.Allocate();
        KernelStack.Free(top);
        Assert.Throws<KernelPanicException>(() => KernelStack.Free(top));
        Assert.Throws<KernelPanicException>(() => KernelStack.Free(top - 4096));
        Assert.Throws<KernelPanicException>(() => KernelStack.Free(0x1000));
    }
}
