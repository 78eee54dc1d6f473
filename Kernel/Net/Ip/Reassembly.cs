// Puts packets together again that were cut on their way. Source: RFC 791 section 3.2 and RFC 8200 section 4.5; RFC 5722 (pieces that overlap end the packet, here for
// IPv4 too); RFC 1858 (why); limits on everything, because the sender decides what is kept.
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net.Icmp;

namespace Ukl.Kernel.Net.Ip;

/// <summary>A packet of which pieces are here.</summary>
internal unsafe struct PartialPacket
{
    /// <summary>The one that began after it.</summary>
    public PartialPacket* Next;
    public NetworkStack* Stack;
    public NetworkTimer Timer;

    /// <summary>What the header of a piece says: of the first when that is here. Source and destination are part of the key.</summary>
    public IpPacket Ip;

    /// <summary>The key's other half; for IPv4 the protocol as well.</summary>
    public uint Identification;

    /// <summary>The pieces in order, linked by <see cref="PacketBuffer.Next"/>; the offset is in <see cref="PacketBuffer.Sequence"/>.</summary>
    public PacketBuffer* Pieces;
    public PacketBuffer* LastPiece;

    /// <summary>Bytes that are here, and bytes of the whole; 0: not known yet.</summary>
    public uint Received;
    public uint Total;
    public uint PieceCount;

    /// <summary>Buffers in the pieces.</summary>
    public uint Buffers;

    /// <summary>Pieces overlapped: what is still to come is dropped too.</summary>
    public bool IsSpoiled;

    /// <summary>All pieces were there.</summary>
    public bool IsWhole;
}

/// <summary>Where a piece belongs.</summary>
internal readonly struct PiecePlace
{
    /// <summary>Its place in the whole, in bytes.</summary>
    public uint Offset { get; init; }

    /// <summary>What the pieces of a packet have in common.</summary>
    public uint Identification { get; init; }

    /// <summary>It is the last one.</summary>
    public bool IsLast { get; init; }
}

/// <summary>The packets of a stack that are being put together.</summary>
internal unsafe struct Reassembly
{
    private const uint MaximumPackets = 64;
    private const uint MaximumPieces = 128;
    private const uint MaximumLength = 65535;

    /// <summary>The part of all buffers that pieces may have.</summary>
    private const uint BufferShare = 8;

    /// <summary>How long pieces are kept, in nanoseconds: IPv4 as on Linux, IPv6 as RFC 8200 says.</summary>
    private const ulong Lifetime4 = 30_000_000_000;
    private const ulong Lifetime6 = 60_000_000_000;

    /// <summary>The oldest.</summary>
    private PartialPacket* _first;
    private uint _count;
    private uint _buffers;

    /// <summary>How many packets are not whole yet.</summary>
    public readonly uint Count => _count;

    /// <summary>Bytes of memory that their pieces take.</summary>
    public readonly uint Memory => _buffers * PacketBuffer.BlockSize;

    /// <summary>
    /// Takes a piece and its reference; its data begins with what it brings. Returns the whole packet when this was the last piece that was missing, or null.
    /// </summary>
    public PacketBuffer* Add(NetworkStack* stack, PacketBuffer* piece, in IpPacket ip, PiecePlace place)
    {
        stack->Statistics.Ip(ip.Source.IsV4).Pieces++;
        uint length = piece->TotalLength;
        if (length == 0 || place.Offset + length > MaximumLength || (!place.IsLast && (length & 7) != 0))
        {
            PacketBuffer.Release(piece);
            return null;
        }
        PartialPacket* partial = Find(ip, place.Identification);
        if (partial == null)
            partial = Begin(stack, ip, place.Identification);
        if (partial == null || partial->IsSpoiled)
        {
            PacketBuffer.Release(piece);
            return null;
        }
        if (!Insert(partial, piece, place, length))
            return null;
        if (place.Offset == 0)
            partial->Ip = ip;
        if (partial->Total != 0 && partial->Received == partial->Total)
            return Finish(partial);
        while (_buffers > stack->Packets.Limit / BufferShare && _first != null)
            End(_first);
        return null;
    }

    /// <summary>Drops everything.</summary>
    public void Clear()
    {
        while (_first != null)
            End(_first);
    }

    private readonly PartialPacket* Find(in IpPacket ip, uint identification)
    {
        PartialPacket* partial = _first;
        while (partial != null && (partial->Identification != identification || partial->Ip.Source != ip.Source || partial->Ip.Destination != ip.Destination ||
            (ip.Source.IsV4 && partial->Ip.Protocol != ip.Protocol)))
        {
            partial = partial->Next;
        }
        return partial;
    }

