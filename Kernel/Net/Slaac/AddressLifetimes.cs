// Addresses that were given for a time. Source: RFC 4862 section 5.5.4.
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Slaac;

/// <summary>Deprecates and removes addresses.</summary>
internal static unsafe class AddressLifetimes
{
    /// <summary>Does what is due. Returns when to be called next.</summary>
    public static ulong Run(NetworkInterface* on)
    {
        ulong now = on->Stack->Now;
        ulong next = NetworkTimers.Never;
        bool isChanged = false;
        for (int i = 0; i < on->AddressEnd; i++)
        {
            ref InterfaceAddress entry = ref on->Addresses[i];
            if (entry.State == AddressState.None)
                continue;
            if (entry.ValidUntil <= now)
            {
                InterfaceAddresses.Remove(on, entry.Address);
                continue;
            }
            AddressState wanted = entry.PreferredUntil <= now ? AddressState.Deprecated : AddressState.Preferred;
            if (entry.IsUsable && entry.State != wanted)
            {
                entry.State = wanted;
                isChanged = true;
            }
            if (entry.PreferredUntil > now && entry.PreferredUntil < next)
                next = entry.PreferredUntil;
            if (entry.ValidUntil < next)
                next = entry.ValidUntil;
        }
        if (isChanged)
            InterfaceAddresses.Changed(on);
        return next;
    }
}
