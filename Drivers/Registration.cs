using System.Runtime;
using Ukl.Kernel.Core;

namespace Ukl.Drivers;

/// <summary>The one symbol of the drivers that the kernel imports.</summary>
public static unsafe class Registration
{
    /// <summary>Looks for every device this image has a driver for and registers those that are there. Called once at boot, after <see cref="Devices.Acpi"/> is filled.</summary>
    [RuntimeExport("ukl_register_drivers")]
    public static void RegisterAll()
    {
        if (Serial.TryInitialize())
            Devices.Register(Serial.Console);
        if (DebugConsole.IsPresent)
            Devices.Register(DebugConsole.Reporter);
        if (DebugExit.IsPresent)
            Devices.Register(DebugExit.Driver);
    }
}
