namespace Ukl.Drivers.Pci;

/// <summary>Where a function sits: bus, device (0 to 31) and function (0 to 7), packed as requester ids are.</summary>
internal readonly struct PciAddress(int bus, int device, int function)
{
    /// <summary>Bus in bits 15 to 8, device in 7 to 3, function in 2 to 0.</summary>
    internal readonly ushort Value = (ushort)((bus << 8) | (device << 3) | function);

    /// <summary>The bus.</summary>
    internal byte Bus => (byte)(Value >> 8);

    /// <summary>The device.</summary>
    internal int Device => (Value >> 3) & 31;

    /// <summary>The function.</summary>
    internal int Function => Value & 7;
}
