// eventfd, signalfd, timerfd and epoll. Source: eventfd(2), signalfd(2), timerfd_create(2), epoll_create(2), epoll_ctl(2), epoll_wait(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Files.Events;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Syscalls;

/// <summary>eventfd(2), signalfd(2), timerfd_*(2) and epoll_*(2).</summary>
internal static unsafe class EventCalls
{
    private const uint EventSemaphore = 1;
    private const OpenFlags DescriptorFlags = OpenFlags.NonBlock | OpenFlags.CloseOnExec;

    private const int ClockRealtime = 0, ClockMonotonic = 1, ClockBoottime = 7, ClockRealtimeAlarm = 8, ClockBoottimeAlarm = 9;
    private const int TimerAbsolute = 1, TimerCancelOnSet = 2;

    private const int ControlAdd = 1, ControlDelete = 2, ControlModify = 3;

    [Syscall(284, "eventfd")]
    internal static Result EventFd(uint initial) => EventFd2(initial, 0);

    [Syscall(290, "eventfd2")]
    internal static Result EventFd2(uint initial, uint flags)
    {
        if ((flags & ~(EventSemaphore | (uint)DescriptorFlags)) != 0)
            return Errno.EINVAL;
        bool isSemaphore = (flags & EventSemaphore) != 0;
        return AddDescriptor(EventCounter.Create(initial, isSemaphore, (OpenFlags)flags & OpenFlags.NonBlock), (OpenFlags)flags);
    }

    [Syscall(282, "signalfd")]
    internal static Result SignalFd(int descriptor, UserPtr<SignalSet> signals, nuint setSize) => SignalFd4(descriptor, signals, setSize, OpenFlags.ReadOnly);

    [Syscall(289, "signalfd4")]
    internal static Result SignalFd4(int descriptor, UserPtr<SignalSet> signals, nuint setSize, OpenFlags flags)
    {
        if (setSize != (nuint)sizeof(SignalSet))
            return Errno.EINVAL;
        if (!signals.TryRead(out SignalSet wanted))
            return Errno.EFAULT;
        if ((flags & ~DescriptorFlags) != 0)
            return Errno.EINVAL;
        wanted &= ~SignalSet.Unblockable;
        if (descriptor == -1)
            return AddDescriptor(SignalFile.Create(wanted, flags & OpenFlags.NonBlock), flags);
        if (!FileTable.Current->TryGet(new Fd(descriptor), out OpenFile* file))
            return Errno.EBADF;
        return SignalFile.TryChange(file, wanted) ? descriptor : Errno.EINVAL;
    }

    [Syscall(283, "timerfd_create")]
    internal static Result TimerFdCreate(int clock, OpenFlags flags)
    {
        if ((flags & ~DescriptorFlags) != 0)
            return Errno.EINVAL;
        if (clock is not (ClockRealtime or ClockMonotonic or ClockBoottime or ClockRealtimeAlarm or ClockBoottimeAlarm))
            return Errno.EINVAL;
        bool isRealtime = clock is ClockRealtime or ClockRealtimeAlarm;
        return AddDescriptor(TimerFile.Create(isRealtime, flags & OpenFlags.NonBlock), flags);
    }

    [Syscall(286, "timerfd_settime", Limits = "TFD_TIMER_CANCEL_ON_SET is accepted; a timer of CLOCK_REALTIME keeps its time when the clock is set.")]
    internal static Result TimerFdSetTime(Fd descriptor, int flags, UserPtr<TimerSettings> wanted, UserPtr<TimerSettings> old)
    {
        if (!wanted.TryRead(out TimerSettings settings))
            return Errno.EFAULT;
        if ((flags & ~(TimerAbsolute | TimerCancelOnSet)) != 0 || !Timeouts.TryNanoseconds(settings.Value, out ulong value) ||
            !Timeouts.TryNanoseconds(settings.Interval, out ulong interval))
        {
            return Errno.EINVAL;
        }
        Errno error = FindTimer(descriptor, out TimerFile* timer);
        if (error != Errno.None)
            return error;
        TimerSettings before = timer->Get();
        timer->Set(value, interval, (flags & TimerAbsolute) != 0);
        return old.IsNull || old.TryWrite(before) ? Result.Ok : Errno.EFAULT;
    }

    [Syscall(287, "timerfd_gettime")]
    internal static Result TimerFdGetTime(Fd descriptor, UserPtr<TimerSettings> current)
    {
        Errno error = FindTimer(descriptor, out TimerFile* timer);
        if (error != Errno.None)
            return error;
        return current.TryWrite(timer->Get()) ? Result.Ok : Errno.EFAULT;
    }

