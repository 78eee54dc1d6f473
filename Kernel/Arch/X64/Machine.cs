using System;
using System.Diagnostics.CodeAnalysis;
using Ukl.Kernel.Core;
using Ukl.Kernel.Diagnostics;

namespace Ukl.Kernel.Arch;

/// <summary>The machine as a whole: the console for the kernel's own messages, and the ways to stop.</summary>
internal static unsafe class Machine
{
    /// <summary>Writes to the console device, with carriage returns before line ends. Text from before there is one is kept for it.</summary>
    internal static void WriteConsole(ReadOnlySpan<byte> text)
    {
        ConsoleDevice console = Devices.Console;
        if (console.Write == null)
        {
            EarlyLog.Append(text);
            return;
        }
        byte* lineEnd = stackalloc byte[2];
        lineEnd[0] = (byte)'\r';
        lineEnd[1] = (byte)'\n';
        fixed (byte* bytes = text)
        {
            int start = 0;
            for (int i = 0; i < text.Length; i++)
            {
                if (bytes[i] != (byte)'\n')
                    continue;
                if (i > start)
                    console.Write(bytes + start, (nuint)(i - start));
                console.Write(lineEnd, 2);
                start = i + 1;
            }
            if (text.Length > start)
                console.Write(bytes + start, (nuint)(text.Length - start));
        }
    }

    /// <summary>Stops with a message. Never returns.</summary>
    [DoesNotReturn]
    internal static void Panic(ReadOnlySpan<byte> reason) => Panic(reason, null);

    /// <summary>Stops with a message and the registers of the code that failed. Never returns.</summary>
    [DoesNotReturn]
    internal static void Panic(ReadOnlySpan<byte> reason, TrapFrame* frame)
    {
        PanicReport.Write(reason, frame, Instructions.ReadCr2());
        Devices.ReportPanic(reason);
        Devices.PowerOff(PanicStatus);
        Stop();
    }

    /// <summary>Nothing more to do and no way to turn off: sleeps for ever.</summary>
    [DoesNotReturn]
    internal static void Stop()
    {
        while (true)
            Instructions.Halt();
    }

    /// <summary>What the machine hands on when the kernel failed.</summary>
    private const int PanicStatus = 255;
}
