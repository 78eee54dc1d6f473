using System.Runtime;
using Ukl.Kernel.Core;

namespace Ukl.Drivers;

/// <summary>The one symbol of the drivers that the kernel imports.</summary>
public static unsafe class Registration
{
    /// <summary>
    /// Looks for every device this image has a driver for and registers those that are there. Called once, early at boot: drivers look at
    /// <see cref="Devices.Acpi"/> only when they are used.
    /// </summary>
    [RuntimeExport("ukl_register_drivers")]
    public static void RegisterAll()
    {
        if (Serial.TryInitialize())
            Devices.Register(Serial.Console);
        else if (VgaText.TryInitialize())
            Devices.Register(VgaText.Console);

        // Started by the tool, the machine ends by the quickest way; otherwise what looks like that way is the last to be tried.
        bool isStartedByTool = DebugConsole.IsPresent;
        bool canExit = DebugExit.IsPresent;
        if (isStartedByTool)
            Devices.Register(DebugConsole.Reporter);
        if (isStartedByTool && canExit)
            Devices.Register(DebugExit.Driver);
        Devices.Register(Power.Driver);
        if (!isStartedByTool && canExit)
            Devices.Register(DebugExit.Driver);

        Devices.Register(Pit.Counter);
        if (Rtc.IsPresent)
            Devices.Register(Rtc.Clock);
    }
}
