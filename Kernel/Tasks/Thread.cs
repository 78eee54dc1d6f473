using System;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Tasks;

/// <summary>What a thread's next way into or out of the kernel must do beside the call itself.</summary>
[Flags]
public enum ThreadWork : uint
{
    None = 0,

    /// <summary>Another thread should run.</summary>
    Reschedule = 1,

    /// <summary>A signal may be deliverable, or the process is ending.</summary>
    Signal = 2,

    /// <summary>System calls are traced.</summary>
    Trace = 4,

    /// <summary>What the way out looks at.</summary>
    OnExit = Reschedule | Signal,
}

/// <summary>What a thread is doing.</summary>
public enum ThreadState
{
    /// <summary>Runs, or waits for the processor.</summary>
    Runnable,

    /// <summary>Sleeps until woken.</summary>
    Blocked,

    /// <summary>Has ended; its memory is freed by the thread that runs next.</summary>
    Dead,
}

/// <summary>A thread: what the scheduler switches between. Lives in a pool; reached by pointer.</summary>
public unsafe struct Thread
{
    /// <summary>Looked at on every entry and exit.</summary>
    public ThreadWork Work;

    /// <summary>Time stamp ticks in the program. Between two changes the side that runs lacks the time stamp of now (entry.S, ACCOUNT).</summary>
    public ulong UserTicks;

    /// <summary>Like <see cref="UserTicks"/> for the kernel; see <see cref="SystemTicks"/>.</summary>
    public ulong SystemBalance;

    /// <summary>The thread id; the first thread's is the process's.</summary>
    public int Id;

    /// <summary>How often it faulted and was switched away from.</summary>
    public ResourceCounts Counts;

    /// <summary>The process it belongs to.</summary>
    public Process* Process;

    /// <summary>What it keeps of the processor.</summary>
    public ThreadContext Context;

    /// <summary>What it is doing.</summary>
    public ThreadState State;

    /// <summary>A wake-up came since the thread last blocked.</summary>
    public bool IsWakePending;

    /// <summary>Its sleep ended by time.</summary>
    public bool IsTimedOut;

    /// <summary>Whether it stands in the run queue.</summary>
    public bool IsQueued;

    /// <summary>Whether a signal may end the sleep it is in.</summary>
    public bool IsInterruptible;

    /// <summary>Run queue link.</summary>
    public Thread* NextRunnable;

    /// <summary>Nanoseconds left of its time slice.</summary>
    public long SliceLeft;

    /// <summary>Its nice value, -20…19.</summary>
    public int Nice;

    /// <summary>Ends its timed sleeps.</summary>
    public Timer SleepTimer;

    /// <summary>Links of the process's threads.</summary>
    public Thread* NextInProcess;

    /// <summary>See <see cref="NextInProcess"/>.</summary>
    public Thread* PreviousInProcess;

    /// <summary>Link of the id table.</summary>
    public Thread* NextInTable;

    /// <summary>Blocked signals.</summary>
    public SignalSet SignalMask;

    /// <summary>The mask to go back to after sigsuspend, ppoll and their like; valid with <see cref="HasSavedSignalMask"/>.</summary>
    public SignalSet SavedSignalMask;

    /// <summary>See <see cref="SavedSignalMask"/>.</summary>
    public bool HasSavedSignalMask;

    /// <summary>Signals sent to this thread alone.</summary>
    public SignalQueue PendingSignals;

    /// <summary>Signals a sigtimedwait in progress takes although they are blocked.</summary>
    public SignalSet WaitedSignals;

    /// <summary>The last fault, for signal frames.</summary>
    public FaultRecord Fault;

    /// <summary>Alternate signal stack (sigaltstack).</summary>
    public SignalStack AlternateStack;

    /// <summary>Absolute end of the relative sleep that a signal without handler interrupted; 0 otherwise.</summary>
    public ulong RestartDeadline;

    /// <summary>Where to store 0 and wake one futex waiter when the thread ends (set_tid_address).</summary>
    public ulong ClearIdAddress;

    /// <summary>Head of the robust futex list (set_robust_list).</summary>
    public ulong RobustList;

    /// <summary>Its name, shown in /proc.</summary>
    public ThreadName Name;

    /// <summary>Monotonic nanoseconds at its start.</summary>
    public ulong StartTime;

    /// <summary>Time stamp ticks in the kernel until now.</summary>
    public readonly ulong SystemTicks => IsRunning ? SystemBalance + Cpu.ReadTimestamp() : SystemBalance;

    private readonly bool IsRunning => Scheduler.Current != null && Id == Scheduler.Current->Id && !Cpu.Current->RunQueue.IsIdle;
}

/// <summary>What getrusage(2) counts. Page faults that wait for a disk do not exist: nothing is read from one.</summary>
public struct ResourceCounts
{
    /// <summary>Page faults that were resolved.</summary>
    public ulong Faults;

    /// <summary>Switches to another thread because this one slept.</summary>
    public ulong VoluntarySwitches;

    /// <summary>Switches to another thread because its slice was over or it yielded.</summary>
    public ulong InvoluntarySwitches;

    /// <summary>Adds another thread's counts.</summary>
    public void Add(in ResourceCounts other)
    {
        Faults += other.Faults;
        VoluntarySwitches += other.VoluntarySwitches;
        InvoluntarySwitches += other.InvoluntarySwitches;
    }
}

/// <summary>A thread's name: up to 15 bytes and a NUL (prctl PR_SET_NAME).</summary>
[System.Runtime.CompilerServices.InlineArray(Length)]
public struct ThreadName
{
    /// <summary>Bytes with the NUL.</summary>
    public const int Length = 16;

    private byte _first;
}

/// <summary>What the processor said of a thread's last fault.</summary>
public struct FaultRecord
{
    /// <summary>The address (cr2).</summary>
    public ulong Address;

    /// <summary>The error code.</summary>
    public ulong ErrorCode;

    /// <summary>The vector.</summary>
    public ulong Vector;
}
