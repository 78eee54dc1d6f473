using System;
using System.Collections.Generic;
using Ukl.Drivers.Virtio.Queue;
using Ukl.Kernel.Arch;

namespace Ukl.Tests.Unit.Drivers.Virtio;

/// <summary>A buffer as the device sees it.</summary>
internal sealed record FakeBuffer(int Id, int Count, List<(ulong Address, uint Length, bool IsWritable)> Segments)
{
    public uint Writable
    {
        get
        {
            uint total = 0;
            foreach ((_, uint length, bool isWritable) in Segments)
                total += isWritable ? length : 0;
            return total;
        }
    }
}

/// <summary>The device's side of a queue, written from the specification and not from the driver: virtio 1.2, sections 2.7 and 2.8.</summary>
internal sealed unsafe class FakeQueue(bool isPacked, bool hasEventIndex)
{
    private const ushort Next = 1, Write = 2, Indirect = 4, Available = 1 << 7, Used = 1 << 15;

    private int _lastAvailable;
    private int _usedIndex;
    private bool _availableWrap = true;
    private bool _usedWrap = true;

    public QueueLayout Layout { get; set; }

    public int MaximumSize { get; set; } = 256;

    public bool IsEnabled { get; set; }

    public int Size => Layout.Size;

    /// <summary>Set when the driver asked to be told of the buffer that was just given back.</summary>
    public bool IsInterruptPending { get; set; }

    public byte* Descriptors => (byte*)DirectMap.Base + Layout.DescriptorArea;

    public byte* Driver => (byte*)DirectMap.Base + Layout.DriverArea;

    public byte* Device => (byte*)DirectMap.Base + Layout.DeviceArea;

    public void Reset()
    {
        _lastAvailable = _usedIndex = 0;
        _availableWrap = _usedWrap = true;
        IsEnabled = IsInterruptPending = false;
        Layout = default;
    }

    /// <summary>The next buffer; null when there is none. The device then says when it wants to be told of the next one.</summary>
    public FakeBuffer? Pop() => isPacked ? PopPacked() : PopSplit();

    public void Push(FakeBuffer buffer, uint length)
    {
        if (isPacked)
            PushPacked(buffer.Id, buffer.Count, length);
        else
            PushSplit((uint)buffer.Id, length);
    }

    private FakeBuffer? PopSplit()
    {
        ushort index = *(ushort*)(Driver + 2);
        if (hasEventIndex)
            *(ushort*)(Device + 4 + 8 * Size) = (ushort)_lastAvailable;
        if ((ushort)_lastAvailable == index)
            return null;
        int head = *(ushort*)(Driver + 4 + 2 * (_lastAvailable++ % Size));
        var segments = new List<(ulong, uint, bool)>();
        byte* table = Descriptors;
        int count = 0;
        for (int at = head; ;)
        {
            byte* descriptor = table + 16 * at;
            ushort flags = *(ushort*)(descriptor + 12);
            if ((flags & Indirect) != 0)
            {
                if (table != Descriptors || (flags & Next) != 0)
                    throw new InvalidOperationException("an indirect descriptor in the wrong place");
                table = (byte*)DirectMap.Base + *(ulong*)descriptor;
                at = 0;
                continue;
            }
            segments.Add((*(ulong*)descriptor, *(uint*)(descriptor + 8), (flags & Write) != 0));
            if (++count > 1000)
                throw new InvalidOperationException("an endless chain");
            if ((flags & Next) == 0)
                break;
            at = *(ushort*)(descriptor + 14);
        }
        return new FakeBuffer(head, 1, segments);
    }

    /// <summary>Gives back an entry of any sort, as a device that lies would.</summary>
    public void PushSplit(uint id, uint length)
    {
        byte* element = Device + 4 + 8 * (_usedIndex % Size);
        *(uint*)element = id;
        *(uint*)(element + 4) = length;
        int old = _usedIndex++;
        *(ushort*)(Device + 2) = (ushort)_usedIndex;
        if (hasEventIndex)
            IsInterruptPending |= *(ushort*)(Driver + 4 + 2 * Size) == (ushort)old;
        else
            IsInterruptPending |= (*(ushort*)Driver & 1) == 0;
    }

    private FakeBuffer? PopPacked()
    {
        byte* descriptor = Descriptors + 16 * _lastAvailable;
        ushort flags = *(ushort*)(descriptor + 14);
        bool isAvailable = (flags & Available) != 0 == _availableWrap && (flags & Used) != 0 != _availableWrap;
        if (!isAvailable)
        {
            *(ushort*)Device = (ushort)(_lastAvailable | (_availableWrap ? 1 << 15 : 0));
            *(ushort*)(Device + 2) = (ushort)(hasEventIndex ? 2 : 0);
            return null;
        }
        var segments = new List<(ulong, uint, bool)>();
        int count = 0;
        int id;
        do
        {
            descriptor = Descriptors + 16 * _lastAvailable;
            flags = *(ushort*)(descriptor + 14);
            id = *(ushort*)(descriptor + 12);
            uint length = *(uint*)(descriptor + 8);
            if ((flags & Indirect) != 0)
            {
                byte* table = (byte*)DirectMap.Base + *(ulong*)descriptor;
                for (uint i = 0; i < length / 16; i++)
                    segments.Add((*(ulong*)(table + 16 * i), *(uint*)(table + 16 * i + 8), (*(ushort*)(table + 16 * i + 14) & Write) != 0));
            }
            else
            {
                segments.Add((*(ulong*)descriptor, length, (flags & Write) != 0));
            }
            count++;
            if (++_lastAvailable == Size)
            {
                _lastAvailable = 0;
                _availableWrap = !_availableWrap;
            }
        }
        while ((flags & Next) != 0);
        return new FakeBuffer(id, count, segments);
    }

    /// <summary>Gives back an entry of any sort, as a device that lies would.</summary>
    public void PushPacked(int id, int count, uint length)
    {
        byte* descriptor = Descriptors + 16 * _usedIndex;
        *(uint*)(descriptor + 8) = length;
        *(ushort*)(descriptor + 12) = (ushort)id;
        *(ushort*)(descriptor + 14) = _usedWrap ? (ushort)(Available | Used) : (ushort)0;
        ushort place = *(ushort*)Driver;
        ushort flags = *(ushort*)(Driver + 2);
        int offset = place & 0x7fff;
        bool isInRange = (place >> 15 != 0) == _usedWrap
            ? offset >= _usedIndex && offset < _usedIndex + count
            : offset + Size >= _usedIndex && offset + Size < _usedIndex + count;
        IsInterruptPending |= flags == 0 || (flags == 2 && isInRange);
        _usedIndex += count;
        if (_usedIndex >= Size)
        {
            _usedIndex -= Size;
            _usedWrap = !_usedWrap;
        }
    }
}
