using System;
using System.Collections.Generic;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Boot;
using Ukl.Kernel.Core;

namespace Ukl.Tests.Unit.Drivers.Pci;

/// <summary>A function's configuration space: what is written stays, but for read-only fields and the address bits that a base address has not.</summary>
internal sealed class FakePciFunction
{
    private readonly ulong[] _barSizes = new ulong[6];

    public FakePciFunction(ushort vendor, ushort device, ushort subsystem = 0, byte headerType = 0)
    {
        Set16(0x00, vendor);
        Set16(0x02, device);
        Space[0x0e] = headerType;
        Set16(0x2e, subsystem);
    }

    public byte[] Space { get; } = new byte[4096];

    /// <summary>How often each register was written.</summary>
    public List<(int Offset, uint Value)> Writes { get; } = [];

    public void Set16(int offset, ushort value) => BitConverter.TryWriteBytes(Space.AsSpan(offset), value);

    public void Set32(int offset, uint value) => BitConverter.TryWriteBytes(Space.AsSpan(offset), value);

    public ushort Get16(int offset) => BitConverter.ToUInt16(Space, offset);

    public uint Get32(int offset) => BitConverter.ToUInt32(Space, offset);

    /// <summary>Adds a base address of memory; a wide one takes two registers.</summary>
    public void AddBar(int index, ulong address, ulong size, bool isWide)
    {
        _barSizes[index] = size;
        Set32(0x10 + 4 * index, (uint)address | (isWide ? 4u : 0));
        if (isWide)
        {
            _barSizes[index + 1] = ulong.MaxValue;
            Set32(0x14 + 4 * index, (uint)(address >> 32));
        }
    }

    /// <summary>Puts a capability in front of the list.</summary>
    public void AddCapability(int offset, byte id, params byte[] rest)
    {
        Space[0x06] |= 0x10;
        Space[offset] = id;
        Space[offset + 1] = Space[0x34];
        rest.CopyTo(Space, offset + 2);
        Space[0x34] = (byte)offset;
    }

    public void Write(int offset, int size, uint value)
    {
        Writes.Add((offset, value));
        if (offset is >= 0x10 and < 0x28)
        {
            int index = (offset - 0x10) / 4;
            if (_barSizes[index] == ulong.MaxValue)
                value &= (uint)(~(_barSizes[index - 1] - 1) >> 32);
            else if (_barSizes[index] == 0)
                return;
            else
                value = (value & (uint)~(_barSizes[index] - 1) & ~15u) | (Space[0x10 + 4 * index] & 15u);
            Set32(offset & ~3, value);
        }
        else if (offset >= 0x04 && offset is not (0x06 or 0x0e or 0x34))
        {
            for (int i = 0; i < size; i++)
                Space[offset + i] = (byte)(value >> (8 * i));
        }
    }
}

/// <summary>PCI configuration space behind ports or behind ECAM.</summary>
internal sealed class FakePciBus : IHostedPortDevice, IHostedMemoryDevice
{
    public const ulong Ecam = 0xb000_0000;

    private readonly Dictionary<int, FakePciFunction> _functions = [];
    private uint _address;

    /// <summary>Functions that were read at all: what a scan costs.</summary>
    public int Reads { get; private set; }

    public static FakePciBus BehindPorts()
    {
        var bus = new FakePciBus();
        HostedDevices.Attach(0xcf8, 8, bus);
        return bus;
    }

    public static FakePciBus BehindEcam(byte lastBus = 255)
    {
        var bus = new FakePciBus();
        Devices.Acpi = new AcpiInformation { ConfigurationSpace = Ecam, LastBus = lastBus };
        HostedRegisters.Attach(Ecam, ((ulong)lastBus + 1) << 20, bus);
        return bus;
    }

    public void Add(int bus, int device, int function, FakePciFunction what) => _functions[bus << 8 | device << 3 | function] = what;

    public byte Read(int offset)
    {
        if (offset < 4)
            return (byte)(_address >> (8 * offset));
        if ((_address & 0x8000_0000) == 0)
            return 0xff;
        return (byte)Read((int)(_address >> 8) & 0xffff, (int)(_address & 0xfc) + offset - 4, 1);
    }

    public void Write(int offset, byte value)
    {
        if (offset < 4)
            _address = (_address & ~(0xffu << (8 * offset))) | (uint)value << (8 * offset);
        else if (_functions.TryGetValue((int)(_address >> 8) & 0xffff, out FakePciFunction? function))
            WriteByte(function, (int)(_address & 0xfc) + offset - 4, value);
    }

    public uint Read(ulong offset, int size) => Read((int)(offset >> 12), (int)(offset & 4095), size);

    public void Write(ulong offset, int size, uint value)
    {
        if (_functions.TryGetValue((int)(offset >> 12), out FakePciFunction? function))
            function.Write((int)(offset & 4095), size, value);
    }

    private uint Read(int function, int offset, int size)
    {
        Reads++;
        if (!_functions.TryGetValue(function, out FakePciFunction? found))
            return uint.MaxValue;
        uint value = 0;
        for (int i = size - 1; i >= 0; i--)
            value = value << 8 | found.Space[offset + i];
        return value;
    }

    /// <summary>Ports give words byte by byte; a base address is written as a whole when its last byte comes.</summary>
    private static void WriteByte(FakePciFunction function, int offset, byte value)
    {
        if (offset is >= 0x10 and < 0x28)
        {
            int word = offset & ~3;
            s_partial = (offset & 3) == 0 ? value : s_partial | (uint)value << (8 * (offset & 3));
            if ((offset & 3) == 3)
                function.Write(word, 4, s_partial);
            return;
        }
        function.Write(offset, 1, value);
    }

    [ThreadStatic] private static uint s_partial;
}
