// Tables of descriptors outside a ring: a buffer of many segments then takes one descriptor of the ring. Source: virtio 1.2, sections 2.7.5.3 and 2.8.7. A buffer of few
// segments does not use one: writing them straight into the ring is less work for both sides.
using Ukl.Kernel.Memory;

namespace Ukl.Drivers.Virtio.Queue;

/// <summary>The indirect tables of one queue.</summary>
internal unsafe struct IndirectTables
{
    /// <summary>Bytes of a descriptor, split or packed.</summary>
    private const int DescriptorSize = 16;

    /// <summary>As many segments go straight into the ring.</summary>
    private const int DirectSegments = 2;

    private byte* _tables;
    private ushort* _free;
    private int _freeCount;
    private int _capacity;

    /// <summary>Takes memory for <paramref name="count"/> tables of <paramref name="capacity"/> descriptors. False when out of memory.</summary>
    internal bool TryInitialize(int count, int capacity)
    {
        this = default;
        if (count == 0)
            return true;
        _tables = (byte*)KernelHeap.Allocate((nuint)(count * capacity * DescriptorSize));
        _free = (ushort*)KernelHeap.Allocate((nuint)(count * sizeof(ushort)));
        if (_tables == null || _free == null)
        {
            Free();
            return false;
        }
        _capacity = capacity;
        for (; _freeCount < count; _freeCount++)
            _free[_freeCount] = (ushort)(_freeCount + 1);
        return true;
    }

    /// <summary>Gives the memory back.</summary>
    internal void Free()
    {
        KernelHeap.Free(_tables);
        KernelHeap.Free(_free);
        this = default;
    }

    /// <summary>Takes a table for a buffer of <paramref name="segments"/> segments; 0 when it goes without one.</summary>
    internal ushort TryTake(int segments) => segments > DirectSegments && segments <= _capacity && _freeCount != 0 ? _free[--_freeCount] : (ushort)0;

    /// <summary>Gives a table back; 0 is none.</summary>
    internal void Return(ushort table)
    {
        if (table != 0)
            _free[_freeCount++] = table;
    }

    /// <summary>Where a table lies.</summary>
    internal readonly void* At(ushort table) => _tables + (table - 1) * _capacity * DescriptorSize;
}
