using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Syscalls;

/// <summary>futex(2) and what belongs to it.</summary>
internal static unsafe class FutexCalls
{
    private const int CommandMask = 0x7f;
    private const int PrivateMemory = 0x80;
    private const int RealTimeClock = 0x100;
    private const int RobustHeadSize = 24;

    private enum Operation
    {
        Wait = 0,
        Wake = 1,
        Requeue = 3,
        CompareRequeue = 4,
        WakeOperation = 5,
        LockOwned = 6,
        UnlockOwned = 7,
        TryLockOwned = 8,
        WaitBitSet = 9,
        WakeBitSet = 10,
        LockOwned2 = 13,
    }

    [Syscall(202, "futex", Limits = "FUTEX_WAIT_REQUEUE_PI and FUTEX_CMP_REQUEUE_PI give ENOSYS; locks with owners inherit no priority"), MayBlock]
    internal static Result Futex(ulong address, int operation, uint value, ulong timeoutOrCount, ulong address2, uint value3)
    {
        if ((address & 3) != 0)
            return Errno.EINVAL;
        // The two that matter for speed come first, with as little as possible around them.
        switch ((Operation)(operation & ~PrivateMemory))
        {
            case Operation.Wake:
                return Tasks.Futex.Wake(address, (operation & PrivateMemory) != 0, CountOf(value));
            case Operation.Wait:
                return Wait(address, operation, value, new UserPtr<TimeSpec>(timeoutOrCount), Tasks.Futex.AnyBit);
            default:
                return OtherOperation(address, operation, value, timeoutOrCount, address2, value3);
        }
    }

    private static Result OtherOperation(ulong address, int operation, uint value, ulong timeoutOrCount, ulong address2, uint value3)
    {
        var command = (Operation)(operation & CommandMask);
        if ((operation & RealTimeClock) != 0 && command is not (Operation.Wait or Operation.WaitBitSet or Operation.LockOwned2))
            return Errno.ENOSYS;
        bool isPrivate = (operation & PrivateMemory) != 0;
        switch (command)
        {
            case Operation.Wait:
            case Operation.WaitBitSet:
                return Wait(address, operation, value, new UserPtr<TimeSpec>(timeoutOrCount), command == Operation.Wait ? Tasks.Futex.AnyBit : value3);
            case Operation.WakeBitSet:
                return value3 == 0 ? Errno.EINVAL : Tasks.Futex.Wake(address, isPrivate, CountOf(value), value3);
            case Operation.Requeue:
                return Requeue(address, address2, isPrivate, (int)value, (int)timeoutOrCount);
            case Operation.CompareRequeue:
                {
                    if (!new UserPtr<uint>(address).TryRead(out uint seen))
                        return Errno.EFAULT;
                    return seen != value3 ? Errno.EAGAIN : Requeue(address, address2, isPrivate, (int)value, (int)timeoutOrCount);
                }
            case Operation.WakeOperation:
                return WakeOperation(address, address2, isPrivate, CountOf(value), CountOf((uint)timeoutOrCount), value3);
            case Operation.LockOwned:
            case Operation.LockOwned2:
                {
                    Errno error = ReadDeadline(new UserPtr<TimeSpec>(timeoutOrCount), isRealTime: command == Operation.LockOwned || (operation & RealTimeClock) != 0, isAbsolute: true, out ulong deadline);
                    return error != Errno.None ? error : Tasks.Futex.LockOwned(address, isPrivate, deadline, tryOnly: false);
                }
            case Operation.TryLockOwned:
                return Tasks.Futex.LockOwned(address, isPrivate, Scheduler.Forever, tryOnly: true);
            case Operation.UnlockOwned:
                return Tasks.Futex.UnlockOwned(address, isPrivate);
            default:
                return Errno.ENOSYS;
        }
    }

    [Syscall(273, "set_robust_list")]
    internal static Result SetRobustList(ulong head, nuint length)
    {
        if (length != RobustHeadSize)
            return Errno.EINVAL;
        Scheduler.Current->RobustList = head;
        return Result.Ok;
    }

    [Syscall(274, "get_robust_list")]
    internal static Result GetRobustList(Pid pid, UserPtr<ulong> head, UserPtr<ulong> length)
    {
        Thread* thread = pid.Value == 0 ? Scheduler.Current : ThreadTable.Find(pid.Value);
        if (thread == null)
            return Errno.ESRCH;
        return head.TryWrite(thread->RobustList) && length.TryWrite(RobustHeadSize) ? Result.Ok : Errno.EFAULT;
    }

