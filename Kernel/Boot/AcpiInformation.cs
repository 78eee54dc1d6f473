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

/// <summary>Where an ISA interrupt line arrives (ACPI specification 6.4, section 5.2.12.5).</summary>
public struct IsaLine
{
    /// <summary>The global system interrupt.</summary>
    public uint GlobalInterrupt;

    /// <summary>Active low rather than the bus's active high.</summary>
    public bool IsActiveLow;

    /// <summary>Level triggered rather than the bus's edge.</summary>
    public bool IsLevelTriggered;
}

/// <summary>What the kernel and its drivers need to know of ACPI. All zero but for the customary places when the machine has none. Filled by <see cref="Acpi"/>.</summary>
public struct AcpiInformation
{
    /// <summary>How many ISA lines there are.</summary>
    public const int IsaLineCount = 16;

    private const ulong CustomaryIoApic = 0xfec0_0000;
    private const ulong CustomaryLocalApic = 0xfee0_0000;

    /// <summary>Whether the tables were there and sound.</summary>
    public bool IsPresent;

    /// <summary>No fixed hardware: power is managed by <see cref="SleepControl"/> instead of the PM1 registers.</summary>
    public bool IsHardwareReduced;

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

    /// <summary>Physical address of the I/O APIC that serves global interrupt 0.</summary>
    public ulong IoApicAddress;

    /// <summary>How many usable processors the firmware lists.</summary>
    public int ProcessorCount;

    private IsaLineArray _lines;

    /// <summary>Where ISA line <paramref name="line"/> (0 to 15) arrives.</summary>
    public readonly IsaLine LineOf(int line) => _lines[line & (IsaLineCount - 1)];

    internal void SetLine(int line, IsaLine where) => _lines[line & (IsaLineCount - 1)] = where;

    /// <summary>A machine of which nothing is known yet: controllers at their customary places, lines one to one.</summary>
    internal void Clear()
    {
        this = default;
        LocalApicAddress = CustomaryLocalApic;
        IoApicAddress = CustomaryIoApic;
        for (int i = 0; i < IsaLineCount; i++)
            _lines[i].GlobalInterrupt = (uint)i;
    }

    [InlineArray(IsaLineCount)]
    private struct IsaLineArray
    {
        private IsaLine _first;
    }
}
