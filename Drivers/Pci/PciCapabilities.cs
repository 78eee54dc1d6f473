namespace Ukl.Drivers.Pci;

/// <summary>
/// Walks over the capabilities of a function (PCI local bus specification 3.0, section 6.7). A list that leaves the configuration space ends there, and one that goes in
/// circles ends when there have been more than fit.
/// </summary>
internal struct PciCapabilities
{
    private const int StatusRegister = 0x06;
    private const int Pointer = 0x34;
    private const ushort HasList = 1 << 4;
    private const int First = 0x40;
    private const int Capacity = (256 - First) / 4;

    private readonly PciFunction _function;
    private int _next;
    private int _left;

    /// <summary>Begins before the first capability.</summary>
    internal PciCapabilities(in PciFunction function)
    {
        this = default;
        _function = function;
        _left = Capacity;
        if ((function.Read16(StatusRegister) & HasList) != 0)
            _next = function.Read8(Pointer) & ~3;
    }

    /// <summary>Where in the configuration space the capability stands.</summary>
    internal int Offset { get; private set; }

    /// <summary>Goes to the next capability with this id; false at the end.</summary>
    internal bool MoveNext(byte id)
    {
        while (_next >= First && _left-- > 0)
        {
            Offset = _next;
            ushort header = _function.Read16(Offset);
            _next = (header >> 8) & ~3;
            if ((byte)header == id)
                return true;
        }
        return false;
    }
}
