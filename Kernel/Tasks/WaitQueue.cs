using System;
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Tasks;

/// <summary>Readiness of a file, with Linux's values (poll(2)).</summary>
[Flags]
public enum PollEvents : uint
{
    None = 0,
    In = 0x001,
    Priority = 0x002,
    Out = 0x004,
    Error = 0x008,
    HangUp = 0x010,
    Invalid = 0x020,
    ReadNormal = 0x040,
    ReadBand = 0x080,
    WriteNormal = 0x100,
    WriteBand = 0x200,
    Message = 0x400,
    ReadHangUp = 0x2000,

    /// <summary>Matches every waiter, for events that are not a file's readiness.</summary>
    All = 0xffff_ffff,
}

/// <summary>
/// One registration in a <see cref="WaitQueue"/>: of a thread that sleeps, or of a callback (epoll). It lives on its owner's kernel stack or in its owner's
/// object and must be removed before that ends.
/// </summary>
public unsafe struct Waiter
{
    internal Waiter* Next;
    internal Waiter* Previous;
    internal WaitQueue* Queue;

    /// <summary>The thread to wake, when there is no callback.</summary>
    public Thread* Thread;

    /// <summary>Called on every matching wake instead of waking a thread; must not sleep, nor change the queue.</summary>
    public delegate*<Waiter*, PollEvents, void> Callback;

    /// <summary>For the callback's owner.</summary>
    public void* Context;

    /// <summary>The events it waits for; errors and hang-ups are always meant too.</summary>
    public PollEvents Interest;

    /// <summary>Of exclusive waiters, one wake-up takes only as many as it asks for.</summary>
    public bool IsExclusive;

    /// <summary>Set by the wake-up that reached this waiter; cleared by its owner.</summary>
    public bool IsSignaled;

    /// <summary>Whether it stands in a queue.</summary>
    public readonly bool IsQueued => Queue != null;

    /// <summary>Makes a waiter for the current thread.</summary>
    public static Waiter ForCurrentThread(PollEvents interest = PollEvents.All) => new() { Thread = Scheduler.Current, Interest = interest };
}

/// <summary>
/// The threads and callbacks that wait for one thing, in order of arrival. The rule against lost wake-ups: queue the waiter, then test the
/// condition, then <see cref="Scheduler.Block"/>; remove the waiter when done.
/// </summary>
public unsafe struct WaitQueue
{
    private Waiter* _first;
    private Waiter* _last;

    /// <summary>Whether nobody waits.</summary>
    public readonly bool IsEmpty => _first == null;

    /// <summary>Adds at the end.</summary>
    public void Add(Waiter* waiter)
    {
        waiter->Queue = (WaitQueue*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref this);
        waiter->IsSignaled = false;
        waiter->Next = null;
        waiter->Previous = _last;
        if (_last == null)
            _first = waiter;
        else
            _last->Next = waiter;
        _last = waiter;
    }

    /// <summary>Takes the waiter out; does nothing when it stands in no queue.</summary>
    public static void Remove(Waiter* waiter)
    {
        WaitQueue* queue = waiter->Queue;
        if (queue == null)
            return;
        if (waiter->Previous == null)
            queue->_first = waiter->Next;
        else
            waiter->Previous->Next = waiter->Next;
        if (waiter->Next == null)
            queue->_last = waiter->Previous;
        else
            waiter->Next->Previous = waiter->Previous;
        waiter->Queue = null;
        waiter->Next = null;
        waiter->Previous = null;
    }

    /// <summary>
    /// Wakes every waiter interested in <paramref name="events"/>, of the exclusive ones at most <paramref name="exclusiveLimit"/>. Waiters stay queued. May be called
    /// by interrupt handlers. Returns how many were reached.
    /// </summary>
    public readonly int Wake(PollEvents events = PollEvents.All, int exclusiveLimit = 1)
    {
        int reached = 0;
        Waiter* next;
        for (Waiter* waiter = _first; waiter != null; waiter = next)
        {
            next = waiter->Next;
            if ((events & (waiter->Interest | PollEvents.Error | PollEvents.HangUp)) == 0)
                continue;
            if (waiter->IsExclusive)
            {
                // One that was reached already and has not run yet would waste this wake-up.
                if (exclusiveLimit == 0 || waiter->IsSignaled)
                    continue;
                exclusiveLimit--;
            }
            reached++;
            waiter->IsSignaled = true;
            if (waiter->Callback != null)
                waiter->Callback(waiter, events);
            else
                Scheduler.Wake(waiter->Thread);
        }
        return reached;
    }

    /// <summary>Wakes every waiter.</summary>
    public readonly int WakeAll() => Wake(PollEvents.All, int.MaxValue);

    /// <summary>
    /// Sleeps until woken once, for use in a loop that tests its condition. Returns <see cref="Errno.None"/> when woken,
    /// <see cref="Errno.ETIMEDOUT"/> when <paramref name="deadline"/> (monotonic nanoseconds) passed, or <see cref="Errno.ERESTARTSYS"/> when a signal is pending.
    /// </summary>
    public Errno Sleep(PollEvents interest = PollEvents.All, ulong deadline = Scheduler.Forever)
    {
        Waiter waiter = Waiter.ForCurrentThread(interest);
        Add(&waiter);
        Errno reason = Scheduler.Block(deadline);
        Remove(&waiter);
        return reason;
    }
}
