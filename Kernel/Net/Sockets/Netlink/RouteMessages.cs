// RTM_NEWROUTE: routes. Source: rtnetlink(7), include/uapi/linux/rtnetlink.h.
using System.Runtime.InteropServices;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Sockets.Netlink;

/// <summary>Describes the routes of the main table.</summary>
internal static unsafe class RouteMessages
{
    private const ushort NewRoute = 24;

    // RTA_*.
    private const ushort Destination = 1, OutputInterface = 4, Gateway = 5, Priority = 6, PreferredSource = 7, Table = 15;

    // RT_TABLE_MAIN, RTN_UNICAST, RT_SCOPE_LINK.
    private const byte MainTable = 254, Unicast = 1, ScopeLink = 253;

    // RTPROT_*.
    private const byte FromKernel = 2, FromBoot = 3, FromRouter = 9, FromDhcp = 16;

    // Prefixes of IPv4 are counted in the mapped address.
    private const int MappedBits = 96;

    /// <summary>struct rtmsg.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct RouteBody
    {
        public byte Family;
        public byte DestinationLength;
        public byte SourceLength;
        public byte TypeOfService;
        public byte Table;
        public byte Protocol;
        public byte Scope;
        public byte Type;
        public uint Flags;
    }

    /// <summary>All routes of a family, or of both (0).</summary>
    internal static void WriteAll(ref NetlinkWriter writer, NetworkStack* stack, byte family)
    {
        for (int i = 0; i < stack->Routes.Count; i++)
        {
            Route route = stack->Routes[i];
            bool isV4 = route.PrefixLength >= MappedBits && route.Prefix.IsV4;
            AddressFamily own = isV4 ? AddressFamily.Inet : AddressFamily.Inet6;
            if (family == 0 || family == (byte)own)
                Write(ref writer, route, own);
        }
    }

    private static void Write(ref NetlinkWriter writer, in Route route, AddressFamily family)
    {
        var body = (RouteBody*)writer.Begin(NewRoute, NetlinkHeader.Multiple, (uint)sizeof(RouteBody));
        if (body == null)
            return;
        body->Family = (byte)family;
        body->DestinationLength = (byte)(family == AddressFamily.Inet ? route.PrefixLength - MappedBits : route.PrefixLength);
        body->Table = MainTable;
        body->Protocol = route.Origin switch
        {
            RouteOrigin.Connected => FromKernel,
            RouteOrigin.Dhcp => FromDhcp,
            RouteOrigin.RouterAdvertisement => FromRouter,
            _ => FromBoot,
        };
        body->Scope = route.HasGateway || family == AddressFamily.Inet6 ? (byte)0 : ScopeLink;
        body->Type = Unicast;
        writer.Add(Table, (uint)MainTable);
        if (body->DestinationLength != 0)
            writer.Add(Destination, route.Prefix);
        if (route.Metric != 0)
            writer.Add(Priority, route.Metric);
        if (route.HasGateway)
            writer.Add(Gateway, route.Gateway);
        if (route.Source != default)
            writer.Add(PreferredSource, route.Source);
        writer.Add(OutputInterface, route.Interface->Index);
        writer.End();
    }
}
