// A message of DHCP. Source: RFC 2131 section 2 (the fixed part), RFC 2132 (options), RFC 3396 is not needed: no option read here is longer than 255 bytes.
using System;
using System.Buffers.Binary;

namespace Ukl.Kernel.Net.Dhcp;

/// <summary>Kinds of messages (RFC 2132 section 9.6).</summary>
internal enum DhcpMessageType : byte
{
    None = 0,
    Discover = 1,
    Offer = 2,
    Request = 3,
    Decline = 4,
    Acknowledge = 5,
    Refuse = 6,
    Release = 7,
}

/// <summary>Kinds of options (RFC 2132).</summary>
internal static class DhcpOption
{
    public const byte Pad = 0;
    public const byte SubnetMask = 1;
    public const byte Router = 3;
    public const byte NameServers = 6;
    public const byte DomainName = 15;
    public const byte Mtu = 26;
    public const byte RequestedAddress = 50;
    public const byte LeaseTime = 51;
    public const byte Overload = 52;
    public const byte MessageType = 53;
    public const byte ServerIdentifier = 54;
    public const byte ParameterList = 55;
    public const byte MaximumSize = 57;
    public const byte RenewalTime = 58;
    public const byte RebindingTime = 59;
    public const byte ClientIdentifier = 61;
    public const byte End = 255;
}

/// <summary>Reads a message; nothing else.</summary>
internal readonly ref struct DhcpMessage(ReadOnlySpan<byte> bytes)
{
    /// <summary>Ports of servers and clients.</summary>
    public const ushort ServerPort = 67;
    public const ushort ClientPort = 68;

    /// <summary>Where the options begin; a message is at least this long.</summary>
    public const int OptionsStart = 240;

    /// <summary>A message that old relays take (RFC 1542 section 2.1).</summary>
    public const int LeastSize = 300;

    internal const int TransactionOffset = 4;
    internal const int FlagsOffset = 10;
    internal const int ClientAddressOffset = 12;
    internal const int YourAddressOffset = 16;
    internal const int HardwareAddressOffset = 28;
    internal const int ServerNameOffset = 44;
    internal const int FileOffset = 108;
    internal const int CookieOffset = 236;
    internal const uint Cookie = 0x6382_5363;
    internal const byte Reply = 2;
    internal const byte Ethernet = 1;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>Whether this is an answer of a server to a client on Ethernet.</summary>
    public bool IsReply => _bytes.Length >= OptionsStart && _bytes[0] == Reply && _bytes[1] == Ethernet && _bytes[2] == MacAddress.Size &&
        BinaryPrimitives.ReadUInt32BigEndian(_bytes[CookieOffset..]) == Cookie;

    /// <summary>Which question it answers.</summary>
    public uint Transaction => BinaryPrimitives.ReadUInt32BigEndian(_bytes[TransactionOffset..]);

    /// <summary>Whom.</summary>
    public MacAddress HardwareAddress => MacAddress.Read(_bytes[HardwareAddressOffset..]);

    /// <summary>The address that is given.</summary>
    public IpAddress YourAddress => IpAddress.FromV4(BinaryPrimitives.ReadUInt32BigEndian(_bytes[YourAddressOffset..]));

    /// <summary>Its kind; <see cref="DhcpMessageType.None"/> when it does not say.</summary>
    public DhcpMessageType Type => TryGet(DhcpOption.MessageType, out ReadOnlySpan<byte> value) && value.Length == 1 ? (DhcpMessageType)value[0] : DhcpMessageType.None;

    /// <summary>Finds the first option of a kind, also in the fields that the server uses for options (option 52).</summary>
    public bool TryGet(byte kind, out ReadOnlySpan<byte> value)
    {
        ReadOnlySpan<byte> options = _bytes[OptionsStart..];
        if (TryGet(options, kind, out value))
            return true;
        if (!TryGet(options, DhcpOption.Overload, out ReadOnlySpan<byte> overload) || overload.Length != 1)
            return false;
        return ((overload[0] & 1) != 0 && TryGet(_bytes[FileOffset..CookieOffset], kind, out value)) ||
            ((overload[0] & 2) != 0 && TryGet(_bytes[ServerNameOffset..FileOffset], kind, out value));
    }

    /// <summary>An option that is a number of 32 bits.</summary>
    public bool TryGetNumber(byte kind, out uint number)
    {
        number = 0;
        if (!TryGet(kind, out ReadOnlySpan<byte> value) || value.Length != 4)
            return false;
        number = BinaryPrimitives.ReadUInt32BigEndian(value);
        return true;
    }

    /// <summary>The address with a number in an option that is a list of addresses; all zero when there is none.</summary>
    public IpAddress GetAddress(byte kind, int number) =>
        TryGet(kind, out ReadOnlySpan<byte> value) && value.Length >= 4 * (number + 1)
            ? IpAddress.FromV4(BinaryPrimitives.ReadUInt32BigEndian(value[(4 * number)..]))
            : default;

    private static bool TryGet(ReadOnlySpan<byte> options, byte kind, out ReadOnlySpan<byte> value)
    {
        value = default;
        int at = 0;
        while (at < options.Length && options[at] != DhcpOption.End)
        {
            if (options[at] == DhcpOption.Pad)
            {
                at++;
                continue;
            }
            if (at + 2 > options.Length || at + 2 + options[at + 1] > options.Length)
                return false;
            if (options[at] == kind)
            {
                value = options.Slice(at + 2, options[at + 1]);
                return true;
            }
            at += 2 + options[at + 1];
        }
        return false;
    }
}

