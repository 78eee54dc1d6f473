// The split virtqueue: a table of descriptors, a ring of those that the driver offers and a ring of those that the device has used. Source: virtio 1.2, section 2.7.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Memory;

namespace Ukl.Drivers.Virtio.Queue;

/// <summary>A split virtqueue.</summary>
internal unsafe struct SplitQueue : IVirtQueue
{
    // struct virtq_desc, flags.
    private const ushort HasNext = 1;
    private const ushort IsWritten = 2;
    private const ushort IsIndirect = 4;

    // struct virtq_avail and virtq_used, flags.
    private const ushort NoInterrupt = 1;
    private const ushort NoNotify = 1;

    private const int RingHeader = 4;
    private const int EventSize = 2;
    private const int UsedAlignment = 4;

    private Descriptor* _descriptors;
    private ushort* _availableIndex;
    private ushort* _availableRing;
    private ushort* _usedIndex;
    private UsedElement* _usedRing;
    private QueueSlot* _slots;
    private IndirectTables _tables;
    private ushort _size;
    private ushort _mask;
    private ushort _firstFree;
    private ushort _freeCount;

    /// <summary>Buffers that the device has.</summary>
    private ushort _inFlight;
    private ushort _nextAvailable;
    private ushort _published;
    private ushort _lastUsed;
    private bool _hasEventIndex;
    private QueueFault _fault;

    public readonly QueueLayout Layout => new()
    {
        Size = _size,
        DescriptorArea = PhysicalAddress.Of(_descriptors).Value,
        DriverArea = PhysicalAddress.Of(_availableIndex - 1).Value,
        DeviceArea = PhysicalAddress.Of(_usedIndex - 1).Value,
    };

    public QueueNotifier Notifier { readonly get; set; }

    public readonly int Size => _size;

    public readonly int FreeCount => _freeCount;

    public readonly QueueFault Fault => _fault;

    /// <summary>used_event: behind the available ring.</summary>
    private readonly ushort* UsedEvent => _availableRing + _size;

    /// <summary>avail_event: behind the used ring.</summary>
    private readonly ushort* AvailableEvent => (ushort*)(_usedRing + _size);

    public bool TryInitialize(ushort size, ulong features, int tables, int tableCapacity)
    {
        this = default;
        nuint available = (nuint)sizeof(Descriptor) * size;
        nuint used = (available + RingHeader + sizeof(ushort) * (nuint)size + EventSize + UsedAlignment - 1) & ~(nuint)(UsedAlignment - 1);
        byte* memory = (byte*)KernelHeap.Allocate(used + RingHeader + (nuint)sizeof(UsedElement) * size + EventSize);
        _descriptors = (Descriptor*)memory;
        _slots = QueueSlot.AllocateFree(size);
        bool hasTables = _tables.TryInitialize((features & Features.IndirectDescriptors) != 0 ? tables : 0, tableCapacity);
        if (memory == null || _slots == null || !hasTables)
        {
            Free();
            return false;
        }
        _availableIndex = (ushort*)(memory + available) + 1;
        _availableRing = _availableIndex + 1;
        _usedIndex = (ushort*)(memory + used) + 1;
        _usedRing = (UsedElement*)(_usedIndex + 1);
        _size = size;
        _mask = (ushort)(size - 1);
        _freeCount = size;
        _hasEventIndex = (features & Features.EventIndex) != 0;
        return true;
    }

    public void Free()
    {
        KernelHeap.Free(_descriptors);
        KernelHeap.Free(_slots);
        _tables.Free();
        this = default;
    }

    public readonly bool TryDrain(out void* token) => QueueSlot.TryDrain(_slots, _size, out token);

    public bool TryAdd(ulong address, uint length, bool isWritable, void* token)
    {
        if (_freeCount == 0)
            return false;
        ushort head = _firstFree;
        QueueSlot* slot = &_slots[head];
        _firstFree = slot->Next;
        _freeCount--;
        _descriptors[head] = new Descriptor { Address = address, Length = length, Flags = isWritable ? IsWritten : (ushort)0 };
        slot->Writable = isWritable ? length : 0;
        slot->Table = 0;
        Offer(head, slot, 1, token);
        return true;
    }

