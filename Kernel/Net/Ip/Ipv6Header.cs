// The header of IPv6. Source: RFC 8200 section 3.
using System;
using System.Buffers.Binary;

namespace Ukl.Kernel.Net.Ip;

/// <summary>Reads and writes headers of IPv6; nothing else.</summary>
public readonly ref struct Ipv6Header(ReadOnlySpan<byte> bytes)
{
    /// <summary>Bytes.</summary>
    public const int Size = 40;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>6.</summary>
    public int Version => _bytes[0] >> 4;

    /// <summary>The traffic class.</summary>
    public byte TrafficClass => (byte)(BinaryPrimitives.ReadUInt16BigEndian(_bytes) >> 4);

    /// <summary>Bytes behind this header.</summary>
    public int PayloadLength => BinaryPrimitives.ReadUInt16BigEndian(_bytes[4..]);

    /// <summary>What comes behind this header.</summary>
    public byte NextHeader => _bytes[6];

    /// <summary>The hop limit.</summary>
    public byte HopLimit => _bytes[7];

    /// <summary>The sender.</summary>
    public IpAddress Source => IpAddress.ReadV6(_bytes[8..]);

    /// <summary>The receiver.</summary>
    public IpAddress Destination => IpAddress.ReadV6(_bytes[24..]);

    /// <summary>Whether there is a whole header of version 6.</summary>
    public bool IsWellFormed => _bytes.Length >= Size && Version == 6;

    /// <summary>Writes a header with the flow label 0.</summary>
    /// <param name="to"><see cref="Size"/> bytes.</param>
    /// <param name="payloadLength">Bytes behind this header.</param>
    /// <param name="hopLimit">The hop limit.</param>
    /// <param name="nextHeader">What comes behind.</param>
    /// <param name="trafficClass">The traffic class.</param>
    /// <param name="source">The sender.</param>
    /// <param name="destination">The receiver.</param>
    public static unsafe void Write(byte* to, uint payloadLength, byte hopLimit, byte nextHeader, byte trafficClass, in IpAddress source, in IpAddress destination)
    {
        *(uint*)to = BinaryPrimitives.ReverseEndianness(0x6000_0000 | ((uint)trafficClass << 20));
        *(uint*)(to + 4) = BinaryPrimitives.ReverseEndianness((payloadLength << 16) | ((uint)nextHeader << 8) | hopLimit);
        *(ulong*)(to + 8) = BinaryPrimitives.ReverseEndianness(source.High);
        *(ulong*)(to + 16) = BinaryPrimitives.ReverseEndianness(source.Low);
        *(ulong*)(to + 24) = BinaryPrimitives.ReverseEndianness(destination.High);
        *(ulong*)(to + 32) = BinaryPrimitives.ReverseEndianness(destination.Low);
    }
}
