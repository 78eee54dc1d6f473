// The header of Ethernet II. Source: IEEE 802.3 clause 3, RFC 894, RFC 2464.
namespace Ukl.Kernel.Net.Ethernet;

/// <summary>Sizes and types of Ethernet frames.</summary>
public static class EthernetHeader
{
    /// <summary>Bytes.</summary>
    public const int Size = 14;

    /// <summary>Where the type stands.</summary>
    public const int TypeOffset = 12;

    public const ushort Ipv4 = 0x0800;
    public const ushort Arp = 0x0806;
    public const ushort Ipv6 = 0x86dd;

    /// <summary>Writes a header.</summary>
    /// <param name="to"><see cref="Size"/> bytes.</param>
    /// <param name="destination">The receiver.</param>
    /// <param name="source">The sender.</param>
    /// <param name="type">What is in it, in host order.</param>
    public static unsafe void Write(byte* to, MacAddress destination, MacAddress source, ushort type)
    {
        *(ulong*)to = destination.Value | (source.Value << 48);
        *(uint*)(to + 8) = (uint)(source.Value >> 16);
        *(ushort*)(to + TypeOffset) = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(type);
    }

    /// <summary>Reads the receiver.</summary>
    public static unsafe MacAddress ReadDestination(byte* from) => new(*(ulong*)from & 0xffff_ffff_ffff);

    /// <summary>Reads the sender.</summary>
    public static unsafe MacAddress ReadSource(byte* from) => new(*(ulong*)(from + 6) & 0xffff_ffff_ffff);
}
