// Addresses as people write them. Source: inet_pton(3) for IPv4, RFC 4291 section 2.2 for IPv6; written as RFC 5952 says.
using System;
using Ukl.Kernel.Files.Proc;

namespace Ukl.Kernel.Net;

/// <summary>Reads and writes addresses.</summary>
public static unsafe class IpAddressText
{
    private const int Groups = 8;

    /// <summary>Reads an address; nothing may stand before or behind it.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out IpAddress address)
    {
        address = default;
        bool isV6 = false;
        for (int i = 0; i < text.Length; i++)
            isV6 |= text[i] == ':';
        if (isV6)
            return TryParseV6(text, out address);
        if (!TryParseV4(text, out uint number))
            return false;
        address = IpAddress.FromV4(number);
        return true;
    }

    /// <summary>Reads <c>ADDRESS/LENGTH</c>; without length all bits count.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out IpAddress address, out byte prefixLength)
    {
        int slash = 0;
        while (slash < text.Length && text[slash] != '/')
            slash++;
        prefixLength = 0;
        if (!TryParse(text[..slash], out address))
            return false;
        uint longest = address.IsV4 ? 32u : 128u;
        uint length = longest;
        if (slash < text.Length && (!TryParseNumber(text[(slash + 1)..], 10, 3, out length) || length > longest))
            return false;
        prefixLength = (byte)length;
        return true;
    }

    /// <summary>Writes an address.</summary>
    public static void Write(TextBuffer* to, in IpAddress address)
    {
        if (address.IsV4)
        {
            WriteV4(to, address.V4);
            return;
        }
        // The longest run of two or more zero groups is written as "::", the first of equals.
        int runStart = -1;
        int runLength = 1;
        for (int i = 0; i < Groups; i++)
        {
            int length = 0;
            while (i + length < Groups && Group(address, i + length) == 0)
                length++;
            if (length > runLength)
            {
                runStart = i;
                runLength = length;
            }
        }
        for (int i = 0; i < Groups; i++)
        {
            if (i == runStart)
            {
                to->Write("::"u8);
                i += runLength - 1;
                continue;
            }
            if (i != 0 && i != runStart + runLength)
                to->WriteByte((byte)':');
            to->WriteHex(Group(address, i));
        }
    }

    private static uint Group(in IpAddress address, int number) =>
        (ushort)(number < 4 ? address.High >> (48 - (16 * number)) : address.Low >> (112 - (16 * number)));

    private static void WriteV4(TextBuffer* to, uint address)
    {
        for (int shift = 24; shift >= 0; shift -= 8)
        {
            to->WriteDecimal((byte)(address >> shift));
            if (shift != 0)
                to->WriteByte((byte)'.');
        }
    }

    private static bool TryParseV4(ReadOnlySpan<byte> text, out uint address)
    {
        address = 0;
        int start = 0;
        for (int i = 0; i < 4; i++)
        {
            int end = start;
            while (end < text.Length && text[end] != '.')
                end++;
            if (!TryParseNumber(text[start..end], 10, 3, out uint part) || part > 255 || (end == text.Length) != (i == 3))
                return false;
            address = (address << 8) | part;
            start = end + 1;
        }
        return true;
    }

    private static bool TryParseV6(ReadOnlySpan<byte> text, out IpAddress address)
    {
        ushort* groups = stackalloc ushort[Groups];
        address = default;
        int count = 0;
        int gap = -1;
        int at = 0;
        if (text.Length >= 2 && text[0] == ':' && text[1] == ':')
        {
            gap = 0;
            at = 2;
        }
        while (at < text.Length)
        {
            if (count == Groups)
                return false;
            int end = at;
            while (end < text.Length && text[end] != ':')
                end++;
            if (end == text.Length && count <= Groups - 2 && TryParseV4(text[at..], out uint last))
            {
                groups[count++] = (ushort)(last >> 16);
                groups[count++] = (ushort)last;
                at = end;
                break;
            }
            if (!TryParseNumber(text[at..end], 16, 4, out uint group))
                return false;
            groups[count++] = (ushort)group;
            at = end;
            if (at == text.Length)
                break;
            at++;
            if (at < text.Length && text[at] == ':')
            {
                if (gap >= 0)
                    return false;
                gap = count;
                at++;
            }
            else if (at == text.Length)
            {
                return false;
            }
        }
        if (gap < 0 ? count != Groups : count == Groups)
            return false;
        ulong high = 0;
        ulong low = 0;
        for (int i = 0; i < Groups; i++)
        {
            int skipped = Groups - count;
            uint group = gap < 0 || i < gap ? groups[i] : i < gap + skipped ? 0u : groups[i - skipped];
            high = i < 4 ? (high << 16) | group : high;
            low = i < 4 ? low : (low << 16) | group;
        }
        address = new IpAddress(high, low);
        return true;
    }

    private static bool TryParseNumber(ReadOnlySpan<byte> text, uint numberBase, int maximumLength, out uint number)
    {
        number = 0;
        if (text.Length == 0 || text.Length > maximumLength)
            return false;
        for (int i = 0; i < text.Length; i++)
        {
            uint letter = text[i];
            uint digit = letter - '0';
            if (digit > 9)
                digit = (letter | 0x20) - 'a' + 10 is >= 10 and <= 15 and uint value ? value : numberBase;
            if (digit >= numberBase)
                return false;
            number = (number * numberBase) + digit;
        }
        return true;
    }
}
