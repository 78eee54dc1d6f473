using System;

namespace Ukl.Kernel.Files;

/// <summary>What /proc/self/fd shows of files without path.</summary>
public static class AnonymousNames
{
    /// <summary>Writes a fixed name. Returns its length.</summary>
    public static int Write(Span<byte> to, ReadOnlySpan<byte> name)
    {
        name.CopyTo(to);
        return name.Length;
    }

    /// <summary>Writes <paramref name="prefix"/>, a number and a closing bracket, as in <c>pipe:[12]</c>. Returns the length.</summary>
    public static int WriteNumbered(Span<byte> to, ReadOnlySpan<byte> prefix, ulong number)
    {
        prefix.CopyTo(to);
        int digits = 1;
        for (ulong rest = number; rest >= 10; rest /= 10)
            digits++;
        int end = prefix.Length + digits;
        for (int at = end - 1; at >= prefix.Length; at--)
        {
            to[at] = (byte)('0' + number % 10);
            number /= 10;
        }
        to[end] = (byte)']';
        return end + 1;
    }
}
