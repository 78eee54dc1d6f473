// The packed virtqueue: one ring in which descriptors go to the device and come back. Source: virtio 1.2, section 2.8.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Memory;

namespace Ukl.Drivers.Virtio.Queue;

/// <summary>A packed virtqueue.</summary>
internal unsafe struct PackedQueue : IVirtQueue
{
    // struct pvirtq_desc, flags.
    private const ushort HasNext = 1;
    private const ushort IsWritten = 2;
    private const ushort IsIndirect = 4;
    private const ushort Available = 1 << 7;
    private const ushort Used = 1 << 15;

    // struct pvirtq_event_suppress, flags.
    private const ushort EventsEnabled = 0;
    private const ushort EventsDisabled = 1;
    private const ushort EventsAtDescriptor = 2;
    private const int EventWrapShift = 15;
    private const ushort EventOffsetMask = 0x7fff;

    private Descriptor* _ring;
    private EventSuppression* _driverEvents;
    private EventSuppression* _deviceEvents;
    private QueueSlot* _slots;
    private IndirectTables _tables;
    private ushort _size;

    /// <summary>First id of the free list; an id names a buffer and has nothing to do with places in the ring.</summary>
    private ushort _firstFree;
    private ushort _freeCount;
    private ushort _nextAvailable;
    private ushort _nextUsed;

    /// <summary>Descriptors made available since the last <see cref="Publish"/>.</summary>
    private ushort _added;

    /// <summary>The flags that make a descriptor available in this round of the ring.</summary>
    private ushort _availableFlags;
    private bool _availableWrap;
    private bool _usedWrap;
    private bool _hasEventIndex;
    private QueueFault _fault;

    public readonly QueueLayout Layout => new()
    {
        Size = _size,
        DescriptorArea = PhysicalAddress.Of(_ring).Value,
        DriverArea = PhysicalAddress.Of(_driverEvents).Value,
        DeviceArea = PhysicalAddress.Of(_deviceEvents).Value,
    };

    public QueueNotifier Notifier { readonly get; set; }

    public readonly int Size => _size;

    public readonly int FreeCount => _freeCount;

    public readonly QueueFault Fault => _fault;

    public bool TryInitialize(ushort size, ulong features, int tables, int tableCapacity)
    {
        this = default;
        nuint ringBytes = (nuint)sizeof(Descriptor) * size;
        byte* memory = (byte*)KernelHeap.Allocate(ringBytes + 2 * (nuint)sizeof(EventSuppression));
        _ring = (Descriptor*)memory;
        _slots = QueueSlot.AllocateFree(size);
        bool hasTables = _tables.TryInitialize((features & Features.IndirectDescriptors) != 0 ? tables : 0, tableCapacity);
        if (memory == null || _slots == null || !hasTables)
        {
            Free();
            return false;
        }
        _driverEvents = (EventSuppression*)(memory + ringBytes);
        _deviceEvents = _driverEvents + 1;
        _size = size;
        _freeCount = size;
        _availableFlags = Available;
        _availableWrap = true;
        _usedWrap = true;
        _hasEventIndex = (features & Features.EventIndex) != 0;
        return true;
    }

    public void Free()
    {
        KernelHeap.Free(_ring);
        KernelHeap.Free(_slots);
        _tables.Free();
        this = default;
    }

    public readonly bool TryDrain(out void* token) => QueueSlot.TryDrain(_slots, _size, out token);

    public bool TryAdd(ulong address, uint length, bool isWritable, void* token)
    {
        if (_freeCount == 0)
            return false;
        ushort id = TakeId(1, isWritable ? length : 0, 0, token);
        Descriptor* head = &_ring[_nextAvailable];
        ushort flags = (ushort)(_availableFlags | (isWritable ? IsWritten : 0));
        Fill(head, address, length, id);
        Advance();
        Volatile.Write(ref head->Flags, flags);
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

        uint writableBytes = 0;
        for (int i = readable; i < count; i++)
            writableBytes += segments[i].Length;
        ushort id = TakeId(needed, writableBytes, tableNumber, token);

        Descriptor* head = &_ring[_nextAvailable];
        ushort headFlags;
        if (tableNumber != 0)
        {
            var table = (Descriptor*)_tables.At(tableNumber);
            for (int i = 0; i < count; i++)
            {
                Fill(&table[i], segments[i].Address, segments[i].Length, 0);
                table[i].Flags = i >= readable ? IsWritten : (ushort)0;
            }
            headFlags = (ushort)(_availableFlags | IsIndirect);
            Fill(head, PhysicalAddress.Of(table).Value, (uint)(count * sizeof(Descriptor)), id);
            Advance();
        }
        else
        {
            headFlags = FlagsOf(0, readable, count);
            for (int i = 0; i < count; i++)
            {
                Descriptor* descriptor = &_ring[_nextAvailable];
                Fill(descriptor, segments[i].Address, segments[i].Length, id);
                if (i != 0)
                    descriptor->Flags = FlagsOf(i, readable, count);
                Advance();
            }
        }
        // The device may look at a buffer from the moment its first descriptor is available.
        Volatile.Write(ref head->Flags, headFlags);
        return true;
    }

