// Builds one segment of a connection and hands it to IP. Whole buffers of the send queue go out as they are, with headers written in front; everything else is a
// fresh buffer of headers that refers to the payload, or has a copy of it when it is small.
using System;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>Sends segments of connections in a synchronized state.</summary>
internal static unsafe class SegmentSender
{
    /// <summary>A payload of at most this many bytes is copied behind its headers instead of referred to.</summary>
    private const uint CopyLimit = 256;

    /// <summary>The timestamp clock of a connection: a tick is about a millisecond.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint TimestampNow(TcpConnection* c) => (uint)(c->Stack->Now >> NetworkTimers.TickShift) + c->TimestampOffset;

    /// <summary>Sends an acknowledgement and nothing else. Without memory it is tried again by the delayed-ACK timer.</summary>
    public static void SendAcknowledgment(TcpConnection* c)
    {
        if (!Send(c, c->SndNxt, 0, TcpFlags.Acknowledgment))
            AckPolicy.Delay(c);
    }

    /// <summary>Sends a segment without data that the other end must answer: its sequence number is one that is acknowledged already.</summary>
    public static void SendProbe(TcpConnection* c) => Send(c, c->SndUna - 1, 0, TcpFlags.Acknowledgment);

    /// <summary>Sends <paramref name="length"/> bytes of the send queue. False when there is no memory for it.</summary>
    public static bool Send(TcpConnection* c, uint sequence, uint length, TcpFlags flags)
    {
        PacketPool* pool = &c->Stack->Packets;
        PacketBuffer* packet;
        uint blocks = 0;
        uint size = TcpHeader.MinimumSize;
        if (c->Has(ConnectionFlags.Timestamps))
            size += TcpOptions.TimestampsSize;
        if (c->ReceiveQueue.HasEarly && c->Has(ConnectionFlags.Sack))
        {
            // Beside data only if it needs no second segment; the acknowledgement that is owed then goes out by itself.
            blocks = BlocksToTell(c, size);
            if (length != 0 && length + 4 + (blocks * 8) > c->SndMss)
                blocks = 0;
            else if (blocks != 0)
                size += 4 + (blocks * 8);
        }

        if (length == 0)
        {
            packet = pool->Allocate();
            if (packet == null)
                return false;
        }
        else
        {
            PacketBuffer* data = c->SendQueue.Seek(sequence, sequence == c->SndNxt, out uint offset);
            if (offset == 0 && SendQueue.LengthOf(data) == length && data->References == 1)
            {
                packet = data;
                packet->AddReference();
                packet->Data = SendQueue.PayloadOf(data);
                packet->Length = length;
            }
            else
            {
                packet = pool->Allocate();
                if (packet == null)
                    return false;
                if (!Gather(packet, data, offset, length))
                {
                    PacketBuffer.Release(packet);
                    return false;
                }
            }
        }

        uint payload = length;
        bool isCut = payload > c->SndMss;
        packet->Segmentation = !isCut ? SegmentationKind.None : c->Flow.Remote.IsV4 ? SegmentationKind.Tcp4 : SegmentationKind.Tcp6;
        packet->SegmentSize = isCut ? (ushort)c->SndMss : (ushort)0;

        ushort urgent = 0;
        if (c->Has(ConnectionFlags.IsSendingUrgent))
            urgent = UrgentPointer(c, sequence, ref flags);
        byte* header = packet->Push(size);
        TcpHeader.Write(header, c->Flow.LocalPort, c->Flow.RemotePort, sequence, c->RcvNxt, size, flags, AckPolicy.NextWindow(c),
            PartialChecksum(c->PseudoSum, size + payload), urgent);
        byte* options = header + TcpHeader.MinimumSize;
        if (c->Has(ConnectionFlags.Timestamps))
            options += TcpOptions.WriteTimestamps(options, TimestampNow(c), c->TsRecent);
        if (blocks != 0)
            WriteBlocks(c, options, (int)blocks);
        packet->Checksum = ChecksumState.Partial;
        packet->ChecksumOffset = TcpHeader.ChecksumOffset;

        c->Counters.SegmentsOut++;
        c->Stack->Statistics.Tcp.SegmentsOut++;
        bool tellsAll = blocks != 0 || !c->ReceiveQueue.HasEarly || !c->Has(ConnectionFlags.Sack);
        AckPolicy.OnSent(c, tellsAll);
        Errno error = IpOutput.Send(c->Stack, &c->Route, packet, IpProtocol.Tcp, c->SendOptions);
        if (error == Errno.EMSGSIZE)
            PathMtu.OnRefused(c);
        return true;
    }

    /// <summary>The sum of the pseudo header, from its constant part.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ushort PartialChecksum(ushort constant, uint length) =>
        (ushort)InternetChecksum.Fold((ulong)constant + BinaryPrimitives.ReverseEndianness((ushort)length));

    private static uint BlocksToTell(TcpConnection* c, uint size)
    {
        uint room = (TcpHeader.MaximumSize - size - 4) / 8;
        return room < (uint)c->ReceiveQueue.Ranges.Count ? room : (uint)c->ReceiveQueue.Ranges.Count;
    }

    private static void WriteBlocks(TcpConnection* c, byte* to, int count)
    {
        SackBlock* blocks = stackalloc SackBlock[TcpOptions.MaximumBlocks];
        for (int i = 0; i < count; i++)
            blocks[i] = c->ReceiveQueue.Ranges[i];
        TcpOptions.WriteBlocks(to, blocks, count);
    }

    /// <summary>Puts payload that lies in one or more buffers of the queue into a packet of its own.</summary>
    private static bool Gather(PacketBuffer* packet, PacketBuffer* data, uint offset, uint length)
    {
        bool isCopied = length <= CopyLimit;
        while (length != 0)
        {
            uint piece = SendQueue.LengthOf(data) - offset;
            if (piece > length)
                piece = length;
            byte* from = SendQueue.PayloadOf(data) + offset;
            if (isCopied)
            {
                new ReadOnlySpan<byte>(from, (int)piece).CopyTo(new Span<byte>(packet->Data + packet->Length, (int)piece));
                packet->Length += piece;
            }
            else if (!packet->TryAddPart(from, piece))
            {
                return false;
            }
            length -= piece;
            offset = 0;
            data = SendQueue.NextOf(data);
        }
        return true;
    }

    /// <summary>As Linux: the pointer names the byte after the urgent one; one that is too far ahead is cut.</summary>
    private static ushort UrgentPointer(TcpConnection* c, uint sequence, ref TcpFlags flags)
    {
        uint ahead = c->SndUp - sequence;
        if (!Sequence.IsAfter(c->SndUp, sequence))
            return 0;
        flags |= TcpFlags.Urgent;
        return ahead > ushort.MaxValue ? ushort.MaxValue : (ushort)ahead;
    }
}
