// Arch/Hosted, the part for drivers: ports that a test gives fake devices to, interrupt lines that a test raises, and a timer that remembers its deadline.
using System;
using System.Collections.Generic;

namespace Ukl.Kernel.Arch;

/// <summary>A fake device behind ports.</summary>
public interface IHostedPortDevice
{
    /// <summary>The program reads a port; <paramref name="offset"/> counts from the device's first.</summary>
    byte Read(int offset);

    /// <summary>The program writes a port; <paramref name="offset"/> counts from the device's first.</summary>
    void Write(int offset, byte value);
}

/// <summary>The devices of the hosted machine. State is per thread, so tests run side by side.</summary>
public static unsafe class HostedDevices
{
    private const byte FloatingBus = 0xff;

    [ThreadStatic] private static List<(int First, int Count, IHostedPortDevice Device)> s_devices;
    [ThreadStatic] private static Dictionary<int, (nint Handler, nint Context)> s_handlers;

    /// <summary>The deadline the kernel programmed last, in monotonic nanoseconds.</summary>
    [field: ThreadStatic] public static ulong TimerDeadline { get; internal set; }

    /// <summary>How often the kernel programmed the timer.</summary>
    [field: ThreadStatic] public static int TimerSetCount { get; internal set; }

    /// <summary>What <see cref="Cpu.TryReadRandom"/> gives; null: the processor has no generator.</summary>
    [field: ThreadStatic] public static Func<ulong?> ReadRandom { get; set; }

    /// <summary>Removes every device.</summary>
    public static void Clear()
    {
        s_devices = null;
        s_handlers = null;
        HostedRegisters.Clear();
        HostedInterrupts.Clear();
    }

    /// <summary>Puts a device behind ports.</summary>
    public static void Attach(int firstPort, int count, IHostedPortDevice device) => (s_devices ??= []).Add((firstPort, count, device));

    /// <summary>Raises an ISA interrupt line; false when no driver registered it.</summary>
    public static bool Raise(int isaLine)
    {
        if (s_handlers is null || !s_handlers.TryGetValue(isaLine, out (nint Handler, nint Context) entry))
            return false;
        ((delegate*<void*, void>)entry.Handler)((void*)entry.Context);
        return true;
    }

    internal static void SetHandler(int isaLine, nint handler, nint context) => (s_handlers ??= [])[isaLine] = (handler, context);

    internal static byte Read(int port)
    {
        foreach ((int first, int count, IHostedPortDevice device) in s_devices ?? [])
        {
            if (port >= first && port < first + count)
                return device.Read(port - first);
        }
        return FloatingBus;
    }

    internal static void Write(int port, byte value)
    {
        foreach ((int first, int count, IHostedPortDevice device) in s_devices ?? [])
        {
            if (port >= first && port < first + count)
                device.Write(port - first, value);
        }
    }
}

/// <summary>Input and output ports.</summary>
public static class Port
{
    /// <summary>Reads a byte.</summary>
    public static byte In8(ushort port) => HostedDevices.Read(port);

    /// <summary>Reads 16 bits.</summary>
    public static ushort In16(ushort port) => (ushort)(In8(port) | In8((ushort)(port + 1)) << 8);

    /// <summary>Reads 32 bits.</summary>
    public static uint In32(ushort port) => In16(port) | (uint)In16((ushort)(port + 2)) << 16;

    /// <summary>Writes a byte.</summary>
    public static void Out8(ushort port, byte value) => HostedDevices.Write(port, value);

    /// <summary>Writes 16 bits.</summary>
    public static void Out16(ushort port, ushort value)
    {
        Out8(port, (byte)value);
        Out8((ushort)(port + 1), (byte)(value >> 8));
    }

    /// <summary>Writes 32 bits.</summary>
    public static void Out32(ushort port, uint value)
    {
        Out16(port, (ushort)value);
        Out16((ushort)(port + 2), (ushort)(value >> 16));
    }
}

/// <summary>The one-shot timer that interrupts the processor.</summary>
public static class TimerHardware
{
    /// <summary>Interrupts once when the monotonic clock reaches <paramref name="deadline"/> (nanoseconds); <see cref="ulong.MaxValue"/> is never.</summary>
    public static void SetDeadline(ulong deadline)
    {
        HostedDevices.TimerDeadline = deadline;
        HostedDevices.TimerSetCount++;
    }
}

public static partial class Cpu
{
    /// <summary>A random number made by the processor; false when it has no generator or the generator is exhausted.</summary>
    public static bool TryReadRandom(out ulong value)
    {
        ulong? random = HostedDevices.ReadRandom?.Invoke();
        value = random ?? 0;
        return random.HasValue;
    }
}
