// Making, naming and ending threads. Sources: clone(2), set_tid_address(2), exit(2), arch_prctl(2), prctl(2), membarrier(2).
using System;
using System.Runtime.InteropServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Syscalls;

/// <summary>Calls about threads.</summary>
internal static unsafe class ThreadCalls
{
    private const int MaximumThreads = 32768;

    [Flags]
    private enum CloneFlags : ulong
    {
        ExitSignalMask = 0xff,
        Memory = 0x100,
        FileSystem = 0x200,
        Files = 0x400,
        SignalHandlers = 0x800,
        Thread = 0x1_0000,
        SystemSemaphores = 0x4_0000,
        SetThreadPointer = 0x8_0000,
        ParentSetId = 0x10_0000,
        ChildClearId = 0x20_0000,
        Detached = 0x40_0000,
        ChildSetId = 0x100_0000,
        OfThread = Memory | FileSystem | Files | SignalHandlers | Thread,
        Allowed = OfThread | SystemSemaphores | SetThreadPointer | ParentSetId | ChildClearId | Detached | ChildSetId,
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct CloneArguments
    {
        public ulong Flags;
        public ulong PidFd;
        public ulong ChildId;
        public ulong ParentId;
        public ulong ExitSignal;
        public ulong Stack;
        public ulong StackSize;
        public ulong ThreadPointer;

        public const int MinimumSize = 64;
    }

    [Syscall(56, "clone", Limits = "threads only: a new process gives ENOSYS")]
    internal static Result Clone(ulong flags, ulong stack, UserPtr<int> parentId, UserPtr<int> childId, ulong threadPointer, TrapFrame* frame) =>
        Start((CloneFlags)(flags & ~(ulong)CloneFlags.ExitSignalMask), stack, parentId, childId, threadPointer, frame);

    [Syscall(435, "clone3", Limits = "threads only: a new process gives ENOSYS; no set_tid, no cgroup")]
    internal static Result Clone3(UserPtr<byte> arguments, nuint size, TrapFrame* frame)
    {
        if (size < CloneArguments.MinimumSize)
            return Errno.EINVAL;
        if (size > 4096)
            return Errno.E2BIG;
        if (!new UserPtr<CloneArguments>(arguments.Address).TryRead(out CloneArguments clone))
            return Errno.EFAULT;
        // What this version does not know must be zero.
        for (nuint offset = CloneArguments.MinimumSize; offset < size; offset++)
        {
            if (!arguments.At(offset).TryRead(out byte extra))
                return Errno.EFAULT;
            if (extra != 0)
                return Errno.E2BIG;
        }
        if (clone.Stack == 0 != (clone.StackSize == 0) || clone.Flags >> 32 != 0)
            return Errno.EINVAL;
        if (((CloneFlags)clone.Flags & CloneFlags.Thread) != 0 && clone.ExitSignal != 0)
            return Errno.EINVAL;
        return Start((CloneFlags)clone.Flags, clone.Stack + clone.StackSize, new(clone.ParentId), new(clone.ChildId), clone.ThreadPointer, frame);
    }

    [Syscall(218, "set_tid_address")]
    internal static Result SetThreadIdAddress(ulong address)
    {
        Scheduler.Current->ClearIdAddress = address;
        return Scheduler.Current->Id;
    }

    [Syscall(186, "gettid")]
    internal static Result GetThreadId() => Scheduler.Current->Id;

    [Syscall(60, "exit")]
    internal static Result Exit(int status)
    {
        Thread* thread = Scheduler.Current;
        if (thread->Process->ThreadCount == 1 && !thread->Process->IsEnding)
            thread->Process->ExitStatus = ExitStatus.Exited(status);
        ProcessExit.ExitThread(thread);
        return Result.Ok;
    }

    [Syscall(231, "exit_group")]
    internal static Result ExitGroup(int status)
    {
        Thread* thread = Scheduler.Current;
        ProcessExit.Begin(thread->Process, ExitStatus.Exited(status));
        ProcessExit.ExitThread(thread);
        return Result.Ok;
    }

