using System;
using System.Collections.Generic;
using Xunit;

namespace Ukl.Tests.Unit.Net.Tcp;

/// <summary>
/// A virtual clock and what happens when. Everything follows from the seed: hosts, links and programs take their random numbers here and put their next steps
/// into one queue.
/// </summary>
internal sealed class SimulatedWorld(int seed)
{
    private readonly PriorityQueue<Action, (ulong Time, ulong Order)> _events = new();
    private readonly List<SimulatedHost> _hosts = [];
    private ulong _order;

    public const ulong Microsecond = 1_000;
    public const ulong Millisecond = 1_000_000;
    public const ulong Second = 1_000_000_000;

    public System.Random Random { get; } = new(seed);

    public ulong Now { get; private set; } = Second;

    public void Add(SimulatedHost host) => _hosts.Add(host);

    public void At(ulong time, Action action) => _events.Enqueue(action, (time < Now ? Now : time, _order++));

    public void After(ulong delay, Action action) => At(Now + delay, action);

    public bool Chance(double probability) => probability > 0 && Random.NextDouble() < probability;

    /// <summary>
    /// Lets time pass until <paramref name="isDone"/>. Fails when nothing can happen any more before that (a deadlock), and when the virtual time or the number of steps is
    /// beyond all reason.
    /// </summary>
    public void RunUntil(Func<bool> isDone, ulong limit, string context)
    {
        ulong end = Now + limit;
        for (long steps = 0; !isDone(); steps++)
        {
            Assert.True(steps < 3_000_000, $"{context}: endless activity at {Now / Millisecond} ms");
            Assert.True(Step(end), $"{context}: nothing happens any more at {Now / Millisecond} ms");
        }
    }

    /// <summary>Lets time pass.</summary>
    public void Run(ulong duration)
    {
        ulong end = Now + duration;
        while (Step(end))
        {
        }
        Now = end;
    }

    /// <summary>Does what comes next; false when nothing comes before <paramref name="end"/>.</summary>
    private bool Step(ulong end)
    {
        ulong next = ulong.MaxValue;
        SimulatedHost? ringing = null;
        if (_events.TryPeek(out _, out (ulong Time, ulong Order) first))
            next = first.Time;
        foreach (SimulatedHost host in _hosts)
        {
            if (host.Alarm < next)
            {
                next = host.Alarm;
                ringing = host;
            }
        }
        if (next == ulong.MaxValue || next > end)
            return false;
        if (next > Now)
            Now = next;
        if (ringing != null)
            ringing.Ring();
        else
            _events.Dequeue()();
        return true;
    }
}
