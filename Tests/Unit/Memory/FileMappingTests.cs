using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Xunit;

namespace Ukl.Tests.Unit.Memory;

/// <summary>Mappings of files: private copies, shared pages, ends of files.</summary>
public unsafe class FileMappingTests
{
    private const ulong Page = SimulatedProgram.Page;
    private const Protection ReadWrite = Protection.Read | Protection.Write;

    [Fact]
    public void A_private_mapping_shows_the_file_until_it_is_written()
    {
        using var file = new FakeFile(4);
        using var program = new SimulatedProgram();
        file[1][0] = 11;
        ulong address = Map(program, file, 2, ReadWrite, MapFlags.Private, Page);
        Assert.Equal(11, program.Read(address));
        file[1][0] = 12;
        Assert.Equal(12, program.Read(address));
        program.Write(address + 1, 77);
        file[1][0] = 13;
        Assert.Equal(12, program.Read(address));
        Assert.Equal(77, program.Read(address + 1));
        Assert.Equal(0, file[1][1]);

        // A first touch that writes copies at once.
        file[2][0] = 21;
        program.Write(address + Page + 1, 78);
        Assert.Equal(21, program.Read(address + Page));
        Assert.Equal(0, file[2][1]);
        Assert.Empty(file.WrittenPages);
        program.Space->Advise(address, 2 * Page, Advice.DontNeed);
        Assert.Equal(13, program.Read(address));
        program.CheckInvariants();
    }

    [Fact]
    public void A_shared_mapping_writes_the_file_and_tells_it_once()
    {
        using var file = new FakeFile(4);
        using var program = new SimulatedProgram();
        ulong address = Map(program, file, 4, ReadWrite, MapFlags.Shared);
        Assert.Equal(0, program.Read(address + (3 * Page)));
        program.Write(address + (3 * Page), 5);
        program.Write(address + (3 * Page) + 1, 6);
        program.Write(address, 7);
        Assert.Equal(5, file[3][0]);
        Assert.Equal([3ul, 0ul], file.WrittenPages);
        program.Space->Protect(address, 4 * Page, Protection.Read);
        Assert.Equal(FaultOutcome.Forbidden, program.TryWrite(address, 1));
        program.Space->Protect(address, 4 * Page, ReadWrite);
        program.Write(address, 8);
        Assert.Equal([3ul, 0ul, 0ul], file.WrittenPages);
        program.CheckInvariants();
    }

    [Fact]
    public void Beyond_the_end_of_the_file_is_a_bus_error()
    {
        using var file = new FakeFile(1);
        using var program = new SimulatedProgram();
        ulong address = Map(program, file, 3, ReadWrite, MapFlags.Private);
        Assert.Equal(FaultOutcome.Resolved, program.TryRead(address, out _));
        Assert.Equal(FaultOutcome.BeyondFile, program.TryRead(address + Page, out _));
        Assert.Equal(FaultOutcome.BeyondFile, program.TryWrite(address + (2 * Page), 1));
    }

    [Fact]
    public void Truncation_takes_the_pages_behind_the_end_out_of_every_mapping()
    {
        using var file = new FakeFile(4);
        using var other = new FakeFile(4);
        using var elsewhere = new SimulatedProgram();
        ulong far = Map(elsewhere, file, 2, ReadWrite, MapFlags.Shared, 2 * Page);
        elsewhere.Write(far, 7);
        elsewhere.Write(far + Page, 8);
        using var program = new SimulatedProgram();
        ulong shared = Map(program, file, 4, ReadWrite, MapFlags.Shared);
        ulong copy = Map(program, file, 4, ReadWrite, MapFlags.Private);
        ulong unrelated = Map(program, other, 4, ReadWrite, MapFlags.Shared);
        for (ulong page = 0; page < 4; page++)
        {
            program.Write(shared + (page * Page), 1);
            program.Write(copy + (page * Page), 2);
            program.Write(unrelated + (page * Page), 3);
        }

        file.Truncate(3);
        Assert.Equal(FaultOutcome.BeyondFile, program.TryRead(shared + (3 * Page), out _));
        Assert.Equal(FaultOutcome.BeyondFile, program.TryRead(copy + (3 * Page), out _));
        Assert.Equal(FaultOutcome.BeyondFile, elsewhere.TryRead(far + Page, out _));
        Assert.Equal((1, 2, 1), (program.Read(shared + (2 * Page)), program.Read(copy + (2 * Page)), elsewhere.Read(far)));
        Assert.Equal(3, program.Read(unrelated + (3 * Page)));

        file.Extend(4);
        Assert.Equal((0, 0, 0), (program.Read(shared + (3 * Page)), program.Read(copy + (3 * Page)), elsewhere.Read(far + Page)));
        program.CheckInvariants();
        elsewhere.CheckInvariants();
    }

