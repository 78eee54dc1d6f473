using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Icmp;
using Ukl.Kernel.Net.Slaac;

namespace Ukl.Kernel.Net.Ip;

/// <summary>Gives interfaces addresses and takes them away, with the routes that go with them.</summary>
public static unsafe class InterfaceAddresses
{
    /// <summary>
    /// Adds an address that is valid for ever. EEXIST, EINVAL (no address of one host, or no such prefix length), ENOBUFS (too many).
    /// </summary>
    /// <param name="on">The interface.</param>
    /// <param name="address">The address.</param>
    /// <param name="prefixLength">To 32 for IPv4, to 128 for IPv6.</param>
    /// <param name="origin">Who gives it.</param>
    public static Errno Add(NetworkInterface* on, in IpAddress address, byte prefixLength, AddressOrigin origin)
    {
        var added = new InterfaceAddress
        {
            Address = address,
            PrefixLength = prefixLength,
            Origin = origin,
            State = AddressState.Preferred,
            PreferredUntil = ulong.MaxValue,
            ValidUntil = ulong.MaxValue,
        };
        return Add(on, added);
    }

    /// <summary>Adds an address with its lifetimes; errors as <see cref="Add(NetworkInterface*, in IpAddress, byte, AddressOrigin)"/>.</summary>
    public static Errno Add(NetworkInterface* on, in InterfaceAddress added)
    {
        if (added.Address.IsAny || added.Address.IsMulticast || added.PrefixLength > (added.Address.IsV4 ? 32 : 128))
            return Errno.EINVAL;
        if (on->Find(added.Address) >= 0)
            return Errno.EEXIST;
        int number = 0;
        while (number < on->AddressEnd && on->Addresses[number].State != AddressState.None)
            number++;
        if (number == InterfaceAddressArray.Capacity)
            return Errno.ENOBUFS;
        ref InterfaceAddress entry = ref on->Addresses[number];
        entry = added;
        if (number == on->AddressEnd)
            on->AddressEnd++;
        if (DuplicateAddresses.IsNeeded(on, added.Address))
        {
            entry.State = AddressState.Tentative;
            entry.NextProbe = on->Stack->Now;
            MulticastGroups.Join(on, NdpOutput.SolicitedNodeGroup(added.Address));
        }
        if (HasConnectedRoute(on, added))
            on->Stack->Routes.Add(ConnectedRoute(on, added));
        Changed(on);
        if (!on->IsLoopback)
            AutoConfiguration.Run(on);
        return Errno.None;
    }

    /// <summary>Removes an address. EADDRNOTAVAIL when the interface does not have it.</summary>
    public static Errno Remove(NetworkInterface* on, in IpAddress address)
    {
        int number = on->Find(address);
        if (number < 0)
            return Errno.EADDRNOTAVAIL;
        Route connected = ConnectedRoute(on, on->Addresses[number]);
        if (DuplicateAddresses.IsNeeded(on, address))
            MulticastGroups.Leave(on, NdpOutput.SolicitedNodeGroup(address));
        on->Addresses[number] = default;
        while (on->AddressEnd > 0 && on->Addresses[on->AddressEnd - 1].State == AddressState.None)
            on->AddressEnd--;

        bool isShared = false;
        for (int i = 0; i < on->AddressEnd; i++)
            isShared |= on->Addresses[i].State != AddressState.None && HasConnectedRoute(on, on->Addresses[i]) && ConnectedRoute(on, on->Addresses[i]).IsSame(connected);
        int route = isShared ? -1 : on->Stack->Routes.Find(connected);
        if (route >= 0)
            on->Stack->Routes.RemoveAt(route);
        Changed(on);
        return Errno.None;
    }

    /// <summary>To be called when an address came, went or changed its state: what is remembered of routes is found again.</summary>
    public static void Changed(NetworkInterface* on)
    {
        on->Stack->RouteGeneration++;
        on->PrimaryV4 = 0;
        for (int i = 0; i < on->AddressEnd && on->PrimaryV4 == 0; i++)
        {
            ref InterfaceAddress entry = ref on->Addresses[i];
            if (entry.IsUsable && entry.Address.IsV4)
                on->PrimaryV4 = entry.Address.V4;
        }
    }

    /// <summary>Whether the others of the prefix are on the link: of announced prefixes the router says so by itself (RFC 5942).</summary>
    private static bool HasConnectedRoute(NetworkInterface* on, in InterfaceAddress address) => !on->IsLoopback && address.Origin != AddressOrigin.Slaac;

    private static Route ConnectedRoute(NetworkInterface* on, in InterfaceAddress address) => new()
    {
        Prefix = address.Address.Prefix(address.FullPrefixLength),
        PrefixLength = address.FullPrefixLength,
        Interface = on,
        Origin = RouteOrigin.Connected,
        ValidUntil = ulong.MaxValue,
    };
}
