using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using FsCheck;
using FsCheck.Fluent;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Time;
using Xunit;

namespace Ukl.Tests.Unit.Time;

public sealed unsafe class TimersTests : IDisposable
{
    private const int Count = 40;

    private static readonly List<int> s_called = [];
    private static Action<int>? s_onCall;

    private readonly Timer* _timers = (Timer*)NativeMemory.AllocZeroed(Count, (nuint)sizeof(Timer));

    public TimersTests()
    {
        s_called.Clear();
        s_onCall = null;
        for (int i = 0; i < Count; i++)
        {
            _timers[i].Callback = &Called;
            _timers[i].Context = (void*)i;
        }
    }

    public void Dispose()
    {
        for (int i = 0; i < Count; i++)
            _ = Timers.Cancel(_timers + i);
        Timers.RunExpired(0);
        NativeMemory.Free(_timers);
    }

    private static void Called(Timer* timer)
    {
        s_called.Add((int)timer->Context);
        s_onCall?.Invoke((int)timer->Context);
    }

    private enum Operation
    {
        Start,
        Cancel,
        Run,
    }

    [Fact]
    public void Any_sequence_agrees_with_a_sorted_list()
    {
        Gen<(Operation, int, int)> step = Gen.Choose(0, 9).Zip(Gen.Choose(0, Count - 1)).Zip(Gen.Choose(0, 60)).Select(
            x => (x.Item1.Item1 < 6 ? Operation.Start : x.Item1.Item1 < 8 ? Operation.Cancel : Operation.Run, x.Item1.Item2, x.Item2));
        Prop.ForAll(step.ListOf().Resize(400).Select(steps => steps.ToArray()).ToArbitrary(), AgreesWithList)
            .Check(Config.QuickThrowOnFailure.WithMaxTest(500).WithEndSize(400));
    }

    private bool AgreesWithList((Operation Kind, int Timer, int Time)[] steps)
    {
        for (int i = 0; i < Count; i++)
            _ = Timers.Cancel(_timers + i);
        Timers.RunExpired(0);
        var model = new Dictionary<int, ulong>();
        ulong now = 1000;
        foreach ((Operation kind, int timer, int time) in steps)
        {
            switch (kind)
            {
                case Operation.Start:
                    Timers.Start(_timers + timer, now + (ulong)time);
                    model[timer] = now + (ulong)time;
                    break;
                case Operation.Cancel:
                    if (Timers.Cancel(_timers + timer) != model.Remove(timer))
                        return false;
                    break;
                case Operation.Run:
                    now += (ulong)time;
                    s_called.Clear();
                    Timers.RunExpired(now);
                    ulong[] deadlines = [.. s_called.Select(i => model[i])];
                    if (!deadlines.SequenceEqual(model.Values.Where(deadline => deadline <= now).Order()) || s_called.Distinct().Count() != s_called.Count)
                        return false;
                    foreach (int called in s_called)
                        model.Remove(called);
                    break;
            }
            ulong first = model.Count == 0 ? Timers.Never : model.Values.Min();
            if (Timers.NextDeadline != first || (model.Count != 0 && HostedDevices.TimerDeadline > first))
                return false;
            for (int i = 0; i < Count; i++)
            {
                if (_timers[i].IsActive != model.ContainsKey(i))
                    return false;
            }
        }
        return true;
    }

    [Fact]
    public void The_hardware_is_set_only_for_an_earlier_deadline()
    {
        int before = HostedDevices.TimerSetCount;
        Timers.Start(_timers, 1000);
        Timers.Start(_timers + 1, 2000);
        Timers.Start(_timers + 2, 1000);
        Assert.Equal(before + 1, HostedDevices.TimerSetCount);
        Timers.Start(_timers + 3, 500);
        Assert.Equal(before + 2, HostedDevices.TimerSetCount);
        Assert.Equal(500ul, HostedDevices.TimerDeadline);
        Timers.Cancel(_timers + 3);
        Timers.Start(_timers + 3, 600);
        Assert.Equal(before + 2, HostedDevices.TimerSetCount);
        Timers.RunExpired(500);
        Assert.Empty(s_called);
        Assert.Equal(600ul, HostedDevices.TimerDeadline);
    }

    [Fact]
    public void A_callback_may_start_and_cancel_timers()
    {
        s_onCall = timer =>
        {
            if (timer == 0)
            {
                Assert.True(Timers.Cancel(_timers + 1));
                Timers.Start(_timers + 2, 400);
                Timers.Start(_timers + 3, 50);
            }
        };
        Timers.Start(_timers, 100);
        Timers.Start(_timers + 1, 101);
        Timers.Start(_timers + 2, 102);
        Timers.RunExpired(200);
        Assert.Equal([0], s_called);
        Assert.Equal(201ul, Timers.NextDeadline);
        Assert.Equal(201ul, HostedDevices.TimerDeadline);
        Timers.RunExpired(500);
        Assert.Equal([0, 3, 2], s_called);
    }

    [Fact]
    public void A_timer_that_restarts_itself_in_the_past_does_not_hold_the_kernel()
    {
        s_onCall = timer => Timers.Start(_timers + timer, 0);
        Timers.Start(_timers, 10);
        Timers.RunExpired(20);
        Assert.Single(s_called);
        Timers.RunExpired(21);
        Assert.Equal(2, s_called.Count);
    }
}
