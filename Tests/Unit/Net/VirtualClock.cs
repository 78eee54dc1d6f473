using System.Collections.Generic;

namespace Ukl.Tests.Unit.Net;

/// <summary>The time that the stacks of a test share.</summary>
internal sealed class VirtualClock
{
    public const ulong Second = 1_000_000_000;

    private readonly List<TestHost> _hosts = [];

    /// <summary>Nanoseconds.</summary>
    public ulong Now { get; private set; } = 5 * Second;

    public void Add(TestHost host) => _hosts.Add(host);

    public void Remove(TestHost host) => _hosts.Remove(host);

    /// <summary>Lets time pass; every alarm rings at its time.</summary>
    public void Advance(ulong nanoseconds)
    {
        ulong end = Now + nanoseconds;
        while (true)
        {
            TestHost? next = null;
            foreach (TestHost host in _hosts)
            {
                if (host.Alarm <= end && (next == null || host.Alarm < next.Alarm))
                    next = host;
            }
            if (next == null)
                break;
            if (next.Alarm > Now)
                Now = next.Alarm;
            next.Ring();
        }
        Now = end;
    }
}
