// Puts segments of one flow together that come in one right after the other, for cards that do not (generic receive offload): what a packet costs from here to the queue of
// its connection is then paid once for all of them. Only what the receiver could not tell from a single large segment is merged: the same headers but for length,
// identification and checksums, payload of equal size but for the last. Nothing is held beyond the batch it came in, and nothing overtakes.
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>The segments that an interface holds at the moment, as one packet whose data begins with the IP header. Never sleeps, allocates nothing.</summary>
internal unsafe struct SegmentCoalescer
{
    /// <summary>A segment with less payload is rarely followed by another that could be merged.</summary>
    private const uint LeastPayload = 512;

    /// <summary>The most that the length field of IPv4 can say.</summary>
    private const uint LargestPacket = ushort.MaxValue;

    /// <summary>The fourth word of the header in the order of memory: PSH, and all bits that must be those of a plain acknowledgement.</summary>
    private const uint Push = (uint)TcpFlags.Push << 8, ControlBits = 0xff0f & ~Push, Acknowledgment = (uint)TcpFlags.Acknowledgment << 8;

    /// <summary>"More fragments" and the offset, in the order of memory.</summary>
    private const ushort FragmentInMemory = 0xff3f;

    private PacketBuffer* _first;
    private PacketBuffer* _last;
    private uint _nextSequence;
    private uint _headers;
    private uint _payload;
    private bool _isV4;

    /// <summary>
    /// Offers a packet that came for this host's Ethernet address. True: it was taken, with its reference. False: it is as it was, what was held has been handed on, and the
    /// caller hands on this one.
    /// </summary>
    public bool TryTake(NetworkInterface* on, PacketBuffer* packet, bool isV4)
    {
        uint network = isV4 ? (uint)Ipv4Header.Size : Ipv6Header.Size;
        byte* ip = packet->Data;
        byte* tcp = ip + network;
        uint least = network + TcpHeader.MinimumSize + (_first == null ? LeastPayload : 1);
        if (packet->Segmentation == SegmentationKind.None && packet->PartsLength == 0 && packet->Length >= least
            && (*(uint*)(tcp + 12) & ControlBits) == Acknowledgment && (isV4 ? IsPlain4(ip, packet->Length) : IsPlain6(ip, packet->Length)))
        {
            uint headers = network + ((uint)tcp[12] >> 4 << 2);
            bool isPushed = (*(uint*)(tcp + 12) & Push) != 0;
            if (_first != null && headers == _headers && isV4 == _isV4 && CanFollow(packet, network) && IsIntact(packet, network, isV4))
            {
                uint payload = packet->Length - headers;
                Append(packet, payload, network);
                if (isPushed || payload != _payload)
                    Flush(on);
                return true;
            }
            Flush(on);
            // Behind what is pushed nothing follows that is worth the wait.
            if (!isPushed && headers >= network + TcpHeader.MinimumSize && headers + LeastPayload <= packet->Length && IsIntact(packet, network, isV4))
            {
                _first = packet;
                _last = packet;
                _headers = headers;
                _payload = packet->Length - headers;
                _nextSequence = TcpHeader.ReadUInt32(tcp + 4) + _payload;
                _isV4 = isV4;
                return true;
            }
            return false;
        }
        Flush(on);
        return false;
    }

    /// <summary>Hands on what is held.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Flush(NetworkInterface* on)
    {
        if (_first != null)
            HandOn(on);
    }

    private void HandOn(NetworkInterface* on)
    {
        PacketBuffer* packet = _first;
        _first = null;
        byte* ip = packet->Data;
        if (packet->PartsLength != 0)
        {
            packet->Segmentation = _isV4 ? SegmentationKind.Tcp4 : SegmentationKind.Tcp6;
            packet->SegmentSize = (ushort)_payload;
            if (_isV4)
            {
                *(ushort*)(ip + 2) = BinaryPrimitives.ReverseEndianness((ushort)packet->TotalLength);
                *(ushort*)(ip + 10) = 0;
                *(ushort*)(ip + 10) = (ushort)~InternetChecksum.Sum(ip, Ipv4Header.Size);
            }
            else
            {
                *(ushort*)(ip + 4) = BinaryPrimitives.ReverseEndianness((ushort)(packet->TotalLength - Ipv6Header.Size));
            }
        }
        if (_isV4)
            IpInput.ReceiveV4(on, packet, false);
        else
            IpInput.ReceiveV6(on, packet, false);
    }

