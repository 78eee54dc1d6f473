// Device: the power button of the ACPI fixed hardware. Sources: ACPI specification 6.4, sections 4.8.2.2.1.1 (fixed power button), 4.8.3.1 (PM1 event grouping), 5.2.9 (FADT).
// QEMU: q35 and pc have it, the monitor's system_powerdown presses it. microvm has none: there the button is an event of a device (GED) whose registers only byte code names.
using Ukl.Kernel.Arch;
using Ukl.Kernel.Boot;
using Ukl.Kernel.Core;

namespace Ukl.Drivers;

/// <summary>Tells the kernel when the power button is pressed.</summary>
internal static unsafe class PowerButton
{
    /// <summary>PWRBTN_STS and PWRBTN_EN. A status bit is cleared by writing it.</summary>
    private const ushort Button = 1 << 8;

    /// <summary>The two registers of an event block have at least 16 bits each.</summary>
    private const int SmallestEventLength = 4;

    /// <summary>Lets the button interrupt; nothing happens on a machine without one.</summary>
    internal static void Start()
    {
        ref readonly AcpiInformation acpi = ref Devices.Acpi;
        if (!acpi.HasFixedPowerButton || !acpi.Pm1aEvent.IsPort || !acpi.Pm1aControl.IsPort || acpi.EventLength < SmallestEventLength)
            return;
        if (!Power.TryEnableAcpi(acpi))
            return;
        // No other event may hold the line, for nobody would ever let it go.
        Enable(acpi.Pm1aEvent, 0);
        Enable(acpi.Pm1bEvent, 0);
        // A press from before there was anybody to hear of it is none.
        _ = TakePress(acpi.Pm1aEvent) | TakePress(acpi.Pm1bEvent);
        IsaLine line = acpi.SystemControlLine;
        if (!Interrupts.Register(line.GlobalInterrupt, line.IsLevelTriggered, line.IsActiveLow, &HandleInterrupt, null))
            return;
        Enable(acpi.Pm1aEvent, Button);
        Enable(acpi.Pm1bEvent, Button);
    }

    private static void HandleInterrupt(void* context)
    {
        ref readonly AcpiInformation acpi = ref Devices.Acpi;
        // The button is in one of the two blocks, or in both.
        if (TakePress(acpi.Pm1aEvent) | TakePress(acpi.Pm1bEvent))
            PowerControl.PowerButtonPressed();
    }

    private static bool TakePress(in AcpiRegister block)
    {
        if (!block.IsPort || (Port.In16((ushort)block.Address) & Button) == 0)
            return false;
        Port.Out16((ushort)block.Address, Button);
        return true;
    }

    private static void Enable(in AcpiRegister block, ushort events)
    {
        if (block.IsPort)
            Port.Out16((ushort)(block.Address + Devices.Acpi.EventLength / 2u), events);
    }
}
