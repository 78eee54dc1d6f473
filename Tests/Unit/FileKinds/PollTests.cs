using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files.Events;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Syscalls;
using Xunit;

namespace Ukl.Tests.Unit.FileKinds;

public sealed unsafe class PollTests : IDisposable
{
    private readonly KernelRig _rig = new();

    public void Dispose() => _rig.Dispose();

    private static int EventFd(uint initial = 0) => KernelRig.Ok(EventCalls.EventFd2(initial, 0));

    private (Result Result, short[] Returned) Poll(int timeout, params (int Fd, short Events)[] wanted)
    {
        PollDescriptor* descriptors = _rig.Alloc<PollDescriptor>(wanted.Length);
        for (int i = 0; i < wanted.Length; i++)
            descriptors[i] = new PollDescriptor { Descriptor = wanted[i].Fd, Events = wanted[i].Events, Returned = 0x55 };
        Result result = PollCalls.Poll(new UserPtr<PollDescriptor>((ulong)descriptors), (uint)wanted.Length, timeout);
        short[] returned = new short[wanted.Length];
        for (int i = 0; i < wanted.Length; i++)
            returned[i] = descriptors[i].Returned;
        return (result, returned);
    }

    private void Signal(int fd) => KernelRig.Ok(_rig.Write(fd, [1, 0, 0, 0, 0, 0, 0, 0]));

    [Fact]
    public void Ready_closed_and_negative_descriptors_are_told_apart()
    {
        int ready = EventFd(1), idle = EventFd();
        (Result result, short[] returned) = Poll(-1, (ready, 1), (99, 1), (-1, 1), (idle, 1));
        Assert.Equal(2, KernelRig.Ok(result));
        Assert.Equal([1, 0x20, 0, 0], returned);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(40)]
    public void Poll_sleeps_until_one_of_several_is_ready(int count)
    {
        var wanted = new (int Fd, short Events)[count];
        for (int i = 0; i < count; i++)
            wanted[i] = (EventFd(), 1);
        _rig.WhileAsleep(() => Signal(wanted[count - 1].Fd));
        (Result result, short[] returned) = Poll(-1, wanted);
        Assert.Equal(1, KernelRig.Ok(result));
        Assert.Equal(1, returned[^1]);
        Assert.Equal(0, returned[0]);
    }

    [Fact]
    public void A_timeout_returns_zero_and_a_signal_interrupts()
    {
        int fd = EventFd();
        _rig.WhileAsleep(() => KernelRig.Advance(10_000_000));
        Assert.Equal(0, KernelRig.Ok(Poll(10, (fd, 1)).Result));
        Assert.Equal(0, KernelRig.Ok(Poll(0, (fd, 1)).Result));
        _rig.WhileAsleep(() => _rig.SendSignal(Ukl.Kernel.Tasks.Signal.SIGUSR1));
        Assert.Equal(Errno.ERESTARTNOHAND, Poll(-1, (fd, 1)).Result.Error);
    }

    [Fact]
    public void Poll_without_descriptors_is_a_sleep()
    {
        _rig.WhileAsleep(() => KernelRig.Advance(1_000_000));
        Assert.Equal(0, KernelRig.Ok(PollCalls.Poll(default, 0, 1)));
        Assert.Equal(Errno.EFAULT, PollCalls.Poll(new UserPtr<PollDescriptor>(8), 1, 0).Error);
        Assert.Equal(Errno.EINVAL, PollCalls.Poll(default, 5000, 0).Error);
    }

    [Fact]
    public void A_file_closed_during_the_wait_does_no_harm()
    {
        int first = EventFd(), second = EventFd();
        _rig.WhileAsleep(() =>
        {
            _rig.Close(first);
            Signal(second);
        });
        (Result result, short[] returned) = Poll(-1, (first, 1), (second, 1));
        Assert.Equal(1, KernelRig.Ok(result));
        Assert.Equal([0, 1], returned);
        Assert.Equal(1ul, _rig.OpenFiles);
    }

    [Fact]
    public void Ppoll_updates_the_time_left_and_sets_the_mask()
    {
        int fd = EventFd();
        UserPtr<TimeSpec> timeout = _rig.User(new TimeSpec { Seconds = 3 });
        _rig.WhileAsleep(() =>
        {
            KernelRig.Advance(1_000_000_000);
            Signal(fd);
        });
        UserPtr<PollDescriptor> descriptor = _rig.User(new PollDescriptor { Descriptor = fd, Events = 1 });
        Assert.Equal(1, KernelRig.Ok(PollCalls.PPoll(descriptor, 1, timeout, _rig.User(0x10ul), 8)));
        Assert.True(timeout.TryRead(out TimeSpec left));
        Assert.Equal((2, 0), (left.Seconds, left.Nanoseconds));
        Assert.Equal(0x10ul, _rig.Thread->SignalMask.Bits);
    }

    [Fact]
    public void Select_keeps_ready_bits_and_counts_them()
    {
        int ready = EventFd(1), idle = EventFd();
        UserPtr<ulong> readable = _rig.User(1ul << ready | 1ul << idle);
        UserPtr<ulong> writable = _rig.User(1ul << ready);
        Assert.Equal(2, KernelRig.Ok(PollCalls.Select(idle + 1, readable, writable, default, default)));
        Assert.True(readable.TryRead(out ulong bits));
        Assert.Equal(1ul << ready, bits);
        Assert.True(writable.TryRead(out bits));
        Assert.Equal(1ul << ready, bits);
    }

    [Fact]
    public void Select_waits_and_writes_back_the_time_left()
    {
        int fd = EventFd();
        UserPtr<ulong> readable = _rig.User(1ul << fd);
        UserPtr<TimeVal> timeout = _rig.User(new TimeVal { Seconds = 1, Microseconds = 500_000 });
        _rig.WhileAsleep(() => KernelRig.Advance(500_000_000), () => KernelRig.Advance(1_000_000_000));
        Assert.Equal(0, KernelRig.Ok(PollCalls.Select(fd + 1, readable, default, default, timeout)));
        Assert.True(readable.TryRead(out ulong bits));
        Assert.Equal(0ul, bits);
        Assert.True(timeout.TryRead(out TimeVal left));
        Assert.Equal((0, 0), (left.Seconds, left.Microseconds));
    }

    [Fact]
    public void Select_errors()
    {
        UserPtr<ulong> closed = _rig.User(1ul << 40);
        Assert.Equal(Errno.EBADF, PollCalls.Select(64, closed, default, default, default).Error);
        Assert.Equal(Errno.EINVAL, PollCalls.Select(-1, closed, default, default, default).Error);
        Assert.Equal(Errno.EFAULT, PollCalls.Select(64, new UserPtr<ulong>(8), default, default, default).Error);
        Assert.Equal(Errno.EINVAL, PollCalls.Select(0, default, default, default, _rig.User(new TimeVal { Seconds = -1 })).Error);
        Assert.Equal(Errno.EFAULT, PollCalls.PSelect6(0, default, default, default, default, new UserPtr<SignalMaskArgument>(8)).Error);
    }
}
