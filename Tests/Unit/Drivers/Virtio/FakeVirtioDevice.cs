using System;
using System.Collections.Generic;
using System.Linq;
using Ukl.Drivers.Virtio;

namespace Ukl.Tests.Unit.Drivers.Virtio;

/// <summary>What every virtio device does, behind whatever bus: status, features, queues. A test scripts the rest.</summary>
internal sealed class FakeVirtioDevice(int type, int queueCount, ulong offered = 0)
{
    public const byte Ok = 4, FeaturesOk = 8, NeedsReset = 64, Failed = 128;

    private readonly HashSet<int> _pending = [];

    public int Type { get; } = type;

    public int QueueCount { get; } = queueCount;

    public ulong Offered { get; set; } = offered | Features.Version1;

    public ulong Accepted { get; set; }

    public byte Status { get; private set; }

    /// <summary>Every value written to the status, in order.</summary>
    public List<byte> StatusWrites { get; } = [];

    public byte[] Configuration { get; init; } = new byte[64];

    public byte Generation { get; set; }

    /// <summary>How often the configuration changes while it is read.</summary>
    public int ConfigurationChanges { get; set; }

    public FakeQueue[] Queues { get; private set; } = [.. Enumerable.Range(0, queueCount).Select(_ => new FakeQueue(false, false))];

    public ushort MaximumQueueSize { get; init; } = 256;

    public bool RefusesFeatures { get; init; }

    public bool RefusesQueues { get; init; }

    public bool NeverResets { get; set; }

    /// <summary>Called when the driver rings for a queue.</summary>
    public Action<int> Notified { get; set; } = _ => { };

    /// <summary>How the bus raises the interrupt of a queue, or of the configuration (-1).</summary>
    public Action<int> Interrupt { get; set; } = _ => { };

    public bool IsRunning => (Status & Ok) != 0 && (Status & (NeedsReset | Failed)) == 0;

    public void WriteStatus(byte value)
    {
        StatusWrites.Add(value);
        if (value == 0)
        {
            if (NeverResets)
                return;
            Status = 0;
            Accepted = 0;
            foreach (FakeQueue queue in Queues)
                queue.Reset();
            _pending.Clear();
            return;
        }
        if ((value & FeaturesOk) != 0 && (Status & FeaturesOk) == 0)
        {
            if (RefusesFeatures || (Accepted & ~Offered) != 0)
                value &= unchecked((byte)~FeaturesOk);
            bool isPacked = (Accepted & Features.RingPacked) != 0;
            bool hasEvents = (Accepted & Features.EventIndex) != 0;
            Queues = [.. Enumerable.Range(0, QueueCount).Select(_ => new FakeQueue(isPacked, hasEvents))];
        }
        Status = value;
    }

    public void SetNeedsReset() => Status |= NeedsReset;

    public byte ReadConfiguration(int offset)
    {
        if (ConfigurationChanges > 0)
        {
            ConfigurationChanges--;
            Generation++;
        }
        return offset < Configuration.Length ? Configuration[offset] : (byte)0;
    }

    /// <summary>Gives a buffer back.</summary>
    public void Push(int queue, FakeBuffer buffer, uint length)
    {
        Queues[queue].Push(buffer, length);
        if (Queues[queue].IsInterruptPending)
            _pending.Add(queue);
        Queues[queue].IsInterruptPending = false;
    }

    /// <summary>Says that its configuration has changed.</summary>
    public void ChangeConfiguration()
    {
        Generation++;
        _pending.Add(-1);
    }

    /// <summary>Forces the interrupt of a queue.</summary>
    public void Raise(int queue) => _pending.Add(queue);

    /// <summary>Lets the interrupts in, as a processor does when it leaves the kernel. Returns how many there were.</summary>
    public int Deliver()
    {
        int count = 0;
        while (_pending.Count != 0)
        {
            int next = _pending.First();
            _pending.Remove(next);
            count++;
            Interrupt(next);
        }
        return count;
    }
}
