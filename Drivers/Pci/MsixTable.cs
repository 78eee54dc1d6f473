// Message signalled interrupts of a PCI function. Source: PCI local bus specification 3.0, section 6.8.2 (MSI-X).
using Ukl.Kernel.Arch;

namespace Ukl.Drivers.Pci;

/// <summary>A function's table of interrupt messages.</summary>
internal unsafe struct MsixTable
{
    private const byte CapabilityId = 0x11;
    private const int ControlOffset = 2;
    private const int TableOffset = 4;
    private const ushort SizeMask = 0x7ff;
    private const ushort Enabled = 1 << 15;
    private const ushort FunctionMasked = 1 << 14;
    private const uint BarMask = 7;

    private const int EntrySize = 16;
    private const int AddressLow = 0;
    private const int AddressHigh = 4;
    private const int Data = 8;
    private const int Control = 12;
    private const uint Masked = 1;

    private byte* _entries;

    /// <summary>How many messages there are; 0 when the function has no table.</summary>
    internal int Count { get; private set; }

    /// <summary>Finds the function's table, masks every entry and switches the function over to messages. False when it has none that can be used.</summary>
    internal static bool TryEnable(in PciFunction function, out MsixTable table)
    {
        table = default;
        var walk = new PciCapabilities(function);
        if (!walk.MoveNext(CapabilityId))
            return false;
        int capability = walk.Offset;
        ushort control = function.Read16(capability + ControlOffset);
        int count = (control & SizeMask) + 1;
        uint place = function.Read32(capability + TableOffset);
        table._entries = function.MapBar((int)(place & BarMask), place & ~BarMask, (uint)count * EntrySize);
        if (table._entries == null)
            return false;
        table.Count = count;
        for (int i = 0; i < count; i++)
            Mmio.Write32(table._entries + i * EntrySize + Control, Masked);
        function.Write16(capability + ControlOffset, (ushort)((control | Enabled) & ~FunctionMasked));
        return true;
    }

    /// <summary>Calls <paramref name="handler"/> on message <paramref name="index"/>. False when no interrupt vector is left.</summary>
    internal readonly bool TryRegister(int index, delegate*<void*, void> handler, void* context)
    {
        if ((uint)index >= (uint)Count || !Interrupts.RegisterMessage(handler, context, out ulong address, out uint data))
            return false;
        byte* entry = _entries + index * EntrySize;
        Mmio.Write32(entry + AddressLow, (uint)address);
        Mmio.Write32(entry + AddressHigh, (uint)(address >> 32));
        Mmio.Write32(entry + Data, data);
        Mmio.Write32(entry + Control, 0);
        return true;
    }
}
