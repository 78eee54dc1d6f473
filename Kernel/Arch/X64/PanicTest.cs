// The self-test of panics: panic=test, panic=bounds or panic=timer on the kernel's command line makes the kernel fail on purpose, so that what it then prints
// can be seen and checked (Tests/Guest/Catalogue/PanicTests.cs).
using System;
using System.Runtime.CompilerServices;
using Ukl.Kernel.Boot;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Arch;

/// <summary>Fails in the way that the command line asks for. Called once, after boot and before the first program.</summary>
internal static unsafe class PanicTest
{
    /// <summary>In the direct map's part of the address space, far behind any memory.</summary>
    private const ulong WildOffset = 1ul << 45;

    /// <summary>Enough for a program to be in the middle of its work.</summary>
    private const ulong TimerDelay = 300_000_000;

    private static Timer s_timer;

    /// <summary>
    /// "test" reads through a bad pointer, "bounds" reads past a span's end, "timer" does the former in an interrupt, 300 ms from now, while the program
    /// runs. Other values do nothing.
    /// </summary>
    internal static void Start(ReadOnlySpan<byte> kind)
    {
        if (kind.Length == 4 && CommandLine.StartsWith(kind, "test"u8))
            _ = ReadWildPointer(WildOffset);
        else if (kind.Length == 6 && CommandLine.StartsWith(kind, "bounds"u8))
            _ = ReadNested("out of bounds"u8, 0);
        else if (kind.Length == 5 && CommandLine.StartsWith(kind, "timer"u8))
        {
            s_timer.Callback = &HandleTimer;
            Timers.Start((Timer*)Unsafe.AsPointer(ref s_timer), Clock.MonotonicNanoseconds + TimerDelay);
        }
    }

    private static void HandleTimer(Timer* timer) => _ = ReadWildPointer(WildOffset);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static byte ReadWildPointer(ulong offset) => *(byte*)(DirectMap.Base + offset);

    /// <summary>A call deep, so that the backtrace has something to unwind.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int ReadNested(ReadOnlySpan<byte> text, int start) => ReadPastEnd(text, start) + 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int ReadPastEnd(ReadOnlySpan<byte> text, int start)
    {
        int sum = 0;
        for (int i = start; i <= text.Length; i++)
            sum += text[i];
        return sum;
    }
}
