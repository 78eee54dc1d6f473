using System;
using System.Text;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Syscalls;
using Ukl.Tests.Unit.FileKinds;
using Xunit;

namespace Ukl.Tests.Unit.Memory;

/// <summary>The memory calls as a program makes them: which arguments they take, and what they answer. What they do is AddressSpace's, with tests of its own.</summary>
public sealed unsafe class MemoryCallsTests : IDisposable
{
    private const ulong Page = 4096;
    private const ulong Read = 1, Write = 2, ReadWrite = 3;
    private const ulong Shared = 1, Private = 2, SharedValidate = 3, Fixed = 0x10, Anonymous = 0x20, FixedNoReplace = 0x10_0000, Unknown = 1ul << 40;
    private static readonly Fd s_noFile = new(-1);

    private readonly TreeRig _tree = new();
    private readonly SimulatedProgram _program = new();

    public MemoryCallsTests() => _tree.Kernel.Process->Memory = _program.Space;

    public void Dispose()
    {
        _tree.Kernel.Process->Memory = null;
        _program.CheckInvariants();
        _program.Dispose();
        _tree.Dispose();
    }

    [Fact]
    public void Anonymous_memory_needs_no_file()
    {
        ulong address = Ok(MemoryCalls.Map(0, 3 * Page, ReadWrite, Private | Anonymous, s_noFile, 0));
        _program.Write(address + (2 * Page), 7);
        Assert.Equal(7, _program.Read(address + (2 * Page)));
        // The offset means nothing, but must be a page's.
        Ok(MemoryCalls.Map(0, Page, ReadWrite, Private | Anonymous, s_noFile, Page));
        Fails(Errno.EINVAL, MemoryCalls.Map(0, Page, ReadWrite, Private | Anonymous, s_noFile, 1));
    }

    [Fact]
    public void A_mapping_needs_a_length_a_type_and_a_place()
    {
        Fails(Errno.EINVAL, MemoryCalls.Map(0, 0, ReadWrite, Private | Anonymous, s_noFile, 0));
        Fails(Errno.EINVAL, MemoryCalls.Map(0, Page, ReadWrite, Anonymous, s_noFile, 0));
        Fails(Errno.ENOMEM, MemoryCalls.Map(0, ulong.MaxValue, ReadWrite, Private | Anonymous, s_noFile, 0));
        Fails(Errno.ENOMEM, MemoryCalls.Map(0, ulong.MaxValue - Page, ReadWrite, Private | Anonymous, s_noFile, 0));
        Fails(Errno.EINVAL, MemoryCalls.Map(Page + 1, Page, ReadWrite, Private | Anonymous | Fixed, s_noFile, 0));
        Fails(Errno.ENOMEM, MemoryCalls.Map(0xffff_8000_0000_0000, Page, ReadWrite, Private | Anonymous | Fixed, s_noFile, 0));
        Fails(Errno.EINVAL, MemoryCalls.Map(0, Page, ReadWrite, SharedValidate | Anonymous | Unknown, s_noFile, 0));
        Ok(MemoryCalls.Map(0, Page, ReadWrite, Private | Anonymous | Unknown, s_noFile, 0));
        ulong taken = Ok(MemoryCalls.Map(0, Page, ReadWrite, Private | Anonymous, s_noFile, 0));
        Fails(Errno.EEXIST, MemoryCalls.Map(taken, Page, ReadWrite, Private | Anonymous | FixedNoReplace, s_noFile, 0));
    }

    [Fact]
    public void A_file_is_mapped_from_its_offset()
    {
        Fd file = MakeFile(OpenFlags.ReadWrite, new string('a', (int)Page) + "behind the first page");
        ulong address = Ok(MemoryCalls.Map(0, 2 * Page, Read, Private, file, Page));
        Assert.Equal((byte)'b', _program.Read(address));
        Assert.Equal(0, _program.Read(address + 100));
        Assert.Equal(FaultOutcome.BeyondFile, _program.TryRead(address + Page, out _));
        Assert.Equal(FaultOutcome.Forbidden, _program.TryWrite(address, 1));
        // The mapping outlives the descriptor.
        _tree.Kernel.Close(file.Value);
        Assert.Equal((byte)'e', _program.Read(address + 1));
        Ok(MemoryCalls.Unmap(address, 2 * Page));
    }

