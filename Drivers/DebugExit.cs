// Device: QEMU's debug exit, a port that ends QEMU. Source: QEMU, hw/misc/debugexit.c: a write of v ends QEMU with status (v << 1) | 1.
// QEMU: -device isa-debug-exit,iobase=0xf4,iosize=4. A read gives 0 from the device and 0xff from an empty bus.
using Ukl.Kernel.Arch;
using Ukl.Kernel.Core;

namespace Ukl.Drivers;

/// <summary>
/// Ends QEMU at once, quicker than any power-off. QEMU's own status then is <c>((status &amp; 127) &lt;&lt; 1) | 1</c>; the full one goes over
/// <see cref="DebugConsole"/>.
/// </summary>
public static unsafe class DebugExit
{
    private const ushort ExitPort = 0xf4;
    private const uint StatusMask = 127;

    /// <summary>Whether the device seems to be there. On a machine without the debug console the port may be anyone's.</summary>
    public static bool IsPresent => Port.In8(ExitPort) == 0;

    /// <summary>The device as a way to turn the machine off.</summary>
    public static PowerDriver Driver => new() { PowerOff = &Exit };

    private static void Exit(int status) => Port.Out32(ExitPort, (uint)status & StatusMask);
}
