using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Xunit;

namespace Ukl.Tests.Unit.Memory;

/// <summary>
/// The same calls with 0, 1, 2 … pages of memory left, until all of them succeed: each allocation fails once. A call that fails has changed nothing, and in the
/// end all memory is back.
/// </summary>
public unsafe class OutOfMemoryTests
{
    private const ulong Page = SimulatedProgram.Page;
    private const ulong Somewhere = 0x10_0000_0000;
    private const MapFlags Private = MapFlags.Private | MapFlags.Anonymous;
    private const MapFlags Shared = MapFlags.Shared | MapFlags.Anonymous;
    private const Protection ReadWrite = Protection.Read | Protection.Write;

    [Fact]
    public void Creating_an_address_space_fails_cleanly()
    {
        AddressSpace.Release(AddressSpace.Create(isUserMode: true));
        nuint before = PageAllocator.FreePages;
        for (int pages = 0; ; pages++)
        {
            AddressSpace* space;
            using (new MemoryPressure(pages))
                space = AddressSpace.Create(isUserMode: true);
            if (space != null)
            {
                AddressSpace.Release(space);
                Assert.Equal(before, PageAllocator.FreePages);
                return;
            }
            Assert.Equal(before, PageAllocator.FreePages);
        }
    }

    [Fact]
    public void Mapping_anywhere() => Try(program => program.Space->Map(0, 3 * Page, Protection.Execute, Private));

    [Fact]
    public void Mapping_over_something() => Try(program => program.Space->Map(Somewhere + (3 * Page), 4 * Page, Protection.Execute, Private | MapFlags.Fixed));

    [Fact]
    public void Mapping_shared_memory() => Try(program => program.Space->Map(0, 3 * Page, ReadWrite, Shared));

    [Fact]
    public void Unmapping_a_middle() => Try(program => program.Space->Unmap(Somewhere + (5 * Page), Page));

    [Fact]
    public void Protecting_a_middle() => Try(program => program.Space->Protect(Somewhere + (5 * Page), Page, Protection.Read));

    [Fact]
    public void Locking_a_middle() => Try(program => program.Space->Lock(Somewhere + (5 * Page), Page, onFault: true));

    [Fact]
    public void Advising_a_middle() => Try(program => program.Space->Advise(Somewhere + (5 * Page), Page, Advice.DontFork));

    [Fact]
    public void Moving() => Try(program => program.Space->Remap(Somewhere, 10 * Page, 20 * Page, RemapFlags.MayMove, 0));

    [Fact]
    public void Moving_a_middle_far_away() =>
        Try(program => program.Space->Remap(Somewhere + (3 * Page), 4 * Page, 4 * Page, RemapFlags.MayMove | RemapFlags.Fixed, 0x20_0000_0000));

    [Fact]
    public void Moving_the_heaps_end() => Try(program =>
    {
        program.Space->BreakStart = program.Space->Break = 0x30_0000_0000;
        Result result = program.Space->SetBreak(0x30_0000_0000 + Page);
        return result.Value == 0x30_0000_0000 ? Errno.ENOMEM : Result.Ok;
    });

    [Theory]
    [InlineData(FaultAccess.Write, false)]
    [InlineData(FaultAccess.Read, false)]
    [InlineData(FaultAccess.Write, true)]
    [InlineData(FaultAccess.Read, true)]
    public void Faulting(FaultAccess access, bool isShared) =>
        Try(program => program.Space->HandleFault(isShared ? 0x50_0000_0000ul : 0x40_0000_0000ul, access) switch
        {
            FaultOutcome.Resolved => Result.Ok,
            FaultOutcome.OutOfMemory => Errno.ENOMEM,
            var other => throw new InvalidOperationException(other.ToString()),
        });

    [Fact]
    public void Populating_maps_what_it_can_and_succeeds() =>
        Run(30, program =>
        {
            Assert.False(program.Space->Map(0, 20 * Page, ReadWrite, Private | MapFlags.Populate).IsError);
            return Result.Ok;
        });

    private static void Try(Func<SimulatedProgram, Result> call)
    {
        int left = 0;
        while (Run(left, call) == Errno.ENOMEM)
            left++;
    }

    private static Errno Run(int pages, Func<SimulatedProgram, Result> call)
    {
        // The pools keep a page of what they have once handed out; which test is the first to need it is chance.
        RunOnce(1000, call);
        nuint before = PageAllocator.FreePages;
        Errno error = RunOnce(pages, call);
        Assert.Equal(before, PageAllocator.FreePages);
        return error;
    }

    private static Errno RunOnce(int pages, Func<SimulatedProgram, Result> call)
    {
        Result result;
        using (var program = new SimulatedProgram(0x60_0000_0000ul))
        {
            program.Map(10, flags: Private | MapFlags.Fixed, address: Somewhere);
            for (ulong i = 0; i < 10; i++)
                program.Write(Somewhere + (i * Page), (byte)(i + 1));
            program.Map(1, flags: Private | MapFlags.Fixed, address: 0x40_0000_0000);
            program.Map(1, flags: Shared | MapFlags.Fixed, address: 0x50_0000_0000);
            FillSlab(program);
            string maps = program.Maps();
            using (new MemoryPressure(pages))
                result = call(program);
            program.CheckInvariants();
            if (result.IsError)
            {
                Assert.Equal(Errno.ENOMEM, result.Error);
                Assert.Equal(maps, program.Maps());
                for (ulong i = 0; i < 10; i++)
                    Assert.Equal((byte)(i + 1), program.Read(Somewhere + (i * Page)));
            }
        }
        return result.Error;
    }

    /// <summary>Makes areas until their last slab is full, so that the next one needs a page.</summary>
    private static void FillSlab(SimulatedProgram program)
    {
        int perSlab = 4096 / sizeof(VirtualMemoryArea);
        int missing = int.MaxValue;
        for (ulong i = 0; missing > 0; i++)
        {
            nuint free = PageAllocator.FreePages;
            program.Map(1, flags: Private | MapFlags.Fixed, address: 0x70_0000_0000 + (2 * i * Page));
            missing = PageAllocator.FreePages < free ? perSlab - 1 : missing - 1;
        }
    }
}
