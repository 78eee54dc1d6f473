using System;
using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Diagnostics;

/// <summary>What the kernel says before the machine has a console: kept, and said again when one is registered. What does not fit is lost.</summary>
internal static class EarlyLog
{
    private const int Capacity = 1024;

    private static Text s_text;
    private static int s_length;

    /// <summary>Keeps text.</summary>
    internal static void Append(ReadOnlySpan<byte> text)
    {
        Span<byte> all = s_text;
        for (int i = 0; i < text.Length && s_length < Capacity; i++)
            all[s_length++] = text[i];
    }

    /// <summary>Writes what was kept to the console that there is now, and keeps it no longer.</summary>
    internal static void Flush()
    {
        int length = s_length;
        s_length = 0;
        Log.Write(((ReadOnlySpan<byte>)s_text)[..length]);
    }

    [InlineArray(Capacity)]
    private struct Text
    {
        private byte _first;
    }
}
