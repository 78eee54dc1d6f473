// One function of a PCI device: identity, command register, base addresses. Source: PCI local bus specification 3.0, sections 6.1 (header) and 6.2.5 (base addresses).
using Ukl.Kernel.Arch;

namespace Ukl.Drivers.Pci;

/// <summary>A range of registers behind a base address register.</summary>
internal struct PciBar
{
    /// <summary>Physical address.</summary>
    internal ulong Address;

    /// <summary>Bytes.</summary>
    internal ulong Length;
}

/// <summary>A function that is there. What it says about itself is checked; nothing it says is believed beyond that.</summary>
internal struct PciFunction
{
    private const int CommandRegister = 0x04;
    private const int FirstBar = 0x10;
    private const int SubsystemRegister = 0x2c;

    private const ushort MemorySpace = 1 << 1;
    private const ushort BusMaster = 1 << 2;
    private const ushort InterruptDisable = 1 << 10;

    private const uint BarIsPort = 1;
    private const uint BarTypeMask = 3 << 1;
    private const uint BarIs64Bits = 2 << 1;
    private const uint BarFlags = 15;
    private const int BarCount = 6;

    /// <summary>Where it sits.</summary>
    internal PciAddress Address;

    /// <summary>Who made it.</summary>
    internal ushort VendorId;

    /// <summary>What the maker calls it.</summary>
    internal ushort DeviceId;

    /// <summary>What the maker of the card calls it.</summary>
    internal readonly ushort SubsystemId => (ushort)(PciConfiguration.Read32(Address, SubsystemRegister) >> 16);

    /// <summary>Reads a configuration register.</summary>
    internal readonly uint Read32(int offset) => PciConfiguration.Read32(Address, offset);

    /// <summary>Reads a configuration register.</summary>
    internal readonly ushort Read16(int offset) => PciConfiguration.Read16(Address, offset);

    /// <summary>Reads a configuration register.</summary>
    internal readonly byte Read8(int offset) => PciConfiguration.Read8(Address, offset);

    /// <summary>Writes a configuration register.</summary>
    internal readonly void Write16(int offset, ushort value) => PciConfiguration.Write16(Address, offset, value);

    /// <summary>Lets the function answer at its base addresses and reach memory by itself; its interrupt pin stays silent.</summary>
    internal readonly void Enable() => Write16(CommandRegister, (ushort)(Read16(CommandRegister) | MemorySpace | BusMaster | InterruptDisable));

    /// <summary>Takes away what <see cref="Enable"/> gave.</summary>
    internal readonly void Disable() => Write16(CommandRegister, (ushort)(Read16(CommandRegister) & ~(MemorySpace | BusMaster)));

    /// <summary>
    /// Reads a base address and measures its size, for which the function stops answering for a moment. False when the register is none of memory's, has no address, or
    /// a size that is no power of two.
    /// </summary>
    internal readonly bool TryGetBar(int index, out PciBar bar)
    {
        bar = default;
        if ((uint)index >= BarCount)
            return false;
        int offset = FirstBar + 4 * index;
        uint low = Read32(offset);
        if ((low & BarIsPort) != 0)
            return false;
        bool isWide = (low & BarTypeMask) == BarIs64Bits;
        if (isWide && index + 1 == BarCount)
            return false;
        uint high = isWide ? Read32(offset + 4) : 0;

        ushort command = Read16(CommandRegister);
        Write16(CommandRegister, (ushort)(command & ~MemorySpace));
        PciConfiguration.Write32(Address, offset, uint.MaxValue);
        ulong mask = Read32(offset) & ~BarFlags;
        PciConfiguration.Write32(Address, offset, low);
        if (isWide)
        {
            PciConfiguration.Write32(Address, offset + 4, uint.MaxValue);
            mask |= (ulong)Read32(offset + 4) << 32;
            PciConfiguration.Write32(Address, offset + 4, high);
        }
        else if (mask != 0)
        {
            mask |= (ulong)uint.MaxValue << 32;
        }
        Write16(CommandRegister, command);

        bar.Address = (low & ~BarFlags) | ((ulong)high << 32);
        bar.Length = ~mask + 1;
        return bar.Address != 0 && bar.Length != 0 && (bar.Length & (bar.Length - 1)) == 0 && (bar.Address & (bar.Length - 1)) == 0;
    }

    /// <summary>Maps a part of what a base address shows. Null when the part does not lie inside, or cannot be mapped.</summary>
    internal readonly unsafe byte* MapBar(int index, uint offset, uint length)
    {
        if (!TryGetBar(index, out PciBar bar) || length == 0 || offset > bar.Length || length > bar.Length - offset)
            return null;
        return Paging.MapDevice(bar.Address + offset, length);
    }
}
