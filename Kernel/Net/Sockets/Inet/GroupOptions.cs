// Options about groups. Source: ip(7), ipv6(7).
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Datagrams;

namespace Ukl.Kernel.Net.Sockets.Inet;

/// <summary>IP_MULTICAST_*, IP_ADD_MEMBERSHIP, IPV6_JOIN_GROUP and their relatives.</summary>
internal static unsafe class GroupOptions
{
    private const int HighestHopLimit = 255;

    // IPPROTO_IP.
    private const int Interface4 = 32, HopLimit4 = 33, Loop4 = 34, Join4 = 35, Leave4 = 36, AllGroups4 = 49;

    // IPPROTO_IPV6.
    private const int Interface6 = 17, HopLimit6 = 18, Loop6 = 19, Join6 = 20, Leave6 = 21, AllGroups6 = 29;

    /// <summary>struct ip_mreqn; struct ip_mreq is its first two fields, addresses in network order.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct GroupRequest4
    {
        public uint Group;
        public uint Address;
        public uint Interface;
    }

    /// <summary>struct ipv6_mreq.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct GroupRequest6
    {
        public ulong High;
        public ulong Low;
        public uint Interface;
    }

    internal static Result Set(InetDatagram* socket, int level, int name, OptionInput value)
    {
        DatagramSocket* datagram = socket->Datagram;
        datagram->Stack->Enter();
        Errno error = level switch
        {
            OptionLevel.Ip => Set4(datagram, name, value),
            OptionLevel.Ipv6 when socket->Base.Family == AddressFamily.Inet6 => Set6(datagram, name, value),
            _ => Errno.ENOPROTOOPT,
        };
        datagram->Stack->Leave();
        return error;
    }

    /// <summary>Why a stream does not take an option about groups; ENOPROTOOPT for all others.</summary>
    internal static Errno RefuseStream(int level, int name) => (level, name) switch
    {
        (OptionLevel.Ip, Interface4 or HopLimit4) => Errno.EINVAL,
        (OptionLevel.Ip, Join4 or Leave4) or (OptionLevel.Ipv6, Join6 or Leave6) => Errno.EPROTO,
        _ => Errno.ENOPROTOOPT,
    };

    internal static Result Get(InetDatagram* socket, int level, int name, OptionOutput* value)
    {
        ref DatagramOptions options = ref socket->Datagram->Options;
        if (level == OptionLevel.Ip)
        {
            return name switch
            {
                Interface4 => value->Set(BinaryPrimitives.ReverseEndianness(PrimaryOf(socket->Datagram, options.MulticastInterface))),
                HopLimit4 => value->SetSmall(options.MulticastHopLimit),
                Loop4 => value->SetSmall(options.IsMulticastLooped ? 1 : 0),
                AllGroups4 => value->SetSmall(options.IsForAllGroups ? 1 : 0),
                _ => Errno.ENOPROTOOPT,
            };
        }
        if (level != OptionLevel.Ipv6 || socket->Base.Family != AddressFamily.Inet6)
            return Errno.ENOPROTOOPT;
        return name switch
        {
            Interface6 => value->Set(options.MulticastInterface),
            HopLimit6 => value->Set((int)options.MulticastHopLimit),
            Loop6 => value->Set(options.IsMulticastLooped),
            AllGroups6 => value->Set(options.IsForAllGroups),
            _ => Errno.ENOPROTOOPT,
        };
    }

    private static Errno Set4(DatagramSocket* datagram, int name, OptionInput value)
    {
        if (name is Join4 or Leave4 or Interface4)
            return SetRequest4(datagram, name, value);
        if (name is not (HopLimit4 or Loop4 or AllGroups4))
            return Errno.ENOPROTOOPT;
        Errno error = value.ReadSmall(out int number);
        return error != Errno.None ? error : SetNumber(datagram, name == HopLimit4, name == Loop4, number);
    }

