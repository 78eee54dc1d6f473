// Messages of neighbour discovery. Source: RFC 4861 sections 4.1 to 4.6; RFC 8106 section 5.1 (name servers).
using System;
using System.Buffers.Binary;

namespace Ukl.Kernel.Net.Icmp;

/// <summary>Kinds of options.</summary>
internal static class NdpOptionType
{
    public const byte SourceLinkAddress = 1;
    public const byte TargetLinkAddress = 2;
    public const byte PrefixInformation = 3;
    public const byte Mtu = 5;
    public const byte NameServers = 25;
}

/// <summary>Reads a message from its ICMP header on; nothing else.</summary>
internal readonly ref struct NdpMessage(ReadOnlySpan<byte> bytes)
{
    /// <summary>Bytes of a solicitation or advertisement of a neighbour without options, and of those of a router.</summary>
    public const int NeighborSize = 24;
    public const int RouterSolicitationSize = 8;
    public const int RouterAdvertisementSize = 16;

    /// <summary>Bits of an advertisement's flags.</summary>
    public const byte RouterFlag = 0x80;
    public const byte SolicitedFlag = 0x40;
    public const byte OverrideFlag = 0x20;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>The code; always 0.</summary>
    public byte Code => _bytes[1];

    /// <summary>Flags of a neighbour's advertisement.</summary>
    public byte Flags => _bytes[4];

    /// <summary>Whom a neighbour's message is about.</summary>
    public IpAddress Target => IpAddress.ReadV6(_bytes[8..]);

    /// <summary>Router: the hop limit to use; 0: it does not say.</summary>
    public byte HopLimit => _bytes[4];

    /// <summary>Router: for how many seconds it is a default router.</summary>
    public ushort RouterLifetime => BinaryPrimitives.ReadUInt16BigEndian(_bytes[6..]);

    /// <summary>Whether the message is long enough and its options fill the rest, none of them empty.</summary>
    public bool IsWellFormed(int size)
    {
        if (_bytes.Length < size)
            return false;
        NdpOptions options = Options(size);
        while (options.MoveNext())
        {
        }
        return options.IsWellFormed;
    }

    /// <summary>The options behind a message of the given size.</summary>
    public NdpOptions Options(int size) => new(_bytes[size..]);

    /// <summary>The Ethernet address in the first option of a kind; false when there is none.</summary>
    public bool TryGetLinkAddress(int size, byte type, out MacAddress address)
    {
        NdpOptions options = Options(size);
        while (options.MoveNext())
        {
            if (options.Type != type || options.Current.Length != 8)
                continue;
            address = MacAddress.Read(options.Current[2..]);
            return true;
        }
        address = default;
        return false;
    }
}

/// <summary>Walks over options.</summary>
internal ref struct NdpOptions(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>The option, its type and length included.</summary>
    public ReadOnlySpan<byte> Current { readonly get; private set; }

    /// <summary>Its kind.</summary>
    public readonly byte Type => Current[0];

    /// <summary>Nothing is left that is no option.</summary>
    public readonly bool IsWellFormed => _rest.Length == 0;

    /// <summary>Goes to the next option.</summary>
    public bool MoveNext()
    {
        if (_rest.Length < 8 || _rest[1] == 0 || _rest[1] * 8 > _rest.Length)
            return false;
        Current = _rest[..(_rest[1] * 8)];
        _rest = _rest[(_rest[1] * 8)..];
        return true;
    }
}

/// <summary>Reads an option that describes a prefix (RFC 4861 section 4.6.2).</summary>
internal readonly ref struct PrefixOption(ReadOnlySpan<byte> bytes)
{
    /// <summary>Bytes.</summary>
    public const int Size = 32;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>Bits of <see cref="Prefix"/>.</summary>
    public byte PrefixLength => _bytes[2];

    /// <summary>Addresses with this prefix are on the link.</summary>
    public bool IsOnLink => (_bytes[3] & 0x80) != 0;

    /// <summary>Hosts may make themselves addresses with this prefix.</summary>
    public bool IsAutonomous => (_bytes[3] & 0x40) != 0;

    /// <summary>In seconds; all ones: for ever.</summary>
    public uint ValidLifetime => BinaryPrimitives.ReadUInt32BigEndian(_bytes[4..]);

    /// <summary>In seconds; all ones: for ever.</summary>
    public uint PreferredLifetime => BinaryPrimitives.ReadUInt32BigEndian(_bytes[8..]);

    /// <summary>The prefix.</summary>
    public IpAddress Prefix => IpAddress.ReadV6(_bytes[16..]);
}
