using Ukl.Kernel.Arch;
using Ukl.Kernel.Memory;
using Xunit;

namespace Ukl.Tests.Unit.Memory;

/// <summary>Pages that nobody may write to.</summary>
public sealed unsafe class CanariesTests
{
    [Fact]
    public void Untouched_canaries_are_all_given_back()
    {
        nuint free = PageAllocator.FreePages;
        Canaries.Place();
        Assert.InRange((double)Canaries.Count / free, 0.24, 0.26);
        PhysicalAddress piece = PageAllocator.Allocate(order: 3);
        Assert.False(piece.IsNone);
        PageAllocator.Free(piece, order: 3);
        Assert.Equal(free - Canaries.Count, PageAllocator.FreePages);
        Canaries.Verify();
        Assert.Equal(free, PageAllocator.FreePages);
        Assert.Equal((nuint)0, Canaries.Count);
    }

    [Fact]
    public void A_single_changed_byte_stops_the_machine()
    {
        nuint free = PageAllocator.FreePages;
        Canaries.Place();
        byte* found = null;
        // Canaries lie everywhere: one of a few pages in a row is one, and changing it is noticed.
        PhysicalAddress own = PageAllocator.Allocate();
        for (ulong page = own.Value + PageAllocator.PageSize; found == null; page += PageAllocator.PageSize)
        {
            var candidate = new PhysicalAddress(page);
            if (PageFrame.Of(candidate)->ReferenceCount == 1 && *(ulong*)candidate.Pointer == page * 0x9e37_79b9_7f4a_7c15)
                found = (byte*)candidate.Pointer;
        }
        PageAllocator.Free(own);
        found[4095] ^= 1;
        Assert.Throws<KernelPanicException>(Canaries.Verify);
        found[4095] ^= 1;
        // The machine has stopped with the damaged page in hand.
        PageAllocator.Free(PhysicalAddress.Of(found));
        Canaries.Verify();
        Assert.Equal(free, PageAllocator.FreePages);
    }
}