    private PartialPacket* Begin(NetworkStack* stack, in IpPacket ip, uint identification)
    {
        if (_count >= MaximumPackets)
            End(_first);
        PartialPacket* partial = Pool<PartialPacket>.Allocate();
        if (partial == null)
            return null;
        partial->Stack = stack;
        partial->Ip = ip;
        partial->Identification = identification;
        partial->Timer.Callback = &TimeOut;
        partial->Timer.Context = partial;
        stack->Timers.Start(&partial->Timer, stack->Now + (ip.Source.IsV4 ? Lifetime4 : Lifetime6));
        fixed (PartialPacket** first = &_first)
        {
            PartialPacket** link = first;
            while (*link != null)
                link = &(*link)->Next;
            *link = partial;
        }
        _count++;
        return partial;
    }

    /// <summary>Puts a piece in its place. False when it is not kept; then it is released.</summary>
    private bool Insert(PartialPacket* partial, PacketBuffer* piece, PiecePlace place, uint length)
    {
        uint end = place.Offset + length;
        PacketBuffer* before = null;
        PacketBuffer* after = partial->Pieces;
        if (partial->LastPiece != null && partial->LastPiece->Sequence < place.Offset)
        {
            before = partial->LastPiece;
            after = null;
        }
        for (; after != null && after->Sequence < place.Offset; after = after->Next)
            before = after;
        if (after != null && after->Sequence == place.Offset && after->TotalLength == length)
        {
            // The same piece twice is not an attack, it is a network.
            PacketBuffer.Release(piece);
            return false;
        }
        bool isWrong = (before != null && before->Sequence + before->TotalLength > place.Offset) || (after != null && after->Sequence < end) ||
            (partial->Total != 0 && (end > partial->Total || (place.IsLast && end != partial->Total))) ||
            (place.IsLast && partial->LastPiece != null && partial->LastPiece->Sequence + partial->LastPiece->TotalLength > end) ||
            partial->PieceCount == MaximumPieces;
        if (isWrong)
        {
            PacketBuffer.Release(piece);
            DropPieces(partial);
            partial->IsSpoiled = true;
            return false;
        }
        piece->Sequence = place.Offset;
        piece->Next = after;
        if (before == null)
            partial->Pieces = piece;
        else
            before->Next = piece;
        if (after == null)
            partial->LastPiece = piece;
        if (place.IsLast)
            partial->Total = end;
        partial->Received += length;
        partial->PieceCount++;
        for (PacketBuffer* part = piece; part != null; part = part->NextPart)
        {
            partial->Buffers++;
            _buffers++;
        }
        return true;
    }

    /// <summary>Makes one chain of all pieces.</summary>
    private PacketBuffer* Finish(PartialPacket* partial)
    {
        PacketBuffer* whole = partial->Pieces;
        PacketBuffer* tail = whole;
        PacketBuffer* next = whole->Next;
        ChecksumState checksum = whole->Checksum;
        while (true)
        {
            while (tail->NextPart != null)
                tail = tail->NextPart;
            if (next == null)
                break;
            if (next->Checksum != ChecksumState.Verified)
                checksum = ChecksumState.None;
            tail->NextPart = next;
            PacketBuffer* following = next->Next;
            next->Next = null;
            next = following;
        }
        whole->Next = null;
        whole->PartsLength = partial->Total - whole->Length;
        whole->Checksum = checksum;
        partial->Pieces = null;
        partial->Stack->Statistics.Ip(partial->Ip.Source.IsV4).Reassembled++;
        partial->IsWhole = true;
        End(partial);
        return whole;
    }

    private void End(PartialPacket* partial)
    {
        if (!partial->IsWhole)
            partial->Stack->Statistics.Ip(partial->Ip.Source.IsV4).ReassemblyFailures++;
        DropPieces(partial);
        partial->Stack->Timers.Cancel(&partial->Timer);
        fixed (PartialPacket** first = &_first)
        {
            PartialPacket** link = first;
            while (*link != partial)
                link = &(*link)->Next;
            *link = partial->Next;
        }
        _count--;
        Pool<PartialPacket>.Free(partial);
    }

    private void DropPieces(PartialPacket* partial)
    {
        for (PacketBuffer* piece = partial->Pieces, next; piece != null; piece = next)
        {
            next = piece->Next;
            PacketBuffer.Release(piece);
        }
        partial->Pieces = null;
        partial->LastPiece = null;
        _buffers -= partial->Buffers;
        partial->Buffers = 0;
    }

    private static void TimeOut(NetworkTimer* timer)
    {
        var partial = (PartialPacket*)timer->Context;
        NetworkStack* stack = partial->Stack;
        stack->Statistics.Ip(partial->Ip.Source.IsV4).ReassemblyTimeouts++;
        if (partial->Pieces != null && partial->Pieces->Sequence == 0)
        {
            if (partial->Ip.Source.IsV4)
                IcmpErrorSender.Send(stack, partial->Pieces, partial->Ip, IcmpType.TimeExceeded, IcmpType.ReassemblyTime, 0);
            else
                IcmpErrorSender.Send(stack, partial->Pieces, partial->Ip, Icmp6Type.TimeExceeded, Icmp6Type.ReassemblyTime, 0);
        }
        stack->Reassembly.End(partial);
    }
}
