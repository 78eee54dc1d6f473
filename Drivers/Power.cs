// Devices: the ACPI fixed hardware (PM1 control, reset register), the chipset's reset control at 0xcf9, and the keyboard controller's reset line. Sources: ACPI specification
// 6.4, sections 4.8.3.2.1 (PM1 control), 4.8.3.6 (reset register), 16.1.7 (entering S5); Intel ICH9 datasheet 13.7.5 (reset control register). QEMU: q35 and pc have
// all of them; microvm has none in ports.
using Ukl.Kernel.Arch;
using Ukl.Kernel.Boot;
using Ukl.Kernel.Core;

namespace Ukl.Drivers;

/// <summary>Turns an ordinary PC off, or restarts it.</summary>
public static unsafe class Power
{
    private const ushort SciEnabled = 1;
    private const int SleepTypeShift = 10;
    private const ushort SleepTypeMask = 7 << SleepTypeShift;
    private const ushort SleepEnable = 1 << 13;

    private const ushort ResetControl = 0xcf9;
    private const byte SystemReset = 0x02;
    private const byte ResetNow = 0x06;

    private const ushort KeyboardStatus = 0x64;
    private const byte InputBufferFull = 0x02;
    private const byte PulseResetLine = 0xfe;

    /// <summary>Readings of a port (about a microsecond each) after which something is taken not to happen any more.</summary>
    private const int PatientPolls = 100_000;

    /// <summary>The devices as the kernel's way to end the machine.</summary>
    public static PowerDriver Driver => new() { PowerOff = &PowerOff, Reset = &Reset };

    private static void PowerOff(int status)
    {
        ref AcpiInformation acpi = ref Devices.Acpi;
        if (!acpi.HasSoftOff || !acpi.Pm1aControl.IsPort)
            return;
        ushort pm1a = (ushort)acpi.Pm1aControl.Address;
        _ = TryEnableAcpi(acpi);
        EnterSleep(pm1a, acpi.SoftOffTypeA);
        if (acpi.Pm1bControl.IsPort)
            EnterSleep((ushort)acpi.Pm1bControl.Address, acpi.SoftOffTypeB);
        // The machine goes off a little after the write.
        for (int i = 0; i < PatientPolls; i++)
            _ = Port.In16(pm1a);
    }

    /// <summary>
    /// Switches the fixed hardware from the firmware's hands to the kernel's (section 4.8.2.5), if that has not happened yet. False when it does not change hands. PM1a_CNT must be
    /// a port.
    /// </summary>
    internal static bool TryEnableAcpi(in AcpiInformation acpi)
    {
        ushort pm1a = (ushort)acpi.Pm1aControl.Address;
        if ((Port.In16(pm1a) & SciEnabled) != 0)
            return true;
        if (acpi.CommandPort == 0 || acpi.EnableValue == 0)
            return false;
        Port.Out8(acpi.CommandPort, acpi.EnableValue);
        for (int i = 0; i < PatientPolls; i++)
        {
            if ((Port.In16(pm1a) & SciEnabled) != 0)
                return true;
            Cpu.Relax();
        }
        return false;
    }

    private static void EnterSleep(ushort control, byte type)
    {
        ushort value = (ushort)((Port.In16(control) & ~SleepTypeMask) | ((type << SleepTypeShift) & SleepTypeMask));
        Port.Out16(control, value);
        Port.Out16(control, (ushort)(value | SleepEnable));
    }

    private static void Reset()
    {
        ref AcpiInformation acpi = ref Devices.Acpi;
        if (acpi.Reset.IsPort)
            Port.Out8((ushort)acpi.Reset.Address, acpi.ResetValue);

        byte control = (byte)(Port.In8(ResetControl) & ~ResetNow);
        Port.Out8(ResetControl, (byte)(control | SystemReset));
        Port.Out8(ResetControl, (byte)(control | ResetNow));

        for (int i = 0; i < PatientPolls && (Port.In8(KeyboardStatus) & InputBufferFull) != 0; i++)
            Cpu.Relax();
        Port.Out8(KeyboardStatus, PulseResetLine);
    }
}
