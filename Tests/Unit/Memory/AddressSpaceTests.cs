using Ukl.Kernel.Abi;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Memory;
using Xunit;

namespace Ukl.Tests.Unit.Memory;

/// <summary>mmap, munmap, mprotect, brk and page faults, one behaviour of Linux each.</summary>
public unsafe class AddressSpaceTests
{
    private const ulong Page = SimulatedProgram.Page;
    private const Protection ReadWrite = Protection.Read | Protection.Write;
    private const MapFlags Private = MapFlags.Private | MapFlags.Anonymous;
    private const MapFlags Shared = MapFlags.Shared | MapFlags.Anonymous;
    private const ulong Somewhere = 0x10_0000_0000;

    [Theory]
    [InlineData(0ul, 0ul, Private, Errno.EINVAL)]
    [InlineData(0ul, ulong.MaxValue, Private, Errno.ENOMEM)]
    [InlineData(0ul, 1ul << 47, Private, Errno.ENOMEM)]
    [InlineData(0ul, Page, MapFlags.Anonymous, Errno.EINVAL)]
    [InlineData(0ul, Page, MapFlags.SharedValidate | MapFlags.Anonymous, Errno.EINVAL)]
    [InlineData(0ul, Page, Private | MapFlags.HugePages, Errno.ENOMEM)]
    [InlineData(0ul, Page, Shared | MapFlags.GrowsDown, Errno.EINVAL)]
    [InlineData(Somewhere + 1, Page, Private | MapFlags.Fixed, Errno.EINVAL)]
    [InlineData(0ul, Page, Private | MapFlags.Fixed, Errno.EPERM)]
    [InlineData(65536ul - Page, Page, Private | MapFlags.Fixed, Errno.EPERM)]
    [InlineData(UserMemory.Top, Page, Private | MapFlags.Fixed, Errno.ENOMEM)]
    [InlineData(0xffff_8000_0000_0000, Page, Private | MapFlags.Fixed, Errno.ENOMEM)]
    public void Map_refuses_what_linux_refuses(ulong address, ulong length, MapFlags flags, Errno expected)
    {
        using var program = new SimulatedProgram();
        Assert.Equal(expected, program.Space->Map(address, length, ReadWrite, flags).Error);
        Assert.Equal(0, program.Space->AreaCount);
    }

    [Fact]
    public void The_lowest_and_highest_addresses_can_be_mapped()
    {
        using var program = new SimulatedProgram();
        program.Map(1, flags: Private | MapFlags.Fixed, address: AddressSpace.LowestAddress);
        program.Map(1, flags: Private | MapFlags.Fixed, address: UserMemory.Top - Page);
        program.Write(UserMemory.Top - 1, 5);
        program.CheckInvariants();
    }

    [Fact]
    public void Mappings_go_top_down_and_join()
    {
        using var program = new SimulatedProgram(Somewhere);
        Assert.Equal(Somewhere - (2 * Page), program.Map(2));
        Assert.Equal(Somewhere - (3 * Page), program.Map(1));
        Assert.Equal(1, program.Space->AreaCount);
        Assert.Equal(Somewhere - (4 * Page), program.Map(1, Protection.Read));
        Assert.Equal(2, program.Space->AreaCount);
        program.CheckInvariants();
    }

    [Fact]
    public void A_hint_is_taken_when_free_and_rounded_and_otherwise_ignored()
    {
        using var program = new SimulatedProgram(Somewhere * 2);
        Assert.Equal(Somewhere + Page, program.Map(1, address: Somewhere + 1));
        Assert.Equal((Somewhere * 2) - Page, program.Map(1, address: Somewhere + Page));
        Assert.Equal(AddressSpace.LowestAddress, program.Map(1, address: 1));
    }

    [Fact]
    public void Map_32bit_stays_low()
    {
        using var program = new SimulatedProgram();
        Assert.InRange(program.Map(16, flags: Private | MapFlags.Low2GiB), 0x4000_0000ul, 0x7fff_fffful);
    }

