using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files.Events;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Syscalls;
using Ukl.Kernel.Tasks;
using Ukl.Kernel.Time;
using Xunit;

namespace Ukl.Tests.Unit.FileKinds;

/// <summary>eventfd and timerfd.</summary>
public sealed unsafe class EventDescriptorTests : IDisposable
{
    private const uint Semaphore = 1;
    private const PollEvents Readable = PollEvents.In | PollEvents.ReadNormal, Writable = PollEvents.Out | PollEvents.WriteNormal;

    private readonly KernelRig _rig = new();

    public void Dispose() => _rig.Dispose();

    private static int EventFd(uint initial, uint flags = (uint)OpenFlags.NonBlock) => KernelRig.Ok(EventCalls.EventFd2(initial, flags));

    private static int TimerFd(int clock = 1) => KernelRig.Ok(EventCalls.TimerFdCreate(clock, OpenFlags.NonBlock));

    private Result Add(int fd, ulong value) => _rig.Write(fd, BitConverter.GetBytes(value));

    private ulong Take(int fd)
    {
        byte[] value = new byte[8];
        Assert.Equal(8, KernelRig.Ok(_rig.Read(fd, value)));
        return BitConverter.ToUInt64(value);
    }

    private Errno Set(int fd, ulong value, ulong interval = 0, int flags = 0) =>
        EventCalls.TimerFdSetTime(new Fd(fd), flags, _rig.User(new TimerSettings { Value = TimeSpec.FromNanoseconds(value), Interval = TimeSpec.FromNanoseconds(interval) }), default).Error;

    private TimerSettings Get(int fd)
    {
        UserPtr<TimerSettings> settings = _rig.User<TimerSettings>();
        KernelRig.Ok(EventCalls.TimerFdGetTime(new Fd(fd), settings));
        Assert.True(settings.TryRead(out TimerSettings value));
        return value;
    }

    [Fact]
    public void An_eventfd_adds_up_and_a_read_takes_all()
    {
        int fd = EventFd(3);
        Assert.Equal(8, KernelRig.Ok(Add(fd, 4)));
        Assert.Equal(7ul, Take(fd));
        Assert.Equal(Errno.EAGAIN, _rig.Read(fd, new byte[8]).Error);
        Assert.Equal(Writable, _rig.Poll(fd));
    }

    [Fact]
    public void A_semaphore_gives_one_at_a_time()
    {
        int fd = EventFd(2, Semaphore | (uint)OpenFlags.NonBlock);
        Assert.Equal(1ul, Take(fd));
        Assert.Equal(1ul, Take(fd));
        Assert.Equal(Errno.EAGAIN, _rig.Read(fd, new byte[8]).Error);
    }

    [Fact]
    public void An_eventfd_is_full_at_its_highest_value()
    {
        int fd = EventFd(0);
        Assert.Equal(Errno.EINVAL, Add(fd, ulong.MaxValue).Error);
        KernelRig.Ok(Add(fd, ulong.MaxValue - 1));
        Assert.Equal(Readable, _rig.Poll(fd));
        Assert.Equal(Errno.EAGAIN, Add(fd, 1).Error);
        KernelRig.Ok(Add(fd, 0));
        Assert.Equal(ulong.MaxValue - 1, Take(fd));
    }

    [Fact]
    public void Eventfd_sleeps_for_values_and_for_room()
    {
        int fd = EventFd(0, 0);
        _rig.WhileAsleep(() => Add(fd, 9));
        Assert.Equal(9ul, Take(fd));
        KernelRig.Ok(Add(fd, ulong.MaxValue - 1));
        _rig.WhileAsleep(() => Take(fd));
        KernelRig.Ok(Add(fd, 5));
        Assert.Equal(5ul, Take(fd));
    }

    [Fact]
    public void Eventfd_errors()
    {
        Assert.Equal(Errno.EINVAL, EventCalls.EventFd2(0, 2).Error);
        int fd = EventFd(1);
        Assert.Equal(Errno.EINVAL, _rig.Read(fd, new byte[7]).Error);
        Assert.Equal(Errno.EINVAL, _rig.Write(fd, new byte[7]).Error);
    }

