// The receiving half of a pair of queues. The device writes straight into the blocks of the stack's pool; a packet is the chain of blocks that it filled. Source: virtio
// 1.2, sections 5.1.6.3 (setting up receive buffers) and 5.1.6.4 (processing incoming packets).
using Ukl.Drivers.Virtio.Queue;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net;

namespace Ukl.Drivers.Virtio.Net;

/// <summary>Takes packets from the device.</summary>
internal unsafe struct NetReceiver<TQueue>
    where TQueue : unmanaged, IVirtQueue
{
    /// <summary>What a block has for the device: all behind the block's own structure.</summary>
    internal const int BufferLength = PacketBuffer.BlockSize - PacketBuffer.DataStart;

    /// <summary>Buffers are given to the device when that many are missing: every batch costs a barrier and perhaps a notification.</summary>
    private const int RefillBatch = 16;

    internal TQueue Queue;

    private PacketPool* _pool;

    /// <summary>The flags of a packet's header by which the stack need not look at its checksum; 0 when the device was not allowed to set any.</summary>
    private byte _trustedFlags;
    private bool _isMergeable;
    private ulong _features;

    /// <summary>A packet that breaks the rules of the network device, beyond those of its queue.</summary>
    internal bool IsMalformed { get; private set; }

    /// <summary>Whether so few buffers are left with the device, for want of memory, that no interrupt may come any more.</summary>
    internal bool IsStarving => Queue.FreeCount > Queue.Size / 2;

    /// <summary>Sets the receiver up; its queue is made and the device agreed on <paramref name="features"/>.</summary>
    internal void Initialize(PacketPool* pool, ulong features)
    {
        _pool = pool;
        _features = features;
        _trustedFlags = (features & NetFeatures.GuestChecksum) != 0 ? (byte)(NetHeader.NeedsChecksum | NetHeader.DataValid) : (byte)0;
        _isMergeable = (features & NetFeatures.MergeableBuffers) != 0;
        IsMalformed = false;
    }

    /// <summary>Gives buffers to the device when enough are missing. Returns whether the device wants to be notified.</summary>
    internal bool Refill()
    {
        if (Queue.FreeCount < RefillBatch)
            return false;
        while (Queue.FreeCount != 0)
        {
            PacketBuffer* buffer = _pool->Allocate(0);
            if (buffer == null)
                break;
            _ = Queue.TryAdd(PhysicalAddress.Of(buffer->Data).Value, BufferLength, true, buffer);
        }
        return Queue.Publish();
    }

    /// <summary>Takes the next packet, from its Ethernet header on. Null when there is none, or when the device broke a rule.</summary>
    internal PacketBuffer* Take()
    {
        if (!Queue.TryTake(out void* token, out uint length))
            return null;
        var packet = (PacketBuffer*)token;
        if (length <= NetHeader.Size)
            return Reject(packet);

        var header = (NetHeader*)packet->Data;
        packet->Data += NetHeader.Size;
        packet->Length = length - NetHeader.Size;
        if ((header->Flags & _trustedFlags) != 0)
            packet->Checksum = ChecksumState.Verified;
        if (header->SegmentationType != 0 && header->SegmentSize != 0)
            SetSegmentation(packet, header);
        if (!_isMergeable || header->BufferCount == 1)
            return packet;
        return TakeParts(packet, header->BufferCount);
    }

    /// <summary>The device used all buffers of a packet together: what is missing is its fault.</summary>
    private PacketBuffer* TakeParts(PacketBuffer* packet, ushort count)
    {
        if (count == 0)
            return Reject(packet);
        PacketBuffer* last = packet;
        for (int i = 1; i < count; i++)
        {
            if (!Queue.TryTake(out void* token, out uint length))
                return Reject(packet);
            var part = (PacketBuffer*)token;
            last->NextPart = part;
            last = part;
            if (length == 0)
                return Reject(packet);
            part->Length = length;
            packet->PartsLength += length;
        }
        return packet;
    }

    private readonly void SetSegmentation(PacketBuffer* packet, NetHeader* header)
    {
        int type = header->SegmentationType & ~NetHeader.ExplicitCongestion;
        if (type == NetHeader.Tcp4 && (_features & NetFeatures.GuestSegmentation4) != 0)
            packet->Segmentation = SegmentationKind.Tcp4;
        else if (type == NetHeader.Tcp6 && (_features & NetFeatures.GuestSegmentation6) != 0)
            packet->Segmentation = SegmentationKind.Tcp6;
        else
            return;
        packet->SegmentSize = header->SegmentSize;
    }

    private PacketBuffer* Reject(PacketBuffer* packet)
    {
        IsMalformed = true;
        PacketBuffer.Release(packet);
        return null;
    }
}
