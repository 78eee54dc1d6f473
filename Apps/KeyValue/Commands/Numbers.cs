using System.Buffers.Text;

namespace KeyValue.Commands;

/// <summary>Numbers as Redis writes and takes them.</summary>
internal static class Numbers
{
    /// <summary>Reads a whole number in its one canonical form: no sign but '-', no spaces, no leading zeros.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        ReadOnlySpan<byte> digits = text.Length > 0 && text[0] == (byte)'-' ? text[1..] : text;
        if (digits.Length == 0 || !char.IsAsciiDigit((char)digits[0]) || (digits[0] == (byte)'0' && text.Length > 1))
            return false;
        return Utf8Parser.TryParse(text, out value, out int consumed) && consumed == text.Length;
    }
}
