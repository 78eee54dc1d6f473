// A word of an inline command. Source of truth: "Inline commands" in the Redis serialization protocol specification and the quoting of redis-cli:
// double quotes with \n \r \t \b \a \xHH and \" inside, single quotes with \' only.

using System.Globalization;

namespace KeyValue.Protocol;

/// <summary>Reads words of a line and removes their quotes in place.</summary>
internal static class InlineWord
{
    /// <summary>Whether a byte separates words.</summary>
    public static bool IsSpace(byte value) => value is (byte)' ' or >= 9 and <= 13;

    /// <summary>Reads the word that starts at an index.</summary>
    /// <param name="line">The line; the word without its quotes is left at the index.</param>
    /// <param name="index">Where the word starts; left behind its end.</param>
    /// <param name="length">The word's bytes without quotes.</param>
    /// <returns>False when a quote is not closed, or something follows a closed one.</returns>
    public static bool Read(Span<byte> line, ref int index, out int length)
    {
        int output = index, start = index;
        byte quote = 0;
        for (; index < line.Length; index++)
        {
            byte value = line[index];
            if (quote == 0)
            {
                if (IsSpace(value))
                    break;
                if (value is (byte)'"' or (byte)'\'')
                    quote = value;
                else
                    line[output++] = value;
            }
            else if (value == quote)
            {
                index++;
                length = output - start;
                return index == line.Length || IsSpace(line[index]);
            }
            else if (value == (byte)'\\' && index + 1 < line.Length && TryUnescape(line, quote, ref index, out byte meant))
            {
                line[output++] = meant;
            }
            else
            {
                line[output++] = value;
            }
        }
        length = output - start;
        return quote == 0;
    }

    /// <summary>Reads what follows a backslash; leaves the index on its last byte.</summary>
    private static bool TryUnescape(ReadOnlySpan<byte> line, byte quote, ref int index, out byte meant)
    {
        byte next = line[index + 1];
        meant = next;
        if (quote == (byte)'\'')
        {
            if (next != (byte)'\'')
                return false;
        }
        else if (next == (byte)'x' && index + 3 < line.Length && byte.TryParse(line.Slice(index + 2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out meant))
        {
            index += 3;
            return true;
        }
        else
        {
            meant = next switch { (byte)'n' => (byte)'\n', (byte)'r' => (byte)'\r', (byte)'t' => (byte)'\t', (byte)'b' => (byte)'\b', (byte)'a' => (byte)'\a', _ => next };
        }
        index++;
        return true;
    }
}
