namespace Ukl.Kernel.Time;

/// <summary>
/// Something to be called once at a time. It lives in its owner's object and costs no allocation; the owner cancels it before that object ends. All zero is a timer that
/// does not run.
/// </summary>
public unsafe struct Timer
{
    /// <summary>Called by the timer interrupt, with the timer already stopped, so that it may start it again. Must not sleep.</summary>
    public delegate*<Timer*, void> Callback;

    /// <summary>For the callback's owner.</summary>
    public void* Context;

    /// <summary>When it is due, in monotonic nanoseconds; valid while it runs.</summary>
    public ulong Deadline;

    /// <summary>The first child in the heap (<see cref="TimerHeap"/>).</summary>
    internal Timer* Child;

    /// <summary>The next sibling.</summary>
    internal Timer* Next;

    /// <summary>The previous sibling, or the parent of a first child; the timer itself at the root.</summary>
    internal Timer* Previous;

    /// <summary>Whether it runs.</summary>
    public readonly bool IsActive => Previous != null;
}