    [Fact]
    public void A_shared_mapping_of_a_read_only_file_never_becomes_writable()
    {
        using var file = new FakeFile(1, isWritable: false);
        using var program = new SimulatedProgram();
        ulong shared = Map(program, file, 1, Protection.Read, MapFlags.Shared);
        Assert.Equal(Errno.EACCES, program.Space->Protect(shared, Page, ReadWrite).Error);
        ulong copy = Map(program, file, 1, Protection.Read, MapFlags.Private);
        Assert.Equal(0, program.Space->Protect(copy, Page, ReadWrite).Value);
        program.Write(copy, 1);
        Assert.Equal(0, file[0][0]);
    }

    [Fact]
    public void Each_area_holds_one_reference_however_it_is_cut_and_joined()
    {
        using var file = new FakeFile(16);
        using (var program = new SimulatedProgram())
        {
            ulong address = Map(program, file, 8, Protection.Read, MapFlags.Private);
            Check(1);
            program.Space->Unmap(address + (2 * Page), Page);
            Check(2);
            program.Space->Protect(address + (4 * Page), Page, ReadWrite);
            Check(4);
            program.Space->Protect(address + (4 * Page), Page, Protection.Read);
            Check(2);
            // The same pages of the file again at the same place close the hole; others do not.
            Map(program, file, 1, Protection.Read, MapFlags.Private | MapFlags.Fixed, 5 * Page, address + (2 * Page));
            Check(3);
            Map(program, file, 1, Protection.Read, MapFlags.Private | MapFlags.Fixed, 2 * Page, address + (2 * Page));
            Check(1);
            program.Space->Remap(address, 8 * Page, 12 * Page, RemapFlags.MayMove | RemapFlags.Fixed, 0x10_0000_0000);
            Check(1);
            file[10][0] = 99;
            Assert.Equal(99, program.Read(0x10_0000_0000 + (10 * Page)));

            void Check(int areas)
            {
                Assert.Equal(areas, program.Space->AreaCount);
                Assert.Equal(areas, file.References);
                program.CheckInvariants();
            }
        }
        Assert.Equal(0, file.References);
    }

    [Fact]
    public void Offsets_and_flags_are_checked()
    {
        using var file = new FakeFile(1);
        using var program = new SimulatedProgram();
        MappedFile mapping = file.Mapping;
        Assert.Equal(Errno.EINVAL, program.Space->Map(0, Page, Protection.Read, MapFlags.Private, &mapping, 1).Error);
        Assert.Equal(Errno.EOVERFLOW, program.Space->Map(0, 2 * Page, Protection.Read, MapFlags.Private, &mapping, ulong.MaxValue - Page + 1).Error);
        Assert.Equal(Errno.EOPNOTSUPP, program.Space->Map(0, Page, Protection.Read, MapFlags.SharedValidate | MapFlags.Sync, &mapping, 0).Error);
        Assert.False(program.Space->Map(0, Page, Protection.Read, MapFlags.SharedValidate, &mapping, 0).IsError);
        Assert.Equal(Errno.EINVAL, program.Space->Map(0, Page, Protection.Read, MapFlags.Private | MapFlags.GrowsDown, &mapping, 0).Error);
        Assert.Equal(Errno.EINVAL, program.Space->Map(0, Page, Protection.Read, MapFlags.Private | MapFlags.HugePages, &mapping, 0).Error);
    }

    [Fact]
    public void A_page_of_a_file_is_in_memory_for_mincore_and_removal_needs_anonymous_memory()
    {
        using var file = new FakeFile(1);
        using var program = new SimulatedProgram();
        ulong address = Map(program, file, 1, ReadWrite, MapFlags.Shared);
        byte resident = 0;
        Assert.Equal(Errno.None, program.Space->GetResidency(address, 1, &resident));
        Assert.Equal(1, resident);
        Assert.Equal(Errno.EOPNOTSUPP, program.Space->Advise(address, Page, Advice.Remove).Error);
        Assert.Equal(Errno.EINVAL, program.Space->Advise(address, Page, Advice.WipeOnFork).Error);
        ulong copy = Map(program, file, 1, ReadWrite, MapFlags.Private);
        Assert.Equal(Errno.EACCES, program.Space->Advise(copy, Page, Advice.Remove).Error);
    }

    private static ulong Map(SimulatedProgram program, FakeFile file, ulong pages, Protection protection, MapFlags flags, ulong offset = 0, ulong address = 0)
    {
        MappedFile mapping = file.Mapping;
        Result result = program.Space->Map(address, pages * Page, protection, flags, &mapping, offset);
        Assert.False(result.IsError, result.Error.ToString());
        return (ulong)result.Value;
    }
}
