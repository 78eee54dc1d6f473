namespace Ukl.Kernel.Net.Tcp;

/// <summary>
/// Initial sequence numbers (RFC 6528) and timestamp offsets (RFC 7323 section 5.4): a clock that a stranger cannot read, because each pair of ends has its own
/// offset from a keyed hash.
/// </summary>
internal unsafe struct IsnGenerator
{
    /// <summary>The clock of RFC 6528, M, ticks every 4096 ns here.</summary>
    private const int ClockShift = 12;

    private ulong _key0;
    private ulong _key1;

    /// <summary>Takes new keys.</summary>
    public void Initialize(NetworkStack* stack)
    {
        _key0 = stack->NextRandom();
        _key1 = stack->NextRandom();
    }

    /// <summary>The number to begin with, and what is added to the timestamps.</summary>
    public readonly uint Next(FlowEntry* flow, ulong now, out uint timestampOffset)
    {
        ulong hash = HashOf(flow, 0);
        timestampOffset = (uint)(hash >> 32);
        return (uint)hash + (uint)(now >> ClockShift);
    }

    /// <summary>A number that depends on the two ends and <paramref name="salt"/> only (SYN cookies, choice of a port).</summary>
    public readonly ulong HashOf(FlowEntry* flow, ulong salt)
    {
        var hash = new SipHash(_key0, _key1);
        hash.Add(flow->Local.Low);
        hash.Add(flow->Remote.Low);
        if ((flow->Local.High | flow->Remote.High) != 0)
        {
            hash.Add(flow->Local.High);
            hash.Add(flow->Remote.High);
        }
        hash.Add(FlowTable.Ports(flow->LocalPort, flow->RemotePort) | (salt << 32));
        return hash.Finish();
    }
}
