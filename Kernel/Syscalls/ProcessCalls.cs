// Who a process is and what it may use. Sources: getpid(2), credentials(7), setsid(2), getrlimit(2), getrusage(2), wait(2), capget(2).
using System.Runtime.InteropServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Syscalls;

/// <summary>Calls about processes.</summary>
internal static unsafe class ProcessCalls
{
    private const uint CapabilityVersion1 = 0x1998_0330;
    private const uint CapabilityVersion2 = 0x2007_1026;
    private const uint CapabilityVersion3 = 0x2008_0522;
    private const uint AllCapabilitiesHigh = 0x1ff;

    [Syscall(39, "getpid")]
    internal static Result GetId() => Process.Current->Id;

    [Syscall(110, "getppid")]
    internal static Result GetParentId() => Process.Current->ParentId;

    [Syscall(121, "getpgid")]
    internal static Result GetGroup(Pid pid)
    {
        Process* process = Find(pid);
        return process == null ? Errno.ESRCH : process->GroupId;
    }

    [Syscall(111, "getpgrp")]
    internal static Result GetOwnGroup() => Process.Current->GroupId;

    [Syscall(109, "setpgid")]
    internal static Result SetGroup(Pid pid, Pid group)
    {
        if (group.Value < 0)
            return Errno.EINVAL;
        Process* process = Find(pid);
        if (process == null)
            return Errno.ESRCH;
        if (process->SessionId == process->Id)
            return Errno.EPERM;
        process->GroupId = group.Value == 0 ? process->Id : group.Value;
        return Result.Ok;
    }

    [Syscall(112, "setsid")]
    internal static Result SetSession()
    {
        Process* process = Process.Current;
        if (process->GroupId == process->Id)
            return Errno.EPERM;
        process->SessionId = process->Id;
        process->GroupId = process->Id;
        return process->Id;
    }

    [Syscall(124, "getsid")]
    internal static Result GetSession(Pid pid)
    {
        Process* process = Find(pid);
        return process == null ? Errno.ESRCH : process->SessionId;
    }

    [Syscall(102, "getuid")]
    internal static Result GetUser() => (long)Process.Current->Credentials.UserId;

    [Syscall(107, "geteuid")]
    internal static Result GetEffectiveUser() => (long)Process.Current->Credentials.EffectiveUserId;

    [Syscall(104, "getgid")]
    internal static Result GetGroupId() => (long)Process.Current->Credentials.GroupId;

    [Syscall(108, "getegid")]
    internal static Result GetEffectiveGroup() => (long)Process.Current->Credentials.EffectiveGroupId;

    [Syscall(118, "getresuid")]
    internal static Result GetUsers(UserPtr<uint> real, UserPtr<uint> effective, UserPtr<uint> saved)
    {
        ref Credentials own = ref Process.Current->Credentials;
        return real.TryWrite(own.UserId) && effective.TryWrite(own.EffectiveUserId) && saved.TryWrite(own.SavedUserId) ? Result.Ok : Errno.EFAULT;
    }

    [Syscall(120, "getresgid")]
    internal static Result GetGroups(UserPtr<uint> real, UserPtr<uint> effective, UserPtr<uint> saved)
    {
        ref Credentials own = ref Process.Current->Credentials;
        return real.TryWrite(own.GroupId) && effective.TryWrite(own.EffectiveGroupId) && saved.TryWrite(own.SavedGroupId) ? Result.Ok : Errno.EFAULT;
    }

    [Syscall(105, "setuid")]
    internal static Result SetUser(uint id) => ChangeUsers(id, id, IsPrivileged ? id : uint.MaxValue);

    [Syscall(106, "setgid")]
    internal static Result SetGroupId(uint id) => ChangeGroups(id, id, IsPrivileged ? id : uint.MaxValue);

    [Syscall(113, "setreuid")]
    internal static Result SetRealEffectiveUser(uint real, uint effective) => ChangeUsers(real, effective, effective);

    [Syscall(114, "setregid")]
    internal static Result SetRealEffectiveGroup(uint real, uint effective) => ChangeGroups(real, effective, effective);

    [Syscall(117, "setresuid")]
    internal static Result SetAllUsers(uint real, uint effective, uint saved) => ChangeUsers(real, effective, saved);

