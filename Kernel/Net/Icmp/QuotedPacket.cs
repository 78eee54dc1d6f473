// The beginning of a packet of this host, as an ICMP error quotes it or as it waits to be sent. Source: RFC 792 (64 bits of the data are quoted at least), RFC 4443
// section 2.4 (c).
using System;
using System.Buffers.Binary;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Icmp;

/// <summary>Addresses and ports of a packet of which only the beginning is there.</summary>
internal struct QuotedPacket
{
    /// <summary>How many extension headers are looked through.</summary>
    private const int MaximumExtensions = 8;

    public IpAddress Source;
    public IpAddress Destination;
    public byte Protocol;
    public ushort SourcePort;
    public ushort DestinationPort;

    /// <summary>The sequence number, for TCP.</summary>
    public uint Sequence;

    /// <summary>The type, for ICMP.</summary>
    public byte IcmpType;

    /// <summary>Reads it. False when it is too short, no IP packet, or not the first piece of one.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out QuotedPacket quoted)
    {
        quoted = default;
        if (bytes.Length == 0)
            return false;
        int at = bytes[0] >> 4 == 4 ? ReadV4(bytes, ref quoted) : ReadV6(bytes, ref quoted);
        if (at < 0 || bytes.Length < at + 8)
            return false;
        ReadOnlySpan<byte> transport = bytes[at..];
        if (quoted.Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6)
        {
            quoted.IcmpType = transport[0];
            quoted.SourcePort = BinaryPrimitives.ReadUInt16BigEndian(transport[4..]);
            return true;
        }
        quoted.SourcePort = BinaryPrimitives.ReadUInt16BigEndian(transport);
        quoted.DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(transport[2..]);
        quoted.Sequence = BinaryPrimitives.ReadUInt32BigEndian(transport[4..]);
        return true;
    }

    private static int ReadV4(ReadOnlySpan<byte> bytes, ref QuotedPacket quoted)
    {
        var header = new Ipv4Header(bytes);
        if (!header.IsWellFormed || header.FragmentOffset != 0)
            return -1;
        quoted.Source = header.Source;
        quoted.Destination = header.Destination;
        quoted.Protocol = header.Protocol;
        return header.HeaderLength;
    }

    private static int ReadV6(ReadOnlySpan<byte> bytes, ref QuotedPacket quoted)
    {
        var header = new Ipv6Header(bytes);
        if (!header.IsWellFormed)
            return -1;
        quoted.Source = header.Source;
        quoted.Destination = header.Destination;
        int at = Ipv6Header.Size;
        byte next = header.NextHeader;
        for (int i = 0; i < MaximumExtensions; i++)
        {
            if (next is not (IpProtocol.HopByHop or IpProtocol.Routing or IpProtocol.Fragment or IpProtocol.DestinationOptions))
            {
                quoted.Protocol = next;
                return at;
            }
            if (bytes.Length < at + 8)
                return -1;
            bool isFragment = next == IpProtocol.Fragment;
            if (isFragment && (BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 2)..]) & 0xfff8) != 0)
                return -1;
            next = bytes[at];
            at += isFragment ? 8 : (bytes[at + 1] + 1) * 8;
        }
        return -1;
    }
}
