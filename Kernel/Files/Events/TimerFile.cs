// timerfd: a timer that is read. Source: timerfd_create(2).
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Files.Events;

/// <summary>Linux's <c>struct itimerspec</c>.</summary>
public struct TimerSettings
{
    public TimeSpec Interval;
    public TimeSpec Value;
}

/// <summary>
/// The kind of timerfd. <see cref="OpenFile.Object"/> is one of these. A periodic timer is not started again before its expirations are read, so that no interval, however short,
/// keeps the machine busy; the periods that passed meanwhile are counted from the clock.
/// </summary>
public unsafe struct TimerFile : IFileKind
{
    private const PollEvents Readable = PollEvents.In | PollEvents.ReadNormal;

    private WaitQueue _waiters;
    private Timer _timer;
    private ulong _deadline;
    private ulong _interval;
    private bool _isArmed;
    private bool _isExpired;
    private bool _isRealtime;

    /// <summary>Makes a disarmed timer with one reference; null when out of memory.</summary>
    public static OpenFile* Create(bool isRealtime, OpenFlags flags)
    {
        TimerFile* timer = Pool<TimerFile>.Allocate();
        if (timer == null)
            return null;
        timer->_isRealtime = isRealtime;
        timer->_timer.Callback = &OnExpired;
        timer->_timer.Context = timer;
        OpenFile* file = OpenFile.Create<TimerFile>(timer, OpenFlags.ReadWrite | flags);
        if (file == null)
            Pool<TimerFile>.Free(timer);
        return file;
    }

    /// <summary>The timer behind a file, or null when it is something else.</summary>
    public static TimerFile* TryGet(OpenFile* file) =>
        file->Operations == FileOperations.Of<TimerFile>() ? (TimerFile*)file->Object : null;

    /// <summary>What is left until the next expiration, and the interval.</summary>
    public TimerSettings Get()
    {
        TimerSettings settings = default;
        settings.Interval = TimeSpec.FromNanoseconds(_interval);
        if (!_isArmed || (_isExpired && _interval == 0))
            return settings;
        ulong now = Clock.MonotonicNanoseconds;
        ulong next = _deadline;
        if (next <= now && _interval != 0)
            next += ((now - next) / _interval + 1) * _interval;
        // A timer that is set never shows zero, which means disarmed.
        settings.Value = TimeSpec.FromNanoseconds(next > now ? next - now : 1);
        return settings;
    }

    /// <summary>Arms, or disarms with <paramref name="value"/> 0. Nanoseconds; <paramref name="isAbsolute"/>: of the timer's clock.</summary>
    public void Set(ulong value, ulong interval, bool isAbsolute)
    {
        Timers.Cancel(&Self->_timer);
        _isExpired = false;
        _interval = interval;
        _isArmed = value != 0;
        if (!_isArmed)
            return;
        ulong origin = !isAbsolute ? Clock.MonotonicNanoseconds : _isRealtime ? 0 - Clock.RealtimeOffset : 0;
        _deadline = origin + value;
        if (isAbsolute && _isRealtime && value < Clock.RealtimeOffset)
            _deadline = 0;
        Start();
    }

    /// <inheritdoc/>
    public static Result Read(OpenFile* file, UserSpan to, ref ulong position)
    {
        TimerFile* timer = Of(file);
        if (to.Length < sizeof(ulong))
            return Errno.EINVAL;
        while (!timer->_isExpired)
        {
            if (file->IsNonBlocking)
                return Errno.EAGAIN;
            Errno interruption = timer->_waiters.Sleep(Readable);
            if (interruption != Errno.None)
                return interruption;
        }
        ulong expirations = timer->TakeExpirations();
        return to.CopyFrom(&expirations, sizeof(ulong)) ? sizeof(ulong) : Errno.EFAULT;
    }

    /// <inheritdoc/>
    public static PollEvents Poll(OpenFile* file) => Of(file)->_isExpired ? Readable : PollEvents.None;

    /// <inheritdoc/>
    public static WaitQueue* WaitersOf(OpenFile* file) => &Of(file)->_waiters;

    /// <inheritdoc/>
    public static int Describe(OpenFile* file, Span<byte> to) => AnonymousNames.Write(to, "anon_inode:[timerfd]"u8);

    /// <inheritdoc/>
    public static void Release(OpenFile* file)
    {
        Timers.Cancel(&Of(file)->_timer);
        Pool<TimerFile>.Free(Of(file));
    }

    private static TimerFile* Of(OpenFile* file) => (TimerFile*)file->Object;

    private static void OnExpired(Timer* timer)
    {
        var self = (TimerFile*)timer->Context;
        self->_isExpired = true;
        self->_waiters.Wake(Readable);
    }

    private void Start()
    {
        if (_deadline <= Clock.MonotonicNanoseconds)
            OnExpired(&Self->_timer);
        else
            Timers.Start(&Self->_timer, _deadline);
    }

    private ulong TakeExpirations()
    {
        _isExpired = false;
        if (_interval == 0)
        {
            _isArmed = false;
            return 1;
        }
        ulong expirations = (Clock.MonotonicNanoseconds - _deadline) / _interval + 1;
        _deadline += expirations * _interval;
        Start();
        return expirations;
    }

    private TimerFile* Self => (TimerFile*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref this);
}
