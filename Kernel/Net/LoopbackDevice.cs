// The device of lo: what goes out comes in again, at the end of the batch, so that input never runs inside of output.
using System;

namespace Ukl.Kernel.Net;

/// <summary>The machine's way to itself. Part of its stack.</summary>
public unsafe struct LoopbackDevice
{
    /// <summary>The largest packet, as on Linux.</summary>
    public const uint Mtu = 65536;

    /// <summary>Packets on their way; further ones are refused.</summary>
    private const uint Limit = 4096;

    /// <summary>What the stack sees.</summary>
    public NetworkDevice Device;

    private PacketQueue _queue;
    private NetworkStack* _stack;

    /// <summary>Whether packets are on their way.</summary>
    public readonly bool IsEmpty => _queue.IsEmpty;

    /// <summary>Makes it ready for a stack.</summary>
    internal void Initialize(NetworkStack* stack)
    {
        _stack = stack;
        Device.Driver = stack;
        Device.Mtu = Mtu;
        Device.Features = NetworkFeatures.Loopback | NetworkFeatures.TransmitChecksum | NetworkFeatures.Segmentation4 | NetworkFeatures.Segmentation6;
        Device.IsLinkUp = true;
        Device.Transmit = &Transmit;
    }

    /// <summary>Takes a packet that came in. Null when there is none.</summary>
    internal PacketBuffer* Take() => _queue.Take();

    /// <summary>Drops what is on its way.</summary>
    internal void Clear() => _queue.Clear();

    private static bool Transmit(NetworkDevice* device, PacketBuffer* packet)
    {
        NetworkStack* stack = (NetworkStack*)device->Driver;
        ref LoopbackDevice loopback = ref stack->LoopbackDevice;
        if (loopback._queue.Count >= Limit)
            return false;
        if (packet->References == 1 && packet->PartCount == 0)
        {
            // Nobody keeps it: what was sent is what comes in.
            packet->Checksum = ChecksumState.Verified;
            loopback._queue.Add(packet);
            return true;
        }
        // Its sender keeps it or parts of it until they are acknowledged, so the receiver gets its own. Without memory it is lost on the way.
        PacketBuffer* copy = Copy(&stack->Packets, packet);
        PacketBuffer.Release(packet);
        if (copy != null)
            loopback._queue.Add(copy);
        return true;
    }

    /// <summary>A chain with the bytes of a packet and its parts.</summary>
    private static PacketBuffer* Copy(PacketPool* pool, PacketBuffer* packet)
    {
        PacketBuffer* first = pool->Allocate();
        if (first == null)
            return null;
        first->Checksum = ChecksumState.Verified;
        first->Segmentation = packet->Segmentation;
        first->SegmentSize = packet->SegmentSize;
        PacketBuffer* last = first;
        bool isWhole = Append(first, ref last, packet->Data, packet->Length);
        for (int i = 0; isWhole && i < packet->PartCount; i++)
            isWhole = Append(first, ref last, packet->Parts[i].Data, packet->Parts[i].Length);
        if (isWhole)
            return first;
        PacketBuffer.Release(first);
        return null;
    }

    private static bool Append(PacketBuffer* first, ref PacketBuffer* last, byte* data, uint length)
    {
        while (length != 0)
        {
            uint room = last->Tailroom;
            if (room == 0)
            {
                PacketBuffer* next = first->Pool->Allocate(0);
                if (next == null)
                    return false;
                last->NextPart = next;
                last = next;
                room = next->Tailroom;
            }
            uint count = length < room ? length : room;
            new ReadOnlySpan<byte>(data, (int)count).CopyTo(new Span<byte>(last->Data + last->Length, (int)count));
            last->Length += count;
            if (last != first)
                first->PartsLength += count;
            data += count;
            length -= count;
        }
        return true;
    }
}
