namespace Ukl.Kernel.Net;

/// <summary>Packets that wait in line, linked by <see cref="PacketBuffer.Next"/>. The queue holds one reference to each.</summary>
public unsafe struct PacketQueue
{
    private PacketBuffer* _first;
    private PacketBuffer* _last;

    /// <summary>How many wait.</summary>
    public uint Count { readonly get; private set; }

    /// <summary>Whether none waits.</summary>
    public readonly bool IsEmpty => _first == null;

    /// <summary>The packet that has waited longest, or null.</summary>
    public readonly PacketBuffer* First => _first;

    /// <summary>Adds a packet and the caller's reference.</summary>
    public void Add(PacketBuffer* packet)
    {
        packet->Next = null;
        if (_first == null)
            _first = packet;
        else
            _last->Next = packet;
        _last = packet;
        Count++;
    }

    /// <summary>Puts a packet back that <see cref="Take"/> gave.</summary>
    public void AddFirst(PacketBuffer* packet)
    {
        packet->Next = _first;
        if (_first == null)
            _last = packet;
        _first = packet;
        Count++;
    }

    /// <summary>Takes the packet that has waited longest, and its reference. Null when there is none.</summary>
    public PacketBuffer* Take()
    {
        PacketBuffer* packet = _first;
        if (packet == null)
            return null;
        _first = packet->Next;
        packet->Next = null;
        Count--;
        return packet;
    }

    /// <summary>Releases every packet.</summary>
    public void Clear()
    {
        for (PacketBuffer* packet = Take(); packet != null; packet = Take())
            PacketBuffer.Release(packet);
    }
}
