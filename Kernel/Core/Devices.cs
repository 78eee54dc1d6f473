// What the kernel needs of devices that are not files. Drivers register themselves here; the kernel names no driver. A struct of function pointers takes the
// place of an interface, because an interface call on a heap object needs the garbage collector's world.
using System;
using System.Runtime.CompilerServices;
using Ukl.Kernel.Boot;
using Ukl.Kernel.Diagnostics;

namespace Ukl.Kernel.Core;

/// <summary>Where people read and type: a serial line or a screen. <see cref="Write"/> is polled and may be called in any context, also in a panic.</summary>
public unsafe struct ConsoleDevice
{
    /// <summary>Sends bytes as they are. Waits for the device, but never for ever.</summary>
    public delegate*<byte*, nuint, void> Write;

    /// <summary>Waits until what was written has left the machine, but never for ever. Null for a device that <see cref="Write"/> waits for.</summary>
    public delegate*<void> Flush;

    /// <summary>From now on hands every byte that arrives to the given function, which interrupts call. Null for a device without input.</summary>
    public delegate*<delegate*<byte, void>, void> StartInput;
}

/// <summary>A way to end or restart the machine. Each function returns when it had no effect.</summary>
public unsafe struct PowerDriver
{
    /// <summary>Turns the machine off; the argument is the exit status, for machines that can hand it on. Null when it cannot.</summary>
    public delegate*<int, void> PowerOff;

    /// <summary>Restarts the machine. Null when it cannot.</summary>
    public delegate*<void> Reset;
}

/// <summary>Tells the world outside how the first program ended. Functions may be called in any context, also in a panic.</summary>
public unsafe struct ExitReporter
{
    /// <summary>It exited with this status (0 to 255).</summary>
    public delegate*<int, void> Exited;

    /// <summary>This signal killed it.</summary>
    public delegate*<int, void> Signaled;

    /// <summary>The kernel cannot go on, and why: text on one line.</summary>
    public delegate*<byte*, nuint, void> Panicked;
}

/// <summary>A device that makes random bytes.</summary>
public unsafe struct EntropySource
{
    /// <summary>The device.</summary>
    public void* Context;

    /// <summary>Asks for bytes, which come later through <see cref="Random.AddEntropy"/>. May be called in any context; must not ask for random numbers itself.</summary>
    public delegate*<void*, void> Request;
}

/// <summary>A clock that runs while the machine is off.</summary>
public unsafe struct RealTimeClock
{
    /// <summary>Reads seconds since 1970 (UTC); false when the clock has no sensible time.</summary>
    public delegate*<long*, bool> TryRead;
}

/// <summary>A counter of known rate for measuring other clocks at boot.</summary>
public unsafe struct ReferenceCounter
{
    /// <summary>Its rate in hertz.</summary>
    public uint Frequency;

    /// <summary>How many ticks after <see cref="Start"/> it stays readable.</summary>
    public uint MaximumTicks;

    /// <summary>Starts counting from 0; false when there is no such counter.</summary>
    public delegate*<bool> Start;

    /// <summary>Reads the ticks since <see cref="Start"/>; false when more than <see cref="MaximumTicks"/> have passed.</summary>
    public delegate*<uint*, bool> TryRead;
}

/// <summary>The registered devices.</summary>
public static unsafe class Devices
{
    private const int PowerDriverCapacity = 4;

    private static PowerDriverArray s_powerDrivers;
    private static int s_powerDriverCount;
    private static ExitReporter s_exitReporter;
    private static AcpiInformation s_acpi;

    /// <summary>What ACPI says of this machine; <see cref="Acpi.Read"/> fills it at boot.</summary>
    public static ref AcpiInformation Acpi => ref s_acpi;

    /// <summary>The console; without functions when the machine has none.</summary>
    public static ConsoleDevice Console { get; private set; }

    /// <summary>The clock that runs while the machine is off; without functions when there is none.</summary>
    public static RealTimeClock RealTimeClock { get; private set; }

    /// <summary>The device that makes random bytes; without functions when there is none.</summary>
    public static EntropySource EntropySource { get; private set; }

    /// <summary>The counter that other clocks are measured with; without functions when there is none.</summary>
    public static ReferenceCounter ReferenceCounter { get; private set; }

    /// <summary>Adds a way to end the machine. Ways are tried in the order of registration; beyond the fourth they are ignored.</summary>
    public static void Register(PowerDriver driver)
    {
        if (s_powerDriverCount < PowerDriverCapacity)
            s_powerDrivers[s_powerDriverCount++] = driver;
    }

    /// <summary>Sets the console, and tells it what the kernel said while there was none.</summary>
    public static void Register(ConsoleDevice console)
    {
        Console = console;
        EarlyLog.Flush();
    }

    /// <summary>Sets who tells how the program ended.</summary>
    public static void Register(ExitReporter reporter) => s_exitReporter = reporter;

    /// <summary>Sets the clock that runs while the machine is off.</summary>
    public static void Register(RealTimeClock clock) => RealTimeClock = clock;

    /// <summary>Sets the device that makes random bytes.</summary>
    public static void Register(EntropySource source) => EntropySource = source;

    /// <summary>Sets the counter that other clocks are measured with.</summary>
    public static void Register(ReferenceCounter counter) => ReferenceCounter = counter;

    /// <summary>Tells outside that the first program exited with <paramref name="status"/>.</summary>
    public static void ReportExit(int status)
    {
        if (s_exitReporter.Exited != null)
            s_exitReporter.Exited(status);
    }

    /// <summary>Tells outside that <paramref name="signal"/> killed the first program.</summary>
    public static void ReportSignal(int signal)
    {
        if (s_exitReporter.Signaled != null)
            s_exitReporter.Signaled(signal);
    }

    /// <summary>Tells outside that the kernel cannot go on, because it found a bug in itself or could not start. <paramref name="reason"/> is text on one line.</summary>
    public static void ReportPanic(ReadOnlySpan<byte> reason)
    {
        if (s_exitReporter.Panicked == null)
            return;
        fixed (byte* text = reason)
            s_exitReporter.Panicked(text, (nuint)reason.Length);
    }

    /// <summary>Turns the machine off, handing on <paramref name="status"/> where it can. Returns when no driver could.</summary>
    public static void PowerOff(int status)
    {
        FlushConsole();
        for (int i = 0; i < s_powerDriverCount; i++)
        {
            if (s_powerDrivers[i].PowerOff != null)
                s_powerDrivers[i].PowerOff(status);
        }
    }

    /// <summary>Restarts the machine. Returns when no driver could.</summary>
    public static void Reset()
    {
        FlushConsole();
        for (int i = 0; i < s_powerDriverCount; i++)
        {
            if (s_powerDrivers[i].Reset != null)
                s_powerDrivers[i].Reset();
        }
    }

    private static void FlushConsole()
    {
        if (Console.Flush != null)
            Console.Flush();
    }

    [InlineArray(PowerDriverCapacity)]
    private struct PowerDriverArray
    {
        private PowerDriver _first;
    }
}
