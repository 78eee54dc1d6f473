using System;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Boot;

/// <summary>A register in a port or in memory (ACPI specification 6.4, section 5.2.3.2, Generic Address Structure).</summary>
public struct AcpiRegister
{
    /// <summary>Address space: memory.</summary>
    public const byte MemorySpace = 0;

    /// <summary>Address space: ports.</summary>
    public const byte PortSpace = 1;

    /// <summary>The address space.</summary>
    public byte Space;

    /// <summary>The port or physical address; 0 when the machine has no such register.</summary>
    public ulong Address;

    /// <summary>Whether the register is there and is a port.</summary>
    public readonly bool IsPort => Space == PortSpace && Address is > 0 and <= 0xffff;
}

/// <summary>Where and how an interrupt line arrives (ACPI specification 6.4, section 5.2.12.5).</summary>
public struct IsaLine
{
    /// <summary>The global system interrupt.</summary>
    public uint GlobalInterrupt;

    /// <summary>Active low rather than the bus's active high.</summary>
    public bool IsActiveLow;

    /// <summary>Level triggered rather than the bus's edge.</summary>
    public bool IsLevelTriggered;

    /// <summary>Whether the firmware said so, rather than custom.</summary>
    public bool IsOverridden;
}

/// <summary>An interrupt controller (ACPI specification 6.4, section 5.2.12.3).</summary>
public struct IoApicPlace
{
    /// <summary>Physical address of its registers.</summary>
    public ulong Address;

    /// <summary>The global system interrupt of its first line.</summary>
    public uint FirstInterrupt;
}

/// <summary>A device that the byte code describes with a text as hardware id, one range of registers and one interrupt.</summary>
public struct AcpiDevice
{
    /// <summary>The hardware id's first eight letters, the first in the lowest byte.</summary>
    public ulong HardwareId;

    /// <summary>Physical address of its registers.</summary>
    public uint Address;

    /// <summary>Bytes of registers.</summary>
    public uint Length;

    /// <summary>Its interrupt.</summary>
    public IsaLine Interrupt;
}

/// <summary>What the kernel and its drivers need to know of ACPI. All zero but for the customary places when the machine has none. Filled by <see cref="Acpi"/>.</summary>
public struct AcpiInformation
{
    /// <summary>How many ISA lines there are.</summary>
    public const int IsaLineCount = 16;

    /// <summary>How many interrupt controllers are remembered.</summary>
    public const int IoApicCapacity = 4;

    /// <summary>How many devices of the byte code are remembered.</summary>
    public const int DeviceCapacity = 32;

    private const ulong CustomaryIoApic = 0xfec0_0000;
    private const ulong CustomaryLocalApic = 0xfee0_0000;

    /// <summary>Whether the tables were there and sound.</summary>
    public bool IsPresent;

    /// <summary>No fixed hardware: power is managed by <see cref="SleepControl"/> instead of the PM1 registers.</summary>
    public bool IsHardwareReduced;

    /// <summary>PM1a_EVT_BLK: the status register, behind it the enable register.</summary>
    public AcpiRegister Pm1aEvent;

    /// <summary>PM1b_EVT_BLK.</summary>
    public AcpiRegister Pm1bEvent;

    /// <summary>PM1_EVT_LEN: bytes of both registers of an event block.</summary>
    public byte EventLength;

    /// <summary>SCI_INT: the line on which the fixed hardware interrupts.</summary>
    public ushort SystemControlInterrupt;

    /// <summary>Whether the power button is one of the fixed events.</summary>
    public bool HasFixedPowerButton;

    /// <summary>PM1a_CNT.</summary>
    public AcpiRegister Pm1aControl;

    /// <summary>PM1b_CNT.</summary>
    public AcpiRegister Pm1bControl;

    /// <summary>SLEEP_CONTROL_REG of hardware-reduced machines.</summary>
    public AcpiRegister SleepControl;

    /// <summary>Port that switches the hardware from legacy to ACPI mode when <see cref="EnableValue"/> is written; 0 when there is none.</summary>
    public ushort CommandPort;

    /// <summary>ACPI_ENABLE.</summary>
    public byte EnableValue;

