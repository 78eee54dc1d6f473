// The header of UDP. Source: RFC 768.
using System;
using System.Buffers.Binary;

namespace Ukl.Kernel.Net.Datagrams;

/// <summary>Reads and writes headers of UDP; nothing else.</summary>
public readonly ref struct UdpHeader(ReadOnlySpan<byte> bytes)
{
    /// <summary>Bytes.</summary>
    public const int Size = 8;

    /// <summary>Where the checksum stands.</summary>
    public const int ChecksumOffset = 6;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>The sender's port.</summary>
    public ushort SourcePort => BinaryPrimitives.ReadUInt16BigEndian(_bytes);

    /// <summary>The receiver's port.</summary>
    public ushort DestinationPort => BinaryPrimitives.ReadUInt16BigEndian(_bytes[2..]);

    /// <summary>Bytes, this header included.</summary>
    public ushort Length => BinaryPrimitives.ReadUInt16BigEndian(_bytes[4..]);

    /// <summary>Whether the sender left the checksum out; only IPv4 lets it.</summary>
    public bool HasNoChecksum => BinaryPrimitives.ReadUInt16BigEndian(_bytes[ChecksumOffset..]) == 0;

    /// <summary>Writes a header with a partial checksum.</summary>
    /// <param name="to"><see cref="Size"/> bytes.</param>
    /// <param name="sourcePort">The sender's port.</param>
    /// <param name="destinationPort">The receiver's port.</param>
    /// <param name="length">Bytes, this header included.</param>
    /// <param name="sum">The sum of the pseudo header, in the order of memory.</param>
    public static unsafe void Write(byte* to, ushort sourcePort, ushort destinationPort, ushort length, ushort sum)
    {
        *(uint*)to = BinaryPrimitives.ReverseEndianness(((uint)sourcePort << 16) | destinationPort);
        *(uint*)(to + 4) = BinaryPrimitives.ReverseEndianness(length) | ((uint)sum << 16);
    }
}