    public bool TryAdd(BufferSegment* segments, int readable, int writable, void* token)
    {
        if (_freeCount == 0)
            return false;
        int count = readable + writable;
        ushort tableNumber = _tables.TryTake(count);
        int needed = tableNumber != 0 ? 1 : count;
        if (needed > _freeCount)
            return false;

        ushort head = _firstFree;
        QueueSlot* slot = &_slots[head];
        slot->Table = tableNumber;
        slot->Writable = 0;
        for (int i = readable; i < count; i++)
            slot->Writable += segments[i].Length;

        if (tableNumber != 0)
        {
            var table = (Descriptor*)_tables.At(tableNumber);
            for (int i = 0; i < count; i++)
                table[i] = Describe(segments[i], i >= readable, (ushort)(i + 1), i + 1 < count);
            _descriptors[head] = new Descriptor { Address = PhysicalAddress.Of(table).Value, Length = (uint)(count * sizeof(Descriptor)), Flags = IsIndirect };
            _firstFree = slot->Next;
        }
        else
        {
            ushort at = head;
            for (int i = 0; i < count; i++)
            {
                ushort next = _slots[at].Next;
                _descriptors[at] = Describe(segments[i], i >= readable, next, i + 1 < count);
                at = next;
            }
            _firstFree = at;
        }
        _freeCount -= (ushort)needed;
        Offer(head, slot, needed, token);
        return true;
    }

    public bool Publish()
    {
        ushort old = _published;
        ushort index = _nextAvailable;
        if (index == old)
            return false;
        Volatile.Write(ref *_availableIndex, index);
        _published = index;
        // The device reads the index after it writes what it wants to be told, and the other way round here.
        DeviceBarrier.Full();
        if (!_hasEventIndex)
            return (Volatile.Read(ref *(_usedIndex - 1)) & NoNotify) == 0;
        return (ushort)(index - Volatile.Read(ref *AvailableEvent) - 1) < (ushort)(index - old);
    }

    public bool TryTake(out void* token, out uint length)
    {
        token = null;
        length = 0;
        ushort pending = (ushort)(Volatile.Read(ref *_usedIndex) - _lastUsed);
        if (pending == 0 || _fault != QueueFault.None)
            return false;
        if (pending > _inFlight)
            return Fail(QueueFault.EndlessRing);

        UsedElement element = _usedRing[_lastUsed & _mask];
        if (element.Id >= _size)
            return Fail(QueueFault.UnknownBuffer);
        QueueSlot* slot = &_slots[element.Id];
        if (slot->Count == 0)
            return Fail(QueueFault.UnknownBuffer);
        // Of buffers that are only read some devices tell nonsense.
        length = slot->Writable == 0 ? 0 : element.Length;
        if (length > slot->Writable)
            return Fail(QueueFault.Overrun);

        _lastUsed++;
        _inFlight--;
        token = slot->Token;
        QueueSlot* last = slot;
        for (int i = 1; i < slot->Count; i++)
            last = &_slots[last->Next];
        _tables.Return(slot->Table);
        _freeCount += slot->Count;
        slot->Count = 0;
        last->Next = _firstFree;
        _firstFree = (ushort)element.Id;
        return true;
    }

    public readonly bool ResumeInterrupts()
    {
        if (_hasEventIndex)
            Volatile.Write(ref *UsedEvent, _lastUsed);
        else
            Volatile.Write(ref *(_availableIndex - 1), (ushort)0);
        DeviceBarrier.Full();
        return Volatile.Read(ref *_usedIndex) != _lastUsed;
    }

    public readonly void SuspendInterrupts()
    {
        if (_hasEventIndex)
            Volatile.Write(ref *UsedEvent, (ushort)(_lastUsed - 1));
        else
            Volatile.Write(ref *(_availableIndex - 1), NoInterrupt);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Offer(ushort head, QueueSlot* slot, int count, void* token)
    {
        slot->Token = token;
        slot->Count = (ushort)count;
        _availableRing[_nextAvailable & _mask] = head;
        _nextAvailable++;
        _inFlight++;
    }

    private bool Fail(QueueFault fault)
    {
        _fault = fault;
        return false;
    }

    private static Descriptor Describe(in BufferSegment segment, bool isWritable, ushort next, bool hasNext) => new()
    {
        Address = segment.Address,
        Length = segment.Length,
        Flags = (ushort)((isWritable ? IsWritten : 0) | (hasNext ? HasNext : 0)),
        Next = next,
    };

    /// <summary>struct virtq_desc.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Descriptor
    {
        internal ulong Address;
        internal uint Length;
        internal ushort Flags;
        internal ushort Next;
    }

    /// <summary>struct virtq_used_elem.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct UsedElement
    {
        internal uint Id;
        internal uint Length;
    }
}
