using System.Runtime;
using Ukl.Drivers.Pci;
using Ukl.Drivers.Virtio;
using Ukl.Kernel.Boot;
using Ukl.Kernel.Core;

namespace Ukl.Drivers;

/// <summary>The symbols of the drivers that the kernel imports.</summary>
public static unsafe class Registration
{
    /// <summary>
    /// Looks for the devices that boot itself needs, of those that this image has a driver for (<see cref="LinkedDrivers"/>), and registers those that are there. Called
    /// once, before there is memory: drivers look at
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

    /// <summary>
    /// Looks for the devices that need memory, mapped registers and interrupts, and registers those that are there. Called once, when the kernel can give all of that and
    /// before the first process.
    /// </summary>
    [RuntimeExport("ukl_start_drivers")]
    public static void StartAll(CommandLine* commandLine)
    {
        if (LinkedDrivers.Power)
            PowerButton.Start();
        if (!LinkedDrivers.Virtio)
            return;
        if (LinkedDrivers.VirtioConsole)
            VirtioConsole.Configure(*commandLine);
        PciBus.ForEach(&VirtioBus.Start);
        VirtioBus.StartMemoryDevices(*commandLine);
    }
}
