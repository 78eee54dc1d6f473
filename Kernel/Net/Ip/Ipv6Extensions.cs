// The headers between that of IPv6 and the transport's. Source: RFC 8200 section 4, RFC 5095 (routing type 0 is dead).
using System;
using System.Buffers.Binary;
using Ukl.Kernel.Net.Icmp;

namespace Ukl.Kernel.Net.Ip;

/// <summary>What is to be done with a packet after its extension headers were read.</summary>
internal enum ExtensionVerdict
{
    /// <summary>The transport comes next.</summary>
    Deliver,

    /// <summary>The packet is a piece.</summary>
    Fragment,

    /// <summary>It is dropped.</summary>
    Drop,

    /// <summary>It is dropped, and its sender told (parameter problem).</summary>
    Report,
}

/// <summary>Walks over extension headers; only reads.</summary>
internal ref struct Ipv6Extensions(ReadOnlySpan<byte> packet)
{
    /// <summary>More than any sender needs.</summary>
    private const int MaximumHeaders = 8;

    private readonly ReadOnlySpan<byte> _packet = packet;

    /// <summary>Where the header that comes next begins, in bytes from the IPv6 header.</summary>
    public int Offset { readonly get; private set; }

    /// <summary>Its kind.</summary>
    public byte NextHeader { readonly get; private set; }

    /// <summary>Where the field that says so stands.</summary>
    public int NextHeaderOffset { readonly get; private set; }

    /// <summary>With <see cref="ExtensionVerdict.Fragment"/>: the piece's place; <see cref="NextHeader"/> and <see cref="Offset"/> are those behind.</summary>
    public PiecePlace Place { readonly get; private set; }

    /// <summary>The fragment says that it is a whole packet (RFC 6946).</summary>
    public bool IsAtomic { readonly get; private set; }

    /// <summary>With <see cref="ExtensionVerdict.Report"/>: the code.</summary>
    public byte ErrorCode { readonly get; private set; }

    /// <summary>With <see cref="ExtensionVerdict.Report"/>: the byte at fault.</summary>
    public int ErrorOffset { readonly get; private set; }

    /// <summary>Begins at a header.</summary>
    /// <param name="nextHeader">Its kind.</param>
    /// <param name="offset">Where it begins.</param>
    /// <param name="isForGroup">The packet is for a group: some errors are not reported.</param>
    /// <param name="nextHeaderOffset">Where the field stands that says its kind.</param>
    public ExtensionVerdict Read(byte nextHeader, int offset, int nextHeaderOffset, bool isForGroup)
    {
        NextHeader = nextHeader;
        Offset = offset;
        NextHeaderOffset = nextHeaderOffset;
        for (int i = 0; i < MaximumHeaders; i++)
        {
            switch (NextHeader)
            {
                case IpProtocol.HopByHop when Offset != Ipv6Header.Size:
                    return Fault(Icmp6Type.UnknownNextHeader, NextHeaderOffset);
                case IpProtocol.HopByHop or IpProtocol.DestinationOptions or IpProtocol.Routing:
                    ExtensionVerdict verdict = ReadOptionsOrRouting(isForGroup);
                    if (verdict != ExtensionVerdict.Deliver)
                        return verdict;
                    break;
                case IpProtocol.Fragment:
                    return ReadFragment();
                case IpProtocol.NoNextHeader:
                    return ExtensionVerdict.Drop;
                default:
                    return ExtensionVerdict.Deliver;
            }
        }
        return ExtensionVerdict.Drop;
    }

    private ExtensionVerdict ReadFragment()
    {
        if (_packet.Length < Offset + (int)IpFragmenter.ExtensionSize)
            return ExtensionVerdict.Drop;
        ReadOnlySpan<byte> header = _packet[Offset..];
        ushort field = BinaryPrimitives.ReadUInt16BigEndian(header[2..]);
        Place = new PiecePlace
        {
            Offset = field & 0xfff8u,
            IsLast = (field & 1) == 0,
            Identification = BinaryPrimitives.ReadUInt32BigEndian(header[4..]),
        };
        IsAtomic = (field & 0xfff9) == 0;
        NextHeader = header[0];
        NextHeaderOffset = Offset;
        Offset += (int)IpFragmenter.ExtensionSize;
        return ExtensionVerdict.Fragment;
    }

    private ExtensionVerdict ReadOptionsOrRouting(bool isForGroup)
    {
        if (_packet.Length < Offset + 8)
            return ExtensionVerdict.Drop;
        int length = (_packet[Offset + 1] + 1) * 8;
        if (_packet.Length < Offset + length)
            return ExtensionVerdict.Drop;
        if (NextHeader == IpProtocol.Routing)
        {
            // No routing type is known; one that has nothing left to do is passed over.
            if (_packet[Offset + 3] != 0)
                return Fault(Icmp6Type.ErroneousHeader, Offset + 2);
        }
        else
        {
            ExtensionVerdict verdict = ReadOptions(Offset + 2, Offset + length, isForGroup);
            if (verdict != ExtensionVerdict.Deliver)
                return verdict;
        }
        NextHeader = _packet[Offset];
        NextHeaderOffset = Offset;
        Offset += length;
        return ExtensionVerdict.Deliver;
    }

    /// <summary>Options are passed over, or the first two bits of their type say what else is to be done (section 4.2).</summary>
    private ExtensionVerdict ReadOptions(int at, int end, bool isForGroup)
    {
        while (at < end)
        {
            byte type = _packet[at];
            if (type == 0)
            {
                at++;
                continue;
            }
            if (at + 2 > end || at + 2 + _packet[at + 1] > end)
                return ExtensionVerdict.Drop;
            bool isKnown = type is 1 or 5;
            switch (isKnown ? 0 : type >> 6)
            {
                case 1:
                case 3 when isForGroup:
                    return ExtensionVerdict.Drop;
                case 2 or 3:
                    return Fault(Icmp6Type.UnknownOption, at);
            }
            at += 2 + _packet[at + 1];
        }
        return ExtensionVerdict.Deliver;
    }

    private ExtensionVerdict Fault(byte code, int offset)
    {
        ErrorCode = code;
        ErrorOffset = offset;
        return ExtensionVerdict.Report;
    }
}
