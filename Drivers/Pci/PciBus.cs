// Looks for PCI functions. Source: PCI local bus specification 3.0, sections 3.2.2.3.4 (multifunction devices) and 6.2.1 (identification); PCI-to-PCI bridge architecture
// specification 1.2, section 3.2.5.4 (secondary bus). The firmware has numbered the buses and given out the addresses.
using System.Runtime.CompilerServices;

namespace Ukl.Drivers.Pci;

/// <summary>The machine's PCI buses.</summary>
internal static unsafe class PciBus
{
    private const int DeviceCount = 32;
    private const int FunctionCount = 8;
    private const int HeaderTypeRegister = 0x0e;
    private const int SecondaryBusRegister = 0x19;
    private const byte Multifunction = 0x80;
    private const byte BridgeHeader = 1;
    private const byte HeaderMask = 0x7f;
    private const ushort NoVendor = 0xffff;

    /// <summary>Calls <paramref name="found"/> for every function on bus 0 and on the buses behind bridges. Bridges that point at each other are followed once.</summary>
    internal static void ForEach(delegate*<in PciFunction, void> found)
    {
        if (!PciConfiguration.TryInitialize())
            return;
        var buses = new BusSet();
        buses.Add(0);
        // A bridge's secondary bus has a higher number than its own, so one pass in ascending order reaches all.
        for (int bus = 0; bus < BusSet.Capacity; bus++)
        {
            if (buses.Contains(bus))
                Scan(bus, ref buses, found);
        }
    }

    private static void Scan(int bus, ref BusSet buses, delegate*<in PciFunction, void> found)
    {
        for (int device = 0; device < DeviceCount; device++)
        {
            int functions = 1;
            for (int function = 0; function < functions; function++)
            {
                var address = new PciAddress(bus, device, function);
                uint identity = PciConfiguration.Read32(address, 0);
                if ((ushort)identity is NoVendor or 0)
                    continue;
                byte header = PciConfiguration.Read8(address, HeaderTypeRegister);
                if (function == 0 && (header & Multifunction) != 0)
                    functions = FunctionCount;
                if ((header & HeaderMask) == BridgeHeader)
                    buses.Add(PciConfiguration.Read8(address, SecondaryBusRegister));
                else
                    found(new PciFunction { Address = address, VendorId = (ushort)identity, DeviceId = (ushort)(identity >> 16) });
            }
        }
    }

    private struct BusSet
    {
        internal const int Capacity = 256;
        private const int BitsPerWord = 64;
        private WordArray _words;

        internal void Add(int bus) => _words[bus / BitsPerWord] |= 1ul << (bus % BitsPerWord);

        internal readonly bool Contains(int bus) => (_words[bus / BitsPerWord] & (1ul << (bus % BitsPerWord))) != 0;

        [InlineArray(Capacity / BitsPerWord)]
        private struct WordArray
        {
            private ulong _first;
        }
    }
}
