// Options of IPPROTO_IP and IPPROTO_IPV6 that do not concern groups. Source: ip(7), ipv6(7).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Datagrams;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Sockets.Inet;

/// <summary>setsockopt(2) and getsockopt(2) of TCP's and datagram sockets at the levels IPPROTO_IP and IPPROTO_IPV6.</summary>
internal static unsafe class InetOptions
{
    private const int HighestByte = 255;

    // The two bits of the traffic class that belong to congestion notification, which a stream does by itself.
    private const int EcnMask = 3;

    // IPPROTO_IP.
    private const int Tos = 1, Ttl = 2, RouterAlert4 = 5, ReceiveOptions = 6, PacketInfo = 8, MtuDiscover = 10, ReceiveError = 11, ReceiveTtl = 12, ReceiveTos = 13;
    private const int FreeBind = 15, Transparent = 19, BindAddressNoPort = 24;

    // IPPROTO_IPV6.
    private const int UnicastHops = 16, MtuDiscover6 = 23, ReceiveError6 = 25, OnlyV6 = 26, ReceivePacketInfo6 = 49, ReceiveHopLimit6 = 51, ReceiveClass6 = 66, Class6 = 67, FreeBind6 = 78;
    private const int Transparent6 = 75;

    /// <summary>IP_MTU and IPV6_MTU, which the kinds answer.</summary>
    internal const int Mtu4 = 14, Mtu6 = 24;

    /// <summary>
    /// Sets an option; the caller hands what changed on to the protocol. ENOPROTOOPT: not one of these. <paramref name="isBound"/>: the socket has a port, too late for IPV6_V6ONLY. EINVAL, EPERM, EFAULT.
    /// </summary>
    internal static Errno Set(Socket* socket, ref InetSettings settings, bool isBound, int level, int name, OptionInput value)
    {
        if (level == OptionLevel.Ip)
            return Set4(socket, ref settings, name, value);
        if (level != OptionLevel.Ipv6 || socket->Family != AddressFamily.Inet6)
            return Errno.ENOPROTOOPT;
        return Set6(socket, ref settings, isBound, name, value);
    }

    /// <summary>Gives an option. ENOPROTOOPT: not one of these; EOPNOTSUPP: no such level.</summary>
    internal static Result Get(Socket* socket, in InetSettings settings, int level, int name, OptionOutput* value)
    {
        if (level == OptionLevel.Ip)
            return Get4(settings, name, value);
        // Linux tells a level that is not there differently for the two families.
        if (socket->Family != AddressFamily.Inet6)
            return Errno.EOPNOTSUPP;
        return level == OptionLevel.Ipv6 ? Get6(settings, name, value) : Errno.ENOPROTOOPT;
    }

    private static Errno Set4(Socket* socket, ref InetSettings settings, int name, OptionInput value)
    {
        InetSwitches switched = SwitchOf4(name);
        if (switched == InetSwitches.None && name is not (Tos or Ttl or MtuDiscover))
            return Errno.ENOPROTOOPT;
        Errno error = value.ReadSmall(out int number);
        if (error != Errno.None)
            return error;
        if (switched != InetSwitches.None)
            return Switch(ref settings, switched, number);
        switch (name)
        {
            case Tos:
                settings.TrafficClass4 = MergeClass(socket, settings.TrafficClass4, number);
                return Errno.None;
            case Ttl:
                if (number != -1 && number is < 1 or > HighestByte)
                    return Errno.EINVAL;
                settings.HopLimit4 = number == -1 ? (byte)0 : (byte)number;
                return Errno.None;
            default:
                return SetDiscovery(ref settings, number);
        }
    }

