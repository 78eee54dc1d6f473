// PCI configuration space by either of its two doors. Sources: PCI local bus specification 3.0, section 3.2.2.3.2 (configuration mechanism #1, ports 0xcf8 and 0xcfc); PCI
// Express base specification 5.0, section 7.2.2 (enhanced configuration access mechanism, ECAM), whose place the ACPI table MCFG tells.
// QEMU: q35 has both, pc has the ports, microvm has neither (with -M microvm,pcie=on: ECAM).
using Ukl.Kernel.Arch;
using Ukl.Kernel.Boot;
using Ukl.Kernel.Core;

namespace Ukl.Drivers.Pci;

/// <summary>Reads and writes configuration registers. Where there is no function every bit reads as 1.</summary>
internal static unsafe class PciConfiguration
{
    private const ushort AddressPort = 0xcf8;
    private const ushort DataPort = 0xcfc;
    private const uint AddressEnable = 1u << 31;

    /// <summary>What mechanism #1 reaches of a function.</summary>
    private const int PortSpace = 256;

    private const int BusShift = 20;
    private const ulong BusSize = 1ul << BusShift;
    private const uint NoFunction = uint.MaxValue;

    private static ulong s_space;
    private static byte s_firstBus;
    private static byte s_lastBus;
    private static bool s_hasPorts;

    /// <summary>The bus mapped last, and where; one scan goes bus by bus.</summary>
    private static byte* s_bus;
    private static byte s_busNumber;

    /// <summary>Finds a door. False when the machine has no PCI.</summary>
    internal static bool TryInitialize()
    {
        ref AcpiInformation acpi = ref Devices.Acpi;
        s_space = acpi.ConfigurationSpace;
        s_firstBus = acpi.FirstBus;
        s_lastBus = acpi.LastBus;
        s_bus = null;
        if (s_space != 0)
            return true;
        uint old = Port.In32(AddressPort);
        Port.Out32(AddressPort, AddressEnable);
        s_hasPorts = Port.In32(AddressPort) == AddressEnable;
        Port.Out32(AddressPort, old);
        return s_hasPorts;
    }

    /// <summary>Reads 32 bits; <paramref name="offset"/> is a multiple of 4.</summary>
    internal static uint Read32(PciAddress function, int offset)
    {
        if (s_space != 0)
        {
            byte* register = RegisterOf(function, offset);
            return register == null ? NoFunction : Mmio.Read32(register);
        }
        if (!Select(function, offset))
            return NoFunction;
        return Port.In32(DataPort);
    }

    /// <summary>Reads 16 bits; <paramref name="offset"/> is even.</summary>
    internal static ushort Read16(PciAddress function, int offset) => (ushort)(Read32(function, offset & ~3) >> ((offset & 2) * 8));

    /// <summary>Reads a byte.</summary>
    internal static byte Read8(PciAddress function, int offset) => (byte)(Read32(function, offset & ~3) >> ((offset & 3) * 8));

    /// <summary>Writes 32 bits; <paramref name="offset"/> is a multiple of 4.</summary>
    internal static void Write32(PciAddress function, int offset, uint value)
    {
        if (s_space != 0)
        {
            byte* register = RegisterOf(function, offset);
            if (register != null)
                Mmio.Write32(register, value);
        }
        else if (Select(function, offset))
        {
            Port.Out32(DataPort, value);
        }
    }

    /// <summary>Writes 16 bits; <paramref name="offset"/> is even. A neighbour that is cleared by writing 1 is left alone.</summary>
    internal static void Write16(PciAddress function, int offset, ushort value)
    {
        if (s_space != 0)
        {
            byte* register = RegisterOf(function, offset);
            if (register != null)
                Mmio.Write16(register, value);
        }
        else if (Select(function, offset & ~3))
        {
            Port.Out16((ushort)(DataPort + (offset & 2)), value);
        }
    }

    private static bool Select(PciAddress function, int offset)
    {
        if (!s_hasPorts || offset >= PortSpace)
            return false;
        Port.Out32(AddressPort, AddressEnable | ((uint)function.Value << 8) | (uint)offset);
        return true;
    }

    private static byte* RegisterOf(PciAddress function, int offset)
    {
        if (s_bus == null || s_busNumber != function.Bus)
        {
            if (function.Bus < s_firstBus || function.Bus > s_lastBus)
                return null;
            s_busNumber = function.Bus;
            s_bus = Paging.MapDevice(s_space + ((ulong)function.Bus << BusShift), BusSize);
            if (s_bus == null)
                return null;
        }
        return s_bus + ((ulong)(byte)function.Value << 12) + offset;
    }
}
