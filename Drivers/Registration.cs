using System.Runtime;
using Ukl.Kernel.Core;

namespace Ukl.Drivers;

/// <summary>The one symbol of the drivers that the kernel imports.</summary>
public static unsafe class Registration
{
    /// <summary>
    /// Looks for every device this image has a driver for (<see cref="LinkedDrivers"/>) and registers those that are there. Called once, early at boot: drivers look at
    /// <see cref="Devices.Acpi"/> only when they are used.
    /// </summary>
    [RuntimeExport("ukl_register_drivers")]
    public static void RegisterAll()
    {
        if (LinkedDrivers.Serial && Serial.TryInitialize())
            Devices.Register(Serial.Console);
        else if (LinkedDrivers.VgaText && VgaText.TryInitialize())
            Devices.Register(VgaText.Console);

        // Started by the tool, the machine ends by the quickest way; otherwise what looks like that way is the last to be tried.
        bool isStartedByTool = LinkedDrivers.DebugConsole && DebugConsole.IsPresent;
        if (LinkedDrivers.DebugConsole && isStartedByTool)
            Devices.Register(DebugConsole.Reporter);
        bool canExit = LinkedDrivers.DebugExit && DebugExit.IsPresent;
        if (LinkedDrivers.DebugExit && canExit && isStartedByTool)
            Devices.Register(DebugExit.Driver);
        if (LinkedDrivers.Power)
            Devices.Register(Power.Driver);
        if (LinkedDrivers.DebugExit && canExit && !isStartedByTool)
            Devices.Register(DebugExit.Driver);

        if (LinkedDrivers.Pit)
            Devices.Register(Pit.Counter);
        if (LinkedDrivers.Rtc && Rtc.IsPresent)
            Devices.Register(Rtc.Clock);
    }
}
