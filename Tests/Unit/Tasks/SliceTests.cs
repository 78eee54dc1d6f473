using System;
using System.Runtime.InteropServices;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Tasks;
using Ukl.Kernel.Time;
using Ukl.Tests.Unit.Time;
using Xunit;

namespace Ukl.Tests.Unit.Tasks;

/// <summary>When the running thread is told to make way for those that wait.</summary>
public sealed unsafe class SliceTests : IDisposable
{
    private const ulong Millisecond = 1_000_000;
    private readonly TimeRig _rig = new();
    private readonly Thread* _other;
    private readonly RunQueue* _queue;

    public SliceTests()
    {
        _other = (Thread*)NativeMemory.AllocZeroed(1, (nuint)sizeof(Thread));
        _other->Process = _rig.Process;
        _queue = &Cpu.Current->RunQueue;
        Timers.Cancel(&_queue->SliceTimer);
        *_queue = default;
        _queue->RunStart = Clock.MonotonicNanoseconds;
        _rig.Thread->SliceLeft = (long)Millisecond;
    }

    private bool IsToldToYield => (_rig.Thread->Work & ThreadWork.Reschedule) != 0;

    public void Dispose()
    {
        Timers.Cancel(&_queue->SliceTimer);
        *_queue = default;
        _rig.Dispose();
        NativeMemory.Free(_other);
    }

    [Fact]
    public void A_thread_runs_for_a_slice_from_the_moment_that_another_waits()
    {
        TimeRig.Advance(10 * Millisecond);
        Assert.Equal(Timers.Never, Timers.NextDeadline);
        Scheduler.Start(_other);
        TimeRig.Advance(Millisecond - 1);
        Assert.False(IsToldToYield);
        TimeRig.Advance(1);
        Assert.True(IsToldToYield);
    }

    [Fact]
    public void A_slice_timer_left_from_before_neither_ends_a_slice_early_nor_late()
    {
        Scheduler.Start(_other);
        // The other ran and sleeps again; the first has run half its slice since, and goes on with all the rest.
        Assert.True(_queue->Take() == _other);
        TimeRig.Advance(Millisecond / 4);
        _queue->RunStart = Clock.MonotonicNanoseconds;
        Scheduler.Start(_other);
        TimeRig.Advance(Millisecond - 1);
        Assert.False(IsToldToYield);
        TimeRig.Advance(1);
        Assert.True(IsToldToYield);
    }

    [Fact]
    public void A_slice_timer_left_from_before_is_moved_when_it_would_be_late()
    {
        Scheduler.Start(_other);
        Assert.True(_queue->Take() == _other);
        _rig.Thread->SliceLeft = (long)Millisecond / 2;
        Scheduler.Start(_other);
        TimeRig.Advance((Millisecond / 2) - 1);
        Assert.False(IsToldToYield);
        TimeRig.Advance(1);
        Assert.True(IsToldToYield);
    }

    [Fact]
    public void A_slice_timer_that_finds_nobody_waiting_does_nothing_more()
    {
        Scheduler.Start(_other);
        Assert.True(_queue->Take() == _other);
        TimeRig.Advance(Millisecond);
        Assert.False(IsToldToYield);
        Assert.Equal(Timers.Never, Timers.NextDeadline);
    }
}
