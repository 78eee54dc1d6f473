// Device: QEMU's debug console, a port whose bytes QEMU writes to a character device. Source: QEMU, hw/char/debugcon.c.
// QEMU: -device isa-debugcon,iobase=0xe9,chardev=… ; without the device a read does not give 0xe9.
using System;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Core;

namespace Ukl.Drivers;

/// <summary>
/// Tells the tool that started QEMU how the program ended, one line each: <c>exit N</c>, <c>signal N</c> or <c>panic REASON</c>. The console is for people and for
/// the program's own output; this line is for the tool.
/// </summary>
public static unsafe class DebugConsole
{
    private const ushort DataPort = 0xe9;
    private const byte Signature = 0xe9;

    /// <summary>Whether the device is there.</summary>
    public static bool IsPresent => Port.In8(DataPort) == Signature;

    /// <summary>The device as the kernel's exit reporter.</summary>
    public static ExitReporter Reporter => new() { Exited = &ReportExit, Signaled = &ReportSignal, Panicked = &ReportPanic };

    private static void ReportExit(int status)
    {
        Write("exit "u8);
        WriteNumber((uint)status);
        Write("\n"u8);
    }

    private static void ReportSignal(int signal)
    {
        Write("signal "u8);
        WriteNumber((uint)signal);
        Write("\n"u8);
    }

    private static void ReportPanic(byte* reason, nuint length)
    {
        Write("panic "u8);
        Write(new ReadOnlySpan<byte>(reason, (int)length));
        Write("\n"u8);
    }

    private static void Write(ReadOnlySpan<byte> text)
    {
        foreach (byte letter in text)
            Port.Out8(DataPort, letter);
    }

    private static void WriteNumber(uint value)
    {
        uint divisor = 1;
        while (value / divisor >= 10)
            divisor *= 10;
        for (; divisor != 0; divisor /= 10)
            Port.Out8(DataPort, (byte)('0' + value / divisor % 10));
    }
}