    [Fact]
    public void When_all_below_the_base_is_taken_mappings_go_above()
    {
        using var program = new SimulatedProgram(AddressSpace.LowestAddress + (2 * Page));
        Assert.Equal(AddressSpace.LowestAddress, program.Map(2));
        Assert.Equal(UserMemory.Top - Page, program.Map(1));
    }

    [Fact]
    public void Fixed_replaces_and_noreplace_refuses()
    {
        using var program = new SimulatedProgram();
        ulong address = program.Map(3);
        program.Write(address + Page, 7);
        Assert.Equal(Errno.EEXIST, program.Space->Map(address + Page, Page, ReadWrite, Private | MapFlags.FixedNoReplace).Error);
        Assert.Equal(7, program.Read(address + Page));
        program.Map(1, flags: Private | MapFlags.Fixed, address: address + Page);
        Assert.Equal(0, program.Read(address + Page));
        program.Map(1, flags: Private | MapFlags.FixedNoReplace, address: address + (4 * Page));
        program.CheckInvariants();
    }

    [Fact]
    public void More_than_all_memory_at_once_is_refused_unless_not_reserved()
    {
        using var program = new SimulatedProgram();
        ulong tooMuch = (ulong)(PageAllocator.TotalPages + 1) * Page;
        Assert.Equal(Errno.ENOMEM, program.Space->Map(0, tooMuch, ReadWrite, Private).Error);
        Assert.Equal(Errno.ENOMEM, program.Space->Map(0, tooMuch, ReadWrite, Shared).Error);
        Assert.False(program.Space->Map(0, tooMuch, ReadWrite, Private | MapFlags.NoReserve).IsError);
        var reserved = (ulong)program.Space->Map(0, tooMuch, Protection.None, Private).Value;
        Assert.Equal(Errno.ENOMEM, program.Space->Protect(reserved, tooMuch, ReadWrite).Error);
        Assert.Equal(0, program.Space->Protect(reserved, tooMuch / 2, ReadWrite).Value);
    }

    [Fact]
    public void There_is_a_limit_to_the_number_of_areas()
    {
        using var program = new SimulatedProgram(0x7000_0000_0000);
        ulong start = program.Map((AddressSpace.MaximumAreaCount * 2) + 2, Protection.None, Private | MapFlags.NoReserve);
        Result result = Result.Ok;
        ulong at = start;
        while (!result.IsError)
        {
            at += 2 * Page;
            result = program.Space->Protect(at, Page, Protection.Read);
        }
        Assert.Equal(Errno.ENOMEM, result.Error);
        Assert.InRange(program.Space->AreaCount, AddressSpace.MaximumAreaCount - 1, AddressSpace.MaximumAreaCount);
        program.Space->Unmap(start, Page);
        _ = program.Space->Map(0, Page, Protection.Read, Private);
        Assert.Equal(Errno.ENOMEM, program.Space->Map(0, Page, Protection.Execute, Private).Error);
        Assert.Equal(0, program.Space->Unmap(start, 1ul << 40).Value);
        program.CheckInvariants();
    }

    [Fact]
    public void The_address_limit_counts_all_areas()
    {
        using var program = new SimulatedProgram();
        program.Space->AddressLimit = 10 * Page;
        ulong address = program.Map(8, Protection.None);
        Assert.Equal(Errno.ENOMEM, program.Space->Map(0, 3 * Page, Protection.None, Private).Error);
        program.Map(8, flags: Private | MapFlags.Fixed, address: address);
        Assert.Equal(Errno.ENOMEM, program.Space->Remap(address, 8 * Page, 11 * Page, RemapFlags.MayMove, 0).Error);
    }

    [Theory]
    [InlineData(Somewhere + 1, Page, Errno.EINVAL)]
    [InlineData(Somewhere, 0ul, Errno.EINVAL)]
    [InlineData(Somewhere, ulong.MaxValue, Errno.EINVAL)]
    [InlineData(UserMemory.Top, Page, Errno.EINVAL)]
    [InlineData(Somewhere, Page, Errno.None)]
    public void Unmap_checks_its_arguments_and_accepts_holes(ulong address, ulong length, Errno expected)
    {
        using var program = new SimulatedProgram();
        Assert.Equal(expected, program.Space->Unmap(address, length).Error);
    }

