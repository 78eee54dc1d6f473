// Sending signals and deciding what becomes of them. How a handler is entered is the architecture's business (SignalDelivery, SignalFrame).
// Source: signal(7), kill(2), sigaction(2).
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Tasks;

/// <summary>What a signal does to a process that has not said otherwise.</summary>
public enum DefaultAction
{
    Terminate,
    Ignore,
    Stop,
    Continue,
}

/// <summary>Sends signals.</summary>
public static unsafe class Signals
{
    /// <summary>The default action of a signal. A core dump is a termination here.</summary>
    public static DefaultAction DefaultOf(int signal) => signal switch
    {
        Signal.SIGCHLD or Signal.SIGURG or Signal.SIGWINCH => DefaultAction.Ignore,
        Signal.SIGSTOP or Signal.SIGTSTP or Signal.SIGTTIN or Signal.SIGTTOU => DefaultAction.Stop,
        Signal.SIGCONT => DefaultAction.Continue,
        _ => DefaultAction.Terminate,
    };

    /// <summary>Sends a signal of the kernel's own, such as the terminal's or SIGPIPE.</summary>
    public static void Send(Process* process, int signal) => Send(process, SignalInfo.FromKernel(signal));

    /// <summary>Sends a signal of the kernel's own to every process of a group.</summary>
    public static void SendToGroup(int groupId, int signal)
    {
        for (Process* process = ThreadTable.FirstProcess; process != null; process = process->NextInTable)
        {
            if (process->GroupId == groupId && !process->IsEnding)
                Send(process, signal);
        }
    }

    /// <summary>Sends a signal to a process: any thread that does not block it may take it. EAGAIN when its queue is full.</summary>
    public static Errno Send(Process* process, in SignalInfo info)
    {
        if (!Prepare(process, info.Number))
            return Errno.None;
        Thread* taker = null;
        for (Thread* thread = process->Threads; thread != null; thread = thread->NextInProcess)
        {
            if (!Wants(thread, info.Number))
                continue;
            taker = thread;
            // The first thread is asked first, as on Linux; it is the last in the list.
            if (thread->Id == process->Id)
                break;
        }
        if (taker == null && IsIgnored(process, info.Number) && !IsBlockedSomewhere(process, info.Number))
            return Errno.None;
        if (!process->PendingSignals.Add(info))
            return Errno.EAGAIN;
        WakeFiles(process);
        if (info.Number == Signal.SIGKILL)
            NotifyAll(process);
        else if (taker != null)
            Notify(taker);
        return Errno.None;
    }

    /// <summary>Sends a signal to one thread. EAGAIN when its queue is full.</summary>
    public static Errno Send(Thread* thread, in SignalInfo info)
    {
        if (!Prepare(thread->Process, info.Number))
            return Errno.None;
        if (IsIgnored(thread->Process, info.Number) && !thread->SignalMask.Contains(info.Number) && !thread->WaitedSignals.Contains(info.Number))
            return Errno.None;
        if (!thread->PendingSignals.Add(info))
            return Errno.EAGAIN;
        WakeFiles(thread->Process);
        if (info.Number == Signal.SIGKILL)
            NotifyAll(thread->Process);
        else if (Wants(thread, info.Number))
            Notify(thread);
        return Errno.None;
    }

    /// <summary>
    /// Raises a fault's signal in the current thread. When it is blocked or ignored the process dies of it, since the instruction cannot go on. The last
    /// three are for the signal frame: the faulting address, the processor's error code and the vector.
    /// </summary>
    public static void Force(Thread* thread, SignalInfo info, ulong faultAddress, ulong errorCode, ulong vector)
    {
        Process* process = thread->Process;
        ref SignalAction action = ref process->Actions[info.Number - 1];
        if (action.Handler == SignalAction.Ignore || thread->SignalMask.Contains(info.Number))
        {
            action.Handler = SignalAction.Default;
            thread->SignalMask &= ~SignalSet.Of(info.Number);
        }
        thread->Fault.Address = faultAddress;
        thread->Fault.ErrorCode = errorCode;
        thread->Fault.Vector = vector;
        if (thread->PendingSignals.Pending.Contains(info.Number))
            thread->PendingSignals.Discard(SignalSet.Of(info.Number));
        thread->PendingSignals.Add(info);
        thread->Work |= ThreadWork.Signal;
    }

    /// <summary>Whether the thread has something to do about signals on its way out.</summary>
    public static bool HasDeliverable(Thread* thread)
    {
        if (thread->Process->IsEnding || thread->Process->IsStopped)
            return true;
        SignalSet pending = thread->PendingSignals.Pending | thread->Process->PendingSignals.Pending;
        return !(pending & ~(thread->SignalMask & ~thread->WaitedSignals)).IsEmpty;
    }

    /// <summary>Sets the work flag to what mask and pending signals say.</summary>
    public static void Recalculate(Thread* thread)
    {
        if (HasDeliverable(thread))
            thread->Work |= ThreadWork.Signal;
        else
            thread->Work &= ~ThreadWork.Signal;
    }