    [Syscall(119, "setresgid")]
    internal static Result SetAllGroups(uint real, uint effective, uint saved) => ChangeGroups(real, effective, saved);

    [Syscall(115, "getgroups", Limits = "no supplementary groups")]
    internal static Result GetSupplementaryGroups(int count, UserPtr<uint> groups) => count < 0 ? Errno.EINVAL : Result.Ok;

    [Syscall(116, "setgroups", Limits = "only the empty list is kept")]
    internal static Result SetSupplementaryGroups(nuint count, UserPtr<uint> groups) => !IsPrivileged ? Errno.EPERM : count == 0 ? Result.Ok : Errno.EINVAL;

    [Syscall(125, "capget")]
    internal static Result GetCapabilities(UserPtr<CapabilityHeader> header, UserPtr<CapabilityData> data)
    {
        if (!header.TryRead(out CapabilityHeader asked))
            return Errno.EFAULT;
        bool isWide = asked.Version is CapabilityVersion2 or CapabilityVersion3;
        if (!isWide && asked.Version != CapabilityVersion1)
        {
            asked.Version = CapabilityVersion3;
            return header.TryWrite(asked) ? Errno.EINVAL : Errno.EFAULT;
        }
        if (data.IsNull)
            return Result.Ok;
        uint low = IsPrivileged ? uint.MaxValue : 0;
        uint high = IsPrivileged ? AllCapabilitiesHigh : 0;
        if (!data.TryWrite(new CapabilityData { Effective = low, Permitted = low }))
            return Errno.EFAULT;
        return !isWide || data.At(1).TryWrite(new CapabilityData { Effective = high, Permitted = high }) ? Result.Ok : Errno.EFAULT;
    }

    [Syscall(302, "prlimit64")]
    internal static Result ProcessLimit(Pid pid, int resource, UserPtr<ResourceLimit> limit, UserPtr<ResourceLimit> old)
    {
        if ((uint)resource >= ResourceLimits.Count)
            return Errno.EINVAL;
        Process* process = Find(pid);
        if (process == null)
            return Errno.ESRCH;
        ResourceLimit previous = process->Limits[resource];
        if (!limit.IsNull)
        {
            if (!limit.TryRead(out ResourceLimit wanted))
                return Errno.EFAULT;
            if (wanted.Soft > wanted.Hard)
                return Errno.EINVAL;
            if (wanted.Hard > previous.Hard && !IsPrivileged)
                return Errno.EPERM;
            if (resource == ResourceLimits.OpenFiles)
            {
                if (wanted.Hard > Files.FileTable.MaximumLimit)
                    return Errno.EPERM;
                process->Files->Limit = (uint)wanted.Soft;
            }
            process->Limits[resource] = wanted;
            ApplyToMemory(process->Memory, resource, wanted.Soft);
        }
        return old.IsNull || old.TryWrite(previous) ? Result.Ok : Errno.EFAULT;
    }

    [Syscall(97, "getrlimit")]
    internal static Result GetLimit(int resource, UserPtr<ResourceLimit> limit) => ProcessLimit(default, resource, default, limit);

    [Syscall(160, "setrlimit")]
    internal static Result SetLimit(int resource, UserPtr<ResourceLimit> limit) =>
        limit.IsNull ? Errno.EFAULT : ProcessLimit(default, resource, limit, default);

    [Syscall(98, "getrusage", Limits = "block and message counts are 0; children have none")]
    internal static Result GetUsage(int who, UserPtr<ResourceUsage> usage)
    {
        const int Self = 0;
        const int Children = -1;
        const int OneThread = 1;
        if (who is not (Self or Children or OneThread))
            return Errno.EINVAL;
        Thread* thread = Scheduler.Current;
        Process* process = thread->Process;
        ResourceUsage result = default;
        if (who != Children)
        {
            result.User = TimeValue.FromNanoseconds(Clock.TicksToNanoseconds(who == OneThread ? thread->UserTicks : process->UserTicks));
            result.System = TimeValue.FromNanoseconds(Clock.TicksToNanoseconds(who == OneThread ? thread->SystemTicks : process->SystemTicks));
            result.MaximumResident = (long)(process->Memory->PeakResidentPages * 4);
            ResourceCounts counts = who == OneThread ? thread->Counts : process->Counts;
            result.MinorFaults = (long)counts.Faults;
            result.VoluntarySwitches = (long)counts.VoluntarySwitches;
            result.InvoluntarySwitches = (long)counts.InvoluntarySwitches;
        }
        return usage.TryWrite(result) ? Result.Ok : Errno.EFAULT;
    }