/// <summary>Writes a client's message into memory that is zero.</summary>
internal ref struct DhcpWriter
{
    private const byte Request = 1;

    /// <summary>Answers are to be broadcast: without an address nothing else is taken.</summary>
    private const ushort BroadcastFlag = 0x8000;

    private readonly Span<byte> _bytes;

    /// <summary>Begins a message.</summary>
    /// <param name="bytes">Where, at least <see cref="DhcpMessage.LeastSize"/> bytes of zero.</param>
    /// <param name="type">Its kind.</param>
    /// <param name="transaction">The number of the question.</param>
    /// <param name="mac">The client.</param>
    /// <param name="current">The client's address when it has one that works; else "any".</param>
    public DhcpWriter(Span<byte> bytes, DhcpMessageType type, uint transaction, MacAddress mac, in IpAddress current)
    {
        _bytes = bytes;
        bytes[0] = Request;
        bytes[1] = DhcpMessage.Ethernet;
        bytes[2] = MacAddress.Size;
        BinaryPrimitives.WriteUInt32BigEndian(bytes[DhcpMessage.TransactionOffset..], transaction);
        if (current.IsAny)
            BinaryPrimitives.WriteUInt16BigEndian(bytes[DhcpMessage.FlagsOffset..], BroadcastFlag);
        else
            BinaryPrimitives.WriteUInt32BigEndian(bytes[DhcpMessage.ClientAddressOffset..], current.V4);
        mac.Write(bytes[DhcpMessage.HardwareAddressOffset..]);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[DhcpMessage.CookieOffset..], DhcpMessage.Cookie);
        Length = DhcpMessage.OptionsStart;
        Add(DhcpOption.MessageType, [(byte)type]);
        Span<byte> identifier = stackalloc byte[1 + MacAddress.Size];
        identifier[0] = DhcpMessage.Ethernet;
        mac.Write(identifier[1..]);
        Add(DhcpOption.ClientIdentifier, identifier);
        Add(DhcpOption.ParameterList,
        [
            DhcpOption.SubnetMask, DhcpOption.Router, DhcpOption.NameServers, DhcpOption.DomainName, DhcpOption.Mtu, DhcpOption.LeaseTime,
            DhcpOption.RenewalTime, DhcpOption.RebindingTime,
        ]);
        Add(DhcpOption.MaximumSize, [0x05, 0xdc]);
    }

    /// <summary>Bytes so far.</summary>
    public int Length { readonly get; private set; }

    /// <summary>Adds an option.</summary>
    public void Add(byte kind, scoped ReadOnlySpan<byte> value)
    {
        _bytes[Length] = kind;
        _bytes[Length + 1] = (byte)value.Length;
        value.CopyTo(_bytes[(Length + 2)..]);
        Length += 2 + value.Length;
    }

    /// <summary>Adds an option that is an address of IPv4.</summary>
    public void Add(byte kind, in IpAddress address)
    {
        Span<byte> value = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(value, address.V4);
        Add(kind, value);
    }

    /// <summary>Ends the message.</summary>
    public void End()
    {
        _bytes[Length++] = DhcpOption.End;
        if (Length < DhcpMessage.LeastSize)
            Length = DhcpMessage.LeastSize;
    }
}
