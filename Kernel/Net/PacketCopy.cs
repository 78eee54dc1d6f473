using System;

namespace Ukl.Kernel.Net;

/// <summary>Packets with bytes of their own, where two owners would be in each other's way.</summary>
public static unsafe class PacketCopy
{
    /// <summary>Parts from this size on are referred to: less costs no more to copy than a buffer costs.</summary>
    private const uint LeastShared = 512;

    /// <summary>
    /// A chain, as packets come in, with the bytes of a packet that goes out. Large parts are not copied: whoever sent them keeps them as they are for as long as there
    /// is a reference. Null when there are no buffers.
    /// </summary>
    public static PacketBuffer* OfSent(PacketPool* pool, PacketBuffer* packet)
    {
        PacketBuffer* first = pool->Allocate();
        if (first == null)
            return null;
        first->Segmentation = packet->Segmentation;
        first->SegmentSize = packet->SegmentSize;
        PacketBuffer* last = first;
        bool isWhole = Append(first, ref last, packet->Data, packet->Length);
        for (int i = 0; isWhole && i < packet->PartCount; i++)
        {
            PacketPart* part = &packet->Parts[i];
            isWhole = part->Length >= LeastShared ? Share(first, ref last, part) : Append(first, ref last, part->Data, part->Length);
        }
        return WholeOrNull(first, isWhole);
    }

    /// <summary>
    /// A second packet like one that came in, whose network and transport headers are known; its data begins where the first one's does. Null when there are
    /// no buffers.
    /// </summary>
    public static PacketBuffer* OfReceived(PacketPool* pool, PacketBuffer* packet)
    {
        PacketBuffer* first = pool->Allocate();
        if (first == null)
            return null;
        first->Checksum = packet->Checksum;
        first->NetworkHeader = first->Data;
        first->TransportHeader = first->Data + (packet->TransportHeader - packet->NetworkHeader);
        var headers = (uint)(packet->Data - packet->NetworkHeader);
        PacketBuffer* last = first;
        bool isWhole = Append(first, ref last, packet->NetworkHeader, headers + packet->Length);
        for (PacketBuffer* part = packet->NextPart; isWhole && part != null; part = part->NextPart)
            isWhole = Append(first, ref last, part->Data, part->Length);
        first->Pull(headers);
        return WholeOrNull(first, isWhole);
    }

    /// <summary>Copies bytes behind a chain's last one, with more buffers as needed. False when there are none.</summary>
    public static bool Append(PacketBuffer* first, ref PacketBuffer* last, byte* data, uint length)
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

    private static bool Share(PacketBuffer* first, ref PacketBuffer* last, PacketPart* part)
    {
        PacketBuffer* next = first->Pool->Allocate(0);
        if (next == null)
            return false;
        next->Source = PacketBuffer.Of(part->Data);
        next->Source->AddReference();
        next->Data = part->Data;
        next->Length = part->Length;
        first->PartsLength += part->Length;
        last->NextPart = next;
        last = next;
        return true;
    }

    private static PacketBuffer* WholeOrNull(PacketBuffer* first, bool isWhole)
    {
        if (isWhole)
            return first;
        PacketBuffer.Release(first);
        return null;
    }
}
