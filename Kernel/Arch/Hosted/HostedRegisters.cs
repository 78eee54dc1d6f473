// Arch/Hosted: device registers in memory, to which a test gives fake devices.
using System.Collections.Generic;

namespace Ukl.Kernel.Arch;

/// <summary>A fake device behind registers in memory.</summary>
public interface IHostedMemoryDevice
{
    /// <summary>The program reads 1, 2 or 4 bytes; <paramref name="offset"/> counts from the device's first.</summary>
    uint Read(ulong offset, int size);

    /// <summary>The program writes 1, 2 or 4 bytes; <paramref name="offset"/> counts from the device's first.</summary>
    void Write(ulong offset, int size, uint value);
}

/// <summary>The devices of the hosted machine that lie in memory. State is per thread.</summary>
public static class HostedRegisters
{
    private const uint EmptyBus = uint.MaxValue;

    [System.ThreadStatic] private static List<(ulong First, ulong Length, IHostedMemoryDevice Device)> s_devices;

    /// <summary>Puts a device at a physical address above <see cref="DirectMap.PhysicalSize"/>.</summary>
    public static void Attach(ulong physical, ulong length, IHostedMemoryDevice device) => (s_devices ??= []).Add((physical, length, device));

    internal static void Clear() => s_devices = null;

    internal static uint Read(ulong physical, int size)
    {
        foreach ((ulong first, ulong length, IHostedMemoryDevice device) in s_devices ?? [])
        {
            if (physical >= first && physical - first < length)
                return device.Read(physical - first, size);
        }
        return EmptyBus;
    }

    internal static void Write(ulong physical, int size, uint value)
    {
        foreach ((ulong first, ulong length, IHostedMemoryDevice device) in s_devices ?? [])
        {
            if (physical >= first && physical - first < length)
            {
                device.Write(physical - first, size, value);
                return;
            }
        }
    }
}

/// <summary>Device registers in memory, for drivers.</summary>
public static unsafe class Mmio
{
    /// <summary>Reads a byte.</summary>
    public static byte Read8(byte* register) => (byte)HostedRegisters.Read((ulong)register - DirectMap.Base, 1);

    /// <summary>Reads 16 bits.</summary>
    public static ushort Read16(byte* register) => (ushort)HostedRegisters.Read((ulong)register - DirectMap.Base, 2);

    /// <summary>Reads 32 bits.</summary>
    public static uint Read32(byte* register) => HostedRegisters.Read((ulong)register - DirectMap.Base, 4);

    /// <summary>Writes a byte.</summary>
    public static void Write8(byte* register, byte value) => HostedRegisters.Write((ulong)register - DirectMap.Base, 1, value);

    /// <summary>Writes 16 bits.</summary>
    public static void Write16(byte* register, ushort value) => HostedRegisters.Write((ulong)register - DirectMap.Base, 2, value);

    /// <summary>Writes 32 bits.</summary>
    public static void Write32(byte* register, uint value) => HostedRegisters.Write((ulong)register - DirectMap.Base, 4, value);
}

/// <summary>Orders memory shared with a device.</summary>
public static class DeviceBarrier
{
    /// <summary>Ends every write before any later read.</summary>
    public static void Full() => System.Threading.Interlocked.MemoryBarrier();
}