    [Syscall(158, "arch_prctl", Limits = "fs and gs bases only; a linked program has no gs of its own")]
    internal static Result ArchControl(int code, ulong address)
    {
        const int SetGs = 0x1001;
        const int SetFs = 0x1002;
        const int GetFs = 0x1003;
        const int GetGs = 0x1004;
        Thread* thread = Scheduler.Current;
        bool isUserMode = thread->Process->IsUserMode;
        switch (code)
        {
            case SetFs:
                if (address >= UserMemory.Top && !UserMemory.IsValidRange(address, 1))
                    return Errno.EPERM;
                Context.SetFsBase(thread, address);
                return Result.Ok;
            case GetFs:
                return new UserPtr<ulong>(address).TryWrite(Context.GetFsBase(thread)) ? Result.Ok : Errno.EFAULT;
            case SetGs when isUserMode:
                if (address >= UserMemory.Top)
                    return Errno.EPERM;
                Context.SetGsBase(thread, address);
                return Result.Ok;
            case GetGs when isUserMode:
                return new UserPtr<ulong>(address).TryWrite(Context.GetGsBase(thread)) ? Result.Ok : Errno.EFAULT;
            default:
                return Errno.EINVAL;
        }
    }

    [Syscall(157, "prctl", Limits = "names, dumpable, no-new-privileges, keep-capabilities, parent-death signal, timer slack, subreaper; the rest gives EINVAL")]
    internal static Result ProcessControl(int option, ulong argument, ulong argument3, ulong argument4, ulong argument5)
    {
        const int SetParentDeathSignal = 1;
        const int GetParentDeathSignal = 2;
        const int GetDumpable = 3;
        const int SetDumpable = 4;
        const int GetKeepCapabilities = 7;
        const int SetKeepCapabilities = 8;
        const int SetName = 15;
        const int GetName = 16;
        const int SetTimerSlack = 29;
        const int GetTimerSlack = 30;
        const int SetNoNewPrivileges = 38;
        const int GetNoNewPrivileges = 39;
        const int DefaultSlack = 50_000;
        Thread* thread = Scheduler.Current;
        Process* process = thread->Process;
        switch (option)
        {
            case SetParentDeathSignal:
                if (argument > Signal.Highest)
                    return Errno.EINVAL;
                process->Control.ParentDeathSignal = (int)argument;
                return Result.Ok;
            case GetParentDeathSignal:
                return new UserPtr<int>(argument).TryWrite(process->Control.ParentDeathSignal) ? Result.Ok : Errno.EFAULT;
            case GetDumpable:
                return process->Control.IsNotDumpable ? 0 : 1;
            case SetDumpable:
                if (argument > 1)
                    return Errno.EINVAL;
                process->Control.IsNotDumpable = argument == 0;
                return Result.Ok;
            case GetKeepCapabilities:
                return process->Control.KeepsCapabilities ? 1 : 0;
            case SetKeepCapabilities:
                if (argument > 1)
                    return Errno.EINVAL;
                process->Control.KeepsCapabilities = argument == 1;
                return Result.Ok;
            case SetName:
                return Rename(thread, argument);
            case GetName:
                return new UserPtr<ThreadName>(argument).TryWrite(thread->Name) ? Result.Ok : Errno.EFAULT;
            case SetTimerSlack:
                process->Control.TimerSlack = argument;
                return Result.Ok;
            case GetTimerSlack:
                return process->Control.TimerSlack == 0 ? DefaultSlack : (long)process->Control.TimerSlack;
            case SetNoNewPrivileges:
                if (argument != 1 || argument3 != 0 || argument4 != 0 || argument5 != 0)
                    return Errno.EINVAL;
                process->Control.HasNoNewPrivileges = true;
                return Result.Ok;
            case GetNoNewPrivileges:
                return process->Control.HasNoNewPrivileges ? 1 : 0;
            default:
                return Errno.EINVAL;
        }
    }

