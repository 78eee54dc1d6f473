using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Xunit;

namespace Ukl.Tests.Unit.Memory;

/// <summary>madvise(2), mlock(2), msync(2), mincore(2).</summary>
public unsafe class AdviseTests
{
    private const ulong Page = SimulatedProgram.Page;

    [Theory]
    [InlineData(1ul, Page, Advice.DontNeed, Errno.EINVAL)]
    [InlineData(0ul, Page, (Advice)5, Errno.EINVAL)]
    [InlineData(0ul, Page, (Advice)1000, Errno.EINVAL)]
    [InlineData(0ul, Page, (Advice)(-1), Errno.EINVAL)]
    [InlineData(0ul, ulong.MaxValue, Advice.DontNeed, Errno.EINVAL)]
    [InlineData(0ul, 0ul, Advice.DontNeed, Errno.None)]
    [InlineData(0ul, 4 * Page, Advice.DontNeed, Errno.ENOMEM)]
    [InlineData(16 * Page, Page, Advice.WillNeed, Errno.ENOMEM)]
    [InlineData(0ul, Page, Advice.HugePage, Errno.None)]
    [InlineData(0ul, Page, Advice.WillNeed, Errno.None)]
    [InlineData(0ul, Page, Advice.Remove, Errno.EINVAL)]
    public void Advise_checks_its_arguments(ulong offset, ulong length, Advice advice, Errno expected)
    {
        using var program = new SimulatedProgram();
        ulong address = program.Map(2);
        Assert.Equal(expected, program.Space->Advise(address + offset, length, advice).Error);
    }

    [Theory]
    [InlineData(Advice.DontNeed)]
    [InlineData(Advice.DontNeedLocked)]
    [InlineData(Advice.Free)]
    public void Dontneed_gives_memory_back_and_zeros_again(Advice advice)
    {
        using var program = new SimulatedProgram();
        ulong address = program.Map(4);
        for (ulong i = 0; i < 4; i++)
            program.Write(address + (i * Page), 5);
        nuint before = PageAllocator.FreePages;
        Assert.Equal(0, program.Space->Advise(address + Page, 2 * Page, advice).Value);
        Assert.Equal(before + 2, PageAllocator.FreePages);
        Assert.Equal([5, 0, 0, 5], new[] { program.Read(address), program.Read(address + Page), program.Read(address + (2 * Page)), program.Read(address + (3 * Page)) });
    }

    [Fact]
    public void Shared_memory_survives_dontneed_but_not_remove()
    {
        using var program = new SimulatedProgram();
        ulong address = program.Map(2, flags: MapFlags.Shared | MapFlags.Anonymous);
        program.Write(address, 5);
        program.Write(address + Page, 6);
        program.Space->Advise(address, 2 * Page, Advice.DontNeed);
        Assert.Equal(5, program.Read(address));
        Assert.Equal(Errno.EINVAL, program.Space->Advise(address, Page, Advice.Free).Error);
        var again = (ulong)program.Space->Remap(address, 0, 2 * Page, RemapFlags.MayMove, 0).Value;
        Assert.Equal(5, program.Read(again));
        Assert.Equal(0, program.Space->Advise(address, Page, Advice.Remove).Value);
        Assert.Equal(0, program.Read(address));
        Assert.Equal(0, program.Read(again));
        Assert.Equal(6, program.Read(again + Page));
        program.CheckInvariants();
    }

    [Fact]
    public void Populating_advice_faults_pages_in()
    {
        using var program = new SimulatedProgram();
        ulong address = program.Map(4);
        Assert.Equal(0, program.Space->Advise(address, 2 * Page, Advice.PopulateWrite).Value);
        Assert.Equal((nuint)2, program.Space->ResidentPages);
        Assert.Equal(0, program.Space->Advise(address, 4 * Page, Advice.PopulateRead).Value);
        Assert.Equal((nuint)2, program.Space->ResidentPages);
        program.Space->Protect(address, Page, Protection.Read);
        Assert.Equal(Errno.EINVAL, program.Space->Advise(address, Page, Advice.PopulateWrite).Error);
    }

