using System.Buffers.Binary;

namespace Ukl.Tests.Guest.Clients;

/// <summary>Reads what --pcap leaves. Source of truth: the IETF draft "PCAP Capture File Format" (draft-ietf-opsawg-pcap).</summary>
public static class PacketCapture
{
    private const uint Magic = 0xa1b2c3d4;
    private const uint Ethernet = 1;
    private const int FileHeaderSize = 24, RecordHeaderSize = 16, LinkTypeOffset = 20, CapturedOffset = 8, OriginalOffset = 12;
    private const int EthernetSize = 14, Ipv4Type = 0x0800, ProtocolOffset = 9, Tcp = 6;

    /// <summary>Why a capture is not one of frames among which a text went over TCP and IPv4, to a port or from it; null when it is.</summary>
    /// <param name="capture">The file.</param>
    /// <param name="port">The port.</param>
    /// <param name="text">What a segment to it begins with.</param>
    public static string? Problem(byte[] capture, int port, ReadOnlySpan<byte> text)
    {
        ReadOnlySpan<byte> rest = capture;
        if (rest.Length < FileHeaderSize || BinaryPrimitives.ReadUInt32LittleEndian(rest) != Magic || BinaryPrimitives.ReadUInt32LittleEndian(rest[LinkTypeOffset..]) != Ethernet)
            return "the capture does not begin as one of Ethernet frames";
        bool isFound = false;
        int count = 0;
        for (rest = rest[FileHeaderSize..]; !rest.IsEmpty; count++)
        {
            if (rest.Length < RecordHeaderSize)
                return $"the capture ends in the header of frame {count}";
            uint captured = BinaryPrimitives.ReadUInt32LittleEndian(rest[CapturedOffset..]);
            if (captured > rest.Length - RecordHeaderSize || captured > BinaryPrimitives.ReadUInt32LittleEndian(rest[OriginalOffset..]))
                return $"the capture ends in frame {count}";
            ReadOnlySpan<byte> frame = rest.Slice(RecordHeaderSize, (int)captured);
            isFound |= PayloadTo(frame, port).StartsWith(text);
            rest = rest[(RecordHeaderSize + (int)captured)..];
        }
        return isFound ? null : $"none of the {count} frames of the capture has what was sent to port {port}";
    }

    /// <summary>What a frame carries to a port; empty when it does not.</summary>
    private static ReadOnlySpan<byte> PayloadTo(ReadOnlySpan<byte> frame, int port)
    {
        if (frame.Length < EthernetSize + 20 || BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) != Ipv4Type)
            return [];
        ReadOnlySpan<byte> ip = frame[EthernetSize..];
        int size = (ip[0] & 15) * 4, length = BinaryPrimitives.ReadUInt16BigEndian(ip[2..]);
        if (ip[ProtocolOffset] != Tcp || length > ip.Length || length < size + 20)
            return [];
        ReadOnlySpan<byte> tcp = ip[size..length];
        int offset = tcp[12] >> 4 << 2;
        return BinaryPrimitives.ReadUInt16BigEndian(tcp[2..]) == port && offset <= tcp.Length ? tcp[offset..] : [];
    }
}
