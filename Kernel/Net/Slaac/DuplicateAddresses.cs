// An address is used when nobody else has it. Source: RFC 4862 section 5.4.
using Ukl.Kernel.Net.Icmp;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Slaac;

/// <summary>Duplicate address detection.</summary>
internal static unsafe class DuplicateAddresses
{
    /// <summary>DupAddrDetectTransmits, and RETRANS_TIMER in nanoseconds.</summary>
    private const int Probes = 1;
    private const ulong Interval = 1_000_000_000;

    /// <summary>Whether an address has to be tried for first.</summary>
    public static bool IsNeeded(NetworkInterface* on, in IpAddress address) => !address.IsV4 && !on->IsLoopback;

    /// <summary>Somebody has, or wants, an address that this host is trying for: it is given up.</summary>
    public static void NoteConflict(NetworkInterface* on, int number)
    {
        ref InterfaceAddress entry = ref on->Addresses[number];
        if (entry.State == AddressState.Tentative)
            entry.State = AddressState.Duplicate;
    }

    /// <summary>Asks for tentative addresses and takes those that nobody objected to. Returns when to be called next.</summary>
    public static ulong Run(NetworkInterface* on)
    {
        NetworkStack* stack = on->Stack;
        ulong next = NetworkTimers.Never;
        bool isChanged = false;
        for (int i = 0; i < on->AddressEnd; i++)
        {
            ref InterfaceAddress entry = ref on->Addresses[i];
            if (entry.State != AddressState.Tentative)
                continue;
            if (entry.NextProbe <= stack->Now)
            {
                if (entry.ProbesSent == Probes)
                {
                    entry.State = AddressState.Preferred;
                    isChanged = true;
                    continue;
                }
                entry.ProbesSent++;
                entry.NextProbe = stack->Now + Interval;
                NdpOutput.Solicit(on, entry.Address, IpAddress.Any6, false);
            }
            if (entry.NextProbe < next)
                next = entry.NextProbe;
        }
        if (isChanged)
            InterfaceAddresses.Changed(on);
        return next;
    }
}