    [Fact]
    public void Fork_and_dump_advice_divides_areas_and_joins_them_again()
    {
        using var program = new SimulatedProgram();
        ulong address = program.Map(3);
        foreach ((Advice set, Advice clear) in new[] { (Advice.DontFork, Advice.DoFork), (Advice.DontDump, Advice.DoDump), (Advice.WipeOnFork, Advice.KeepOnFork) })
        {
            Assert.Equal(0, program.Space->Advise(address + Page, Page, set).Value);
            Assert.Equal(3, program.Space->AreaCount);
            Assert.Equal(0, program.Space->Advise(address, 3 * Page, clear).Value);
            Assert.Equal(1, program.Space->AreaCount);
        }
        program.CheckInvariants();
    }

    [Fact]
    public void Locking_faults_in_counts_and_forbids_dontneed()
    {
        using var program = new SimulatedProgram();
        ulong address = program.Map(4);
        Assert.Equal(0, program.Space->Lock(address + 1, Page, onFault: false).Value);
        Assert.Equal((nuint)2, program.Space->ResidentPages);
        Assert.Equal((nuint)2, program.Space->LockedPages);
        Assert.Equal(Errno.EINVAL, program.Space->Advise(address, Page, Advice.DontNeed).Error);
        Assert.Equal(Errno.EBUSY, program.Space->Sync(address, Page, 2).Error);
        Assert.Equal(0, program.Space->Unlock(address, Page).Value);
        Assert.Equal((nuint)1, program.Space->LockedPages);
        Assert.Equal(0, program.Space->Lock(address + (3 * Page), Page, onFault: true).Value);
        Assert.Equal((nuint)2, program.Space->ResidentPages);
        Assert.Equal(Errno.ENOMEM, program.Space->Lock(address + (3 * Page), 2 * Page, onFault: false).Error);
        Assert.Equal(Errno.EINVAL, program.Space->Lock(address, ulong.MaxValue - address, onFault: false).Error);
        program.CheckInvariants();
    }

    [Fact]
    public void Lock_all_covers_present_and_future_mappings()
    {
        using var program = new SimulatedProgram();
        program.Map(2);
        Assert.Equal(0, program.Space->LockAll(current: true, future: true, onFault: false).Value);
        Assert.Equal((nuint)2, program.Space->ResidentPages);
        program.Map(3);
        Assert.Equal((nuint)5, program.Space->ResidentPages);
        Assert.Equal((nuint)5, program.Space->LockedPages);
        Assert.Equal(0, program.Space->LockAll(current: false, future: false, onFault: false).Value);
        Assert.Equal((nuint)0, program.Space->LockedPages);
        program.Map(1);
        Assert.Equal((nuint)5, program.Space->ResidentPages);
        program.CheckInvariants();
    }

    [Theory]
    [InlineData(0ul, Page, 8, Errno.EINVAL)]
    [InlineData(0ul, Page, 5, Errno.EINVAL)]
    [InlineData(1ul, Page, 4, Errno.EINVAL)]
    [InlineData(0ul, 2 * Page, 4, Errno.None)]
    [InlineData(0ul, 0ul, 4, Errno.None)]
    [InlineData(0ul, 3 * Page, 1, Errno.ENOMEM)]
    [InlineData(0ul, ulong.MaxValue, 1, Errno.ENOMEM)]
    public void Sync_checks_its_arguments(ulong offset, ulong length, int flags, Errno expected)
    {
        using var program = new SimulatedProgram();
        ulong address = program.Map(2);
        Assert.Equal(expected, program.Space->Sync(address + offset, length, flags).Error);
    }

    [Fact]
    public void Residency_shows_touched_pages_and_refuses_holes()
    {
        using var program = new SimulatedProgram();
        ulong address = program.Map(3);
        program.Write(address + Page, 1);
        program.Read(address);
        Span<byte> vector = stackalloc byte[4];
        fixed (byte* pointer = vector)
        {
            Assert.Equal(Errno.None, program.Space->GetResidency(address, 3, pointer));
            Assert.Equal([0, 1, 0], vector[..3].ToArray());
            Assert.Equal(Errno.ENOMEM, program.Space->GetResidency(address, 4, pointer));
        }
    }
}
