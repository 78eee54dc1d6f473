// What happens to a neighbour, for ARP and NDP alike. Source: RFC 4861 sections 7.2 and 7.3, the constants of section 10; RFC 1122 section 2.3.2 (packets wait
// for an address, the queue is bounded).
using System.Runtime.CompilerServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Ethernet;
using Ukl.Kernel.Net.Icmp;

namespace Ukl.Kernel.Net.Ip;

/// <summary>The state machine of neighbours.</summary>
internal static unsafe class NeighborDiscovery
{
    /// <summary>BASE_REACHABLE_TIME, RETRANS_TIMER and DELAY_FIRST_PROBE_TIME, in nanoseconds.</summary>
    private const ulong ReachableTime = 30_000_000_000;
    private const ulong RetransmitTime = 1_000_000_000;
    private const ulong FirstProbeDelay = 5_000_000_000;

    /// <summary>MAX_MULTICAST_SOLICIT and MAX_UNICAST_SOLICIT.</summary>
    private const int MaximumProbes = 3;

    /// <summary>Packets that wait for one address (Linux's unres_qlen); beyond this the oldest goes.</summary>
    private const uint WaitingLimit = 101;

    /// <summary>An answer younger than this is not overridden by another: of two hosts with one address the first stays.</summary>
    private const ulong LockTime = 1_000_000_000;

    /// <summary>Prepares a new entry: groups have addresses that follow from theirs (RFC 1112 section 6.4, RFC 2464 section 7).</summary>
    public static void Begin(Neighbor* neighbor)
    {
        neighbor->Timer.Callback = &TimeOut;
        neighbor->Timer.Context = neighbor;
        IpAddress address = neighbor->Address;
        if (address.IsMulticast)
        {
            MacAddress group = address.IsV4
                ? new(0x5e_0001 | ((ulong)(address.V4 & 0x7f_0000) << 8) | ((ulong)(address.V4 & 0xff00) << 24) | ((ulong)(address.V4 & 0xff) << 40))
                : new(0x3333 | ((ulong)System.Buffers.Binary.BinaryPrimitives.ReverseEndianness((uint)address.Low) << 16));
            SetMac(neighbor, group);
            neighbor->State = NeighborState.Permanent;
        }
        else if (neighbor->Interface->Stack->IsBroadcast(address))
        {
            SetMac(neighbor, MacAddress.Broadcast);
            neighbor->State = NeighborState.Permanent;
        }
    }

    /// <summary>
    /// Sends a packet, complete from its IP header on, to a neighbour that is not known to be there: it goes out, or waits for the address.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Send(Neighbor* neighbor, PacketBuffer* packet)
    {
        NetworkStack* stack = neighbor->Interface->Stack;
        switch (neighbor->State)
        {
            case NeighborState.Stale:
                neighbor->State = NeighborState.Delay;
                stack->Timers.Start(&neighbor->Timer, stack->Now + FirstProbeDelay);
                break;
            case NeighborState.None or NeighborState.Failed:
                neighbor->State = NeighborState.Incomplete;
                neighbor->ProbesSent = 0;
                Wait(neighbor, packet);
                Ask(neighbor);
                return;
            case NeighborState.Incomplete:
                Wait(neighbor, packet);
                return;
        }
        neighbor->PutHeader(packet);
        neighbor->Interface->Transmit(packet);
    }

    /// <summary>A neighbour's Ethernet address was heard.</summary>
    /// <param name="neighbor">The neighbour.</param>
    /// <param name="mac">What was heard.</param>
    /// <param name="isConfirmed">It answered this host: it is there.</param>
    /// <param name="isOverriding">What was known is replaced when it differs.</param>
    public static void Learn(Neighbor* neighbor, MacAddress mac, bool isConfirmed, bool isOverriding)
    {
        if (neighbor->State == NeighborState.Permanent)
            return;
        NetworkStack* stack = neighbor->Interface->Stack;
        bool isKnown = neighbor->State >= NeighborState.Stale;
        bool isDifferent = isKnown && neighbor->Mac != mac;
        if (isDifferent && (!isOverriding || (neighbor->State == NeighborState.Reachable && stack->Now - neighbor->Confirmed < LockTime)))
        {
            // RFC 4861 section 7.2.5: doubt is cast on what was known, no more.
            if (neighbor->State == NeighborState.Reachable && !isOverriding)
                BecomeStale(neighbor);
            return;
        }
        if (!isKnown || isDifferent)
            SetMac(neighbor, mac);
        if (isConfirmed)
            Confirm(neighbor);
        else if (!isKnown || isDifferent)
            BecomeStale(neighbor);
        SendWaiting(neighbor);
    }

