// The sending half of a pair of queues. The device reads the stack's blocks where they lie; its own header goes into the room in front of the packet. Source: virtio 1.2,
// section 5.1.6.2 (packet transmission).
using System.Runtime.CompilerServices;
using Ukl.Drivers.Virtio.Queue;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net;

namespace Ukl.Drivers.Virtio.Net;

/// <summary>Gives packets to the device and releases them when it is done.</summary>
internal unsafe struct NetTransmitter<TQueue>
    where TQueue : unmanaged, IVirtQueue
{
    private const int MaximumSegments = PacketBuffer.MaximumParts + 1;

    /// <summary>With this part of the queue free the stack has something to do for a while.</summary>
    private const int UnblockedPart = 4;

    private const int TcpLengthOffset = 12;
    private const int TcpLengthShift = 4;

    internal TQueue Queue;

    /// <summary>Whether the stack waits for room.</summary>
    internal bool IsBlocked { get; private set; }

    private SegmentArray _segments;

    /// <summary>Begins with an empty queue.</summary>
    internal void Initialize()
    {
        IsBlocked = false;
        Queue.SuspendInterrupts();
    }

    /// <summary>Takes a packet and its reference. False when there is no room; then an interrupt comes when there is.</summary>
    internal bool TrySend(PacketBuffer* packet)
    {
        int needed = 1 + packet->PartCount;
        if (needed > Queue.FreeCount)
        {
            if (needed > Queue.Size)
            {
                // The device has said that it takes few segments, and the stack gave too many: no retry would ever help.
                PacketBuffer.Release(packet);
                return true;
            }
            if (!TryMakeRoom(needed))
                return false;
        }

        NetHeader* header = (NetHeader*)(packet->Data - NetHeader.Size);
        *header = default;
        if (packet->Checksum == ChecksumState.Partial)
            Describe(packet, header);
        ulong address = PhysicalAddress.Of(header).Value;
        if (packet->PartCount == 0)
            return Queue.TryAdd(address, packet->Length + NetHeader.Size, false, packet);

        var segments = (BufferSegment*)Unsafe.AsPointer(ref _segments);
        segments[0].Address = address;
        segments[0].Length = packet->Length + NetHeader.Size;
        PacketPart* parts = packet->Parts;
        for (int i = 0; i < packet->PartCount; i++)
        {
            segments[i + 1].Address = PhysicalAddress.Of(parts[i].Data).Value;
            segments[i + 1].Length = parts[i].Length;
        }
        return Queue.TryAdd(segments, needed, 0, packet);
    }

    /// <summary>Releases what the device has sent.</summary>
    internal void Reclaim()
    {
        while (Queue.TryTake(out void* packet, out _))
            PacketBuffer.Release((PacketBuffer*)packet);
    }

    /// <summary>Whether the stack, which waited for room, can go on. When it cannot, an interrupt comes when it might.</summary>
    internal bool TryUnblock() => IsBlocked && TryWaitForRoom(Queue.Size / UnblockedPart);

    /// <summary>Lets the stack go on whether there is room or not; whether it waited.</summary>
    internal bool Unblock()
    {
        bool wasBlocked = IsBlocked;
        IsBlocked = false;
        return wasBlocked;
    }

    private bool TryMakeRoom(int needed)
    {
        Reclaim();
        if (needed <= Queue.FreeCount)
            return true;
        // What the device was not told of yet it will never send.
        VirtioDevice.Kick((TQueue*)Unsafe.AsPointer(ref Queue));
        IsBlocked = true;
        return TryWaitForRoom(needed);
    }

    private bool TryWaitForRoom(int needed)
    {
        while (Queue.FreeCount < needed)
        {
            if (Queue.Fault != QueueFault.None || !Queue.ResumeInterrupts())
                return false;
            Reclaim();
        }
        IsBlocked = false;
        Queue.SuspendInterrupts();
        return true;
    }

    /// <summary>Says where the checksum goes and how the packet is cut.</summary>
    private static void Describe(PacketBuffer* packet, NetHeader* header)
    {
        uint transport = (uint)(packet->TransportHeader - packet->Data);
        header->Flags = NetHeader.NeedsChecksum;
        header->ChecksumStart = (ushort)transport;
        header->ChecksumOffset = packet->ChecksumOffset;
        if (packet->Segmentation == SegmentationKind.None)
            return;
        header->SegmentationType = packet->Segmentation == SegmentationKind.Tcp4 ? NetHeader.Tcp4 : NetHeader.Tcp6;
        header->SegmentSize = packet->SegmentSize;
        header->HeaderLength = (ushort)(transport + (uint)(packet->TransportHeader[TcpLengthOffset] >> TcpLengthShift) * sizeof(uint));
    }

    [InlineArray(MaximumSegments)]
    private struct SegmentArray
    {
        private BufferSegment _first;
    }
}