    [Fact]
    public void Unmapped_memory_faults_and_reads_as_zero_when_mapped_again()
    {
        using var program = new SimulatedProgram();
        ulong address = program.Map(3);
        program.Write(address + Page, 9);
        Assert.Equal(0, program.Space->Unmap(address + Page, 1).Value);
        Assert.Equal(FaultOutcome.NotMapped, program.TryRead(address + Page, out _));
        Assert.Equal(2, program.Space->AreaCount);
        program.Map(1, address: address + Page);
        Assert.Equal(1, program.Space->AreaCount);
        Assert.Equal(0, program.Read(address + Page));
    }

    [Fact]
    public void Faults_respect_protection()
    {
        using var program = new SimulatedProgram();
        ulong none = program.Map(1, Protection.None);
        ulong read = program.Map(1, Protection.Read);
        ulong execute = program.Map(1, Protection.Execute);
        ulong everything = program.Map(1, Protection.All);
        Assert.Equal(FaultOutcome.Forbidden, program.TryRead(none, out _));
        Assert.Equal(FaultOutcome.Resolved, program.TryRead(read, out _));
        Assert.Equal(FaultOutcome.Forbidden, program.TryWrite(read, 1));
        Assert.Equal(FaultOutcome.Forbidden, program.TryExecute(read));
        Assert.Equal(FaultOutcome.Resolved, program.TryExecute(execute));
        Assert.Equal(FaultOutcome.Forbidden, program.TryWrite(execute, 1));
        Assert.Equal(FaultOutcome.Resolved, program.TryWrite(everything, 1));
        Assert.Equal(FaultOutcome.Resolved, program.TryExecute(everything));
        Assert.Equal(FaultOutcome.NotMapped, program.TryRead(0, out _));
        Assert.Equal(FaultOutcome.NotMapped, program.Space->HandleFault(0xffff_8000_0000_0000, FaultAccess.Read));
    }

    [Fact]
    public void Reading_untouched_memory_takes_no_page()
    {
        using var program = new SimulatedProgram();
        ulong address = program.Map(100);
        for (ulong i = 0; i < 100; i++)
            Assert.Equal(0, program.Read(address + (i * Page)));
        Assert.Equal((nuint)0, program.Space->ResidentPages);
        program.Write(address, 3);
        Assert.Equal(3, program.Read(address));
        Assert.Equal(0, program.Read(address + Page));
        Assert.Equal((nuint)1, program.Space->ResidentPages);
    }

    [Fact]
    public void Resident_pages_have_a_peak()
    {
        using var program = new SimulatedProgram();
        ulong address = program.Map(10, flags: Private | MapFlags.Populate);
        Assert.Equal((nuint)10, program.Space->ResidentPages);
        program.Space->Unmap(address, 8 * Page);
        Assert.Equal((nuint)2, program.Space->ResidentPages);
        Assert.Equal((nuint)10, program.Space->PeakResidentPages);
        Assert.Equal((nuint)2, program.Space->TotalPages);
    }

    [Fact]
    public void Memory_hidden_by_prot_none_keeps_its_contents()
    {
        using var program = new SimulatedProgram();
        ulong address = program.Map(2);
        program.Write(address, 4);
        Assert.Equal(0, program.Space->Protect(address, Page, Protection.None).Value);
        Assert.Equal(FaultOutcome.Forbidden, program.TryRead(address, out _));
        program.CheckInvariants();
        Assert.Equal(0, program.Space->Protect(address, Page, ReadWrite).Value);
        Assert.Equal(4, program.Read(address));
        Assert.Equal(1, program.Space->AreaCount);
    }

