using System;

namespace Ukl.Kernel.Diagnostics;

/// <summary>
/// Reads little-endian numbers and LEB128 (DWARF 4, section 7.6) from bytes that may be damaged: past the end it reads zeros and says so, because a panic
/// that fails over its own tables would hide the bug it reports.
/// </summary>
internal ref struct ByteReader(ReadOnlySpan<byte> data, int at)
{
    private readonly ReadOnlySpan<byte> _data = data;
    private int _at = at;

    /// <summary>Where the next byte is read.</summary>
    public readonly int Position => _at;

    /// <summary>Something was read that is not there.</summary>
    public bool IsDamaged { get; private set; }

    /// <summary>Whether all was read.</summary>
    public readonly bool IsAtEnd => IsDamaged || _at >= _data.Length;

    public byte UInt8()
    {
        if ((uint)_at >= (uint)_data.Length)
        {
            IsDamaged = true;
            return 0;
        }
        return _data[_at++];
    }

    public ushort UInt16() => (ushort)(UInt8() | UInt8() << 8);

    public uint UInt32() => UInt16() | (uint)UInt16() << 16;

    public ulong UInt64() => UInt32() | (ulong)UInt32() << 32;

    /// <summary>Unsigned LEB128.</summary>
    public ulong Unsigned()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte part = UInt8();
            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80)
                break;
        }
        return value;
    }

    /// <summary>Signed LEB128.</summary>
    public long Signed()
    {
        long value = 0;
        for (int shift = 0; shift < 64;)
        {
            byte part = UInt8();
            value |= (long)(part & 0x7f) << shift;
            shift += 7;
            if (part >= 0x80)
                continue;
            if (shift < 64 && (part & 0x40) != 0)
                value |= -1L << shift;
            break;
        }
        return value;
    }

    public void Skip(ulong count)
    {
        if (IsDamaged || count > (ulong)(_data.Length - _at))
            IsDamaged = true;
        else
            _at += (int)count;
    }
}