    private static Errno Set6(Socket* socket, ref InetSettings settings, bool isBound, int name, OptionInput value)
    {
        InetSwitches switched = SwitchOf6(name);
        if (switched == InetSwitches.None && name is not (Class6 or UnicastHops or MtuDiscover6 or OnlyV6))
            return Errno.ENOPROTOOPT;
        Errno error = value.Read(out int number);
        if (error != Errno.None)
            return error;
        if (switched != InetSwitches.None)
            return Switch(ref settings, switched, number);
        switch (name)
        {
            case Class6:
                if (number is < -1 or > HighestByte)
                    return Errno.EINVAL;
                settings.TrafficClass6 = MergeClass(socket, settings.TrafficClass6, number == -1 ? 0 : number);
                return Errno.None;
            case UnicastHops:
                if (number is < -1 or > HighestByte)
                    return Errno.EINVAL;
                settings.HopLimit6 = number == -1 ? (byte)0 : (byte)number;
                return Errno.None;
            case OnlyV6:
                if (isBound)
                    return Errno.EINVAL;
                settings.IsV6Only = number != 0;
                return Errno.None;
            default:
                return SetDiscovery(ref settings, number);
        }
    }

    private static Result Get4(in InetSettings settings, int name, OptionOutput* value)
    {
        InetSwitches switched = SwitchOf4(name);
        if (switched != InetSwitches.None)
            return value->SetSmall(settings.Has(switched) ? 1 : 0);
        return name switch
        {
            Tos => value->SetSmall(settings.TrafficClass4),
            Ttl => value->SetSmall(settings.HopLimit4 == 0 ? InetSettings.DefaultHopLimit : settings.HopLimit4),
            MtuDiscover => value->SetSmall((int)settings.Discovery),
            _ => Errno.ENOPROTOOPT,
        };
    }

    private static Result Get6(in InetSettings settings, int name, OptionOutput* value)
    {
        InetSwitches switched = SwitchOf6(name);
        if (switched != InetSwitches.None)
            return value->Set(settings.Has(switched));
        return name switch
        {
            Class6 => value->Set((int)settings.TrafficClass6),
            UnicastHops => value->Set(settings.HopLimit6 == 0 ? InetSettings.DefaultHopLimit : (int)settings.HopLimit6),
            MtuDiscover6 => value->Set((int)settings.Discovery),
            OnlyV6 => value->Set(settings.IsV6Only),
            _ => Errno.ENOPROTOOPT,
        };
    }

    private static InetSwitches SwitchOf4(int name) => name switch
    {
        PacketInfo => InetSwitches.PacketInformation4,
        ReceiveTtl => InetSwitches.HopLimit4,
        ReceiveTos => InetSwitches.TrafficClass4,
        ReceiveError => InetSwitches.ReceiveErrors4,
        FreeBind => InetSwitches.FreeBind,
        Transparent => InetSwitches.Transparent,
        BindAddressNoPort => InetSwitches.BindWithoutPort,
        ReceiveOptions => InetSwitches.ReceiveOptions,
        RouterAlert4 => InetSwitches.RouterAlert,
        _ => InetSwitches.None,
    };

    private static InetSwitches SwitchOf6(int name) => name switch
    {
        ReceivePacketInfo6 => InetSwitches.PacketInformation6,
        ReceiveHopLimit6 => InetSwitches.HopLimit6,
        ReceiveClass6 => InetSwitches.TrafficClass6,
        ReceiveError6 => InetSwitches.ReceiveErrors6,
        FreeBind6 => InetSwitches.FreeBind,
        Transparent6 => InetSwitches.Transparent,
        _ => InetSwitches.None,
    };

    private static Errno Switch(ref InetSettings settings, InetSwitches switched, int number)
    {
        if (switched == InetSwitches.Transparent && number != 0 && Process.Current->Credentials.EffectiveUserId != 0)
            return Errno.EPERM;
        settings.Switches = number != 0 ? settings.Switches | switched : settings.Switches & ~switched;
        return Errno.None;
    }

    private static byte MergeClass(Socket* socket, byte old, int wanted) =>
        (byte)(socket->Type == SocketType.Stream ? (wanted & ~EcnMask) | (old & EcnMask) : wanted);

    // IP_PMTUDISC_INTERFACE and IP_PMTUDISC_OMIT, 4 and 5, trust the link alone: the nearest there is is not to refuse.
    private static Errno SetDiscovery(ref InetSettings settings, int number)
    {
        const int highest = 5;
        if (number is < 0 or > highest)
            return Errno.EINVAL;
        settings.Discovery = (PathMtuDiscovery)number;
        return Errno.None;
    }
}