    private void Append(PacketBuffer* packet, uint payload, uint network)
    {
        *(uint*)(_first->Data + network + 12) |= *(uint*)(packet->Data + network + 12) & Push;
        packet->Pull(_headers);
        _last->NextPart = packet;
        _last = packet;
        _first->PartsLength += payload;
        _nextSequence += payload;
    }

    /// <summary>Whether a packet is what comes next in the flow that is held, and no larger than what came before.</summary>
    private readonly bool CanFollow(PacketBuffer* packet, uint network)
    {
        byte* tcp = packet->Data + network;
        byte* held = _first->Data + network;
        uint payload = packet->Length - _headers;
        if (TcpHeader.ReadUInt32(tcp + 4) != _nextSequence || packet->Length <= _headers || payload > _payload || _first->TotalLength + payload > LargestPacket)
            return false;
        // Ports, acknowledgement, window, options; the control bits are known but for PSH, which what is held does not have.
        if (*(uint*)tcp != *(uint*)held || *(uint*)(tcp + 8) != *(uint*)(held + 8) || (*(uint*)(tcp + 12) & ~Push) != *(uint*)(held + 12))
            return false;
        for (uint at = TcpHeader.MinimumSize; at < _headers - network; at += sizeof(uint))
        {
            if (*(uint*)(tcp + at) != *(uint*)(held + at))
                return false;
        }
        return _isV4 ? IsSame4(packet->Data, _first->Data) : IsSame6(packet->Data, _first->Data);
    }

    /// <summary>TCP in one piece, without options of IP, nothing filled up behind it, and the header's sum is right.</summary>
    private static bool IsPlain4(byte* ip, uint length) =>
        *ip == Ipv4Header.VersionAndSize && ip[9] == IpProtocol.Tcp && (*(ushort*)(ip + 6) & FragmentInMemory) == 0
        && BinaryPrimitives.ReverseEndianness(*(ushort*)(ip + 2)) == length && IsHeaderIntact4(ip);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsHeaderIntact4(byte* ip) =>
        InternetChecksum.Fold((ulong)*(uint*)ip + *(uint*)(ip + 4) + *(uint*)(ip + 8) + *(uint*)(ip + 12) + *(uint*)(ip + 16)) == InternetChecksum.Correct;

    private static bool IsPlain6(byte* ip, uint length) =>
        *ip >> 4 == 6 && ip[6] == IpProtocol.Tcp && (uint)BinaryPrimitives.ReverseEndianness(*(ushort*)(ip + 4)) + Ipv6Header.Size == length;

    /// <summary>Type of service, DF, time to live and addresses.</summary>
    private static bool IsSame4(byte* one, byte* other) =>
        one[1] == other[1] && *(ushort*)(one + 6) == *(ushort*)(other + 6) && one[8] == other[8] && *(ulong*)(one + 12) == *(ulong*)(other + 12);

    /// <summary>Traffic class, flow label, hop limit and addresses.</summary>
    private static bool IsSame6(byte* one, byte* other) =>
        *(uint*)one == *(uint*)other && one[7] == other[7] && *(ulong*)(one + 8) == *(ulong*)(other + 8) && *(ulong*)(one + 16) == *(ulong*)(other + 16)
        && *(ulong*)(one + 24) == *(ulong*)(other + 24) && *(ulong*)(one + 32) == *(ulong*)(other + 32);

    /// <summary>Whether the checksum of TCP is right, which nobody looks at again then.</summary>
    private static bool IsIntact(PacketBuffer* packet, uint network, bool isV4)
    {
        if (packet->Checksum == ChecksumState.Verified)
            return true;
        IpAddress source = isV4 ? new Ipv4Header(packet->Bytes).Source : new Ipv6Header(packet->Bytes).Source;
        IpAddress destination = isV4 ? new Ipv4Header(packet->Bytes).Destination : new Ipv6Header(packet->Bytes).Destination;
        packet->Pull(network);
        bool isRight = InternetChecksum.IsRight(packet, source, destination, IpProtocol.Tcp);
        packet->Push(network);
        if (isRight)
            packet->Checksum = ChecksumState.Verified;
        return isRight;
    }
}
