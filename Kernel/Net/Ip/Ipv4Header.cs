// The header of IPv4. Source: RFC 791 section 3.1, RFC 2474 (traffic class), RFC 6864 (identification).
using System;
using System.Buffers.Binary;

namespace Ukl.Kernel.Net.Ip;

/// <summary>Reads and writes headers of IPv4; nothing else.</summary>
public readonly ref struct Ipv4Header(ReadOnlySpan<byte> bytes)
{
    /// <summary>Bytes without options.</summary>
    public const int Size = 20;

    /// <summary>The first byte of a header without options.</summary>
    public const byte VersionAndSize = 0x45;

    /// <summary>Bits of <see cref="FragmentField"/>: do not cut.</summary>
    public const ushort DontFragment = 0x4000;

    /// <summary>Bits of <see cref="FragmentField"/>: this is not the last piece.</summary>
    public const ushort MoreFragments = 0x2000;

    /// <summary>Bits of <see cref="FragmentField"/>: where the piece belongs, in units of eight bytes.</summary>
    public const ushort OffsetMask = 0x1fff;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>4.</summary>
    public int Version => _bytes[0] >> 4;

    /// <summary>Bytes of the header, options included.</summary>
    public int HeaderLength => (_bytes[0] & 15) * 4;

    /// <summary>Type of service.</summary>
    public byte TrafficClass => _bytes[1];

    /// <summary>Bytes of the packet, header included.</summary>
    public int TotalLength => BinaryPrimitives.ReadUInt16BigEndian(_bytes[2..]);

    /// <summary>What the pieces of one packet have in common.</summary>
    public ushort Identification => BinaryPrimitives.ReadUInt16BigEndian(_bytes[4..]);

    /// <summary>Flags and offset.</summary>
    public ushort FragmentField => BinaryPrimitives.ReadUInt16BigEndian(_bytes[6..]);

    /// <summary>Whether this is a piece of a packet.</summary>
    public bool IsFragment => (FragmentField & (MoreFragments | OffsetMask)) != 0;

    /// <summary>Where the piece belongs, in bytes.</summary>
    public uint FragmentOffset => (uint)(FragmentField & OffsetMask) * 8;

    /// <summary>Time to live.</summary>
    public byte HopLimit => _bytes[8];

    /// <summary>The transport.</summary>
    public byte Protocol => _bytes[9];

    /// <summary>The sender.</summary>
    public IpAddress Source => IpAddress.FromV4(BinaryPrimitives.ReadUInt32BigEndian(_bytes[12..]));

    /// <summary>The receiver.</summary>
    public IpAddress Destination => IpAddress.FromV4(BinaryPrimitives.ReadUInt32BigEndian(_bytes[16..]));

    /// <summary>Whether there is a whole header of version 4 whose lengths fit together; says nothing of the checksum.</summary>
    public bool IsWellFormed => _bytes.Length >= Size && Version == 4 && HeaderLength >= Size && HeaderLength <= _bytes.Length && TotalLength >= HeaderLength;

    /// <summary>Writes a header without options, checksum included.</summary>
    /// <param name="to"><see cref="Size"/> bytes.</param>
    /// <param name="totalLength">Bytes of the packet, header included.</param>
    /// <param name="identification">What the pieces have in common; 0 when it cannot be cut.</param>
    /// <param name="fragmentField">Flags and offset.</param>
    /// <param name="hopLimit">Time to live.</param>
    /// <param name="protocol">The transport.</param>
    /// <param name="trafficClass">Type of service.</param>
    /// <param name="source">The sender, in host order.</param>
    /// <param name="destination">The receiver, in host order.</param>
    public static unsafe void Write(
        byte* to, uint totalLength, ushort identification, ushort fragmentField, byte hopLimit, byte protocol, byte trafficClass, uint source, uint destination)
    {
        // As 32-bit words in the order of memory, so that the checksum is made of what is written.
        uint first = VersionAndSize | ((uint)trafficClass << 8) | ((uint)BinaryPrimitives.ReverseEndianness((ushort)totalLength) << 16);
        uint second = BinaryPrimitives.ReverseEndianness(((uint)identification << 16) | fragmentField);
        uint third = hopLimit | ((uint)protocol << 8);
        uint from = BinaryPrimitives.ReverseEndianness(source);
        uint target = BinaryPrimitives.ReverseEndianness(destination);
        uint checksum = (ushort)~InternetChecksum.Fold((ulong)first + second + third + from + target);
        *(uint*)to = first;
        *(uint*)(to + 4) = second;
        *(uint*)(to + 8) = third | (checksum << 16);
        *(uint*)(to + 12) = from;
        *(uint*)(to + 16) = target;
    }
}
