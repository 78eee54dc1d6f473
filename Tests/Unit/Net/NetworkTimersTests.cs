using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Ukl.Kernel.Net;
using Xunit;

namespace Ukl.Tests.Unit.Net;

/// <summary>The timer wheel against a model that looks at every timer.</summary>
public sealed unsafe class NetworkTimersTests : IDisposable
{
    private const ulong Tick = 1UL << NetworkTimers.TickShift;

    private static NetworkTimers* s_wheel;
    private static List<(int Timer, ulong Now)> s_calls = [];
    private static ulong s_now;

    public NetworkTimersTests()
    {
        s_wheel = (NetworkTimers*)NativeMemory.AllocZeroed((nuint)sizeof(NetworkTimers));
        s_calls = [];
        s_now = 0;
        Assert.True(s_wheel->Initialize(0));
    }

    public void Dispose()
    {
        Assert.Equal(0u, s_wheel->Count);
        s_wheel->Clear();
        NativeMemory.Free(s_wheel);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Timers_are_called_in_time_and_as_often_as_the_model_says(int seed)
    {
        const int count = 200;
        var random = new System.Random(seed);
        var timers = (NetworkTimer*)NativeMemory.AllocZeroed(count, (nuint)sizeof(NetworkTimer));
        var model = new ulong[count];
        Array.Fill(model, NetworkTimers.Never);
        for (int i = 0; i < count; i++)
        {
            timers[i].Callback = &Record;
            timers[i].Context = (void*)i;
        }
        for (int step = 0; step < 20_000; step++)
        {
            int number = random.Next(count);
            switch (random.Next(6))
            {
                case 0 or 1 or 2:
                    ulong deadline = s_now + ((ulong)random.NextInt64() >> random.Next(20, 60));
                    s_wheel->Start(&timers[number], deadline);
                    model[number] = deadline;
                    break;
                case 3:
                    s_wheel->Cancel(&timers[number]);
                    model[number] = NetworkTimers.Never;
                    break;
                case 4:
                    NetworkTimers.Suspend(&timers[number]);
                    model[number] = NetworkTimers.Never;
                    break;
                default:
                    Advance(s_now + ((ulong)random.NextInt64() >> random.Next(24, 62)), model);
                    break;
            }
            Assert.Equal(model[number] != NetworkTimers.Never, timers[number].IsRunning);
        }
        for (int i = 0; i < count; i++)
            s_wheel->Cancel(&timers[i]);
        Assert.Equal(NetworkTimers.Never, s_wheel->NextDeadline);
        NativeMemory.Free(timers);
    }

    [Fact]
    public void A_far_timer_is_reached_by_following_the_next_deadline_with_few_looks()
    {
        NetworkTimer timer = default;
        timer.Callback = &Record;
        ulong deadline = 7_200_000_000_000;
        s_wheel->Start(&timer, deadline);
        int looks = 0;
        while (s_calls.Count == 0)
        {
            s_now = s_wheel->NextDeadline;
            s_wheel->Run(s_now);
            looks++;
        }
        Assert.InRange(s_now, deadline, deadline + Tick);
        Assert.InRange(looks, 1, 7);
    }

    [Fact]
    public void A_callback_may_start_its_own_timer_at_once_and_does_not_hold_the_wheel()
    {
        NetworkTimer timer = default;
        timer.Callback = &Restart;
        s_wheel->Start(&timer, 1);
        s_now = 10 * Tick;
        s_wheel->Run(s_now);
        Assert.Equal(10, s_calls.Count);
        s_wheel->Cancel(&timer);
    }

    [Fact]
    public void A_callback_may_cancel_another_that_is_due_in_the_same_tick()
    {
        var timers = stackalloc NetworkTimer[2];
        for (int i = 0; i < 2; i++)
        {
            timers[i] = default;
            timers[i].Callback = &CancelOther;
            timers[i].Context = &timers[1 - i];
            s_wheel->Start(&timers[i], 5 * Tick);
        }
        s_now = 6 * Tick;
        s_wheel->Run(s_now);
        Assert.Single(s_calls);
    }

    [Fact]
    public void Moving_a_timer_to_a_later_time_and_suspending_it_leave_the_wheel_alone()
    {
        NetworkTimer timer = default;
        timer.Callback = &Record;
        s_wheel->Start(&timer, 100 * Tick);
        ulong next = s_wheel->NextDeadline;
        s_wheel->Start(&timer, 900 * Tick);
        NetworkTimers.Suspend(&timer);
        s_wheel->Start(&timer, 300 * Tick);
        Assert.Equal(next, s_wheel->NextDeadline);
        s_wheel->Run(299 * Tick);
        Assert.Empty(s_calls);
        s_wheel->Run(300 * Tick);
        Assert.Single(s_calls);
    }

    private static void Advance(ulong to, ulong[] model)
    {
        if (to > NetworkTimers.Never >> 2)
            to = s_now;
        ulong earliest = NetworkTimers.Never;
        foreach (ulong deadline in model)
            earliest = Math.Min(earliest, deadline);
        if (earliest != NetworkTimers.Never)
            Assert.True(s_wheel->NextDeadline < earliest + Tick, "the wheel would wake too late");
        s_now = to;
        s_calls.Clear();
        s_wheel->Run(to);
        ulong last = 0;
        foreach ((int timer, _) in s_calls)
        {
            Assert.True(model[timer] <= to, "called too early");
            Assert.True(model[timer] + Tick > last, "called out of order");
            last = model[timer];
            model[timer] = NetworkTimers.Never;
        }
        foreach (ulong deadline in model)
            Assert.True(deadline == NetworkTimers.Never || deadline + Tick > to, "called too late");
    }

    private static void Record(NetworkTimer* timer) => s_calls.Add(((int)timer->Context, s_now));

    private static void Restart(NetworkTimer* timer)
    {
        s_calls.Add((0, s_now));
        s_wheel->Start(timer, 0);
    }

    private static void CancelOther(NetworkTimer* timer)
    {
        s_calls.Add((0, s_now));
        s_wheel->Cancel((NetworkTimer*)timer->Context);
    }
}