    private static int CountOf(uint value) => value > int.MaxValue ? int.MaxValue : (int)value;

    private static Result Wait(ulong address, int operation, uint value, UserPtr<TimeSpec> timeout, uint bitSet)
    {
        if (bitSet == 0)
            return Errno.EINVAL;
        bool isAbsolute = (Operation)(operation & CommandMask) == Operation.WaitBitSet;
        Thread* thread = Scheduler.Current;
        ulong deadline = thread->RestartDeadline;
        if (deadline == 0)
        {
            Errno error = ReadDeadline(timeout, (operation & RealTimeClock) != 0, isAbsolute, out deadline);
            if (error != Errno.None)
                return error;
        }
        thread->RestartDeadline = 0;
        Errno result = Tasks.Futex.Wait(address, (operation & PrivateMemory) != 0, value, bitSet, deadline);
        if (result != Errno.ERESTARTSYS || deadline == Scheduler.Forever)
            return result;
        // A relative timeout goes on from where it was when the call starts again; a handler makes it EINTR.
        thread->RestartDeadline = deadline;
        return Errno.ERESTARTNOHAND;
    }

    private static Errno ReadDeadline(UserPtr<TimeSpec> timeout, bool isRealTime, bool isAbsolute, out ulong deadline)
    {
        deadline = Scheduler.Forever;
        if (timeout.IsNull)
            return Errno.None;
        if (!timeout.TryRead(out TimeSpec time))
            return Errno.EFAULT;
        if (!time.IsValid)
            return Errno.EINVAL;
        ulong nanoseconds = time.ToNanoseconds();
        if (!isAbsolute)
            deadline = Clock.MonotonicNanoseconds + nanoseconds;
        else if (isRealTime)
            deadline = Clock.RealtimeToMonotonic(nanoseconds);
        else
            deadline = nanoseconds;
        if (deadline < nanoseconds && !isAbsolute)
            deadline = Scheduler.Forever - 1;
        return Errno.None;
    }

    private static Result Requeue(ulong from, ulong to, bool isPrivate, int wakeCount, int moveCount)
    {
        if (wakeCount < 0 || moveCount < 0 || (to & 3) != 0)
            return Errno.EINVAL;
        return Tasks.Futex.Requeue(from, to, isPrivate, wakeCount, moveCount);
    }

    /// <summary>FUTEX_WAKE_OP: changes the second word atomically, wakes the first's waiters, and the second's if its old value passes a test.</summary>
    private static Result WakeOperation(ulong address, ulong address2, bool isPrivate, int count, int count2, uint encoded)
    {
        uint operation = (encoded >> 28) & 7;
        bool isShift = (encoded & 0x8000_0000) != 0;
        uint comparison = (encoded >> 24) & 15;
        int argument = ((int)(encoded << 8)) >> 20;
        int compared = ((int)(encoded << 20)) >> 20;
        if ((address2 & 3) != 0)
            return Errno.EINVAL;
        if (isShift)
            argument = 1 << (argument & 31);
        uint old;
        uint seen;
        do
        {
            if (!new UserPtr<uint>(address2).TryRead(out old))
                return Errno.EFAULT;
            uint changed;
            switch (operation)
            {
                case 0:
                    changed = (uint)argument;
                    break;
                case 1:
                    changed = old + (uint)argument;
                    break;
                case 2:
                    changed = old | (uint)argument;
                    break;
                case 3:
                    changed = old & ~(uint)argument;
                    break;
                case 4:
                    changed = old ^ (uint)argument;
                    break;
                default:
                    return Errno.ENOSYS;
            }
            if (!Arch.UserAccess.TryCompareExchange(address2, old, changed, out seen))
                return Errno.EFAULT;
        }
        while (seen != old);
        bool passes;
        switch (comparison)
        {
            case 0:
                passes = (int)old == compared;
                break;
            case 1:
                passes = (int)old != compared;
                break;
            case 2:
                passes = (int)old < compared;
                break;
            case 3:
                passes = (int)old <= compared;
                break;
            case 4:
                passes = (int)old > compared;
                break;
            case 5:
                passes = (int)old >= compared;
                break;
            default:
                return Errno.ENOSYS;
        }
        Result woken = Tasks.Futex.Wake(address, isPrivate, count);
        if (woken.IsError || !passes)
            return woken;
        Result second = Tasks.Futex.Wake(address2, isPrivate, count2);
        return second.IsError ? second : woken.Value + second.Value;
    }
}
