// Sources: sigaction(2), sigprocmask(2), sigaltstack(2), kill(2), tgkill(2), sigtimedwait(2), rt_sigqueueinfo(2), sigsuspend(2), pause(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Syscalls;

/// <summary>Calls about signals.</summary>
internal static unsafe class SignalCalls
{
    private const int SetSize = 8;

    [Syscall(13, "rt_sigaction")]
    internal static Result Action(int signal, UserPtr<SignalAction> action, UserPtr<SignalAction> old, nuint setSize)
    {
        if (setSize != SetSize || !Signal.IsValid(signal))
            return Errno.EINVAL;
        Process* process = Process.Current;
        SignalAction previous = process->Actions[signal - 1];
        if (!action.IsNull)
        {
            if (!action.TryRead(out SignalAction wanted))
                return Errno.EFAULT;
            if (SignalSet.Unblockable.Contains(signal))
                return Errno.EINVAL;
            wanted.Mask &= ~SignalSet.Unblockable;
            process->Actions[signal - 1] = wanted;
            if (Signals.IsIgnored(process, signal))
                DiscardIgnored(process, signal);
        }
        return old.IsNull || old.TryWrite(previous) ? Result.Ok : Errno.EFAULT;
    }

    [Syscall(14, "rt_sigprocmask")]
    internal static Result ProcessMask(int how, UserPtr<SignalSet> set, UserPtr<SignalSet> old, nuint setSize)
    {
        const int Block = 0;
        const int Unblock = 1;
        const int Set = 2;
        if (setSize != SetSize)
            return Errno.EINVAL;
        Thread* thread = Scheduler.Current;
        SignalSet previous = thread->SignalMask;
        if (!set.IsNull)
        {
            if (!set.TryRead(out SignalSet given))
                return Errno.EFAULT;
            switch (how)
            {
                case Block:
                    Signals.SetMask(thread, previous | given);
                    break;
                case Unblock:
                    Signals.SetMask(thread, previous & ~given);
                    break;
                case Set:
                    Signals.SetMask(thread, given);
                    break;
                default:
                    return Errno.EINVAL;
            }
        }
        return old.IsNull || old.TryWrite(previous) ? Result.Ok : Errno.EFAULT;
    }

    [Syscall(15, "rt_sigreturn")]
    internal static Result Return(TrapFrame* frame)
    {
        Thread* thread = Scheduler.Current;
        if (!SignalFrame.Pop(thread, frame))
        {
            ProcessExit.Kill(thread->Process, Signal.SIGSEGV);
            return Result.Ok;
        }
        return new Result((long)frame->Rax);
    }

    [Syscall(127, "rt_sigpending")]
    internal static Result Pending(UserPtr<SignalSet> set, nuint setSize)
    {
        if (setSize > SetSize)
            return Errno.EINVAL;
        Thread* thread = Scheduler.Current;
        SignalSet pending = (thread->PendingSignals.Pending | thread->Process->PendingSignals.Pending) & thread->SignalMask;
        return set.TryWrite(pending) ? Result.Ok : Errno.EFAULT;
    }

    [Syscall(128, "rt_sigtimedwait"), MayBlock]
    internal static Result TimedWait(UserPtr<SignalSet> set, UserPtr<SignalInfo> info, UserPtr<TimeSpec> timeout, nuint setSize)
    {
        if (setSize != SetSize)
            return Errno.EINVAL;
        if (!set.TryRead(out SignalSet wanted))
            return Errno.EFAULT;
        wanted &= ~SignalSet.Unblockable;
        ulong deadline = Scheduler.Forever;
        if (!timeout.IsNull)
        {
            if (!timeout.TryRead(out TimeSpec time))
                return Errno.EFAULT;
            if (!time.IsValid)
                return Errno.EINVAL;
            deadline = Clock.MonotonicNanoseconds + time.ToNanoseconds();
        }
        Thread* thread = Scheduler.Current;
        Errno error = Errno.None;
        thread->WaitedSignals = wanted;
        bool isTaken;
        SignalInfo taken;
        while (!(isTaken = Signals.TryTake(thread, wanted, out taken)) && error == Errno.None)
        {
            error = Scheduler.Block(deadline);
            // A waited-for signal ends the sleep like any other.
            if (error == Errno.ERESTARTSYS && !((thread->PendingSignals.Pending | thread->Process->PendingSignals.Pending) & wanted).IsEmpty)
                error = Errno.None;
        }
        thread->WaitedSignals = SignalSet.Empty;
        Signals.Recalculate(thread);
        if (!isTaken)
            return error == Errno.ETIMEDOUT ? Errno.EAGAIN : Errno.EINTR;
        if (!info.IsNull && !WriteInfo(info, taken))
            return Errno.EFAULT;
        return taken.Number;
    }

    [Syscall(130, "rt_sigsuspend"), MayBlock]
    internal static Result Suspend(UserPtr<SignalSet> set, nuint setSize)
    {
        if (setSize != SetSize)
            return Errno.EINVAL;
        if (!set.TryRead(out SignalSet mask))
            return Errno.EFAULT;
        Signals.SetTemporaryMask(mask.Bits);
        return SleepForSignal();
    }

    [Syscall(34, "pause"), MayBlock]
    internal static Result Pause() => SleepForSignal();

