// Which of this host's addresses a packet is sent from. Source: RFC 6724 section 5, the rules that can matter to a host without mobility and temporary
// addresses (1, 2, 3, 5, 8); for IPv4 the address on the longest prefix of the next hop, then the first.
namespace Ukl.Kernel.Net.Ip;

/// <summary>Chooses source addresses.</summary>
internal static unsafe class SourceAddress
{
    /// <summary>The scopes of RFC 4291 section 2.7, also for unicast addresses (RFC 6724 section 3.1).</summary>
    private const int LinkLocalScope = 2;
    private const int GlobalScope = 14;

    /// <summary>The address of <paramref name="by"/> to send to <paramref name="destination"/> from; all zero when it has none of that kind.</summary>
    public static IpAddress Choose(NetworkInterface* by, in IpAddress destination, in IpAddress nextHop)
    {
        int best = -1;
        for (int i = 0; i < by->AddressEnd; i++)
        {
            ref InterfaceAddress candidate = ref by->Addresses[i];
            if (!candidate.IsUsable || candidate.Address.IsV4 != destination.IsV4)
                continue;
            if (best < 0 || IsBetter(candidate, by->Addresses[best], destination, nextHop))
                best = i;
        }
        return best < 0 ? default : by->Addresses[best].Address;
    }

    private static bool IsBetter(in InterfaceAddress candidate, in InterfaceAddress best, in IpAddress destination, in IpAddress nextHop)
    {
        if (destination.IsV4)
        {
            bool isNear = nextHop.IsIn(candidate.Address, candidate.FullPrefixLength);
            bool isBestNear = nextHop.IsIn(best.Address, best.FullPrefixLength);
            return isNear && (!isBestNear || candidate.PrefixLength > best.PrefixLength);
        }
        // Rule 1: the destination itself.
        if (candidate.Address == destination || best.Address == destination)
            return candidate.Address == destination;
        // Rule 2: the smallest scope that reaches the destination.
        int scope = Scope(candidate.Address);
        int bestScope = Scope(best.Address);
        if (scope != bestScope)
        {
            int wanted = Scope(destination);
            return scope < bestScope ? scope >= wanted : bestScope < wanted;
        }
        // Rule 3: no deprecated one.
        if (candidate.State != best.State)
            return candidate.State > best.State;
        // Rule 8: the longest common prefix, no longer than the address's own.
        return Common(candidate, destination) > Common(best, destination);
    }

    private static int Common(in InterfaceAddress address, in IpAddress destination)
    {
        int bits = address.Address.CommonBits(destination);
        return bits < address.PrefixLength ? bits : address.PrefixLength;
    }

    private static int Scope(in IpAddress address)
    {
        if (address.IsMulticast)
            return (int)(address.High >> 48) & 15;
        return address.IsLinkLocal6 || address.IsLoopback ? LinkLocalScope : GlobalScope;
    }
}
