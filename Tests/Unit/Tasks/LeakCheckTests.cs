using System;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;
using Xunit;

namespace Ukl.Tests.Unit.Tasks;

/// <summary>What the check at the end of the first process finds.</summary>
public sealed unsafe class LeakCheckTests
{
    private struct Odd
    {
        public fixed byte Bytes[1000];
    }

    public LeakCheckTests()
    {
        Assert.True(Dentry.Initialize());
        Assert.True(KernelStack.Initialize());
    }

    [Fact]
    public void What_was_given_back_is_not_lost()
    {
        LeakCheck.Begin();
        PhysicalAddress page = PageAllocator.Allocate();
        Odd* first = Pool<Odd>.Allocate();
        void* heap = KernelHeap.Allocate(100_000);
        ulong stack = KernelStack.Allocate();
        PageAllocator.Free(page);
        Pool<Odd>.Free(first);
        KernelHeap.Free(heap);
        KernelStack.Free(stack);
        int before = HostedMachine.Console.Length;
        LeakCheck.End();
        Assert.Contains(": 0 lost\n", HostedMachine.Console[before..].Replace("\r", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void A_page_that_was_kept_stops_the_machine()
    {
        LeakCheck.Begin();
        PhysicalAddress page = PageAllocator.Allocate();
        int before = HostedMachine.Console.Length;
        Assert.Throws<KernelPanicException>(LeakCheck.End);
        Assert.Contains(": 1 lost", HostedMachine.Console[before..], StringComparison.Ordinal);
        PageAllocator.Free(page);
    }

    [Fact]
    public void Kept_objects_are_named_by_their_size()
    {
        LeakCheck.Begin();
        Odd* kept = Pool<Odd>.Allocate();
        int before = HostedMachine.Console.Length;
        Assert.Throws<KernelPanicException>(LeakCheck.End);
        Assert.Contains("objects of 1000 bytes: ", HostedMachine.Console[before..], StringComparison.Ordinal);
        Pool<Odd>.Free(kept);
    }
}