    [Fact]
    public void Shared_writes_reach_the_file_and_private_ones_do_not()
    {
        Fd file = MakeFile(OpenFlags.ReadWrite, "original");
        ulong shared = Ok(MemoryCalls.Map(0, Page, ReadWrite, Shared, file, 0));
        ulong copy = Ok(MemoryCalls.Map(0, Page, ReadWrite, Private, file, 0));
        _program.Write(copy, (byte)'P');
        _program.Write(shared + 1, (byte)'S');
        var content = new byte[8];
        _tree.Kernel.File(file.Value)->Position = 0;
        KernelRig.Ok(_tree.Kernel.Read(file.Value, content));
        Assert.Equal("oSiginal", Encoding.ASCII.GetString(content));
        Assert.Equal((byte)'P', _program.Read(copy));
    }

    [Fact]
    public void A_file_must_be_open_and_allow_what_the_mapping_does()
    {
        Fails(Errno.EBADF, MemoryCalls.Map(0, Page, Read, Private, new Fd(99), 0));
        Fails(Errno.EBADF, MemoryCalls.Map(0, Page, Read, Private, s_noFile, 0));
        Fd reading = MakeFile(OpenFlags.ReadOnly, "text");
        Fd writing = MakeFile(OpenFlags.WriteOnly, "text");
        Fails(Errno.EINVAL, MemoryCalls.Map(0, Page, Read, 0, reading, 0));
        Fails(Errno.EACCES, MemoryCalls.Map(0, Page, ReadWrite, Shared, reading, 0));
        Fails(Errno.EACCES, MemoryCalls.Map(0, Page, Write, SharedValidate, reading, 0));
        Fails(Errno.EACCES, MemoryCalls.Map(0, Page, Read, Private, writing, 0));
        Ok(MemoryCalls.Map(0, Page, ReadWrite, Private, reading, 0));
        // A read-only shared mapping of a file open for reading stays so.
        ulong shared = Ok(MemoryCalls.Map(0, Page, Read, Shared, reading, 0));
        Fails(Errno.EACCES, MemoryCalls.Protect(shared, Page, ReadWrite));
        Fails(Errno.ENODEV, MemoryCalls.Map(0, Page, Read, Private, new Fd(_tree.Open("/dev", OpenFlags.Directory)), 0));
        Fails(Errno.ENODEV, MemoryCalls.Map(0, Page, Read, Private, new Fd(_tree.Open("/dev/null")), 0));
    }

    [Fact]
    public void The_zero_device_is_anonymous_memory()
    {
        ulong address = Ok(MemoryCalls.Map(0, Page, ReadWrite, Private, new Fd(_tree.Open("/dev/zero", OpenFlags.ReadWrite)), 0));
        Assert.Equal(0, _program.Read(address));
        _program.Write(address, 3);
        Assert.False(_program.Space->FindArea(address)->File.IsPresent);
    }

    [Fact]
    public void Unmapping_takes_whole_pages_of_anything()
    {
        ulong address = Ok(MemoryCalls.Map(0, 4 * Page, ReadWrite, Private | Anonymous, s_noFile, 0));
        Fails(Errno.EINVAL, MemoryCalls.Unmap(address + 1, Page));
        Fails(Errno.EINVAL, MemoryCalls.Unmap(address, 0));
        Fails(Errno.EINVAL, MemoryCalls.Unmap(address, ulong.MaxValue));
        Ok(MemoryCalls.Unmap(address + Page, 1));
        Assert.Equal(FaultOutcome.NotMapped, _program.TryRead(address + Page, out _));
        Ok(MemoryCalls.Unmap(address, 4 * Page));
        Ok(MemoryCalls.Unmap(address, 4 * Page));
        Assert.True(_program.Space->FirstArea == null);
    }

    [Fact]
    public void Protection_changes_where_something_is_mapped()
    {
        ulong address = Ok(MemoryCalls.Map(0, 2 * Page, ReadWrite, Private | Anonymous, s_noFile, 0));
        Ok(MemoryCalls.Protect(address, Page, 0));
        Assert.Equal(FaultOutcome.Forbidden, _program.TryRead(address, out _));
        _program.Write(address + Page, 1);
        Ok(MemoryCalls.Protect(address + 1 - 1, 0, 0));
        Fails(Errno.EINVAL, MemoryCalls.Protect(address + 1, Page, Read));
        Fails(Errno.EINVAL, MemoryCalls.Protect(address, Page, 0x40));
        Fails(Errno.ENOMEM, MemoryCalls.Protect(address + Page, 2 * Page, Read));
        Fails(Errno.ENOMEM, MemoryCalls.Protect(address + (8 * Page), Page, Read));
    }