    [Theory]
    [InlineData(1ul, Page, 1u, Errno.EINVAL)]
    [InlineData(0ul, 0ul, 1u, Errno.None)]
    [InlineData(0ul, ulong.MaxValue - Page, 1u, Errno.ENOMEM)]
    [InlineData(0ul, Page, 16u, Errno.EINVAL)]
    [InlineData(0ul, Page, 8u, Errno.None)]
    [InlineData(0ul, Page, 0x0300_0001u, Errno.EINVAL)]
    [InlineData(0ul, Page, 0x0100_0001u, Errno.EINVAL)]
    [InlineData(0ul, 3 * Page, 1u, Errno.ENOMEM)]
    [InlineData(2 * Page, Page, 1u, Errno.ENOMEM)]
    public void Protect_checks_its_arguments(ulong offset, ulong length, uint protection, Errno expected)
    {
        using var program = new SimulatedProgram();
        ulong address = program.Map(2);
        Assert.Equal(expected, program.Space->Protect(address + offset, length, (Protection)protection).Error);
    }

    [Fact]
    public void Committing_page_after_page_keeps_two_areas_and_needs_no_memory()
    {
        using var program = new SimulatedProgram();
        ulong reserved = program.Map(64, Protection.None, Private | MapFlags.NoReserve);
        Assert.Equal(0, program.Space->Protect(reserved, Page, ReadWrite).Value);
        using (new MemoryPressure(0))
        {
            for (ulong i = 1; i < 63; i++)
            {
                Assert.Equal(0, program.Space->Protect(reserved + (i * Page), Page, ReadWrite).Value);
                Assert.Equal(2, program.Space->AreaCount);
            }
        }
        program.CheckInvariants();
    }

    [Fact]
    public void A_stack_grows_to_its_limit_and_keeps_a_gap()
    {
        using var program = new SimulatedProgram();
        program.Space->StackLimit = 64 * Page;
        program.Space->StackStart = Somewhere - 8;
        program.Map(2, flags: Private | MapFlags.Fixed | MapFlags.GrowsDown, address: Somewhere - (2 * Page));
        program.Write(Somewhere - (10 * Page), 1);
        Assert.Equal((nuint)10, program.Space->TotalPages);
        program.Write(Somewhere - (64 * Page), 2);
        Assert.Equal(FaultOutcome.NotMapped, program.TryWrite(Somewhere - (65 * Page), 3));
        Assert.True(program.Space->IsStack(program.Space->FirstArea));

        // Another mapping within the gap stops the growth; one without access does not.
        program.Space->StackLimit = 8 << 20;
        ulong stackStart = Somewhere - (64 * Page);
        ulong below = stackStart - (300 * Page);
        program.Map(1, flags: Private | MapFlags.Fixed, address: below);
        Assert.Equal(FaultOutcome.NotMapped, program.TryWrite(stackStart - (50 * Page), 4));
        program.Space->Protect(below, Page, Protection.None);
        Assert.Equal(FaultOutcome.Resolved, program.TryWrite(stackStart - (50 * Page), 4));
        program.CheckInvariants();
    }

    [Fact]
    public void Mappings_stay_out_of_a_stacks_gap()
    {
        using var program = new SimulatedProgram(Somewhere);
        program.Map(2, flags: Private | MapFlags.Fixed | MapFlags.GrowsDown, address: Somewhere - (2 * Page));
        Assert.Equal(Somewhere - (2 * Page) - AddressSpace.StackGuardGap - Page, program.Map(1));
        Assert.NotEqual(Somewhere - (4 * Page), program.Map(1, address: Somewhere - (4 * Page)));
    }

    [Fact]
    public void Protect_growsdown_reaches_to_the_start_of_the_stack()
    {
        using var program = new SimulatedProgram();
        program.Map(4, flags: Private | MapFlags.Fixed | MapFlags.GrowsDown, address: Somewhere - (4 * Page));
        Assert.Equal(0, program.Space->Protect(Somewhere - Page, Page, Protection.Read | Protection.GrowsDown).Value);
        Assert.Equal(1, program.Space->AreaCount);
        Assert.Equal(FaultOutcome.Forbidden, program.TryWrite(Somewhere - (4 * Page), 1));
    }