    [Syscall(61, "wait4", Limits = "there are no child processes yet: ECHILD"), MayBlock]
    internal static Result Wait(Pid pid, UserPtr<int> status, int options, UserPtr<ResourceUsage> usage)
    {
        const int KnownOptions = unchecked((int)0xe000_000b);
        return (options & ~KnownOptions) != 0 ? Errno.EINVAL : Errno.ECHILD;
    }

    [Syscall(247, "waitid", Limits = "there are no child processes yet: ECHILD"), MayBlock]
    internal static Result WaitId(int type, Pid id, UserPtr<SignalInfo> info, int options, UserPtr<ResourceUsage> usage)
    {
        const int WaitKinds = 0x0100_000e;
        return type is < 0 or > 3 || (options & WaitKinds) == 0 ? Errno.EINVAL : Errno.ECHILD;
    }

    private static bool IsPrivileged => Process.Current->Credentials.EffectiveUserId == 0;

    private static Process* Find(Pid pid) => pid.Value == 0 ? Process.Current : ThreadTable.FindProcess(pid.Value);

    /// <summary>The address space keeps the limits that it has to watch.</summary>
    private static void ApplyToMemory(AddressSpace* memory, int resource, ulong limit)
    {
        if (memory == null)
            return;
        switch (resource)
        {
            case ResourceLimits.Stack:
                memory->StackLimit = limit;
                break;
            case ResourceLimits.AddressSpace:
                memory->AddressLimit = limit;
                break;
            case ResourceLimits.Data:
                memory->DataLimit = limit;
                break;
        }
    }

    private static Result ChangeUsers(uint real, uint effective, uint saved)
    {
        ref Credentials own = ref Process.Current->Credentials;
        if (!IsPrivileged)
        {
            if (!IsOneOf(real, own.UserId, own.EffectiveUserId, own.SavedUserId)
                || !IsOneOf(effective, own.UserId, own.EffectiveUserId, own.SavedUserId)
                || !IsOneOf(saved, own.UserId, own.EffectiveUserId, own.SavedUserId))
                return Errno.EPERM;
        }
        if (real != uint.MaxValue)
            own.UserId = real;
        if (effective != uint.MaxValue)
            own.EffectiveUserId = effective;
        if (saved != uint.MaxValue)
            own.SavedUserId = saved;
        return Result.Ok;
    }

    private static Result ChangeGroups(uint real, uint effective, uint saved)
    {
        ref Credentials own = ref Process.Current->Credentials;
        if (!IsPrivileged)
        {
            if (!IsOneOf(real, own.GroupId, own.EffectiveGroupId, own.SavedGroupId)
                || !IsOneOf(effective, own.GroupId, own.EffectiveGroupId, own.SavedGroupId)
                || !IsOneOf(saved, own.GroupId, own.EffectiveGroupId, own.SavedGroupId))
                return Errno.EPERM;
        }
        if (real != uint.MaxValue)
            own.GroupId = real;
        if (effective != uint.MaxValue)
            own.EffectiveGroupId = effective;
        if (saved != uint.MaxValue)
            own.SavedGroupId = saved;
        return Result.Ok;
    }

    private static bool IsOneOf(uint id, uint a, uint b, uint c) => id == uint.MaxValue || id == a || id == b || id == c;

    /// <summary>struct __user_cap_header_struct.</summary>
    internal struct CapabilityHeader
    {
        public uint Version;
        public int ProcessId;
    }

    /// <summary>struct __user_cap_data_struct.</summary>
    internal struct CapabilityData
    {
        public uint Effective;
        public uint Permitted;
        public uint Inheritable;
    }

    /// <summary>struct rusage.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct ResourceUsage
    {
        public TimeValue User;
        public TimeValue System;
        public long MaximumResident;
        public long SharedSize;
        public long DataSize;
        public long StackSize;
        public long MinorFaults;
        public long MajorFaults;
        public long Swaps;
        public long BlocksRead;
        public long BlocksWritten;
        public long MessagesSent;
        public long MessagesReceived;
        public long Signals;
        public long VoluntarySwitches;
        public long InvoluntarySwitches;
    }
}
