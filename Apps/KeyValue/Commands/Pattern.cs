// The patterns of KEYS: * ? [a-z] [^a] and \ before a character that is meant as it is. Source of truth: the command reference of Redis, KEYS.

namespace KeyValue.Commands;

/// <summary>Matches keys with patterns.</summary>
internal static class Pattern
{
    /// <summary>Whether a key matches a pattern.</summary>
    public static bool Matches(ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> key)
    {
        // Only the last star is ever tried again, so the time is at most the product of both lengths.
        int at = 0, index = 0, star = -1, retry = 0;
        while (index < key.Length)
        {
            if (at < pattern.Length && pattern[at] == (byte)'*')
            {
                star = ++at;
                retry = index;
            }
            else if (at < pattern.Length && MatchOne(pattern[at..], key[index], out int length))
            {
                at += length;
                index++;
            }
            else if (star >= 0)
            {
                at = star;
                index = ++retry;
            }
            else
            {
                return false;
            }
        }
        while (at < pattern.Length && pattern[at] == (byte)'*')
            at++;
        return at == pattern.Length;
    }

    /// <summary>Matches one byte with the beginning of a pattern that is no star.</summary>
    private static bool MatchOne(ReadOnlySpan<byte> pattern, byte value, out int length)
    {
        length = 1;
        switch (pattern[0])
        {
            case (byte)'?':
                return true;
            case (byte)'\\' when pattern.Length > 1:
                length = 2;
                return pattern[1] == value;
            case (byte)'[':
                return MatchSet(pattern, value, out length);
            default:
                return pattern[0] == value;
        }
    }

    private static bool MatchSet(ReadOnlySpan<byte> pattern, byte value, out int length)
    {
        bool isNegated = pattern.Length > 1 && pattern[1] == (byte)'^';
        bool isFound = false;
        int index = isNegated ? 2 : 1;
        for (; index < pattern.Length && pattern[index] != (byte)']'; index++)
        {
            if (pattern[index] == (byte)'\\' && index + 1 < pattern.Length)
            {
                isFound |= pattern[++index] == value;
            }
            else if (index + 2 < pattern.Length && pattern[index + 1] == (byte)'-')
            {
                byte low = Math.Min(pattern[index], pattern[index + 2]), high = Math.Max(pattern[index], pattern[index + 2]);
                isFound |= value >= low && value <= high;
                index += 2;
            }
            else
            {
                isFound |= pattern[index] == value;
            }
        }
        length = Math.Min(index + 1, pattern.Length);
        return isFound != isNegated;
    }
}
