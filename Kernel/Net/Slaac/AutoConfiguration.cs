// How an interface comes to its IPv6 addresses. Source: RFC 4862; RFC 4861 section 6.3.7 (asking for routers).
using Ukl.Kernel.Net.Icmp;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Slaac;

/// <summary>What automatic configuration of one interface remembers.</summary>
public unsafe struct AutoConfigurationState
{
    /// <summary>Name servers that are remembered.</summary>
    public const int MaximumNameServers = 3;

    /// <summary>Wakes when an address, a route or a question is due.</summary>
    internal NetworkTimer Timer;

    /// <summary>When routers are asked again; <see cref="NetworkTimers.Never"/>: not.</summary>
    internal ulong NextSolicitation;

    internal byte SolicitationsSent;

    /// <summary>It makes itself addresses.</summary>
    public bool IsEnabled;

    /// <summary>The hop limit that routers want; 0: the default.</summary>
    public byte HopLimit;

    /// <summary>The name servers that a router told of last (RFC 8106); all zero: none.</summary>
    public IpAddress NameServer0, NameServer1, NameServer2;
}

/// <summary>Automatic configuration.</summary>
public static unsafe class AutoConfiguration
{
    /// <summary>MAX_RTR_SOLICITATIONS and RTR_SOLICITATION_INTERVAL.</summary>
    private const int MaximumSolicitations = 3;
    private const ulong SolicitationInterval = 4_000_000_000;

    /// <summary>Gives an interface its link-local address, and begins to look for routers.</summary>
    public static void Start(NetworkInterface* on)
    {
        ref AutoConfigurationState state = ref on->AutoConfiguration;
        state.IsEnabled = true;
        state.SolicitationsSent = 0;
        state.NextSolicitation = on->Stack->Now;
        state.Timer.Callback = &TimeOut;
        state.Timer.Context = on;
        InterfaceAddresses.Add(on, new IpAddress(0xfe80_0000_0000_0000, InterfaceIdentifier(on->Mac)), 64, AddressOrigin.Automatic);
        Run(on);
    }

    /// <summary>The 64 bits that follow from an Ethernet address (RFC 4291 appendix A).</summary>
    internal static ulong InterfaceIdentifier(MacAddress mac)
    {
        ulong bytes = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(mac.Value) >> 16;
        return (((bytes >> 24) << 40) | 0xff_fe00_0000 | (bytes & 0xff_ffff)) ^ 0x0200_0000_0000_0000;
    }

    /// <summary>A router has spoken: it need not be asked.</summary>
    internal static void StopAsking(NetworkInterface* on) => on->AutoConfiguration.NextSolicitation = NetworkTimers.Never;

    /// <summary>Does what is due, and sets the timer to what comes next.</summary>
    internal static void Run(NetworkInterface* on)
    {
        NetworkStack* stack = on->Stack;
        ref AutoConfigurationState state = ref on->AutoConfiguration;
        if (state.Timer.Callback == null)
        {
            state.Timer.Callback = &TimeOut;
            state.Timer.Context = on;
            state.NextSolicitation = NetworkTimers.Never;
        }
        ulong next = DuplicateAddresses.Run(on);
        next = Least(next, AddressLifetimes.Run(on));
        next = Least(next, RouterAdvertisements.Run(on));
        if (state.IsEnabled && state.NextSolicitation <= stack->Now)
        {
            // Routers answer to an address; while it is tentative they answer to all.
            NdpOutput.SolicitRouters(on);
            state.SolicitationsSent++;
            state.NextSolicitation = state.SolicitationsSent < MaximumSolicitations ? stack->Now + SolicitationInterval : NetworkTimers.Never;
        }
        next = Least(next, state.NextSolicitation);
        if (next == NetworkTimers.Never)
            stack->Timers.Cancel(&on->AutoConfiguration.Timer);
        else
            stack->Timers.Start(&on->AutoConfiguration.Timer, next);
    }

    private static ulong Least(ulong left, ulong right) => left < right ? left : right;

    private static void TimeOut(NetworkTimer* timer) => Run((NetworkInterface*)timer->Context);
}
