using System;
using Ukl.Kernel.Arch;

namespace Ukl.Kernel.Diagnostics;

/// <summary>Text to the machine's console, without allocation: for the kernel's own messages, never for a program's output.</summary>
public static class Log
{
    /// <summary>Writes UTF-8 text.</summary>
    public static void Write(ReadOnlySpan<byte> text) => Machine.WriteConsole(text);

    /// <summary>Writes text and a line end.</summary>
    public static void WriteLine(ReadOnlySpan<byte> text)
    {
        Write(text);
        Write("\n"u8);
    }

    /// <summary>Writes 0x and the digits, without leading zeros.</summary>
    public static void WriteHex(ulong value)
    {
        Span<byte> digits = stackalloc byte[18];
        int at = digits.Length;
        do
        {
            digits[--at] = "0123456789abcdef"u8[(int)(value & 15)];
            value >>= 4;
        }
        while (value != 0);
        digits[--at] = (byte)'x';
        digits[--at] = (byte)'0';
        Write(digits[at..]);
    }

    /// <summary>Writes a decimal number.</summary>
    public static void WriteDecimal(long value)
    {
        if (value < 0)
            Write("-"u8);
        WriteUnsigned(value < 0 ? 0ul - (ulong)value : (ulong)value);
    }

    /// <summary>Writes a number without sign in a base from 2 to 10, decimal unless told.</summary>
    public static void WriteUnsigned(ulong value, uint numberBase = 10)
    {
        Span<byte> digits = stackalloc byte[64];
        int at = digits.Length;
        do
        {
            digits[--at] = (byte)('0' + value % numberBase);
            value /= numberBase;
        }
        while (value != 0);
        Write(digits[at..]);
    }
}