    [Fact]
    public void The_heap_grows_shrinks_and_stops_at_neighbours()
    {
        using var program = new SimulatedProgram();
        AddressSpace* space = program.Space;
        Assert.Equal(0, space->SetBreak(0).Value);
        space->BreakStart = space->Break = Somewhere + 100;
        Assert.Equal((long)Somewhere + 100, space->SetBreak(0).Value);
        Assert.Equal((long)(Somewhere + (3 * Page)), space->SetBreak(Somewhere + (3 * Page)).Value);
        program.Write(Somewhere + (2 * Page), 8);
        Assert.True(space->IsHeap(space->FirstArea));
        Assert.Equal((long)(Somewhere + (5 * Page) + 1), space->SetBreak(Somewhere + (5 * Page) + 1).Value);
        Assert.Equal(1, space->AreaCount);
        Assert.Equal((long)(Somewhere + Page), space->SetBreak(Somewhere + Page).Value);
        Assert.Equal(FaultOutcome.NotMapped, program.TryRead(Somewhere + (2 * Page), out _));
        program.Map(1, flags: Private | MapFlags.Fixed, address: Somewhere + (10 * Page));
        Assert.Equal((long)(Somewhere + Page), space->SetBreak(Somewhere + (11 * Page)).Value);
        Assert.Equal((long)(Somewhere + Page), space->SetBreak(Somewhere).Value);
        Assert.Equal((long)(Somewhere + Page), space->SetBreak(ulong.MaxValue).Value);
        space->DataLimit = 4 * Page;
        Assert.Equal((long)(Somewhere + Page), space->SetBreak(Somewhere + (6 * Page)).Value);
        program.CheckInvariants();
    }

    [Fact]
    public void A_ring_0_program_gets_supervisor_pages()
    {
        AddressSpace* space = AddressSpace.Create(isUserMode: false);
        Assert.Equal((long)Somewhere, space->Map(Somewhere, Page, ReadWrite, Private | MapFlags.Fixed).Value);
        Assert.Equal(FaultOutcome.Resolved, space->HandleFault(Somewhere, FaultAccess.Write));
        Assert.Equal(0ul, *new PageTable(space->Root).Find(Somewhere) & PageEntry.User);
        AddressSpace.Release(space);
    }

    [Fact]
    public void Releasing_the_active_space_goes_back_to_the_kernels_tables()
    {
        nuint before = PageAllocator.FreePages;
        AddressSpace* space = AddressSpace.Create(isUserMode: true);
        space->Activate();
        Assert.Equal(space->Root.Value, Paging.ActiveRoot.Value);
        space->AddReference();
        AddressSpace.Release(space);
        Assert.Equal(space->Root.Value, Paging.ActiveRoot.Value);
        AddressSpace.Release(space);
        Assert.Equal(Paging.KernelRoot.Value, Paging.ActiveRoot.Value);
        Assert.Equal(before, PageAllocator.FreePages);
    }

    [Fact]
    public void Mapping_and_unmapping_far_apart_leaves_no_tables()
    {
        using var program = new SimulatedProgram();
        program.Map(1);
        nuint before = PageAllocator.FreePages;
        for (ulong i = 1; i < 50; i++)
        {
            program.Map(1, flags: Private | MapFlags.Fixed, address: i << 37);
            program.Write(i << 37, 1);
            program.Space->Unmap(i << 37, Page);
        }
        Assert.Equal(before, PageAllocator.FreePages);
    }

    [Fact]
    public void A_filled_hole_is_forgotten_by_the_whole_tree()
    {
        // In this order the areas make a tree in which the one above the hole has two children and an ancestor that knows of no other hole.
        using var program = new SimulatedProgram();
        const ulong start = 0x10_0000_0000;
        const Protection readWrite = Protection.Read | Protection.Write;
        (long At, Protection Protection)[] areas =
            [(0, readWrite), (-2, readWrite), (2, readWrite), (-4, readWrite), (1, Protection.Read), (8, Protection.Read), (3, Protection.Read), (9, readWrite)];
        foreach ((long at, Protection protection) in areas)
            program.Map(1, protection, MapFlags.Private | MapFlags.Anonymous | MapFlags.Fixed, start + (ulong)(at * (long)SimulatedProgram.Page));
        program.CheckInvariants();
        program.Map(4, Protection.Read, MapFlags.Private | MapFlags.Anonymous | MapFlags.Fixed, start + (4 * SimulatedProgram.Page));
        Assert.Equal(7, program.Space->AreaCount);
        program.CheckInvariants();
    }
}
