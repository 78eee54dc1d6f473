// Options of datagram sockets. Source: ip(7), ipv6(7), udp(7), raw(7), socket(7).
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Datagrams;

namespace Ukl.Kernel.Net.Sockets.Inet;

/// <summary>setsockopt(2) and getsockopt(2) of UDP's, ping's and raw sockets.</summary>
internal static unsafe class DatagramSocketOptions
{
    // IPPROTO_UDP: UDP_CORK, which cannot be turned on.
    private const int Cork = 1;

    // SOL_RAW with ICMP_FILTER, SOL_ICMPV6 with ICMP6_FILTER.
    private const int LevelIcmp6 = 58, Filter = 1;

    internal static void SettingChanged(InetDatagram* socket, SocketOption option)
    {
        DatagramSocket* datagram = socket->Datagram;
        ref SocketSettings settings = ref socket->Base.Settings;
        switch (option)
        {
            case SocketOption.Broadcast:
                datagram->Options.IsBroadcastAllowed = settings.Has(SocketSwitches.Broadcast);
                break;
            case SocketOption.ReuseAddress:
            case SocketOption.ReusePort:
                datagram->Binding.Flags = InetDatagram.PortFlagsOf(socket);
                break;
            case SocketOption.ReceiveBuffer:
            case SocketOption.ReceiveBufferForce:
                datagram->ReceiveLimit = settings.ReceiveBuffer;
                break;
            case SocketOption.BindToInterface:
                datagram->Options.Interface = settings.BoundInterface;
                break;
        }
    }

    internal static Result Set(InetDatagram* socket, int level, int name, OptionInput value)
    {
        DatagramSocket* datagram = socket->Datagram;
        if (level == OptionLevel.Socket)
            return BoundInterface.Set(&socket->Base, datagram->Stack, (SocketOption)name, value);
        if (level == OptionLevel.Udp && datagram->Kind == DatagramKind.Udp)
        {
            Errno error = value.Read(out int number);
            return error != Errno.None ? error : name == Cork && number == 0 ? Result.Ok : Errno.ENOPROTOOPT;
        }
        if (datagram->Kind == DatagramKind.Raw && name == Filter && level is OptionLevel.Raw or LevelIcmp6)
            return SetFilter(datagram, level, value);
        Errno set = InetOptions.Set(&socket->Base, ref socket->Settings, datagram->LocalPort != 0, level, name, value);
        if (set == Errno.ENOPROTOOPT)
            return GroupOptions.Set(socket, level, name, value);
        if (set == Errno.None)
            Apply(socket);
        return set;
    }

    internal static Result Get(InetDatagram* socket, int level, int name, OptionOutput* value)
    {
        DatagramSocket* datagram = socket->Datagram;
        if (level == OptionLevel.Socket)
            return BoundInterface.Get(&socket->Base, datagram->Stack, (SocketOption)name, value);
        if (level == OptionLevel.Udp && datagram->Kind == DatagramKind.Udp)
            return name == Cork ? value->Set(0) : Errno.ENOPROTOOPT;
        if (datagram->Kind == DatagramKind.Raw && name == Filter && level is OptionLevel.Raw or LevelIcmp6)
            return GetFilter(datagram, level, value);
        if ((level == OptionLevel.Ip && name == InetOptions.Mtu4) || (level == OptionLevel.Ipv6 && name == InetOptions.Mtu6))
            return datagram->IsConnected ? value->Set((int)datagram->Route.Mtu) : Errno.ENOTCONN;
        Result result = InetOptions.Get(&socket->Base, socket->Settings, level, name, value);
        return result.Error == Errno.ENOPROTOOPT ? GroupOptions.Get(socket, level, name, value) : result;
    }

    private static void Apply(InetDatagram* socket)
    {
        DatagramSocket* datagram = socket->Datagram;
        ref DatagramOptions options = ref datagram->Options;
        options.HopLimit = socket->Settings.HopLimitFor(socket->Base.Family);
        options.TrafficClass = socket->Settings.TrafficClassFor(socket->Base.Family);
        options.Discovery = socket->Settings.Discovery <= PathMtuDiscovery.Probe ? socket->Settings.Discovery : PathMtuDiscovery.Never;
        options.ReportsSoftErrors = socket->Settings.Has(InetSwitches.ReceiveErrors);
        datagram->Binding.Flags = InetDatagram.PortFlagsOf(socket);
    }

    private static Result SetFilter(DatagramSocket* datagram, int level, OptionInput value)
    {
        if (level == OptionLevel.Raw)
        {
            if (datagram->Protocol != IpProtocol.Icmp)
                return Errno.EOPNOTSUPP;
            Errno error = value.Copy((byte*)&datagram->Options.FilterLow, sizeof(uint), out _);
            return error;
        }
        if (datagram->Protocol != IpProtocol.IcmpV6)
            return Errno.ENOPROTOOPT;
        return value.Copy((byte*)&datagram->Options.FilterLow, sizeof(ulong) * 4, out _);
    }

    private static Result GetFilter(DatagramSocket* datagram, int level, OptionOutput* value)
    {
        if (level == OptionLevel.Raw)
            return datagram->Protocol != IpProtocol.Icmp ? Errno.EOPNOTSUPP : value->Set((uint)datagram->Options.FilterLow);
        if (datagram->Protocol != IpProtocol.IcmpV6)
            return Errno.ENOPROTOOPT;
        return value->Set(new ReadOnlySpan<byte>(&datagram->Options.FilterLow, sizeof(ulong) * 4));
    }
}