    [Syscall(324, "membarrier", Limits = "one processor: every command is a no-op; none for restartable sequences")]
    internal static Result MemoryBarrier(int command, uint flags, int cpu)
    {
        const int Query = 0;
        const int Global = 1;
        const int GlobalExpedited = 2;
        const int PrivateExpedited = 8;
        const int PrivateExpeditedSyncCore = 32;
        const int RegisterGlobal = 4;
        const int RegisterPrivate = 16;
        const int RegisterSyncCore = 64;
        if (flags != 0)
            return Errno.EINVAL;
        Process* process = Process.Current;
        // Every entry of the kernel is a full barrier for this processor, and there is no other.
        switch (command)
        {
            case Query:
                return Global | GlobalExpedited | RegisterGlobal | PrivateExpedited | RegisterPrivate | PrivateExpeditedSyncCore | RegisterSyncCore;
            case Global:
            case GlobalExpedited:
                return Result.Ok;
            case RegisterGlobal:
            case RegisterPrivate:
            case RegisterSyncCore:
                process->MemoryBarriers |= (uint)command;
                return Result.Ok;
            case PrivateExpedited:
                return (process->MemoryBarriers & RegisterPrivate) != 0 ? Result.Ok : Errno.EPERM;
            case PrivateExpeditedSyncCore:
                return (process->MemoryBarriers & RegisterSyncCore) != 0 ? Result.Ok : Errno.EPERM;
            default:
                return Errno.EINVAL;
        }
    }

    private static Result Rename(Thread* thread, ulong address)
    {
        ThreadName name = default;
        Span<byte> bytes = name;
        fixed (byte* to = bytes)
        {
            nint length = new UserString(address).CopyTo(to, ThreadName.Length);
            if (length < 0)
                return Errno.EFAULT;
            for (nint i = length < ThreadName.Length ? length : ThreadName.Length - 1; i < ThreadName.Length; i++)
                to[i] = 0;
        }
        thread->Name = name;
        return Result.Ok;
    }

    private static Result Start(CloneFlags flags, ulong stack, UserPtr<int> parentId, UserPtr<int> childId, ulong threadPointer, TrapFrame* frame)
    {
        if ((flags & ~CloneFlags.Allowed) != 0 || (flags & CloneFlags.OfThread) != CloneFlags.OfThread)
        {
            bool isContradiction = ((flags & CloneFlags.Thread) != 0 && (flags & CloneFlags.SignalHandlers) == 0)
                || ((flags & CloneFlags.SignalHandlers) != 0 && (flags & CloneFlags.Memory) == 0);
            return isContradiction ? Errno.EINVAL : Errno.ENOSYS;
        }
        Thread* current = Scheduler.Current;
        if (ThreadTable.Count >= MaximumThreads)
            return Errno.EAGAIN;
        if ((flags & CloneFlags.SetThreadPointer) != 0 && threadPointer >= UserMemory.Top && !UserMemory.IsValidRange(threadPointer, 1))
            return Errno.EPERM;
        Thread* thread = ThreadTable.Create(current->Process);
        if (thread == null)
            return Errno.EAGAIN;
        TrapFrame* copy = thread->Context.Frame;
        *copy = *frame;
        copy->Rax = 0;
        copy->Origin = TrapFrame.OriginRewritten;
        if (stack != 0)
            copy->Rsp = stack;
        Context.CopyVectors(current, thread);
        thread->Context.FsBase = (flags & CloneFlags.SetThreadPointer) != 0 ? threadPointer : Context.GetFsBase(current);
        if (current->Process->IsUserMode)
            thread->Context.GsBase = Context.GetGsBase(current);
        thread->SignalMask = current->SignalMask;
        thread->Name = current->Name;
        thread->Nice = current->Nice;
        thread->Work = current->Work & ThreadWork.Trace;
        int id = thread->Id;
        // As on Linux, an address that cannot be written is the program's loss and no error of clone.
        if ((flags & CloneFlags.ParentSetId) != 0)
            _ = parentId.TryWrite(id);
        if ((flags & CloneFlags.ChildSetId) != 0)
            _ = childId.TryWrite(id);
        if ((flags & CloneFlags.ChildClearId) != 0)
            thread->ClearIdAddress = childId.Address;
        Scheduler.Start(thread);
        return id;
    }
}