    [Syscall(213, "epoll_create")]
    internal static Result EpollCreate(int size) => size <= 0 ? Errno.EINVAL : EpollCreate1(OpenFlags.ReadOnly);

    [Syscall(291, "epoll_create1")]
    internal static Result EpollCreate1(OpenFlags flags) =>
        (flags & ~OpenFlags.CloseOnExec) != 0 ? Errno.EINVAL : AddDescriptor(Epoll.Create(), flags);

    [Syscall(233, "epoll_ctl", Limits = "EPOLLWAKEUP is ignored: the machine does not suspend.")]
    internal static Result EpollCtl(Fd epollDescriptor, int operation, Fd descriptor, UserPtr<EpollEvent> wanted)
    {
        EpollEvent value = default;
        if (operation != ControlDelete && !wanted.TryRead(out value))
            return Errno.EFAULT;
        FileTable* files = FileTable.Current;
        if (!files->TryGet(epollDescriptor, out OpenFile* epollFile) || !files->TryGet(descriptor, out OpenFile* file))
            return Errno.EBADF;
        if ((file->Operations->Traits & FileTraits.NoEpoll) != 0)
            return Errno.EPERM;
        Epoll* epoll = EpollFile.TryGet(epollFile);
        if (epoll == null || epollFile == file)
            return Errno.EINVAL;
        return operation switch
        {
            ControlAdd => epoll->Add(file, descriptor.Value, value),
            ControlDelete => epoll->Delete(file, descriptor.Value),
            ControlModify => epoll->Modify(file, descriptor.Value, value),
            _ => Errno.EINVAL,
        };
    }

    [Syscall(232, "epoll_wait"), MayBlock]
    internal static Result EpollWait(Fd descriptor, UserPtr<EpollEvent> events, int capacity, int timeoutMilliseconds) =>
        EpollWait(descriptor, events, capacity, Timeouts.AfterMilliseconds(timeoutMilliseconds));

    [Syscall(281, "epoll_pwait"), MayBlock]
    internal static Result EpollPWait(Fd descriptor, UserPtr<EpollEvent> events, int capacity, int timeoutMilliseconds, UserPtr<ulong> mask, ulong maskSize)
    {
        Errno error = PollCalls.ApplyMask(mask, maskSize);
        return error != Errno.None ? error : EpollWait(descriptor, events, capacity, Timeouts.AfterMilliseconds(timeoutMilliseconds));
    }

    [Syscall(441, "epoll_pwait2"), MayBlock]
    internal static Result EpollPWait2(Fd descriptor, UserPtr<EpollEvent> events, int capacity, UserPtr<TimeSpec> timeout, UserPtr<ulong> mask, ulong maskSize)
    {
        ulong deadline = Scheduler.Forever;
        if (!timeout.IsNull)
        {
            if (!timeout.TryRead(out TimeSpec span))
                return Errno.EFAULT;
            if (!Timeouts.TryAfter(span, out deadline))
                return Errno.EINVAL;
        }
        Errno error = PollCalls.ApplyMask(mask, maskSize);
        return error != Errno.None ? error : EpollWait(descriptor, events, capacity, deadline);
    }

    private static Result EpollWait(Fd descriptor, UserPtr<EpollEvent> events, int capacity, ulong deadline)
    {
        if (capacity <= 0 || capacity > int.MaxValue / sizeof(EpollEvent))
            return Errno.EINVAL;
        if (!UserMemory.IsValidRange(events.Address, (nuint)capacity * (nuint)sizeof(EpollEvent)))
            return Errno.EFAULT;
        if (!FileTable.Current->TryGet(descriptor, out OpenFile* file))
            return Errno.EBADF;
        Epoll* epoll = EpollFile.TryGet(file);
        if (epoll == null)
            return Errno.EINVAL;
        file->AddReference();
        Result result = epoll->Wait(events, capacity, deadline);
        OpenFile.Release(file);
        return result;
    }

    private static Errno FindTimer(Fd descriptor, out TimerFile* timer)
    {
        timer = null;
        if (!FileTable.Current->TryGet(descriptor, out OpenFile* file))
            return Errno.EBADF;
        timer = TimerFile.TryGet(file);
        return timer == null ? Errno.EINVAL : Errno.None;
    }

    // Takes over the reference of a file that was just made; null is out of memory.
    private static Result AddDescriptor(OpenFile* file, OpenFlags flags) =>
        file == null ? Errno.ENOMEM : FileTable.Current->Add(file, (flags & OpenFlags.CloseOnExec) != 0);
}