    [Syscall(131, "sigaltstack")]
    internal static Result AlternateStack(UserPtr<SignalStack> stack, UserPtr<SignalStack> old, TrapFrame* frame)
    {
        Thread* thread = Scheduler.Current;
        SignalStack previous = thread->AlternateStack;
        bool isOnStack = previous.Contains(frame->Rsp);
        previous.Flags = !previous.IsEnabled ? SignalStack.Disabled : (previous.Flags & SignalStack.AutoDisarm) | (isOnStack ? SignalStack.OnStack : 0);
        if (!stack.IsNull)
        {
            if (!stack.TryRead(out SignalStack wanted))
                return Errno.EFAULT;
            if (isOnStack)
                return Errno.EPERM;
            int mode = wanted.Flags & ~SignalStack.AutoDisarm;
            if (mode == SignalStack.Disabled)
            {
                thread->AlternateStack = default;
            }
            else
            {
                if (mode is not (0 or SignalStack.OnStack))
                    return Errno.EINVAL;
                if (wanted.Size < SignalStack.MinimumSize)
                    return Errno.ENOMEM;
                wanted.Flags &= SignalStack.AutoDisarm;
                thread->AlternateStack = wanted;
            }
        }
        return old.IsNull || old.TryWrite(previous) ? Result.Ok : Errno.EFAULT;
    }

    [Syscall(62, "kill")]
    internal static Result Kill(Pid pid, int signal)
    {
        if (signal != 0 && !Signal.IsValid(signal))
            return Errno.EINVAL;
        Process* self = Process.Current;
        SignalInfo info = SignalInfo.FromProcess(signal, SignalInfo.User, self->Id, self->Credentials.UserId);
        if (pid.Value > 0)
        {
            Process* process = ThreadTable.FindProcess(pid.Value);
            if (process == null)
                return Errno.ESRCH;
            return signal == 0 ? Errno.None : Signals.Send(process, info);
        }
        int group = pid.Value == 0 ? self->GroupId : -pid.Value;
        bool isFound = false;
        for (Process* process = ThreadTable.FirstProcess; process != null; process = process->NextInTable)
        {
            // -1 is every process but the sender and the first.
            bool isMeant = pid.Value == -1 ? process != self && process->Id != 1 : process->GroupId == group;
            if (!isMeant)
                continue;
            isFound = true;
            if (signal != 0)
                Signals.Send(process, info);
        }
        return isFound ? Errno.None : Errno.ESRCH;
    }

    [Syscall(200, "tkill")]
    internal static Result ThreadKill(Pid id, int signal) => id.Value <= 0 ? Errno.EINVAL : SendToThread(0, id.Value, signal);

    [Syscall(234, "tgkill")]
    internal static Result GroupThreadKill(Pid group, Pid id, int signal) =>
        group.Value <= 0 || id.Value <= 0 ? Errno.EINVAL : SendToThread(group.Value, id.Value, signal);

    [Syscall(129, "rt_sigqueueinfo")]
    internal static Result QueueInfo(Pid pid, int signal, UserPtr<SignalInfo> info)
    {
        if (!info.TryRead(out SignalInfo given))
            return Errno.EFAULT;
        Process* process = ThreadTable.FindProcess(pid.Value);
        if (process == null)
            return Errno.ESRCH;
        if (!IsAllowed(given, process->Id))
            return Errno.EPERM;
        if (signal != 0 && !Signal.IsValid(signal))
            return Errno.EINVAL;
        given.Number = signal;
        return signal == 0 ? Errno.None : Signals.Send(process, given);
    }

    [Syscall(297, "rt_tgsigqueueinfo")]
    internal static Result ThreadQueueInfo(Pid group, Pid id, int signal, UserPtr<SignalInfo> info)
    {
        if (group.Value <= 0 || id.Value <= 0)
            return Errno.EINVAL;
        if (!info.TryRead(out SignalInfo given))
            return Errno.EFAULT;
        Thread* thread = ThreadTable.Find(id.Value);
        if (thread == null || thread->Process->Id != group.Value)
            return Errno.ESRCH;
        if (!IsAllowed(given, group.Value))
            return Errno.EPERM;
        if (signal != 0 && !Signal.IsValid(signal))
            return Errno.EINVAL;
        given.Number = signal;
        return signal == 0 ? Errno.None : Signals.Send(thread, given);
    }

    /// <summary>A program may not pose as the kernel or as kill(2) towards another.</summary>
    private static bool IsAllowed(in SignalInfo info, int processId) =>
        (info.Code < 0 && info.Code != SignalInfo.ThreadKill) || processId == Process.Current->Id;

    private static Result SendToThread(int group, int id, int signal)
    {
        if (signal != 0 && !Signal.IsValid(signal))
            return Errno.EINVAL;
        Thread* thread = ThreadTable.Find(id);
        if (thread == null || (group != 0 && thread->Process->Id != group))
            return Errno.ESRCH;
        Process* self = Process.Current;
        return signal == 0
            ? Errno.None
            : Signals.Send(thread, SignalInfo.FromProcess(signal, SignalInfo.ThreadKill, self->Id, self->Credentials.UserId));
    }

    private static Result SleepForSignal()
    {
        Errno error;
        do
        {
            error = Scheduler.Block();
        }
        while (error == Errno.None);
        return Errno.ERESTARTNOHAND;
    }

    private static bool WriteInfo(UserPtr<SignalInfo> to, in SignalInfo info) =>
        to.TryWrite(info) && UserMemory.Clear(to.Address + (ulong)sizeof(SignalInfo), (nuint)(SignalInfo.ProgramSize - sizeof(SignalInfo)));

    private static void DiscardIgnored(Process* process, int signal)
    {
        process->PendingSignals.Discard(SignalSet.Of(signal));
        for (Thread* thread = process->Threads; thread != null; thread = thread->NextInProcess)
            thread->PendingSignals.Discard(SignalSet.Of(signal));
    }
}
