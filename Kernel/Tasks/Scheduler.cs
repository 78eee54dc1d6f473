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
        RunQueue* queue = Queue;
        if (queue->IsEmpty)
            return;
        Charge(queue, thread, Clock.MonotonicNanoseconds);
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
        if (wasEmpty && current != null && current->State == ThreadState.Runnable && !EndsInTime(queue, current))
            StartSlice(queue, current, Clock.MonotonicNanoseconds);
    }

    /// <summary>
    /// Whether the slice timer, left running from before, is due no later than a thread's slice is over. It is not stopped when nobody waits any more, because
    /// threads that wake each other would start and stop it all the time; when it is due it looks whether anything is to be done.
    /// </summary>
    private static bool EndsInTime(RunQueue* queue, Thread* thread) =>
        queue->SliceTimer.IsActive && (long)(queue->SliceTimer.Deadline - queue->RunStart) <= thread->SliceLeft;

    private static void StartSlice(RunQueue* queue, Thread* thread, ulong now)
    {
        queue->SliceTimer.Callback = &OnSliceEnd;
        queue->SliceTimer.Context = queue;
        long left = thread->SliceLeft > 0 ? thread->SliceLeft : 1;
        Timers.Start(&queue->SliceTimer, now + (ulong)left);
    }

    /// <summary>Takes what the running thread used until <paramref name="now"/> from its slice.</summary>
    private static void Charge(RunQueue* queue, Thread* thread, ulong now)
    {
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
        ulong start = Clock.MonotonicNanoseconds;
        if (thread->State == ThreadState.Blocked)
            Charge(queue, thread, start);
        else
            queue->RunStart = start;
        thread->Work &= ~ThreadWork.Reschedule;
        if (!queue->IsEmpty && !EndsInTime(queue, next))
            StartSlice(queue, next, start);
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

    /// <summary>Frees the thread that ended here last, unless it is the current one, which still needs its stack.</summary>
    internal static void FreeEnded(Thread* current)
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

    private static void OnSliceEnd(Timer* timer)
    {
        RunQueue* queue = (RunQueue*)timer->Context;
        if (queue->IsEmpty)
            return;
        Thread* thread = Current;
        ulong end = queue->RunStart + (ulong)thread->SliceLeft;
        if (thread->SliceLeft > 0 && end > Clock.MonotonicNanoseconds)
            Timers.Start(timer, end);
        else
            thread->Work |= ThreadWork.Reschedule;
    }
}