    [Fact]
    public void The_break_moves_or_stays()
    {
        _program.Space->BreakStart = _program.Space->Break = 0x10_0000;
        Assert.Equal(0x10_0000ul, Ok(MemoryCalls.SetBreak(0)));
        Assert.Equal(0x10_2001ul, Ok(MemoryCalls.SetBreak(0x10_2001)));
        _program.Write(0x10_2fff, 5);
        Assert.Equal(0x10_2001ul, Ok(MemoryCalls.SetBreak(0xf_ffff)));
        Assert.Equal(0x10_2001ul, Ok(MemoryCalls.SetBreak(UserMemory.Top + Page)));
        Assert.Equal(0x10_0001ul, Ok(MemoryCalls.SetBreak(0x10_0001)));
        Assert.Equal(FaultOutcome.NotMapped, _program.TryRead(0x10_2fff, out _));
    }

    [Fact]
    public void Remapping_moves_grows_and_refuses()
    {
        const ulong MayMove = 1, FixedPlace = 2;
        ulong address = Ok(MemoryCalls.Map(0, 2 * Page, ReadWrite, Private | Anonymous, s_noFile, 0));
        _program.Write(address + Page, 9);
        ulong moved = Ok(MemoryCalls.Remap(address, 2 * Page, 8 * Page, MayMove, 0));
        Assert.Equal(9, _program.Read(moved + Page));
        ulong target = 0x5000_0000;
        Assert.Equal(target, Ok(MemoryCalls.Remap(moved, 8 * Page, 2 * Page, MayMove | FixedPlace, target)));
        Assert.Equal(9, _program.Read(target + Page));
        Fails(Errno.EINVAL, MemoryCalls.Remap(target, Page, Page, 8, 0));
        Fails(Errno.EINVAL, MemoryCalls.Remap(target, Page, Page, FixedPlace, target + (4 * Page)));
        Fails(Errno.EINVAL, MemoryCalls.Remap(target + 1, Page, Page, MayMove, 0));
        Fails(Errno.EINVAL, MemoryCalls.Remap(target, Page, 0, MayMove, 0));
        Fails(Errno.EFAULT, MemoryCalls.Remap(target + (8 * Page), Page, 2 * Page, MayMove, 0));
    }

    [Fact]
    public void Synchronizing_wants_one_way_and_mapped_memory()
    {
        const int Asynchronous = 1, Invalidate = 2, Synchronous = 4;
        ulong address = Ok(MemoryCalls.Map(0, Page, ReadWrite, Private | Anonymous, s_noFile, 0));
        Ok(MemoryCalls.Sync(address, Page, Synchronous));
        Ok(MemoryCalls.Sync(address, Page, Asynchronous | Invalidate));
        Fails(Errno.EINVAL, MemoryCalls.Sync(address, Page, Asynchronous | Synchronous));
        Fails(Errno.EINVAL, MemoryCalls.Sync(address, Page, 8));
        Fails(Errno.EINVAL, MemoryCalls.Sync(address + 1, Page, Synchronous));
        Fails(Errno.ENOMEM, MemoryCalls.Sync(address, 2 * Page, Synchronous));
    }

    [Fact]
    public void Residency_is_told_page_by_page_also_of_long_ranges()
    {
        const int Count = 600;
        ulong address = Ok(MemoryCalls.Map(0, Count * Page, ReadWrite, Private | Anonymous, s_noFile, 0));
        foreach (int page in (ReadOnlySpan<int>)[0, 255, 256, 511, 599])
            _program.Write(address + ((ulong)page * Page), 1);
        byte* vector = _tree.Kernel.Alloc<byte>(Count + 1);
        new Span<byte>(vector, Count + 1).Fill(0xee);
        Ok(MemoryCalls.GetResidency(address, Count * Page, new UserPtr<byte>((ulong)vector)));
        for (int page = 0; page < Count; page++)
            Assert.Equal(page is 0 or 255 or 256 or 511 or 599 ? 1 : 0, vector[page] & 1);
        Assert.Equal(0xee, vector[Count]);
        // A part of a page counts as one.
        Ok(MemoryCalls.GetResidency(address, 1, new UserPtr<byte>((ulong)vector)));
        Fails(Errno.EINVAL, MemoryCalls.GetResidency(address + 1, Page, new UserPtr<byte>((ulong)vector)));
        Fails(Errno.EFAULT, MemoryCalls.GetResidency(address, Page, new UserPtr<byte>(8)));
        Fails(Errno.ENOMEM, MemoryCalls.GetResidency(address, (Count + 1) * Page, new UserPtr<byte>((ulong)vector)));
        Fails(Errno.ENOMEM, MemoryCalls.GetResidency(0, ulong.MaxValue, new UserPtr<byte>((ulong)vector)));
        Fails(Errno.ENOMEM, MemoryCalls.GetResidency(UserMemory.Top - Page + 0x1000, Page, new UserPtr<byte>((ulong)vector)));
    }

