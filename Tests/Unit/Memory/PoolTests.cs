using System;
using System.Collections.Generic;
using FsCheck;
using FsCheck.Fluent;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Memory;
using Xunit;

namespace Ukl.Tests.Unit.Memory;

public unsafe class PoolTests
{
    private struct Small
    {
        public fixed byte Bytes[1];
    }

    private struct Middle
    {
        public fixed ulong Words[13];
    }

    private struct Large
    {
        public fixed byte Bytes[3000];
    }

    private struct Rare
    {
        public fixed ulong Words[5];
    }

    [Fact]
    public void Objects_are_zeroed_and_do_not_overlap()
    {
        Check<Small>(1000);
        Check<Middle>(300);
        Check<Large>(50);
    }

    [Fact]
    public void At_most_one_empty_slab_is_kept()
    {
        Rare*[] items = new Rare*[1000];
        nuint before = PageAllocator.FreePages;
        for (int i = 0; i < items.Length; i++)
            items[i] = Pool<Rare>.Allocate();
        for (int i = 0; i < items.Length; i++)
            Pool<Rare>.Free(items[i]);
        Assert.InRange(PageAllocator.FreePages, before - 1, before);
    }

    [Fact]
    public void Freeing_twice_or_foreign_pointers_stops_the_machine()
    {
        Middle* item = Pool<Middle>.Allocate();
        Assert.Throws<KernelPanicException>(() => Pool<Middle>.Free((Middle*)((byte*)item + 8)));
        Pool<Middle>.Free(item);
        Assert.Throws<KernelPanicException>(() => Pool<Middle>.Free(item));
        PhysicalAddress page = PageAllocator.Allocate();
        Assert.Throws<KernelPanicException>(() => Pool<Middle>.Free((Middle*)page.Pointer));
        PageAllocator.Free(page);
        void* heap = KernelHeap.Allocate(100);
        Assert.Throws<KernelPanicException>(() => Pool<Middle>.Free((Middle*)heap));
        KernelHeap.Free(heap);
    }

    [Fact]
    public void Writing_to_a_freed_object_is_noticed()
    {
        Large* item = Pool<Large>.Allocate();
        Pool<Large>.Free(item);
        ulong mark = ((ulong*)item)[1];
        ((ulong*)item)[1] = 7;
        Assert.Throws<KernelPanicException>(() => Pool<Large>.Allocate());
        ((ulong*)item)[1] = mark;
    }

    [Fact]
    public void Out_of_memory_is_null()
    {
        Middle* warm = Pool<Middle>.Allocate();
        var items = new List<nint>();
        using (new MemoryPressure(1))
        {
            Middle* item;
            while ((item = Pool<Middle>.Allocate()) != null)
                items.Add((nint)item);
            Assert.True(KernelHeap.Allocate(5000) == null);
        }
        Assert.InRange(items.Count, 39, 39 * 2);
        foreach (nint item in items)
            Pool<Middle>.Free((Middle*)item);
        Pool<Middle>.Free(warm);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(32)]
    [InlineData(33)]
    [InlineData(48)]
    [InlineData(49)]
    [InlineData(65)]
    [InlineData(97)]
    [InlineData(1537)]
    [InlineData(2048)]
    [InlineData(2049)]
    [InlineData(4097)]
    [InlineData(100_000)]
    [InlineData(4 << 20)]
    public void Heap_gives_zeroed_aligned_memory_of_every_size(int size)
    {
        nuint before = PageAllocator.FreePages;
        byte* one = (byte*)KernelHeap.Allocate((nuint)size);
        byte* two = (byte*)KernelHeap.Allocate((nuint)size);
        Assert.Equal(0, (nint)one % 16);
        Assert.True(new Span<byte>(one, size).IndexOfAnyExcept((byte)0) < 0);
        new Span<byte>(one, size).Fill(1);
        new Span<byte>(two, size).Fill(2);
        Assert.True(new Span<byte>(one, size).IndexOfAnyExcept((byte)1) < 0);
        KernelHeap.Free(one);
        KernelHeap.Free(two);
        Assert.InRange(PageAllocator.FreePages, before - 8, before);
    }

    [Fact]
    public void Heap_refuses_more_than_its_largest_size_and_ignores_null()
    {
        Assert.True(KernelHeap.Allocate(KernelHeap.MaximumSize + 1) == null);
        Assert.True(KernelHeap.Allocate(nuint.MaxValue) == null);
        KernelHeap.Free(null);
    }

    [Fact]
    public void Reallocate_keeps_contents()
    {
        byte* memory = (byte*)KernelHeap.Reallocate(null, 10);
        for (int i = 0; i < 10; i++)
            memory[i] = (byte)(i + 1);
        foreach (nuint size in (nuint[])[40, 3000, 60_000, 5000, 20])
        {
            memory = (byte*)KernelHeap.Reallocate(memory, size);
            for (int i = 0; i < 10; i++)
                Assert.Equal(i + 1, memory[i]);
            Assert.Equal(0, memory[10]);
        }
        using (new MemoryPressure(0))
            Assert.True(KernelHeap.Reallocate(memory, 1 << 20) == null);
        Assert.Equal(10, memory[9]);
        KernelHeap.Free(memory);
    }

    [Fact]
    public void Random_heap_use_keeps_every_byte() =>
        Prop.ForAll(
            ArbMap.Default.ArbFor<(ushort Size, bool IsFree)[]>(),
            steps =>
            {
                var held = new List<(nint Pointer, int Size, byte Fill)>();
                byte fill = 0;
                foreach ((ushort size, bool isFree) in steps)
                {
                    if (isFree && held.Count > 0)
                    {
                        (nint pointer, int length, byte expected) = held[size % held.Count];
                        Assert.True(new Span<byte>((void*)pointer, length).IndexOfAnyExcept(expected) < 0);
                        KernelHeap.Free((void*)pointer);
                        held.RemoveAt(size % held.Count);
                    }
                    else
                    {
                        void* pointer = KernelHeap.Allocate(size);
                        Assert.True(new Span<byte>(pointer, size).IndexOfAnyExcept((byte)0) < 0);
                        new Span<byte>(pointer, size).Fill(++fill);
                        held.Add(((nint)pointer, size, fill));
                    }
                }
                foreach ((nint pointer, int length, byte expected) in held)
                {
                    Assert.True(new Span<byte>((void*)pointer, length).IndexOfAnyExcept(expected) < 0);
                    KernelHeap.Free((void*)pointer);
                }
            }).QuickCheckThrowOnFailure();

    private static void Check<T>(int count)
        where T : unmanaged
    {
        var items = new nint[count];
        for (int i = 0; i < count; i++)
        {
            T* item = Pool<T>.Allocate();
            Assert.True(new Span<byte>(item, sizeof(T)).IndexOfAnyExcept((byte)0) < 0);
            new Span<byte>(item, sizeof(T)).Fill((byte)(i + 1));
            items[i] = (nint)item;
        }
        for (int i = 0; i < count; i++)
        {
            Assert.True(new Span<byte>((void*)items[i], sizeof(T)).IndexOfAnyExcept((byte)(i + 1)) < 0);
            Pool<T>.Free((T*)items[i]);
        }
    }
}
