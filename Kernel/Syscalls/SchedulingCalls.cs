// Processor time: yield, affinity, priorities. Sources: sched(7), sched_setaffinity(2), getpriority(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Syscalls;

/// <summary>Calls about scheduling.</summary>
internal static unsafe class SchedulingCalls
{
    private const int PolicyOther = 0;
    private const int PolicyIdle = 5;
    private const int ResetOnFork = 0x4000_0000;
    private const int MaximumRealTimePriority = 99;
    private const int SliceNanoseconds = 1_000_000;

    [Syscall(24, "sched_yield")]
    internal static Result Yield()
    {
        Scheduler.Yield();
        return Result.Ok;
    }

    [Syscall(203, "sched_setaffinity")]
    internal static Result SetAffinity(Pid pid, nuint size, UserPtr<byte> mask)
    {
        if (Find(pid) == null)
            return Errno.ESRCH;
        if (size == 0)
            return Errno.EINVAL;
        if (!mask.TryRead(out byte first))
            return Errno.EFAULT;
        return (first & ((1 << Cpu.Count) - 1)) == 0 ? Errno.EINVAL : Result.Ok;
    }

    [Syscall(204, "sched_getaffinity")]
    internal static Result GetAffinity(Pid pid, nuint size, UserPtr<ulong> mask)
    {
        if (size < sizeof(ulong) || size % sizeof(ulong) != 0)
            return Errno.EINVAL;
        if (Find(pid) == null)
            return Errno.ESRCH;
        return mask.TryWrite((1ul << Cpu.Count) - 1) ? sizeof(ulong) : Errno.EFAULT;
    }

    [Syscall(309, "getcpu")]
    internal static Result GetCpu(UserPtr<uint> cpu, UserPtr<uint> node)
    {
        uint number = (uint)Cpu.Number;
        if (!cpu.IsNull && !cpu.TryWrite(number))
            return Errno.EFAULT;
        return node.IsNull || node.TryWrite(0) ? Result.Ok : Errno.EFAULT;
    }

    [Syscall(145, "sched_getscheduler", Limits = "always SCHED_OTHER")]
    internal static Result GetScheduler(Pid pid) => pid.Value < 0 ? Errno.EINVAL : Find(pid) == null ? Errno.ESRCH : PolicyOther;

    [Syscall(144, "sched_setscheduler", Limits = "real-time policies are accepted and run as SCHED_OTHER")]
    internal static Result SetScheduler(Pid pid, int policy, UserPtr<int> parameters)
    {
        int plain = policy & ~ResetOnFork;
        if (pid.Value < 0 || plain is < 0 or > PolicyIdle || plain == 4)
            return Errno.EINVAL;
        if (Find(pid) == null)
            return Errno.ESRCH;
        if (!parameters.TryRead(out int priority))
            return Errno.EFAULT;
        bool isRealTime = plain is 1 or 2;
        return isRealTime ? priority is >= 1 and <= MaximumRealTimePriority ? Result.Ok : Errno.EINVAL : priority == 0 ? Result.Ok : Errno.EINVAL;
    }

    [Syscall(143, "sched_getparam")]
    internal static Result GetParameters(Pid pid, UserPtr<int> parameters)
    {
        if (pid.Value < 0)
            return Errno.EINVAL;
        if (Find(pid) == null)
            return Errno.ESRCH;
        return parameters.TryWrite(0) ? Result.Ok : Errno.EFAULT;
    }

    [Syscall(142, "sched_setparam")]
    internal static Result SetParameters(Pid pid, UserPtr<int> parameters)
    {
        if (pid.Value < 0)
            return Errno.EINVAL;
        if (Find(pid) == null)
            return Errno.ESRCH;
        if (!parameters.TryRead(out int priority))
            return Errno.EFAULT;
        return priority == 0 ? Result.Ok : Errno.EINVAL;
    }

    [Syscall(146, "sched_get_priority_max")]
    internal static Result GetMaximumPriority(int policy) => policy is 1 or 2 ? MaximumRealTimePriority : policy is 0 or 3 or 5 or 6 ? 0 : Errno.EINVAL;

    [Syscall(147, "sched_get_priority_min")]
    internal static Result GetMinimumPriority(int policy) => policy is 1 or 2 ? 1 : policy is 0 or 3 or 5 or 6 ? 0 : Errno.EINVAL;

    [Syscall(148, "sched_rr_get_interval")]
    internal static Result GetInterval(Pid pid, UserPtr<TimeSpec> interval)
    {
        if (pid.Value < 0)
            return Errno.EINVAL;
        if (Find(pid) == null)
            return Errno.ESRCH;
        return interval.TryWrite(new TimeSpec { Nanoseconds = SliceNanoseconds }) ? Result.Ok : Errno.EFAULT;
    }

    [Syscall(140, "getpriority", Limits = "PRIO_PROCESS only")]
    internal static Result GetPriority(int which, int who)
    {
        if (which != 0)
            return which is 1 or 2 ? 20 : Errno.EINVAL;
        Thread* thread = Find(new Pid(who));
        // Linux returns 20 - nice, so that no value looks like an error.
        return thread == null ? Errno.ESRCH : 20 - thread->Nice;
    }

    [Syscall(141, "setpriority", Limits = "PRIO_PROCESS only")]
    internal static Result SetPriority(int which, int who, int nice)
    {
        if (which != 0)
            return Errno.EINVAL;
        Thread* thread = Find(new Pid(who));
        if (thread == null)
            return Errno.ESRCH;
        thread->Nice = nice < -20 ? -20 : nice > 19 ? 19 : nice;
        return Result.Ok;
    }

    private static Thread* Find(Pid pid) => pid.Value == 0 ? Scheduler.Current : ThreadTable.Find(pid.Value);
}
