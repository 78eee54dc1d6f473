namespace Ukl.Kernel.Net;

/// <summary>
/// A time limit in a <see cref="NetworkTimers"/>. It is part of its owner's object and must be cancelled before that ends. All zero is a timer that does
/// not run.
/// </summary>
public unsafe struct NetworkTimer
{
    /// <summary>Called when the time has come; the timer does not run then and may be started again. Must not sleep.</summary>
    public delegate*<NetworkTimer*, void> Callback;

    /// <summary>For the callback.</summary>
    public void* Context;

    /// <summary>When it is due, in the stack's nanoseconds; meaningful while <see cref="IsRunning"/>.</summary>
    public ulong Deadline { get; internal set; }

    internal NetworkTimer* Next;
    internal NetworkTimer* Previous;

    /// <summary>The tick at which the wheel looks at it: never after its deadline's.</summary>
    internal ulong Tick;

    /// <summary>The number of its slot in the wheel plus one; 0 when it stands in none.</summary>
    internal int Place;

    /// <summary>Whether it will be called.</summary>
    public readonly bool IsRunning => Place != 0 && Deadline != NetworkTimers.Never;
}