    /// <summary>The neighbour answered: it is there with the address that is known.</summary>
    public static void Confirm(Neighbor* neighbor)
    {
        NetworkStack* stack = neighbor->Interface->Stack;
        neighbor->State = NeighborState.Reachable;
        neighbor->Confirmed = stack->Now;
        neighbor->ProbesSent = 0;
        stack->Timers.Start(&neighbor->Timer, stack->Now + ReachableTime);
    }

    private static void BecomeStale(Neighbor* neighbor)
    {
        neighbor->State = NeighborState.Stale;
        neighbor->Interface->Stack->Timers.Cancel(&neighbor->Timer);
    }

    private static void SetMac(Neighbor* neighbor, MacAddress mac)
    {
        byte* header = stackalloc byte[16];
        EthernetHeader.Write(header, mac, neighbor->Interface->Mac, neighbor->Address.IsV4 ? EthernetHeader.Ipv4 : EthernetHeader.Ipv6);
        neighbor->HeaderStart = *(ulong*)header;
        neighbor->HeaderMiddle = *(uint*)(header + 8);
        neighbor->HeaderEnd = *(ushort*)(header + EthernetHeader.TypeOffset);
    }

    private static void Wait(Neighbor* neighbor, PacketBuffer* packet)
    {
        if (neighbor->Waiting.Count >= WaitingLimit)
        {
            neighbor->Interface->Statistics.SendDropped++;
            PacketBuffer.Release(neighbor->Waiting.Take());
        }
        neighbor->Waiting.Add(packet);
    }

    private static void SendWaiting(Neighbor* neighbor)
    {
        for (PacketBuffer* packet = neighbor->Waiting.Take(); packet != null; packet = neighbor->Waiting.Take())
            Send(neighbor, packet);
    }

    /// <summary>Asks for the address, or whether the neighbour still has it, and waits.</summary>
    private static void Ask(Neighbor* neighbor)
    {
        NetworkInterface* on = neighbor->Interface;
        neighbor->ProbesSent++;
        if (neighbor->Address.IsV4)
            Arp.Ask(on, neighbor->Address, neighbor->State == NeighborState.Probe ? neighbor->Mac : MacAddress.Broadcast);
        else if (SourceAddress.Choose(on, neighbor->Address, neighbor->Address) is { IsAny: false } source)
            NdpOutput.Solicit(on, neighbor->Address, source, neighbor->State == NeighborState.Probe);
        on->Stack->Timers.Start(&neighbor->Timer, on->Stack->Now + RetransmitTime);
    }

    private static void TimeOut(NetworkTimer* timer)
    {
        var neighbor = (Neighbor*)timer->Context;
        NetworkStack* stack = neighbor->Interface->Stack;
        switch (neighbor->State)
        {
            case NeighborState.Reachable or NeighborState.Delay:
                // TCP may have noted meanwhile that it is there.
                if (neighbor->Confirmed + ReachableTime > stack->Now)
                {
                    neighbor->State = NeighborState.Reachable;
                    stack->Timers.Start(timer, neighbor->Confirmed + ReachableTime);
                }
                else if (neighbor->State == NeighborState.Reachable)
                {
                    neighbor->State = NeighborState.Stale;
                }
                else
                {
                    neighbor->State = NeighborState.Probe;
                    neighbor->ProbesSent = 0;
                    Ask(neighbor);
                }
                break;
            case NeighborState.Incomplete or NeighborState.Probe when neighbor->ProbesSent < MaximumProbes:
                Ask(neighbor);
                break;
            case NeighborState.Incomplete or NeighborState.Probe:
                Fail(neighbor);
                break;
        }
    }

    /// <summary>Nobody answers. What waits goes back to its senders with EHOSTUNREACH; the next packet begins again.</summary>
    private static void Fail(Neighbor* neighbor)
    {
        neighbor->State = NeighborState.Failed;
        for (PacketBuffer* packet = neighbor->Waiting.Take(); packet != null; packet = neighbor->Waiting.Take())
        {
            IcmpErrors.ReportToSender(neighbor->Interface->Stack, packet, Errno.EHOSTUNREACH);
            PacketBuffer.Release(packet);
        }
    }
}