    /// <summary>Sets the current thread's mask. SIGKILL and SIGSTOP stay unblocked.</summary>
    public static void SetMask(Thread* thread, SignalSet mask)
    {
        SignalSet newlyBlocked = mask & ~thread->SignalMask;
        thread->SignalMask = mask & ~SignalSet.Unblockable;
        // A signal of the process that this thread was to take may have to find another.
        SignalSet orphaned = thread->Process->PendingSignals.Pending & newlyBlocked;
        for (Thread* other = thread->Process->Threads; other != null && !orphaned.IsEmpty; other = other->NextInProcess)
        {
            if (other != thread && !(orphaned & ~other->SignalMask).IsEmpty)
                Notify(other);
        }
        Recalculate(thread);
    }

    /// <summary>
    /// Sets a mask for the duration of the current call (ppoll, pselect, epoll_pwait, sigsuspend). The way out of the kernel puts the old one back,
    /// after a signal that the temporary mask let through has been delivered.
    /// </summary>
    public static void SetTemporaryMask(ulong mask)
    {
        Thread* thread = Scheduler.Current;
        thread->SavedSignalMask = thread->SignalMask;
        thread->HasSavedSignalMask = true;
        SetMask(thread, new SignalSet(mask));
        // Also without a signal the way out must look, to put the mask back.
        thread->Work |= ThreadWork.Signal;
    }

    /// <summary>Takes the next deliverable signal that is in <paramref name="wanted"/>; false when there is none.</summary>
    public static bool TryTake(Thread* thread, SignalSet wanted, out SignalInfo info)
    {
        SignalSet own = thread->PendingSignals.Pending & wanted;
        if (!own.IsEmpty)
        {
            SignalSet synchronous = own & SignalSet.Synchronous;
            info = thread->PendingSignals.Take(synchronous.IsEmpty ? own.First : synchronous.First);
            return true;
        }
        SignalSet shared = thread->Process->PendingSignals.Pending & wanted;
        if (!shared.IsEmpty)
        {
            info = thread->Process->PendingSignals.Take(shared.First);
            return true;
        }
        info = default;
        return false;
    }

    /// <summary>Whether the process ignores a signal, by choice or by default.</summary>
    public static bool IsIgnored(Process* process, int signal)
    {
        ulong handler = process->Actions[signal - 1].Handler;
        return handler == SignalAction.Ignore || (handler == SignalAction.Default && DefaultOf(signal) == DefaultAction.Ignore);
    }

    /// <summary>Makes every thread look at its signals, and end interruptible sleeps.</summary>
    internal static void NotifyAll(Process* process)
    {
        for (Thread* thread = process->Threads; thread != null; thread = thread->NextInProcess)
            Notify(thread);
    }

    /// <summary>What stop and continue signals cancel in each other, and waking the stopped. False: nothing more to send.</summary>
    private static bool Prepare(Process* process, int signal)
    {
        if (process->IsEnding)
            return false;
        SignalSet stops = SignalSet.Of(Signal.SIGSTOP) | SignalSet.Of(Signal.SIGTSTP) | SignalSet.Of(Signal.SIGTTIN) | SignalSet.Of(Signal.SIGTTOU);
        if (signal == Signal.SIGCONT)
        {
            DiscardEverywhere(process, stops);
            process->IsStopped = false;
            process->StopQueue.WakeAll();
        }
        else if (stops.Contains(signal))
        {
            DiscardEverywhere(process, SignalSet.Of(Signal.SIGCONT));
        }
        else if (signal == Signal.SIGKILL)
        {
            process->IsStopped = false;
            process->StopQueue.WakeAll();
        }
        return true;
    }

    /// <summary>A signal waits: those learn of it that wait for it through a file.</summary>
    private static void WakeFiles(Process* process)
    {
        if (!process->SignalWaiters.IsEmpty)
            process->SignalWaiters.Wake(PollEvents.In | PollEvents.ReadNormal, int.MaxValue);
    }

    private static void DiscardEverywhere(Process* process, SignalSet signals)
    {
        process->PendingSignals.Discard(signals);
        for (Thread* thread = process->Threads; thread != null; thread = thread->NextInProcess)
            thread->PendingSignals.Discard(signals);
    }

    private static bool Wants(Thread* thread, int signal) =>
        (!thread->SignalMask.Contains(signal) && !IsIgnored(thread->Process, signal)) || thread->WaitedSignals.Contains(signal);

    private static bool IsBlockedSomewhere(Process* process, int signal)
    {
        for (Thread* thread = process->Threads; thread != null; thread = thread->NextInProcess)
        {
            if (thread->SignalMask.Contains(signal))
                return true;
        }
        return false;
    }

    private static void Notify(Thread* thread)
    {
        thread->Work |= ThreadWork.Signal;
        Scheduler.Interrupt(thread);
    }
}
