// Devices that only the DSDT names, found without an interpreter. Sources: ACPI specification 6.4, sections 6.1.5 (_HID), 6.2.2 (_CRS), 6.4.3.4 (32-bit fixed memory
// range descriptor), 6.4.3.6 (extended interrupt descriptor), 20.2 (AML encoding).
namespace Ukl.Kernel.Boot;

/// <summary>
/// Looks for devices whose description is constant: <c>Name (_HID, "TEXT")</c> followed, before the next _HID, by a 32-bit fixed memory range and an extended
/// interrupt. Machines made by a hypervisor describe their memory-mapped devices so.
/// </summary>
internal static class AcpiDevices
{
    private const uint HardwareIdName = '_' | 'H' << 8 | 'I' << 16 | 'D' << 24;
    private const byte StringPrefix = 0x0d;
    private const int HardwareIdLength = 8;

    private const byte MemoryRange = 0x86;
    private const int MemoryRangeLength = 9;
    private const byte ExtendedInterrupt = 0x89;
    private const int ExtendedInterruptLength = 6;
    private const byte EdgeTriggered = 2;
    private const byte ActiveLow = 4;

    /// <summary>Adds every such device of the byte code, which starts at <paramref name="start"/>.</summary>
    internal static void Find(TableReader dsdt, int start, ref AcpiInformation information)
    {
        for (int at = start; dsdt.Has(at, 4 + 1 + HardwareIdLength); at++)
        {
            if (dsdt.U8(at) == '_' && dsdt.U32(at) == HardwareIdName && dsdt.U8(at + 4) == StringPrefix)
                ReadDevice(dsdt, at + 5, ref information);
        }
    }

    private static void ReadDevice(TableReader dsdt, int at, ref AcpiInformation information)
    {
        var device = new AcpiDevice { HardwareId = dsdt.U64(at) };
        for (at += HardwareIdLength; dsdt.Has(at, ExtendedInterruptLength + 3); at++)
        {
            byte tag = dsdt.U8(at);
            if (tag == '_' && dsdt.U32(at) == HardwareIdName)
                return;
            int length = dsdt.U16(at + 1);
            if (tag == MemoryRange && length == MemoryRangeLength && device.Length == 0)
            {
                device.Address = dsdt.U32(at + 4);
                device.Length = dsdt.U32(at + 8);
            }
            else if (tag == ExtendedInterrupt && length == ExtendedInterruptLength && device.Length != 0)
            {
                int flags = dsdt.U8(at + 3);
                device.Interrupt.IsLevelTriggered = (flags & EdgeTriggered) == 0;
                device.Interrupt.IsActiveLow = (flags & ActiveLow) != 0;
                device.Interrupt.GlobalInterrupt = dsdt.U32(at + 5);
                information.Add(device);
                return;
            }
        }
    }
}
