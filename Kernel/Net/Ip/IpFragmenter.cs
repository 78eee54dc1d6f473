// Cuts a packet that is larger than its path. Source: RFC 791 section 2.3, RFC 8200 section 4.5.
using System.Buffers.Binary;
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Net.Ip;

/// <summary>Sends packets in pieces. The pieces refer to the packet's bytes, they do not copy them.</summary>
internal static unsafe class IpFragmenter
{
    /// <summary>Bytes of IPv6's fragment header.</summary>
    public const uint ExtensionSize = 8;

    private const uint MaximumLength = 65535;

    /// <summary>
    /// Sends a packet whose data is the transport header, its checksum complete, in pieces, and takes its reference. Errors: EMSGSIZE (too large for the protocol), ENOBUFS.
    /// </summary>
    public static Errno Send(NetworkStack* stack, FlowRoute* route, PacketBuffer* packet, byte protocol, byte hopLimit, byte trafficClass)
    {
        bool isV4 = route->Destination.IsV4;
        uint headers = isV4 ? Ipv4Header.Size : Ipv6Header.Size + ExtensionSize;
        uint total = packet->TotalLength;
        // A piece's length is a multiple of eight but for the last.
        uint pieceSize = (route->Mtu - headers) & ~7u;
        ref IpStatistics counted = ref stack->Statistics.Ip(isV4);
        if (total > (isV4 ? MaximumLength - Ipv4Header.Size : MaximumLength))
        {
            counted.FragmentationFailures++;
            PacketBuffer.Release(packet);
            return Errno.EMSGSIZE;
        }
        uint identification = stack->Identifications.Next(route->Destination);
        var cursor = new PartCursor(packet);
        Errno error = Errno.None;
        for (uint offset = 0; offset < total && error == Errno.None; offset += pieceSize)
        {
            uint length = total - offset < pieceSize ? total - offset : pieceSize;
            bool isLast = offset + length == total;
            PacketBuffer* piece = stack->Packets.Allocate();
            if (piece == null || !cursor.TryTake(piece, length))
            {
                PacketBuffer.Release(piece);
                error = Errno.ENOBUFS;
                break;
            }
            piece->TransportHeader = piece->Data;
            if (isV4)
            {
                var field = (ushort)((offset / 8) | (isLast ? 0 : (uint)Ipv4Header.MoreFragments));
                Ipv4Header.Write(piece->Push(Ipv4Header.Size), length + Ipv4Header.Size, (ushort)identification, field, hopLimit, protocol, trafficClass,
                    route->Source.V4, route->Destination.V4);
            }
            else
            {
                byte* extension = piece->Push(ExtensionSize);
                *(uint*)extension = BinaryPrimitives.ReverseEndianness(((uint)protocol << 24) | offset | (isLast ? 0u : 1u));
                *(uint*)(extension + 4) = identification;
                Ipv6Header.Write(
                    piece->Push(Ipv6Header.Size), length + ExtensionSize, hopLimit, IpProtocol.Fragment, trafficClass, route->Source, route->Destination);
            }
            piece->NetworkHeader = piece->Data;
            IpOutput.SendLink(route, piece);
            counted.PiecesSent++;
        }
        (error == Errno.None ? ref counted.Fragmented : ref counted.FragmentationFailures)++;
        PacketBuffer.Release(packet);
        return error;
    }

    /// <summary>Walks over the bytes of a packet and its parts.</summary>
    private ref struct PartCursor(PacketBuffer* packet)
    {
        private readonly PacketBuffer* _packet = packet;
        private int _part = -1;
        private byte* _data = packet->Data;
        private uint _left = packet->Length;

        /// <summary>Makes the next bytes parts of another packet. False when it cannot have so many.</summary>
        public bool TryTake(PacketBuffer* to, uint length)
        {
            while (length != 0)
            {
                while (_left == 0)
                {
                    _part++;
                    _data = _packet->Parts[_part].Data;
                    _left = _packet->Parts[_part].Length;
                }
                uint count = length < _left ? length : _left;
                if (!to->TryAddPart(_data, count))
                    return false;
                _data += count;
                _left -= count;
                length -= count;
            }
            return true;
        }
    }
}
