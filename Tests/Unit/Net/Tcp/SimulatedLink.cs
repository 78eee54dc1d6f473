using System;
using System.Collections.Generic;

namespace Ukl.Tests.Unit.Net.Tcp;

/// <summary>What a link does to TCP segments. Neighbour discovery always gets through, undisturbed.</summary>
internal sealed record LinkSettings
{
    public ulong Delay { get; init; } = 100 * SimulatedWorld.Microsecond;

    /// <summary>Added at random, so that frames overtake each other.</summary>
    public ulong Jitter { get; init; }

    public double Loss { get; init; }

    public double Duplication { get; init; }

    public double Corruption { get; init; }

    /// <summary>Some frames are held back by this much.</summary>
    public double Reordering { get; init; }

    public ulong ReorderingDelay { get; init; } = SimulatedWorld.Millisecond;

    /// <summary>Nanoseconds that a byte takes on the wire; 0: none.</summary>
    public ulong ByteTime { get; init; }

    /// <summary>Bytes that may wait for the wire.</summary>
    public ulong QueueLimit { get; init; } = 1 << 20;

    /// <summary>Frames that arrive within this time come in one batch.</summary>
    public ulong BatchTime { get; init; }
}

/// <summary>The wire between two hosts.</summary>
internal sealed class SimulatedLink(SimulatedWorld world, SimulatedHost left, SimulatedHost right, LinkSettings settings)
{
    private readonly Direction _toLeft = new(left);
    private readonly Direction _toRight = new(right);

    /// <summary>May be replaced while the simulation runs.</summary>
    public LinkSettings Settings { get; set; } = settings;

    /// <summary>Looks at every TCP frame first; false loses it.</summary>
    public Func<SimulatedHost, byte[], bool>? Filter { get; set; }

    /// <summary>Takes a frame from a host.</summary>
    public void Send(SimulatedHost from, byte[] frame)
    {
        Direction way = from == left ? _toRight : _toLeft;
        if (!Offload.IsTcp(frame))
        {
            Arrive(way, frame, world.Now + 1);
            return;
        }
        if (Filter != null && !Filter(from, frame))
            return;
        if (world.Chance(Settings.Loss))
            return;
        ulong ready = world.Now;
        if (Settings.ByteTime != 0)
        {
            ulong start = Math.Max(way.BusyUntil, world.Now);
            if ((start - world.Now) / Settings.ByteTime > Settings.QueueLimit)
                return;
            way.BusyUntil = start + (Settings.ByteTime * (ulong)frame.Length);
            ready = way.BusyUntil;
        }
        int copies = world.Chance(Settings.Duplication) ? 2 : 1;
        for (int i = 0; i < copies; i++)
        {
            byte[] copy = frame;
            if (world.Chance(Settings.Corruption))
            {
                copy = (byte[])frame.Clone();
                copy[world.Random.Next(Offload.EthernetSize, copy.Length)] ^= (byte)(1 << world.Random.Next(8));
            }
            ulong delay = Settings.Delay;
            if (Settings.Jitter != 0)
                delay += (ulong)world.Random.NextInt64((long)Settings.Jitter);
            if (world.Chance(Settings.Reordering))
                delay += Settings.ReorderingDelay;
            Arrive(way, copy, ready + delay);
        }
    }

    /// <summary>Hands a frame to a host at a time, together with others of that time.</summary>
    private void Arrive(Direction way, byte[] frame, ulong time)
    {
        if (Settings.BatchTime != 0)
            time += Settings.BatchTime - (time % Settings.BatchTime);
        if (way.Batches.TryGetValue(time, out List<byte[]>? batch))
        {
            batch.Add(frame);
            return;
        }
        batch = [frame];
        way.Batches.Add(time, batch);
        world.At(time, () =>
        {
            way.Batches.Remove(time);
            way.To.Receive(batch);
        });
    }

    private sealed class Direction(SimulatedHost to)
    {
        public SimulatedHost To { get; } = to;

        public ulong BusyUntil { get; set; }

        public Dictionary<ulong, List<byte[]>> Batches { get; } = [];
    }
}
