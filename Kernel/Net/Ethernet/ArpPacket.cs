// A message of ARP for IPv4 over Ethernet. Source: RFC 826.
using System;
using System.Buffers.Binary;

namespace Ukl.Kernel.Net.Ethernet;

/// <summary>Reads and writes ARP; nothing else.</summary>
public readonly ref struct ArpPacket(ReadOnlySpan<byte> bytes)
{
    /// <summary>Bytes.</summary>
    public const int Size = 28;

    public const ushort Request = 1;
    public const ushort Reply = 2;

    /// <summary>Hardware type Ethernet, protocol IPv4, and the lengths of their addresses.</summary>
    private const ulong Start = 0x0001_0800_0604;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>Whether it is a whole message about IPv4 over Ethernet.</summary>
    public bool IsWellFormed => _bytes.Length >= Size && BinaryPrimitives.ReadUInt64BigEndian(_bytes) >> 16 == Start;

    /// <summary>Request, reply, or something else.</summary>
    public ushort Operation => BinaryPrimitives.ReadUInt16BigEndian(_bytes[6..]);

    /// <summary>The sender's Ethernet address.</summary>
    public MacAddress SenderMac => MacAddress.Read(_bytes[8..]);

    /// <summary>The sender; 0.0.0.0 when it only wants to know whether somebody has the address (RFC 5227).</summary>
    public IpAddress Sender => IpAddress.FromV4(BinaryPrimitives.ReadUInt32BigEndian(_bytes[14..]));

    /// <summary>Whom it is about.</summary>
    public IpAddress Target => IpAddress.FromV4(BinaryPrimitives.ReadUInt32BigEndian(_bytes[24..]));

    /// <summary>Writes a message.</summary>
    /// <param name="to"><see cref="Size"/> bytes.</param>
    /// <param name="operation">Request or reply.</param>
    /// <param name="senderMac">This host's Ethernet address.</param>
    /// <param name="sender">This host's address.</param>
    /// <param name="targetMac">The other's Ethernet address; zero in a request.</param>
    /// <param name="target">The other's address.</param>
    public static void Write(Span<byte> to, ushort operation, MacAddress senderMac, in IpAddress sender, MacAddress targetMac, in IpAddress target)
    {
        BinaryPrimitives.WriteUInt64BigEndian(to, (Start << 16) | operation);
        senderMac.Write(to[8..]);
        BinaryPrimitives.WriteUInt32BigEndian(to[14..], sender.V4);
        targetMac.Write(to[18..]);
        BinaryPrimitives.WriteUInt32BigEndian(to[24..], target.V4);
    }
}
