// How a hypervisor names a block of virtio registers on the kernel's command line. Source: Linux Documentation/admin-guide/kernel-parameters,
// virtio_mmio.device=SIZE@ADDRESS:IRQ[:ID]; numbers are decimal or 0x…, the size may end in K, M or G.
using System;

namespace Ukl.Drivers.Virtio;

/// <summary>A block of registers and its interrupt.</summary>
internal struct MmioParameter
{
    private static ReadOnlySpan<byte> Key => "virtio_mmio.device="u8;

    /// <summary>Physical address.</summary>
    internal ulong Address;

    /// <summary>Bytes.</summary>
    internal ulong Length;

    /// <summary>Global system interrupt.</summary>
    internal uint Interrupt;

    /// <summary>Reads a word of the command line; false when it is something else or cannot be read.</summary>
    internal static bool TryParse(ReadOnlySpan<byte> word, out MmioParameter place)
    {
        place = default;
        if (word.Length < Key.Length || !word[..Key.Length].SequenceEqual(Key))
            return false;
        int at = Key.Length;
        if (!TryReadNumber(word, ref at, out place.Length))
            return false;
        place.Length <<= ReadUnit(word, ref at);
        if (!TryTake(word, ref at, '@') || !TryReadNumber(word, ref at, out place.Address) || !TryTake(word, ref at, ':') || !TryReadNumber(word, ref at, out ulong interrupt))
            return false;
        place.Interrupt = (uint)interrupt;
        return interrupt <= uint.MaxValue && (at == word.Length || word[at] == ':');
    }

    private static bool TryTake(ReadOnlySpan<byte> word, ref int at, char letter)
    {
        if (at == word.Length || word[at] != letter)
            return false;
        at++;
        return true;
    }

    private static int ReadUnit(ReadOnlySpan<byte> word, ref int at)
    {
        if (at == word.Length)
            return 0;
        int shift = (word[at] | 0x20) switch { 'k' => 10, 'm' => 20, 'g' => 30, _ => 0 };
        if (shift != 0)
            at++;
        return shift;
    }

    private static bool TryReadNumber(ReadOnlySpan<byte> word, ref int at, out ulong value)
    {
        value = 0;
        uint numberBase = 10;
        if (at + 1 < word.Length && word[at] == '0' && (word[at + 1] | 0x20) == 'x')
        {
            numberBase = 16;
            at += 2;
        }
        int start = at;
        for (; at < word.Length; at++)
        {
            int letter = word[at] | 0x20;
            uint digit = word[at] is >= (byte)'0' and <= (byte)'9' ? word[at] - (uint)'0' : letter is >= 'a' and <= 'f' ? (uint)(letter - 'a') + 10 : uint.MaxValue;
            if (digit >= numberBase)
                break;
            if (value >> 59 != 0)
                return false;
            value = value * numberBase + digit;
        }
        return at > start;
    }
}
