using System;

namespace Ukl.Kernel.Boot;

/// <summary>
/// Reads little-endian fields of a table that may be damaged. A field that does not lie wholly inside reads as 0, as fields of older and shorter versions of a
/// table do by their specifications.
/// </summary>
public readonly ref struct TableReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>The table's length in bytes.</summary>
    public int Length => _bytes.Length;

    /// <summary>The byte at <paramref name="offset"/>.</summary>
    public byte U8(int offset) => (uint)offset < (uint)_bytes.Length ? _bytes[offset] : (byte)0;

    /// <summary>The 16-bit field at <paramref name="offset"/>.</summary>
    public ushort U16(int offset) => (ushort)Read(offset, 2);

    /// <summary>The 32-bit field at <paramref name="offset"/>.</summary>
    public uint U32(int offset) => (uint)Read(offset, 4);

    /// <summary>The 64-bit field at <paramref name="offset"/>.</summary>
    public ulong U64(int offset) => Read(offset, 8);

    /// <summary>Whether the table has <paramref name="count"/> bytes at <paramref name="offset"/>.</summary>
    public bool Has(int offset, int count) => offset >= 0 && count >= 0 && offset <= _bytes.Length && count <= _bytes.Length - offset;

    /// <summary>The sum of all bytes modulo 256; 0 in a sound ACPI table.</summary>
    public byte Checksum()
    {
        uint sum = 0;
        foreach (byte value in _bytes)
            sum += value;
        return (byte)sum;
    }

    private ulong Read(int offset, int size)
    {
        if (!Has(offset, size))
            return 0;
        ulong value = 0;
        for (int i = size - 1; i >= 0; i--)
            value = (value << 8) | _bytes[offset + i];
        return value;
    }
}
