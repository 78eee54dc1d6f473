// What routers announce. Source: RFC 4861 section 6.3.4, RFC 4862 section 5.5.3, RFC 8106. A host on the link can announce anything; what it can cause is bounded by the
// sizes below.
using System.Buffers.Binary;
using Ukl.Kernel.Net.Icmp;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Slaac;

/// <summary>Default routers, prefixes, addresses.</summary>
internal static unsafe class RouterAdvertisements
{
    private const ulong Second = 1_000_000_000;

    /// <summary>Routes and addresses that announcements may make.</summary>
    private const int MaximumRoutes = 16;
    private const int MaximumAddresses = 8;

    /// <summary>Seconds that mean for ever.</summary>
    private const uint Infinite = 0xffff_ffff;

    /// <summary>An announcement does not shorten a lifetime below two hours (RFC 4862 section 5.5.3 e), so that a lie cannot take an address away at once.</summary>
    private const uint LeastLifetime = 7200;

    /// <summary>Like Linux's metric of routes that were announced, and of prefixes on the link.</summary>
    private const uint RouterMetric = 1024;
    private const uint PrefixMetric = 256;

    private const int MtuOptionSize = 8;
    private const int NameServerOptionStart = 8;
    private const int NameServerOptionSize = 24;

    /// <summary>A router's announcement came.</summary>
    public static void Receive(NetworkInterface* on, in IpAddress router, in NdpMessage message)
    {
        if (!on->AutoConfiguration.IsEnabled)
            return;
        if (message.HopLimit != 0)
            on->AutoConfiguration.HopLimit = message.HopLimit;
        if (message.TryGetLinkAddress(NdpMessage.RouterAdvertisementSize, NdpOptionType.SourceLinkAddress, out MacAddress mac) && !mac.IsGroup)
            NoteRouter(on, router, mac);
        if (message.RouterLifetime != 0)
        {
            SetRoute(on, new Route { Gateway = router, Interface = on, Origin = RouteOrigin.RouterAdvertisement, Metric = RouterMetric }, message.RouterLifetime);
            AutoConfiguration.StopAsking(on);
        }
        else
        {
            ForgetRouter(on, router);
        }
        NdpOptions options = message.Options(NdpMessage.RouterAdvertisementSize);
        while (options.MoveNext())
        {
            switch (options.Type)
            {
                case NdpOptionType.PrefixInformation when options.Current.Length == PrefixOption.Size:
                    ReceivePrefix(on, new PrefixOption(options.Current));
                    break;
                case NdpOptionType.Mtu when options.Current.Length == MtuOptionSize:
                    SetMtu(on, BinaryPrimitives.ReadUInt32BigEndian(options.Current[4..]));
                    break;
                case NdpOptionType.NameServers when options.Current.Length >= NameServerOptionSize:
                    SetNameServers(on, options.Current);
                    break;
            }
        }
        AutoConfiguration.Run(on);
    }

    /// <summary>A router says that it is none any more.</summary>
    public static void ForgetRouter(NetworkInterface* on, in IpAddress router)
    {
        var route = new Route { Gateway = router, Interface = on, Metric = RouterMetric };
        int number = on->Stack->Routes.Find(route);
        if (number < 0 || on->Stack->Routes[number].Origin != RouteOrigin.RouterAdvertisement)
            return;
        on->Stack->Routes.RemoveAt(number);
        on->Stack->RouteGeneration++;
    }

    /// <summary>Removes announced routes whose time is over. Returns when to be called next.</summary>
    public static ulong Run(NetworkInterface* on)
    {
        NetworkStack* stack = on->Stack;
        ulong next = NetworkTimers.Never;
        for (int i = stack->Routes.Count - 1; i >= 0; i--)
        {
            ref Route route = ref stack->Routes[i];
            if (route.Interface != on)
                continue;
            if (route.ValidUntil <= stack->Now)
            {
                stack->Routes.RemoveAt(i);
                stack->RouteGeneration++;
            }
            else if (route.ValidUntil < next)
            {
                next = route.ValidUntil;
            }
        }
        return next;
    }

    private static void NoteRouter(NetworkInterface* on, in IpAddress router, MacAddress mac)
    {
        NeighborTable* neighbors = &on->Stack->Neighbors;
        Neighbor* neighbor = neighbors->Find(on, router);
        if (neighbor == null && neighbors->HasRoomForStrangers)
            neighbor = neighbors->Get(on, router);
        if (neighbor == null)
            return;
        NeighborDiscovery.Learn(neighbor, mac, false, true);
        neighbor->IsRouter = true;
    }

