// The kernel's own network stack: the one that programs' sockets use.
using Ukl.Kernel.Core;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Net;

/// <summary>Makes the kernel's stack when it is first needed: a program without sockets on a machine without card pays nothing for it.</summary>
public static unsafe class KernelNetwork
{
    // Of all memory, how much packets may take: an eighth.
    private const int ShareShift = 3;

    private static NetworkStack* s_stack;
    private static Timer s_alarm;

    /// <summary>The stack; null before it is needed.</summary>
    public static NetworkStack* Stack => s_stack;

    /// <summary>The stack, made if need be. Null when out of memory.</summary>
    public static NetworkStack* GetStack()
    {
        if (s_stack != null)
            return s_stack;
        var environment = new NetworkEnvironment { Now = &Now, SetAlarm = &SetAlarm, FillRandom = &FillRandom };
        s_stack = NetworkStack.Create(environment, (uint)(PageAllocator.TotalPages >> ShareShift) * (PageAllocator.PageSize / PacketBuffer.BlockSize));
        return s_stack;
    }

    private static ulong Now(void* context) => Clock.MonotonicNanoseconds;

    private static void FillRandom(void* context, byte* to, nuint count) => Random.Fill(to, count);

    private static void SetAlarm(void* context, ulong deadline)
    {
        var alarm = (Timer*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref s_alarm);
        if (deadline == ulong.MaxValue)
        {
            Timers.Cancel(alarm);
            return;
        }
        alarm->Callback = &OnAlarm;
        Timers.Start(alarm, deadline);
    }

    private static void OnAlarm(Timer* timer) => s_stack->RunTimers();
}