    [Fact]
    public void Advice_must_be_known_and_about_mapped_memory()
    {
        const int DoNotNeed = 4, WillNeed = 3, Nonsense = 77;
        ulong address = Ok(MemoryCalls.Map(0, 2 * Page, ReadWrite, Private | Anonymous, s_noFile, 0));
        _program.Write(address, 1);
        Ok(MemoryCalls.Advise(address, Page, DoNotNeed));
        Assert.Equal(0, _program.Read(address));
        Ok(MemoryCalls.Advise(address, 2 * Page, WillNeed));
        Ok(MemoryCalls.Advise(address, 0, DoNotNeed));
        Fails(Errno.EINVAL, MemoryCalls.Advise(address, Page, Nonsense));
        Fails(Errno.EINVAL, MemoryCalls.Advise(address + 1, Page, DoNotNeed));
        Fails(Errno.EINVAL, MemoryCalls.Advise(address, ulong.MaxValue, DoNotNeed));
        Fails(Errno.ENOMEM, MemoryCalls.Advise(address, 3 * Page, DoNotNeed));
    }

    [Fact]
    public void Locking_brings_pages_in_and_knows_its_flags()
    {
        const int LockedOnFault = 1, All = 1, Future = 2, OnFault = 4;
        ulong address = Ok(MemoryCalls.Map(0, 3 * Page, ReadWrite, Private | Anonymous, s_noFile, 0));
        Ok(MemoryCalls.Lock(address + 5, Page));
        Assert.Equal((nuint)2, _program.Space->LockedPages);
        Assert.Equal((nuint)2, _program.Space->ResidentPages);
        Ok(MemoryCalls.Lock2(address + (2 * Page), Page, LockedOnFault));
        Assert.Equal((nuint)3, _program.Space->LockedPages);
        Assert.Equal((nuint)2, _program.Space->ResidentPages);
        Ok(MemoryCalls.Unlock(address, 3 * Page));
        Assert.Equal((nuint)0, _program.Space->LockedPages);
        Fails(Errno.ENOMEM, MemoryCalls.Lock(address, 4 * Page));
        Fails(Errno.EINVAL, MemoryCalls.Lock2(address, Page, 2));
        Fails(Errno.EINVAL, MemoryCalls.LockAll(0));
        Fails(Errno.EINVAL, MemoryCalls.LockAll(OnFault));
        Fails(Errno.EINVAL, MemoryCalls.LockAll(8));
        Ok(MemoryCalls.LockAll(All | Future));
        ulong later = Ok(MemoryCalls.Map(0, Page, ReadWrite, Private | Anonymous, s_noFile, 0));
        Assert.True((_program.Space->FindArea(later)->Flags & AreaFlags.Locked) != 0);
        Ok(MemoryCalls.UnlockAll());
        Assert.Equal((nuint)0, _program.Space->LockedPages);
    }

    private static ulong Ok(Result result)
    {
        Assert.Equal(Errno.None, result.Error);
        return (ulong)result.Value;
    }

    private static void Fails(Errno error, Result result) => Assert.Equal(error, result.Error);

    private Fd MakeFile(OpenFlags flags, string content)
    {
        string path = $"{TreeRig.MakeDirectory()}/file";
        int fd = KernelRig.Ok(_tree.TryOpen(path, OpenFlags.ReadWrite | OpenFlags.Create));
        KernelRig.Ok(_tree.Kernel.Write(fd, Encoding.ASCII.GetBytes(content)));
        _tree.Kernel.Close(fd);
        return new Fd(_tree.Open(path, flags));
    }
}