    private static void ReceivePrefix(NetworkInterface* on, in PrefixOption option)
    {
        IpAddress prefix = option.Prefix;
        byte length = option.PrefixLength;
        uint valid = option.ValidLifetime;
        uint preferred = option.PreferredLifetime;
        if (prefix.IsLinkLocal6 || prefix.IsMulticast || prefix.IsV4 || prefix.IsLoopback || length > 128 || preferred > valid)
            return;
        prefix = prefix.Prefix(length);
        if (option.IsOnLink)
        {
            var route = new Route { Prefix = prefix, PrefixLength = length, Interface = on, Origin = RouteOrigin.RouterAdvertisement, Metric = PrefixMetric };
            SetRoute(on, route, valid);
        }
        // Ethernet's identifiers have 64 bits (RFC 2464 section 4).
        if (option.IsAutonomous && length == 64)
            SetAddress(on, new IpAddress(prefix.High, AutoConfiguration.InterfaceIdentifier(on->Mac)), valid, preferred);
    }

    private static void SetAddress(NetworkInterface* on, in IpAddress address, uint valid, uint preferred)
    {
        ulong now = on->Stack->Now;
        int number = on->Find(address);
        if (number < 0)
        {
            if (valid == 0 || CountAddresses(on) >= MaximumAddresses)
                return;
            InterfaceAddresses.Add(on, new InterfaceAddress
            {
                Address = address,
                PrefixLength = 64,
                Origin = AddressOrigin.Slaac,
                State = AddressState.Preferred,
                ValidUntil = TimeAfter(now, valid),
                PreferredUntil = TimeAfter(now, preferred),
            });
            return;
        }
        ref InterfaceAddress entry = ref on->Addresses[number];
        if (entry.Origin != AddressOrigin.Slaac)
            return;
        entry.PreferredUntil = TimeAfter(now, preferred);
        ulong until = TimeAfter(now, valid);
        if (valid > LeastLifetime || until > entry.ValidUntil)
            entry.ValidUntil = until;
        else if (entry.ValidUntil > now + (LeastLifetime * Second))
            entry.ValidUntil = now + (LeastLifetime * Second);
    }

    private static int CountAddresses(NetworkInterface* on)
    {
        int count = 0;
        for (int i = 0; i < on->AddressEnd; i++)
        {
            if (on->Addresses[i].State != AddressState.None && on->Addresses[i].Origin == AddressOrigin.Slaac)
                count++;
        }
        return count;
    }

    /// <summary>Adds a route for so many seconds, or sets how long it stays; 0 removes it.</summary>
    private static void SetRoute(NetworkInterface* on, Route route, uint lifetime)
    {
        NetworkStack* stack = on->Stack;
        route.ValidUntil = TimeAfter(stack->Now, lifetime);
        int number = stack->Routes.Find(route);
        if (number >= 0)
        {
            if (stack->Routes[number].Origin == RouteOrigin.RouterAdvertisement)
                stack->Routes[number].ValidUntil = route.ValidUntil;
            return;
        }
        int count = 0;
        for (int i = 0; i < stack->Routes.Count; i++)
        {
            if (stack->Routes[i].Origin == RouteOrigin.RouterAdvertisement)
                count++;
        }
        if (lifetime != 0 && count < MaximumRoutes)
            stack->AddRoute(route);
    }

    private static void SetMtu(NetworkInterface* on, uint mtu)
    {
        if (mtu < PathMtuTable.Minimum6 || mtu > on->Device->Mtu || mtu == on->Mtu)
            return;
        on->Mtu = mtu;
        on->Stack->RouteGeneration++;
    }

    private static void SetNameServers(NetworkInterface* on, System.ReadOnlySpan<byte> option)
    {
        ref AutoConfigurationState state = ref on->AutoConfiguration;
        bool isWithdrawn = BinaryPrimitives.ReadUInt32BigEndian(option[4..]) == 0;
        state.NameServer0 = Server(option, 0, isWithdrawn);
        state.NameServer1 = Server(option, 1, isWithdrawn);
        state.NameServer2 = Server(option, 2, isWithdrawn);
    }

    private static IpAddress Server(System.ReadOnlySpan<byte> option, int number, bool isWithdrawn)
    {
        int at = NameServerOptionStart + (16 * number);
        return isWithdrawn || option.Length < at + 16 ? default : IpAddress.ReadV6(option[at..]);
    }

    private static ulong TimeAfter(ulong now, uint seconds) => seconds == Infinite ? ulong.MaxValue : now + (seconds * Second);
}
