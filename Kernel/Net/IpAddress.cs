using System;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Net;

/// <summary>
/// An address of IPv6, or one of IPv4 as IPv6 maps it (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2): one type, one table and one path for both. All zero is
/// "any" of IPv6.
/// </summary>
public readonly struct IpAddress(ulong high, ulong low) : IEquatable<IpAddress>
{
    private const ulong MappedPrefix = 0xffff_0000_0000;

    /// <summary>The first eight bytes, as a number.</summary>
    public readonly ulong High = high;

    /// <summary>The last eight bytes, as a number.</summary>
    public readonly ulong Low = low;

    /// <summary>::.</summary>
    public static IpAddress Any6 => default;

    /// <summary>0.0.0.0.</summary>
    public static IpAddress Any4 => FromV4(0);

    /// <summary>::1.</summary>
    public static IpAddress Loopback6 => new(0, 1);

    /// <summary>127.0.0.1.</summary>
    public static IpAddress Loopback4 => FromV4(0x7f00_0001);

    /// <summary>An address of IPv4; the number is in host order (127.0.0.1 is 0x7f000001).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static IpAddress FromV4(uint address) => new(0, MappedPrefix | address);

    /// <summary>Whether this is an address of IPv4.</summary>
    public bool IsV4 => High == 0 && Low >> 32 == MappedPrefix >> 32;

    /// <summary>The IPv4 address in host order.</summary>
    public uint V4 => (uint)Low;

    /// <summary>Whether this is 0.0.0.0 or ::.</summary>
    public bool IsAny => High == 0 && (Low == 0 || Low == MappedPrefix);

    /// <summary>Whether this is 127.0.0.0/8 or ::1.</summary>
    public bool IsLoopback => IsV4 ? V4 >> 24 == 127 : High == 0 && Low == 1;

    /// <summary>Whether this is 224.0.0.0/4 or ff00::/8.</summary>
    public bool IsMulticast => IsV4 ? V4 >> 28 == 14 : High >> 56 == 0xff;

    /// <summary>Whether this is fe80::/10.</summary>
    public bool IsLinkLocal6 => High >> 54 == 0x3fa;

    /// <summary>Whether the first <paramref name="length"/> bits (0 to 128; of IPv4 with the 96 before it) are those of <paramref name="prefix"/>.</summary>
    public bool IsIn(in IpAddress prefix, int length)
    {
        if (length > 64)
            return High == prefix.High && (Low ^ prefix.Low) >> (128 - length) == 0;
        return length == 0 || (High ^ prefix.High) >> (64 - length) == 0;
    }

    /// <summary>The first <paramref name="length"/> bits (0 to 128) and zeros behind them.</summary>
    public IpAddress Prefix(int length)
    {
        if (length > 64)
            return new(High, Low & (ulong.MaxValue << (128 - length)));
        return new(length == 0 ? 0 : High & (ulong.MaxValue << (64 - length)), 0);
    }

    /// <summary>How many of the first bits two addresses share.</summary>
    public int CommonBits(in IpAddress other) =>
        High != other.High ? BitOperations.LeadingZeroCount(High ^ other.High) : 64 + BitOperations.LeadingZeroCount(Low ^ other.Low);

    /// <summary>Reads 16 bytes in network order.</summary>
    public static IpAddress ReadV6(ReadOnlySpan<byte> from) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(from), BinaryPrimitives.ReadUInt64BigEndian(from[8..]));

    /// <summary>Writes 16 bytes in network order.</summary>
    public void WriteV6(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt64BigEndian(to, High);
        BinaryPrimitives.WriteUInt64BigEndian(to[8..], Low);
    }

    /// <inheritdoc/>
    public bool Equals(IpAddress other) => High == other.High && Low == other.Low;

    /// <inheritdoc/>
    public override bool Equals(object other) => other is IpAddress address && Equals(address);

    /// <inheritdoc/>
    public override int GetHashCode() => (High ^ Low).GetHashCode();

    public static bool operator ==(IpAddress left, IpAddress right) => left.High == right.High && left.Low == right.Low;

    public static bool operator !=(IpAddress left, IpAddress right) => !(left == right);
}