    public bool Publish()
    {
        ushort added = _added;
        if (added == 0)
            return false;
        _added = 0;
        DeviceBarrier.Full();
        ushort flags = Volatile.Read(ref _deviceEvents->Flags);
        if (flags != EventsAtDescriptor || !_hasEventIndex)
            return flags != EventsDisabled;
        ushort place = Volatile.Read(ref _deviceEvents->Place);
        int offset = place & EventOffsetMask;
        if ((place >> EventWrapShift != 0) != _availableWrap)
            offset -= _size;
        return (ushort)(_nextAvailable - offset - 1) < added;
    }

    public bool TryTake(out void* token, out uint length)
    {
        token = null;
        length = 0;
        Descriptor* descriptor = &_ring[_nextUsed];
        if (!IsUsed(Volatile.Read(ref descriptor->Flags)) || _fault != QueueFault.None)
            return false;
        ushort id = descriptor->Id;
        if (id >= _size)
            return Fail(QueueFault.UnknownBuffer);
        QueueSlot* slot = &_slots[id];
        if (slot->Count == 0)
            return Fail(QueueFault.UnknownBuffer);
        // Of buffers that are only read some devices tell nonsense.
        length = slot->Writable == 0 ? 0 : descriptor->Length;
        if (length > slot->Writable)
            return Fail(QueueFault.Overrun);

        token = slot->Token;
        _tables.Return(slot->Table);
        _freeCount += slot->Count;
        _nextUsed += slot->Count;
        if (_nextUsed >= _size)
        {
            _nextUsed -= _size;
            _usedWrap = !_usedWrap;
        }
        slot->Count = 0;
        slot->Next = _firstFree;
        _firstFree = id;
        return true;
    }

    public readonly bool ResumeInterrupts()
    {
        if (_hasEventIndex)
        {
            Volatile.Write(ref _driverEvents->Place, (ushort)(_nextUsed | (_usedWrap ? 1 << EventWrapShift : 0)));
            Volatile.Write(ref _driverEvents->Flags, EventsAtDescriptor);
        }
        else
        {
            Volatile.Write(ref _driverEvents->Flags, EventsEnabled);
        }
        DeviceBarrier.Full();
        return IsUsed(Volatile.Read(ref _ring[_nextUsed].Flags));
    }

    public readonly void SuspendInterrupts() => Volatile.Write(ref _driverEvents->Flags, EventsDisabled);

    private readonly bool IsUsed(ushort flags) => (flags & (Available | Used)) == (_usedWrap ? Available | Used : 0);

    private readonly ushort FlagsOf(int index, int readable, int count) =>
        (ushort)(_availableFlags | (index >= readable ? IsWritten : 0) | (index + 1 < count ? HasNext : 0));

    private ushort TakeId(int count, uint writable, ushort table, void* token)
    {
        ushort id = _firstFree;
        QueueSlot* slot = &_slots[id];
        _firstFree = slot->Next;
        _freeCount -= (ushort)count;
        slot->Token = token;
        slot->Writable = writable;
        slot->Count = (ushort)count;
        slot->Table = table;
        return id;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fill(Descriptor* descriptor, ulong address, uint length, ushort id)
    {
        descriptor->Address = address;
        descriptor->Length = length;
        descriptor->Id = id;
    }

    private void Advance()
    {
        _added++;
        if (++_nextAvailable < _size)
            return;
        _nextAvailable = 0;
        _availableWrap = !_availableWrap;
        _availableFlags ^= Available | Used;
    }

    private bool Fail(QueueFault fault)
    {
        _fault = fault;
        return false;
    }

    /// <summary>struct pvirtq_desc.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Descriptor
    {
        internal ulong Address;
        internal uint Length;
        internal ushort Id;
        internal ushort Flags;
    }

    /// <summary>struct pvirtq_event_suppress.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct EventSuppression
    {
        internal ushort Place;
        internal ushort Flags;
    }
}
