// Arch/Hosted: interrupts that a test raises.
using System.Collections.Generic;

namespace Ukl.Kernel.Arch;

/// <summary>The interrupts of the hosted machine, as devices raise them. State is per thread.</summary>
public static unsafe class HostedInterrupts
{
    private const ulong MessageAddress = 0xfee0_0000;

    [System.ThreadStatic] private static Dictionary<uint, (nint Handler, nint Context)> s_global;
    [System.ThreadStatic] private static List<(nint Handler, nint Context)> s_messages;

    /// <summary>Raises a global system interrupt; false when no driver registered it.</summary>
    public static bool Raise(uint globalInterrupt)
    {
        if (s_global is null || !s_global.TryGetValue(globalInterrupt, out (nint Handler, nint Context) entry))
            return false;
        ((delegate*<void*, void>)entry.Handler)((void*)entry.Context);
        return true;
    }

    /// <summary>Does what a device's write of <paramref name="data"/> to <paramref name="address"/> would; false when it is no interrupt.</summary>
    public static bool Send(ulong address, uint data)
    {
        if (address != MessageAddress || s_messages is null || data >= s_messages.Count)
            return false;
        (nint handler, nint context) = s_messages[(int)data];
        ((delegate*<void*, void>)handler)((void*)context);
        return true;
    }

    internal static void Clear()
    {
        s_global = null;
        s_messages = null;
    }

    internal static void Set(uint globalInterrupt, nint handler, nint context) => (s_global ??= [])[globalInterrupt] = (handler, context);

    internal static void Add(nint handler, nint context, out ulong address, out uint data)
    {
        (s_messages ??= []).Add((handler, context));
        address = MessageAddress;
        data = (uint)s_messages.Count - 1;
    }
}

/// <summary>Handlers of device interrupts.</summary>
public static unsafe class Interrupts
{
    /// <summary>Calls <paramref name="handler"/> on every interrupt of an ISA line.</summary>
    public static void Register(int isaLine, delegate*<void*, void> handler, void* context) =>
        HostedDevices.SetHandler(isaLine, (nint)handler, (nint)context);

    /// <summary>Calls <paramref name="handler"/> on every interrupt of a global system interrupt.</summary>
    public static bool Register(uint globalInterrupt, bool isLevelTriggered, bool isActiveLow, delegate*<void*, void> handler, void* context)
    {
        HostedInterrupts.Set(globalInterrupt, (nint)handler, (nint)context);
        return true;
    }

    /// <summary>Calls <paramref name="handler"/> whenever a device writes <paramref name="data"/> to <paramref name="address"/>.</summary>
    public static bool RegisterMessage(delegate*<void*, void> handler, void* context, out ulong address, out uint data)
    {
        HostedInterrupts.Add((nint)handler, (nint)context, out address, out data);
        return true;
    }
}
