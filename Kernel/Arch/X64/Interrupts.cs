// Who handles which interrupt vector. Vectors are handed out from one range to ISA lines, global interrupts and messages alike; they are never given back.
// Sources: Intel SDM volume 3, 10.11 (message signalled interrupts); ACPI specification 6.4, section 5.2.13 (global system interrupts).
using System.Runtime.CompilerServices;
using Ukl.Kernel.Boot;
using Ukl.Kernel.Core;

namespace Ukl.Kernel.Arch;

/// <summary>Handlers of device interrupts. They are called with interrupts off and must not sleep.</summary>
public static unsafe class Interrupts
{
    /// <summary>The first vector for devices.</summary>
    internal const int FirstVector = 0x30;

    /// <summary>How many vectors devices can have.</summary>
    internal const int VectorCount = LocalApic.TimerVector - FirstVector;

    private const ulong MessageBase = 0xfee0_0000;
    private const int MessageDestinationShift = 12;

    private static HandlerTable s_handlers;
    private static int s_used;

    private static Handler* Handlers => (Handler*)Unsafe.AsPointer(ref s_handlers);

    /// <summary>Calls <paramref name="handler"/> on every interrupt of an ISA line, wherever ACPI says that it arrives. One handler a line.</summary>
    public static void Register(int isaLine, delegate*<void*, void> handler, void* context)
    {
        IsaLine line = Devices.Acpi.LineOf(isaLine);
        _ = Register(line.GlobalInterrupt, line.IsLevelTriggered, line.IsActiveLow, handler, context);
    }

    /// <summary>
    /// Calls <paramref name="handler"/> on every interrupt of a global system interrupt; of a level-triggered one it must make the device let go. False when no interrupt
    /// controller has it, or no vector is left.
    /// </summary>
    public static bool Register(uint globalInterrupt, bool isLevelTriggered, bool isActiveLow, delegate*<void*, void> handler, void* context)
    {
        int vector = Allocate(handler, context);
        return vector != 0 && IoApic.Route(globalInterrupt, vector, isLevelTriggered, isActiveLow);
    }

    /// <summary>
    /// Calls <paramref name="handler"/> whenever a device writes <paramref name="data"/> to the physical address <paramref name="address"/> (MSI, MSI-X). False when no vector is
    /// left.
    /// </summary>
    public static bool RegisterMessage(delegate*<void*, void> handler, void* context, out ulong address, out uint data)
    {
        int vector = Allocate(handler, context);
        address = MessageBase | ((ulong)LocalApic.Identifier << MessageDestinationShift);
        data = (uint)vector;
        return vector != 0;
    }

    /// <summary>Handles a vector; false when it is nobody's.</summary>
    internal static bool Dispatch(int vector)
    {
        int index = vector - FirstVector;
        if ((uint)index >= (uint)s_used)
            return false;
        Handlers[index].Function(Handlers[index].Context);
        return true;
    }

    private static int Allocate(delegate*<void*, void> handler, void* context)
    {
        if (s_used == VectorCount)
            return 0;
        Handlers[s_used].Function = handler;
        Handlers[s_used].Context = context;
        return FirstVector + s_used++;
    }

    private struct Handler
    {
        internal delegate*<void*, void> Function;
        internal void* Context;
    }

    [InlineArray(VectorCount)]
    private struct HandlerTable
    {
        private Handler _first;
    }
}
