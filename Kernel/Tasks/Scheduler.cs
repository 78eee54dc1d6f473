using Ukl.Kernel.Abi;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Tasks;

/// <summary>
/// Decides which thread runs. Threads give up the processor when they sleep, and on their way out of the kernel when their slice is over. There is no
/// idle thread: a thread that sleeps with nobody else to run waits for an interrupt where it stands.
/// </summary>
public static unsafe class Scheduler
{
    /// <summary>A deadline that never comes.</summary>
    public const ulong Forever = ulong.MaxValue;

    /// <summary>A slice at nice 0, in nanoseconds.</summary>
    private const long Slice = 1_000_000;

    /// <summary>The running thread.</summary>
    public static Thread* Current => Cpu.CurrentThread;

    private static RunQueue* Queue => &Cpu.Current->RunQueue;

    /// <summary>Nanoseconds a thread may run while others wait: 1 ms at nice 0, from about 2 ms at -20 down to 0.1 ms at 19.</summary>
    public static long SliceFor(Thread* thread) => thread->Nice <= 0 ? Slice - thread->Nice * (Slice / 20) : Slice - thread->Nice * (Slice / 21);

    /// <summary>Makes a new thread runnable.</summary>
    public static void Start(Thread* thread)
    {
        thread->SliceLeft = SliceFor(thread);
        Enqueue(thread);
    }

    /// <summary>
    /// Sleeps until <see cref="Wake"/>, until <paramref name="deadline"/> (monotonic nanoseconds) or, when <paramref name="isInterruptible"/>, until a signal. Returns
    /// None, ETIMEDOUT or ERESTARTSYS. A wake-up that came before makes it return at once.
    /// </summary>
    public static Errno Block(ulong deadline = Forever, bool isInterruptible = true)
    {
        Thread* thread = Current;
        if (thread->IsWakePending)
        {
            thread->IsWakePending = false;
            return Errno.None;
        }
        if (isInterruptible && (thread->Work & ThreadWork.Signal) != 0 && Signals.HasDeliverable(thread))
            return Errno.ERESTARTSYS;
        if (deadline != Forever)
        {
            if (Clock.MonotonicNanoseconds >= deadline)
                return Errno.ETIMEDOUT;
            thread->IsTimedOut = false;
            thread->SleepTimer.Callback = &OnTimeout;
            thread->SleepTimer.Context = thread;
            Timers.Start(&thread->SleepTimer, deadline);
        }
        thread->IsInterruptible = isInterruptible;
        thread->State = ThreadState.Blocked;
        Reschedule(thread);
        thread->IsInterruptible = false;
        if (deadline != Forever)
            Timers.Cancel(&thread->SleepTimer);
        if (thread->IsWakePending)
        {
            thread->IsWakePending = false;
            return Errno.None;
        }
        if (deadline != Forever && thread->IsTimedOut)
            return Errno.ETIMEDOUT;
        return Errno.ERESTARTSYS;
    }

    /// <summary>Makes a thread runnable, or its next <see cref="Block"/> return at once. May be called by interrupt handlers.</summary>
    public static void Wake(Thread* thread)
    {
        thread->IsWakePending = true;
        MakeRunnable(thread);
    }

    /// <summary>Ends an interruptible sleep because a signal came.</summary>
    public static void Interrupt(Thread* thread)
    {
        if (thread->IsInterruptible)
            MakeRunnable(thread);
    }

    /// <summary>Lets the others that wait run first.</summary>
    public static void Yield()
    {
        Thread* thread = Current;
        if (Queue->IsEmpty)
            return;
        Charge(thread);
        Enqueue(thread);
        Reschedule(thread);
    }

    /// <summary>Ends the current thread for good; its memory is freed by whoever runs next.</summary>
    public static void ExitCurrent()
    {
        Thread* thread = Current;
        thread->State = ThreadState.Dead;
        FreeEnded(thread);
        Queue->Ended = thread;
        Reschedule(thread);
    }

    private static void MakeRunnable(Thread* thread)
    {
        if (thread->State != ThreadState.Blocked)
            return;
        thread->State = ThreadState.Runnable;
        if (thread != Current)
            Enqueue(thread);
    }

    private static void Enqueue(Thread* thread)
    {
        RunQueue* queue = Queue;
        bool wasEmpty = queue->IsEmpty;
        queue->Add(thread);
        // The running thread had the processor to itself until now; from here on its slice counts.
        Thread* current = Current;
        if (wasEmpty && current != null && current->State == ThreadState.Runnable)
            StartSlice(queue, current);
    }

    private static void StartSlice(RunQueue* queue, Thread* thread)
    {
        queue->SliceTimer.Callback = &OnSliceEnd;
        queue->SliceTimer.Context = queue;
        long left = thread->SliceLeft > 0 ? thread->SliceLeft : 1;
        Timers.Start(&queue->SliceTimer, Clock.MonotonicNanoseconds + (ulong)left);
    }

    /// <summary>Takes what the running thread used from its slice.</summary>
    private static void Charge(Thread* thread)
    {
        RunQueue* queue = Queue;
        ulong now = Clock.MonotonicNanoseconds;
        thread->SliceLeft -= (long)(now - queue->RunStart);
        queue->RunStart = now;
    }

    /// <summary>Runs the next thread; returns when <paramref name="thread"/>, the current one, runs again.</summary>
    private static void Reschedule(Thread* thread)
    {
        RunQueue* queue = Queue;
        Thread* next = queue->Take();
        while (next == null)
        {
            // Nobody to run: sleep here. An interrupt may make this very thread runnable again without queueing it.
            if (thread->State == ThreadState.Runnable)
                return;
            queue->BeginIdle(thread);
            Cpu.WaitForInterrupt();
            queue->EndIdle(thread);
            next = thread->State == ThreadState.Runnable ? thread : queue->Take();
        }
        if (thread->State == ThreadState.Blocked)
            Charge(thread);
        else
            queue->RunStart = Clock.MonotonicNanoseconds;
        thread->Work &= ~ThreadWork.Reschedule;
        if (queue->IsEmpty)
            Timers.Cancel(&queue->SliceTimer);
        else
            StartSlice(queue, next);
        if (next == thread)
            return;
        if (thread->State == ThreadState.Runnable)
            thread->Counts.InvoluntarySwitches++;
        else
            thread->Counts.VoluntarySwitches++;
        ulong now = Cpu.ReadTimestamp();
        thread->SystemBalance += now;
        next->SystemBalance -= now;
        Context.Switch(thread, next);
        FreeEnded(thread);
    }

    private static void FreeEnded(Thread* current)
    {
        RunQueue* queue = Queue;
        Thread* ended = queue->Ended;
        if (ended == null || ended == current)
            return;
        queue->Ended = null;
        ThreadTable.Free(ended);
    }

    private static void OnTimeout(Timer* timer)
    {
        Thread* thread = (Thread*)timer->Context;
        thread->IsTimedOut = true;
        MakeRunnable(thread);
    }

    private static void OnSliceEnd(Timer* timer) => Current->Work |= ThreadWork.Reschedule;
}
