namespace Ukl.Kernel.Net.Ip;

/// <summary>What a sender may choose of the IP header.</summary>
public readonly struct IpSendOptions
{
    /// <summary>Time to live, or hop limit; 0: the default (64, or 1 for groups).</summary>
    public byte HopLimit { get; init; }

    /// <summary>Type of service, or traffic class.</summary>
    public byte TrafficClass { get; init; }

    /// <summary>A packet that is too large is refused with EMSGSIZE and not cut; routers tell of it instead of cutting it.</summary>
    public bool DontFragment { get; init; }

    /// <summary>What is for a group that this host listens to does not come back to it.</summary>
    public bool DontLoop { get; init; }
}