    private static Errno Set6(DatagramSocket* datagram, int name, OptionInput value)
    {
        if (name is Join6 or Leave6)
        {
            if (value.Length < sizeof(ulong) * 2 + sizeof(uint))
                return Errno.EINVAL;
            GroupRequest6 request = default;
            Errno read = value.Copy((byte*)&request, sizeof(ulong) * 2 + sizeof(uint), out _);
            if (read != Errno.None)
                return read;
            var group = new IpAddress(BinaryPrimitives.ReverseEndianness(request.High), BinaryPrimitives.ReverseEndianness(request.Low));
            return name == Join6 ? DatagramGroups.Join(datagram, group, request.Interface) : DatagramGroups.Leave(datagram, group, request.Interface);
        }
        if (name is not (Interface6 or HopLimit6 or Loop6 or AllGroups6))
            return Errno.ENOPROTOOPT;
        Errno error = value.Read(out int number);
        if (error != Errno.None)
            return error;
        if (name != Interface6)
            return SetNumber(datagram, name == HopLimit6, name == Loop6, number);
        if (number != 0 && datagram->Stack->FindInterface((uint)number) == null)
            return Errno.ENODEV;
        datagram->Options.MulticastInterface = (uint)number;
        return Errno.None;
    }

    private static Errno SetNumber(DatagramSocket* datagram, bool isHopLimit, bool isLoop, int number)
    {
        if (isHopLimit)
        {
            if (number is < -1 or > HighestHopLimit)
                return Errno.EINVAL;
            datagram->Options.MulticastHopLimit = number == -1 ? (byte)1 : (byte)number;
        }
        else if (isLoop)
        {
            datagram->Options.IsMulticastLooped = number != 0;
        }
        else
        {
            if (number is not (0 or 1))
                return Errno.EINVAL;
            datagram->Options.IsForAllGroups = number != 0;
        }
        return Errno.None;
    }

    private static Errno SetRequest4(DatagramSocket* datagram, int name, OptionInput value)
    {
        int least = name == Interface4 ? sizeof(uint) : 2 * sizeof(uint);
        if (value.Length < least)
            return Errno.EINVAL;
        GroupRequest4 request = default;
        Errno error = value.Copy((byte*)&request, sizeof(GroupRequest4), out int length);
        if (error != Errno.None)
            return error;
        // IP_MULTICAST_IF also takes an address alone.
        uint address = length < 2 * sizeof(uint) ? request.Group : request.Address;
        uint index = length < sizeof(GroupRequest4) ? 0 : request.Interface;
        error = FindInterface(datagram, address, ref index);
        if (error != Errno.None)
            return name == Interface4 ? Errno.EADDRNOTAVAIL : error;
        if (name == Interface4)
        {
            datagram->Options.MulticastInterface = index;
            return Errno.None;
        }
        IpAddress group = IpAddress.FromV4(BinaryPrimitives.ReverseEndianness(request.Group));
        return name == Join4 ? DatagramGroups.Join(datagram, group, index) : DatagramGroups.Leave(datagram, group, index);
    }

    // The interface by number, or by one of its addresses in network order; neither: 0.
    private static Errno FindInterface(DatagramSocket* datagram, uint address, ref uint index)
    {
        if (index != 0)
            return datagram->Stack->FindInterface(index) != null ? Errno.None : Errno.ENODEV;
        if (address == 0)
            return Errno.None;
        NetworkInterface* found = datagram->Stack->FindLocal(IpAddress.FromV4(BinaryPrimitives.ReverseEndianness(address)));
        if (found == null)
            return Errno.ENODEV;
        index = found->Index;
        return Errno.None;
    }

    private static uint PrimaryOf(DatagramSocket* datagram, uint index)
    {
        NetworkInterface* found = index == 0 ? null : datagram->Stack->FindInterface(index);
        return found == null ? 0 : found->PrimaryV4;
    }
}
