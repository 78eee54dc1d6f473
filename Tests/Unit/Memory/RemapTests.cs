using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Xunit;

namespace Ukl.Tests.Unit.Memory;

/// <summary>mremap(2).</summary>
public unsafe class RemapTests
{
    private const ulong Page = SimulatedProgram.Page;
    private const MapFlags PrivateFixed = MapFlags.Private | MapFlags.Anonymous | MapFlags.Fixed;
    private const ulong Somewhere = 0x10_0000_0000;

    [Theory]
    [InlineData(0ul, Page, 2 * Page, (RemapFlags)8, 0ul, Errno.EINVAL)]
    [InlineData(0ul, Page, 2 * Page, RemapFlags.Fixed, Somewhere, Errno.EINVAL)]
    [InlineData(1ul, Page, 2 * Page, RemapFlags.None, 0ul, Errno.EINVAL)]
    [InlineData(0ul, Page, 0ul, RemapFlags.None, 0ul, Errno.EINVAL)]
    [InlineData(0ul, Page, 2 * Page, RemapFlags.MayMove | RemapFlags.DontUnmap, 0ul, Errno.EINVAL)]
    [InlineData(0ul, Page, 2 * Page, RemapFlags.MayMove | RemapFlags.Fixed, Somewhere + 1, Errno.EINVAL)]
    [InlineData(0ul, Page, 2 * Page, RemapFlags.MayMove | RemapFlags.Fixed, UserMemory.Top - Page, Errno.EINVAL)]
    [InlineData(0ul, Page, 2 * Page, RemapFlags.MayMove | RemapFlags.Fixed, 0ul, Errno.EPERM)]
    [InlineData(0ul, 0ul, Page, RemapFlags.MayMove, 0ul, Errno.EINVAL)]
    [InlineData(0ul, 4 * Page, 5 * Page, RemapFlags.MayMove, 0ul, Errno.EFAULT)]
    [InlineData(8 * Page, Page, 2 * Page, RemapFlags.MayMove, 0ul, Errno.EFAULT)]
    [InlineData(0ul, Page, 2 * Page, RemapFlags.None, 0ul, Errno.ENOMEM)]
    [InlineData(0ul, 3 * Page, 1ul << 47, RemapFlags.MayMove, 0ul, Errno.ENOMEM)]
    public void Remap_checks_its_arguments(ulong offset, ulong oldLength, ulong newLength, RemapFlags flags, ulong target, Errno expected)
    {
        using var program = new SimulatedProgram(Somewhere);
        ulong address = Somewhere - (20 * Page);
        program.Map(3, flags: PrivateFixed, address: address);
        string before = program.Maps();
        Assert.Equal(expected, program.Space->Remap(address + offset, oldLength, newLength, flags, target).Error);
        Assert.Equal(before, program.Maps());
    }

    /// <summary>How musl's pthread_getattr_np finds the end of the main thread's stack: it asks each page to grow over its neighbour.</summary>
    [Fact]
    public void Stack_probing_gets_enomem_inside_and_efault_outside()
    {
        using var program = new SimulatedProgram();
        program.Map(5, flags: PrivateFixed | MapFlags.GrowsDown, address: Somewhere - (5 * Page));
        for (ulong i = 2; i <= 5; i++)
            Assert.Equal(Errno.ENOMEM, program.Space->Remap(Somewhere - (i * Page), Page, 2 * Page, RemapFlags.None, 0).Error);
        Assert.Equal(Errno.EFAULT, program.Space->Remap(Somewhere - (6 * Page), Page, 2 * Page, RemapFlags.None, 0).Error);
    }

    [Fact]
    public void Growing_in_place_keeps_the_address_and_gives_zeros()
    {
        using var program = new SimulatedProgram();
        program.Map(2, flags: PrivateFixed, address: Somewhere);
        program.Write(Somewhere + Page, 6);
        Assert.Equal((long)Somewhere, program.Space->Remap(Somewhere, 2 * Page, 4 * Page, RemapFlags.None, 0).Value);
        Assert.Equal(6, program.Read(Somewhere + Page));
        Assert.Equal(0, program.Read(Somewhere + (3 * Page)));
        Assert.Equal(1, program.Space->AreaCount);
        program.CheckInvariants();
    }

    [Fact]
    public void Moving_takes_the_pages_along_without_copying()
    {
        using var program = new SimulatedProgram(Somewhere);
        ulong address = program.Map(3);
        program.Map(1, Protection.None, PrivateFixed, Somewhere);
        program.Write(address, 1);
        program.Write(address + (2 * Page), 3);
        program.Space->TryTranslate(address, out PhysicalAddress page);
        var moved = (ulong)program.Space->Remap(address, 3 * Page, 1000 * Page, RemapFlags.MayMove, 0).Value;
        Assert.NotEqual(address, moved);
        program.Space->TryTranslate(moved, out PhysicalAddress movedPage);
        Assert.Equal(page.Value, movedPage.Value);
        Assert.Equal(1, program.Read(moved));
        Assert.Equal(0, program.Read(moved + Page));
        Assert.Equal(3, program.Read(moved + (2 * Page)));
        Assert.Equal(FaultOutcome.NotMapped, program.TryRead(address, out _));
        Assert.Equal((nuint)2, program.Space->ResidentPages);
        program.CheckInvariants();
    }

    [Fact]
    public void Fixed_replaces_what_is_at_the_target()
    {
        using var program = new SimulatedProgram();
        program.Map(2, flags: PrivateFixed, address: Somewhere);
        program.Map(4, flags: PrivateFixed, address: Somewhere + (10 * Page));
        program.Write(Somewhere, 1);
        program.Write(Somewhere + (11 * Page), 2);
        Assert.Equal((long)(Somewhere + (11 * Page)), program.Space->Remap(Somewhere, 2 * Page, 2 * Page, RemapFlags.MayMove | RemapFlags.Fixed, Somewhere + (11 * Page)).Value);
        Assert.Equal(1, program.Read(Somewhere + (11 * Page)));
        Assert.Equal((nuint)4, program.Space->TotalPages);
        program.CheckInvariants();
    }

    [Fact]
    public void Dontunmap_leaves_an_empty_mapping()
    {
        using var program = new SimulatedProgram(Somewhere);
        ulong address = program.Map(2);
        program.Write(address, 1);
        var moved = (ulong)program.Space->Remap(address, 2 * Page, 2 * Page, RemapFlags.MayMove | RemapFlags.DontUnmap, Somewhere + (64 * Page)).Value;
        Assert.Equal(Somewhere + (64 * Page), moved);
        Assert.Equal(1, program.Read(moved));
        Assert.Equal(0, program.Read(address));
        program.CheckInvariants();
    }

    [Fact]
    public void An_old_length_of_zero_maps_shared_memory_again()
    {
        using var program = new SimulatedProgram();
        ulong address = program.Map(2, flags: MapFlags.Shared | MapFlags.Anonymous);
        program.Write(address + Page, 1);
        var again = (ulong)program.Space->Remap(address, 0, 2 * Page, RemapFlags.MayMove, 0).Value;
        Assert.NotEqual(address, again);
        Assert.Equal(1, program.Read(again + Page));
        program.Write(again, 2);
        Assert.Equal(2, program.Read(address));
    }
}