    /// <summary>Whether the DSDT says how to power off.</summary>
    public bool HasSoftOff;

    /// <summary>SLP_TYPa of the state S5.</summary>
    public byte SoftOffTypeA;

    /// <summary>SLP_TYPb of the state S5.</summary>
    public byte SoftOffTypeB;

    /// <summary>RESET_REG; address 0 when unsupported.</summary>
    public AcpiRegister Reset;

    /// <summary>What to write to <see cref="Reset"/>.</summary>
    public byte ResetValue;

    /// <summary>The CMOS index of the century, or 0.</summary>
    public byte CenturyIndex;

    /// <summary>The firmware says that there is no CMOS clock.</summary>
    public bool HasNoCmosClock;

    /// <summary>Physical address of the local APICs.</summary>
    public ulong LocalApicAddress;

    /// <summary>How many usable processors the firmware lists.</summary>
    public int ProcessorCount;

    /// <summary>Physical address of the PCI configuration space of bus 0 of segment 0 in memory (ECAM); 0 when there is none.</summary>
    public ulong ConfigurationSpace;

    /// <summary>The first bus that <see cref="ConfigurationSpace"/> shows.</summary>
    public byte FirstBus;

    /// <summary>The last bus that <see cref="ConfigurationSpace"/> shows.</summary>
    public byte LastBus;

    private IsaLineArray _lines;
    private IoApicArray _ioApics;
    private int _ioApicCount;
    private DeviceArray _devices;
    private int _deviceCount;

    /// <summary>The interrupt controllers; one at its customary place when the firmware names none.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<IoApicPlace> IoApics => ((ReadOnlySpan<IoApicPlace>)_ioApics).Slice(0, _ioApicCount == 0 ? 1 : _ioApicCount);

    /// <summary>The devices of the byte code; read of hardware-reduced machines only.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<AcpiDevice> MemoryDevices => ((ReadOnlySpan<AcpiDevice>)_devices).Slice(0, _deviceCount);

    /// <summary>Where ISA line <paramref name="line"/> (0 to 15) arrives.</summary>
    public readonly IsaLine LineOf(int line) => _lines[line & (IsaLineCount - 1)];

    /// <summary>
    /// Where the fixed hardware interrupts. Without a word of the firmware it is a level that is active low, unlike the other lines (section 5.2.9, SCI_INT).
    /// </summary>
    public readonly IsaLine SystemControlLine =>
        SystemControlInterrupt < IsaLineCount && _lines[SystemControlInterrupt].IsOverridden
            ? _lines[SystemControlInterrupt]
            : new IsaLine { GlobalInterrupt = SystemControlInterrupt, IsActiveLow = true, IsLevelTriggered = true };

    internal void SetLine(int line, IsaLine where) => _lines[line & (IsaLineCount - 1)] = where;

    /// <summary>Remembers a controller; those beyond the fourth are ignored.</summary>
    internal void Add(IoApicPlace controller)
    {
        if (_ioApicCount < IoApicCapacity)
            _ioApics[_ioApicCount++] = controller;
    }

    /// <summary>Remembers a device; those beyond <see cref="DeviceCapacity"/> are ignored.</summary>
    internal void Add(AcpiDevice device)
    {
        if (_deviceCount < DeviceCapacity)
            _devices[_deviceCount++] = device;
    }

    /// <summary>A machine of which nothing is known yet: controllers at their customary places, lines one to one.</summary>
    internal void Clear()
    {
        this = default;
        LocalApicAddress = CustomaryLocalApic;
        _ioApics[0].Address = CustomaryIoApic;
        for (int i = 0; i < IsaLineCount; i++)
            _lines[i].GlobalInterrupt = (uint)i;
    }

    [InlineArray(IsaLineCount)]
    private struct IsaLineArray
    {
        private IsaLine _first;
    }

    [InlineArray(IoApicCapacity)]
    private struct IoApicArray
    {
        private IoApicPlace _first;
    }

    [InlineArray(DeviceCapacity)]
    private struct DeviceArray
    {
        private AcpiDevice _first;
    }
}
