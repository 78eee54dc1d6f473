// The console: where the terminal's output goes. Drivers register; until the first does, what is written waits in memory.
using System;
using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Files;

/// <summary>What a console driver can do.</summary>
public unsafe struct ConsoleDriver
{
    /// <summary>Sends bytes as they are. Called with interrupts off, also by interrupt handlers; must not sleep.</summary>
    public delegate*<byte*, nuint, void> Write;

    /// <summary>Link of the registered drivers.</summary>
    internal ConsoleDriver* Next;
}

/// <summary>Sends output to every registered console driver.</summary>
public static unsafe class Console
{
    private const int EarlyCapacity = 4096;

    private static ConsoleDriver* s_first;
    private static EarlyBytes s_early;
    private static int s_earlyCount;

    /// <summary>Whether any driver has registered.</summary>
    public static bool HasDriver => s_first != null;

    [InlineArray(EarlyCapacity)]
    private struct EarlyBytes
    {
        private byte _first;
    }

    /// <summary>Adds a driver, which stays for ever. The first one gets what was written before.</summary>
    public static void Register(ConsoleDriver* driver)
    {
        bool isFirst = s_first == null;
        driver->Next = s_first;
        s_first = driver;
        if (!isFirst)
            return;
        int count = s_earlyCount;
        s_earlyCount = 0;
        Write(((ReadOnlySpan<byte>)s_early)[..count]);
    }

    /// <summary>Sends bytes. Before a driver has registered the first 4 KiB are kept and the rest is lost.</summary>
    public static void Write(ReadOnlySpan<byte> text)
    {
        if (text.Length == 0)
            return;
        if (s_first == null)
        {
            int room = EarlyCapacity - s_earlyCount;
            int count = text.Length < room ? text.Length : room;
            text[..count].CopyTo(((Span<byte>)s_early)[s_earlyCount..]);
            s_earlyCount += count;
            return;
        }
        fixed (byte* bytes = text)
        {
            for (ConsoleDriver* driver = s_first; driver != null; driver = driver->Next)
                driver->Write(bytes, (nuint)text.Length);
        }
    }
}
