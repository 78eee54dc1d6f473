using System;

namespace Ukl.Kernel.Boot;

/// <summary>
/// The physical memory that boot parsers may look at: addresses 0 to <see cref="Length"/>, seen at <see cref="Base"/>. Every pointer that a boot loader or
/// the firmware hands over goes through <see cref="TryGet"/>, so a wild one is an error message and never a fault.
/// </summary>
public readonly unsafe struct PhysicalView(byte* start, ulong length)
{
    /// <summary>Where physical address 0 is seen.</summary>
    public readonly byte* Base = start;

    /// <summary>First physical address that is not seen, in bytes.</summary>
    public readonly ulong Length = length;

    /// <summary>Gets <paramref name="count"/> bytes at <paramref name="address"/>; false when any of them is not seen or <paramref name="address"/> is 0.</summary>
    public bool TryGet(ulong address, ulong count, out ReadOnlySpan<byte> bytes)
    {
        if (!Contains(address, count) || count > int.MaxValue)
        {
            bytes = default;
            return false;
        }
        bytes = new ReadOnlySpan<byte>(Base + address, (int)count);
        return true;
    }

    /// <summary>Whether the whole range is seen; address 0 stands for "none" in every boot protocol and never is.</summary>
    public bool Contains(ulong address, ulong count) => address != 0 && address <= Length && count <= Length - address;

    /// <summary>Gets the bytes of a NUL-terminated string without its NUL, at most <paramref name="limit"/>; false when it starts outside.</summary>
    public bool TryGetString(ulong address, int limit, out ReadOnlySpan<byte> text)
    {
        text = default;
        if (!Contains(address, 1))
            return false;
        ulong available = Length - address;
        int most = available < (ulong)limit ? (int)available : limit;
        int length = 0;
        while (length < most && Base[address + (ulong)length] != 0)
            length++;
        text = new ReadOnlySpan<byte>(Base + address, length);
        return true;
    }
}