    [Fact]
    public void Timerfd_errors()
    {
        Assert.Equal(Errno.EINVAL, EventCalls.TimerFdCreate(2, 0).Error);
        Assert.Equal(Errno.EINVAL, EventCalls.TimerFdCreate(1, OpenFlags.Append).Error);
        int timer = TimerFd();
        Assert.Equal(Errno.EINVAL, Set(timer, 1, flags: 8));
        Assert.Equal(Errno.EINVAL, Set(EventFd(0), 1));
        Assert.Equal(Errno.EBADF, Set(99, 1));
        Assert.Equal(Errno.EFAULT, EventCalls.TimerFdSetTime(new Fd(timer), 0, new UserPtr<TimerSettings>(8), default).Error);
        Assert.Equal(Errno.EAGAIN, _rig.Read(timer, new byte[8]).Error);
        Assert.Equal(Errno.EINVAL, _rig.Read(timer, new byte[7]).Error);
        Assert.Equal(Errno.EINVAL, _rig.Write(timer, new byte[8]).Error);
    }

    [Fact]
    public void A_one_shot_timer_fires_once()
    {
        int timer = TimerFd();
        Set(timer, 1000);
        Assert.Equal(1000, Get(timer).Value.Nanoseconds);
        KernelRig.Advance(999);
        Assert.Equal(PollEvents.None, _rig.Poll(timer));
        Assert.Equal(1, Get(timer).Value.Nanoseconds);
        KernelRig.Advance(1);
        Assert.Equal(Readable, _rig.Poll(timer));
        Assert.Equal(0, Get(timer).Value.Nanoseconds);
        Assert.Equal(1ul, Take(timer));
        KernelRig.Advance(100_000);
        Assert.Equal(Errno.EAGAIN, _rig.Read(timer, new byte[8]).Error);
    }

    [Fact]
    public void A_periodic_timer_counts_the_periods_that_passed()
    {
        int timer = TimerFd();
        Set(timer, 1000, 100);
        KernelRig.Advance(1250);
        Assert.Equal(50, Get(timer).Value.Nanoseconds);
        Assert.Equal(3ul, Take(timer));
        Assert.Equal(50, Get(timer).Value.Nanoseconds);
        KernelRig.Advance(50);
        Assert.Equal(1ul, Take(timer));
        KernelRig.Advance(1_000_000);
        Assert.Equal(10_000ul, Take(timer));
    }

    [Fact]
    public void Absolute_times_are_of_the_timers_clock()
    {
        ulong offset = Clock.RealtimeOffset;
        Clock.RealtimeOffset = 1_000_000_000_000;
        try
        {
            int monotonic = TimerFd(), realtime = TimerFd(0);
            Set(monotonic, Clock.MonotonicNanoseconds + 500, flags: 1);
            Set(realtime, Clock.RealtimeNanoseconds + 500, flags: 1);
            Assert.Equal(500, Get(realtime).Value.Nanoseconds);
            KernelRig.Advance(500);
            Assert.Equal(1ul, Take(monotonic));
            Assert.Equal(1ul, Take(realtime));
            Set(realtime, 1, flags: 1);
            Assert.Equal(1ul, Take(realtime));
        }
        finally
        {
            Clock.RealtimeOffset = offset;
        }
    }

    [Fact]
    public void Setting_to_zero_disarms_and_closing_cancels()
    {
        int timer = TimerFd();
        Set(timer, 100);
        Set(timer, 0);
        KernelRig.Advance(200);
        Assert.Equal(PollEvents.None, _rig.Poll(timer));
        Set(timer, 100);
        _rig.Close(timer);
        KernelRig.Advance(200);
        Assert.Equal(0ul, _rig.OpenFiles);
    }

    [Fact]
    public void A_reader_sleeps_until_the_timer_fires()
    {
        int timer = KernelRig.Ok(EventCalls.TimerFdCreate(1, 0));
        Set(timer, 1000);
        _rig.WhileAsleep(() => KernelRig.Advance(1000));
        Assert.Equal(1ul, Take(timer));
    }
}
