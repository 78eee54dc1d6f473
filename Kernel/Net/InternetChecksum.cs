// The checksum of IP, ICMP, UDP and TCP. Source: RFC 1071 (computing it), RFC 1624 (its two zeros).
// Sums are kept in the order of memory: the sum of words read as this processor reads them is the network's sum with its bytes swapped, so nothing is swapped
// on the way, and a sum is stored as it is.
using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Net;

/// <summary>Sums in one's complement. A "sum" is 16 bits in the order of memory, not inverted; the checksum field holds its inverse.</summary>
public static unsafe class InternetChecksum
{
    /// <summary>The sum of all 16-bit words when nothing is wrong: the field's content included, it is minus zero.</summary>
    public const uint Correct = 0xffff;

    /// <summary>The sum of bytes in memory; an odd last byte counts as if a zero followed.</summary>
    public static uint Sum(byte* data, nuint length)
    {
        // The 64-bit words are added modulo 2^64, and their upper halves once more by themselves: together these give the exact sum of the lower halves too,
        // with three instructions for eight bytes and no carry to look at.
        ulong all = 0;
        ulong upper = 0;
        while (length >= 32)
        {
            all += *(ulong*)data;
            upper += *(uint*)(data + 4);
            all += *(ulong*)(data + 8);
            upper += *(uint*)(data + 12);
            all += *(ulong*)(data + 16);
            upper += *(uint*)(data + 20);
            all += *(ulong*)(data + 24);
            upper += *(uint*)(data + 28);
            data += 32;
            length -= 32;
        }
        ulong sum = Fold32(all - (upper << 32)) + Fold32(upper);
        while (length >= 4)
        {
            sum += *(uint*)data;
            data += 4;
            length -= 4;
        }
        if ((length & 2) != 0)
        {
            sum += *(ushort*)data;
            data += 2;
        }
        if ((length & 1) != 0)
            sum += *data;
        return Fold(sum);
    }

    /// <summary>Brings a sum of words to 16 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Fold(ulong sum)
    {
        sum = (uint)sum + (sum >> 32);
        sum = (uint)sum + (sum >> 32);
        sum = (ushort)sum + (sum >> 16);
        return (ushort)sum + (uint)(sum >> 16);
    }

    /// <summary>The sum of the pseudo header of TCP and UDP (RFC 9293 section 3.1, RFC 8200 section 8.1): what a field with a partial checksum holds.</summary>
    /// <param name="source">The sender's address.</param>
    /// <param name="destination">The receiver's, of the same kind.</param>
    /// <param name="protocol">The transport's number.</param>
    /// <param name="length">Bytes of transport header and payload.</param>
    public static ushort PseudoHeader(in IpAddress source, in IpAddress destination, byte protocol, uint length)
    {
        // The ffff of an IPv4-mapped address is minus zero: it changes no sum. These are numbers, so the bytes are swapped at the end.
        ulong sum = (uint)source.Low + (source.Low >> 32) + (uint)destination.Low + (destination.Low >> 32) + protocol + length;
        if ((source.High | destination.High) != 0)
            sum += (uint)source.High + (source.High >> 32) + (uint)destination.High + (destination.High >> 32);
        return BinaryPrimitives.ReverseEndianness((ushort)Fold(sum));
    }

    /// <summary>The sum of a packet that goes out (parts) or came in (chain), from <see cref="PacketBuffer.Data"/> on.</summary>
    public static uint Sum(PacketBuffer* packet)
    {
        uint sum = Sum(packet->Data, packet->Length);
        if (packet->PartsLength == 0)
            return sum;
        uint offset = packet->Length;
        PacketPart* parts = packet->Parts;
        for (int i = 0; i < packet->PartCount; i++)
            sum = AddAt(sum, ref offset, parts[i].Data, parts[i].Length);
        for (PacketBuffer* part = packet->NextPart; part != null; part = part->NextPart)
            sum = AddAt(sum, ref offset, part->Data, part->Length);
        return sum;
    }

    /// <summary>
    /// Completes a checksum that the device was to complete (<see cref="ChecksumState.Partial"/>): the field at <see cref="PacketBuffer.ChecksumOffset"/> holds
    /// the sum of the pseudo header. <see cref="PacketBuffer.Data"/> is the transport header.
    /// </summary>
    public static void Finish(PacketBuffer* packet)
    {
        var checksum = (ushort)~Sum(packet);
        // UDP: zero would mean "none"; for the others both zeros are the same.
        *(ushort*)(packet->Data + packet->ChecksumOffset) = checksum == 0 ? (ushort)0xffff : checksum;
        packet->Checksum = ChecksumState.None;
    }

    /// <summary>
    /// Whether the transport checksum of a packet that came in is right; <see cref="PacketBuffer.Data"/> is the transport header. True without a look when the
    /// device has looked.
    /// </summary>
    public static bool IsRight(PacketBuffer* packet, in IpAddress source, in IpAddress destination, byte protocol) =>
        packet->Checksum == ChecksumState.Verified ||
        Fold((ulong)Sum(packet) + PseudoHeader(source, destination, protocol, packet->TotalLength)) == Correct;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Fold32(ulong sum) => (uint)sum + (sum >> 32);

    private static uint AddAt(uint sum, ref uint offset, byte* data, uint length)
    {
        uint part = Sum(data, length);
        // A piece that begins at an odd byte has its words shifted by one byte.
        if ((offset & 1) != 0)
            part = BinaryPrimitives.ReverseEndianness((ushort)part);
        offset += length;
        return Fold((ulong)sum + part);
    }
}
