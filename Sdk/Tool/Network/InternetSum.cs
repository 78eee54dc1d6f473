using System.Buffers.Binary;
using System.Net.Sockets;

namespace Ukl.Tool.Network;

/// <summary>The sums of the checksums of IP and TCP, for packets that tests make. Source of truth: RFC 1071, RFC 9293 section 3.1.</summary>
public static class InternetSum
{
    /// <summary>The sum of bytes of an even number; its complement is their checksum.</summary>
    public static ushort Of(ReadOnlySpan<byte> bytes) => Fold(Add(bytes));

    /// <summary>The sum of a TCP segment and of the pseudo header that goes before it.</summary>
    /// <param name="ip">The IPv4 header.</param>
    /// <param name="tcp">The segment, of an even size, with 0 in the place of its checksum.</param>
    public static ushort OfSegment(ReadOnlySpan<byte> ip, ReadOnlySpan<byte> tcp) =>
        Fold(Add(ip[12..20]) + (uint)ProtocolType.Tcp + (uint)tcp.Length + Add(tcp));

    private static uint Add(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (int at = 0; at < bytes.Length; at += 2)
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);
        return sum;
    }

    private static ushort Fold(uint sum)
    {
        while (sum > ushort.MaxValue)
            sum = (sum & ushort.MaxValue) + (sum >> 16);
        return (ushort)sum;
    }
}
