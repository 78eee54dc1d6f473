using System;

namespace Ukl.Kernel.Net;

/// <summary>An Ethernet address (IEEE 802), first byte lowest.</summary>
public readonly struct MacAddress(ulong value) : IEquatable<MacAddress>
{
    /// <summary>Bytes of an address.</summary>
    public const int Size = 6;

    /// <summary>The six bytes, the first on the wire in bits 0 to 7.</summary>
    public readonly ulong Value = value;

    /// <summary>ff:ff:ff:ff:ff:ff.</summary>
    public static MacAddress Broadcast => new(0xffff_ffff_ffff);

    /// <summary>Whether a group is meant: broadcast or multicast.</summary>
    public bool IsGroup => (Value & 1) != 0;

    /// <summary>Reads six bytes.</summary>
    public static MacAddress Read(ReadOnlySpan<byte> from) =>
        new(from[0] | ((ulong)from[1] << 8) | ((ulong)from[2] << 16) | ((ulong)from[3] << 24) | ((ulong)from[4] << 32) | ((ulong)from[5] << 40));

    /// <summary>Writes six bytes.</summary>
    public void Write(Span<byte> to)
    {
        for (int i = 0; i < Size; i++)
            to[i] = (byte)(Value >> (8 * i));
    }

    /// <inheritdoc/>
    public bool Equals(MacAddress other) => Value == other.Value;

    /// <inheritdoc/>
    public override bool Equals(object other) => other is MacAddress address && Equals(address);

    /// <inheritdoc/>
    public override int GetHashCode() => (int)Value ^ (int)(Value >> 32);

    public static bool operator ==(MacAddress left, MacAddress right) => left.Value == right.Value;

    public static bool operator !=(MacAddress left, MacAddress right) => left.Value != right.Value;
}
