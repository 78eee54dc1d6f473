using System;
using System.Runtime.InteropServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;
using Ukl.Tests.Unit.FileKinds;
using Xunit;

namespace Ukl.Tests.Unit.Tasks;

/// <summary>Which words are one futex.</summary>
public sealed unsafe class FutexKeyTests : IDisposable
{
    private const nuint PageSize = 4096;
    private readonly KernelRig _rig = new();
    private readonly byte* _memory = (byte*)NativeMemory.AlignedAlloc(4 * PageSize, PageSize);

    public FutexKeyTests()
    {
        NativeMemory.Clear(_memory, 4 * PageSize);
        _rig.Process->Memory = AddressSpace.Create(isUserMode: true);
    }

    public void Dispose()
    {
        AddressSpace.Release(_rig.Process->Memory);
        _rig.Process->Memory = null;
        _rig.Dispose();
        NativeMemory.AlignedFree(_memory);
    }

    [Fact]
    public void Private_words_are_one_by_address()
    {
        Map(0, MapFlags.Private);
        ulong address = (ulong)_memory;
        Assert.True(Find(address, true).IsSame(Find(address, false)));
        Assert.False(Find(address, true).IsSame(Find(address + 4, true)));
    }

    [Fact]
    public void Shared_words_are_one_by_page_and_place()
    {
        ulong first = (ulong)_memory;
        ulong second = first + (2 * PageSize);
        Map(0, MapFlags.Shared);
        // The second mapping of the same page, as mremap makes it of a shared one.
        Assert.Equal((long)second, _rig.Process->Memory->Remap(first, 0, PageSize, RemapFlags.MayMove | RemapFlags.Fixed, second).Value);
        Touch(second);
        Assert.True(Find(first + 64, false).IsSame(Find(second + 64, false)));
        Assert.False(Find(first + 64, false).IsSame(Find(second + 68, false)));
        Assert.False(Find(first + 64, true).IsSame(Find(second + 64, true)));
    }

    [Fact]
    public void A_word_is_looked_at_anew_after_its_mapping_changed()
    {
        ulong address = (ulong)_memory;
        Map(0, MapFlags.Private);
        Assert.True(Find(address, false).IsSame(Find(address, true)));
        Map(0, MapFlags.Shared);
        Assert.False(Find(address, false).IsSame(Find(address, true)));
        Map(0, MapFlags.Private);
        Assert.True(Find(address, false).IsSame(Find(address, true)));
    }

    [Fact]
    public void Finding_a_private_word_gives_it_no_memory()
    {
        ulong address = (ulong)_memory;
        Assert.False(_rig.Process->Memory->Map(address, PageSize, Protection.Read | Protection.Write, MapFlags.Private | MapFlags.Anonymous | MapFlags.Fixed).IsError);
        Assert.True(Find(address, false).IsSame(Find(address, true)));
        Assert.False(_rig.Process->Memory->TryTranslate(address, out _));
    }

    [Fact]
    public void A_private_word_that_cannot_change_is_none_unless_promised_private()
    {
        ulong address = (ulong)_memory;
        Assert.False(_rig.Process->Memory->Map(address, PageSize, Protection.Read, MapFlags.Private | MapFlags.Anonymous | MapFlags.Fixed).IsError);
        Assert.False(FutexKey.TryFind(address, false, out _));
        Assert.True(FutexKey.TryFind(address, true, out _));
    }

    [Fact]
    public void A_held_page_outlives_its_mapping()
    {
        Map(0, MapFlags.Shared);
        FutexKey key = Find((ulong)_memory + 8, false);
        key.Hold();
        Assert.False(_rig.Process->Memory->Unmap((ulong)_memory, PageSize).IsError);
        Assert.Equal(1u, PageFrame.Of(new PhysicalAddress(key.Address))->ReferenceCount);
        nuint held = PageAllocator.FreePages;
        key.Drop();
        Assert.Equal(held + 1, PageAllocator.FreePages);
    }

    [Fact]
    public void A_wild_address_is_none()
    {
        Assert.False(FutexKey.TryFind(8, false, out _));
        Assert.False(FutexKey.TryFind(UserMemory.Top, true, out _));
        Assert.Equal(Errno.EFAULT, Futex.Wake(8, isPrivate: false, 1).Error);
        Assert.Equal(Errno.EFAULT, Futex.Requeue((ulong)_memory, UserMemory.Top, isPrivate: true, 1, 1).Error);
    }

    private static FutexKey Find(ulong address, bool isPrivate)
    {
        Assert.True(FutexKey.TryFind(address, isPrivate, out FutexKey key));
        return key;
    }

    // The test's own memory stands for the program's, so the simulated mapping lies where that is.
    private void Map(nuint page, MapFlags type)
    {
        ulong address = (ulong)_memory + (page * PageSize);
        Assert.False(_rig.Process->Memory->Map(address, PageSize, Protection.Read | Protection.Write, type | MapFlags.Anonymous | MapFlags.Fixed).IsError);
        Touch(address);
    }

    private void Touch(ulong address) => Assert.Equal(FaultOutcome.Resolved, _rig.Process->Memory->HandleFault(address, FaultAccess.Write));
}
