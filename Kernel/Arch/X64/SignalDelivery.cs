using Ukl.Kernel.Abi;
using Ukl.Kernel.Diagnostics;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Arch;

/// <summary>What the way out of the kernel does about signals: stop, end, run a handler, restart the call that one interrupted. Source: signal(7).</summary>
internal static unsafe class SignalDelivery
{
    /// <summary>Length of SYSCALL, and of the call of the gate.</summary>
    private const ulong SyscallLength = 2;
    private const ulong GateCallLength = 5;

    /// <summary>Delivers what can be delivered; clears the work flag when nothing is left.</summary>
    internal static void Run(Thread* thread, TrapFrame* frame)
    {
        Process* process = thread->Process;
        if (process->IsEnding)
            ProcessExit.ExitThread(thread);
        if (process->IsStopped)
        {
            WaitForContinue(process);
            return;
        }
        if (!Signals.TryTake(thread, ~thread->SignalMask, out SignalInfo info))
        {
            // No handler ran: the interrupted call starts again as if nothing had been.
            RestartCall(thread, frame, hasHandler: false, mayRestart: true);
            RestoreMask(thread);
            Signals.Recalculate(thread);
            return;
        }
        SignalAction action = process->Actions[info.Number - 1];
        if (action.Handler == SignalAction.Ignore)
            return;
        if (action.Handler == SignalAction.Default)
        {
            if (Signals.DefaultOf(info.Number) == DefaultAction.Terminate && SignalSet.Synchronous.Contains(info.Number) && info.Code > SignalInfo.User)
                FaultReport.Write(thread, frame, info);
            TakeDefault(thread, info.Number);
            return;
        }
        RestartCall(thread, frame, hasHandler: true, mayRestart: (action.Flags & SignalAction.Restart) != 0);
        if (!SignalFrame.Push(thread, frame, info, action))
        {
            // No room for the frame: as Linux does, the program dies of SIGSEGV.
            process->Actions[Signal.SIGSEGV - 1].Handler = SignalAction.Default;
            ProcessExit.Kill(process, Signal.SIGSEGV);
            return;
        }
        if ((action.Flags & SignalAction.ResetHandler) != 0)
            process->Actions[info.Number - 1].Handler = SignalAction.Default;
        SignalSet blocked = thread->SignalMask | action.Mask;
        if ((action.Flags & SignalAction.NoDefer) == 0)
            blocked |= SignalSet.Of(info.Number);
        thread->HasSavedSignalMask = false;
        Signals.SetMask(thread, blocked);
    }

    private static void TakeDefault(Thread* thread, int signal)
    {
        switch (Signals.DefaultOf(signal))
        {
            case DefaultAction.Terminate:
                ProcessExit.Kill(thread->Process, signal);
                break;
            case DefaultAction.Stop:
                thread->Process->IsStopped = true;
                Signals.NotifyAll(thread->Process);
                break;
        }
    }

    private static void WaitForContinue(Process* process)
    {
        while (process->IsStopped && !process->IsEnding)
        {
            Waiter waiter = Waiter.ForCurrentThread();
            process->StopQueue.Add(&waiter);
            Scheduler.Block(isInterruptible: false);
            WaitQueue.Remove(&waiter);
        }
    }

    private static void RestoreMask(Thread* thread)
    {
        if (!thread->HasSavedSignalMask)
            return;
        thread->HasSavedSignalMask = false;
        Signals.SetMask(thread, thread->SavedSignalMask);
    }

    private static void RestartCall(Thread* thread, TrapFrame* frame, bool hasHandler, bool mayRestart)
    {
        if (!frame->IsSyscall)
            return;
        Errno error = new Result((long)frame->Rax).Error;
        bool isRestart = error == Errno.ERESTARTSYS ? mayRestart : error == Errno.ERESTARTNOHAND && !hasHandler;
        if (error is not (Errno.ERESTARTSYS or Errno.ERESTARTNOHAND))
            return;
        if (!isRestart)
        {
            thread->RestartDeadline = 0;
            frame->Rax = unchecked((ulong)-(long)Errno.EINTR);
            return;
        }
        frame->Rax = frame->Error;
        frame->Rip -= frame->Origin == TrapFrame.OriginGate ? GateCallLength : SyscallLength;
        if (frame->Origin == TrapFrame.OriginGate)
            return;
        frame->Rcx = frame->Rip;
        frame->Origin = TrapFrame.OriginRewritten;
    }
}
