// A switch per driver, which ilc replaces by a constant (--feature:Ukl.Driver.NAME=false) when an image leaves the driver out: because its project says so, or
// because the program can make none of the calls that the driver serves. Source of truth: FeatureSwitchDefinitionAttribute of .NET; the tool reads names and calls
// from here (Sdk/Lint/Linking/KernelSwitches.cs).
using System.Diagnostics.CodeAnalysis;
using Ukl.Kernel.Abi;

namespace Ukl.Drivers;

/// <summary>Which drivers this image has: constants once an image is compiled.</summary>
internal static class LinkedDrivers
{
    /// <summary>The serial line, on which people read and type.</summary>
    [FeatureSwitchDefinition("Ukl.Driver.Serial")]
    internal static bool Serial => true;

    /// <summary>The screen of a PC, for a machine without a serial line.</summary>
    [FeatureSwitchDefinition("Ukl.Driver.VgaText")]
    internal static bool VgaText => true;

    /// <summary>QEMU's port for text, by which the tool learns how the program ended.</summary>
    [FeatureSwitchDefinition("Ukl.Driver.DebugConsole")]
    internal static bool DebugConsole => true;

    /// <summary>QEMU's port that ends it.</summary>
    [FeatureSwitchDefinition("Ukl.Driver.DebugExit")]
    internal static bool DebugExit => true;

    /// <summary>Power off and reset by ACPI and the keyboard controller, and the power button.</summary>
    [FeatureSwitchDefinition("Ukl.Driver.Power")]
    internal static bool Power => true;

    /// <summary>The timer chip that the processor's clock is measured with.</summary>
    [FeatureSwitchDefinition("Ukl.Driver.Pit")]
    internal static bool Pit => true;

    /// <summary>The battery-backed clock.</summary>
    [FeatureSwitchDefinition("Ukl.Driver.Rtc")]
    internal static bool Rtc => true;

    /// <summary>The network device of virtio.</summary>
    [FeatureSwitchDefinition("Ukl.Driver.VirtioNetwork"), ServesCall("socket")]
    internal static bool VirtioNetwork => true;

    /// <summary>The random number device of virtio.</summary>
    [FeatureSwitchDefinition("Ukl.Driver.VirtioRandom")]
    internal static bool VirtioRandom => true;

    /// <summary>The console of virtio, for a machine without a serial line.</summary>
    [FeatureSwitchDefinition("Ukl.Driver.VirtioConsole")]
    internal static bool VirtioConsole => true;

    /// <summary>Any device of virtio, and so the buses that they are found on. A plain |, because || would hide the constant from the compiler.</summary>
    internal static bool Virtio => VirtioNetwork | VirtioRandom | VirtioConsole;
}
