using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Arch;

/// <summary>Handlers of device interrupts.</summary>
public static unsafe class Interrupts
{
    /// <summary>The vector of ISA line 0.</summary>
    internal const int FirstVector = 0x30;

    /// <summary>How many lines there are.</summary>
    internal const int LineCount = 16;

    private static HandlerTable s_handlers;

    private static Handler* Handlers => (Handler*)Unsafe.AsPointer(ref s_handlers);

    /// <summary>Calls <paramref name="handler"/> on every interrupt of an ISA line, with interrupts off; it must not sleep. One handler a line.</summary>
    public static void Register(int isaLine, delegate*<void*, void> handler, void* context)
    {
        Handlers[isaLine].Function = handler;
        Handlers[isaLine].Context = context;
        IoApic.Route(isaLine, FirstVector + isaLine);
    }

    /// <summary>Handles a vector; false when it belongs to no line.</summary>
    internal static bool Dispatch(int vector)
    {
        int line = vector - FirstVector;
        if ((uint)line >= LineCount || Handlers[line].Function == null)
            return false;
        Handlers[line].Function(Handlers[line].Context);
        return true;
    }

    private struct Handler
    {
        internal delegate*<void*, void> Function;
        internal void* Context;
    }

    [InlineArray(LineCount)]
    private struct HandlerTable
    {
        private Handler _first;
    }
}
