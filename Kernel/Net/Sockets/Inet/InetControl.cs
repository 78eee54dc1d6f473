// Control messages of the internet families: what goes out beside a datagram and what is told of one that came in. Source: ip(7), ipv6(7), RFC 3542.
using System.Runtime.InteropServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Datagrams;

namespace Ukl.Kernel.Net.Sockets.Inet;

/// <summary>struct in_pktinfo; addresses in network order.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PacketInformation4
{
    public uint Interface;
    public uint Local;
    public uint Destination;
}

/// <summary>struct in6_pktinfo.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct PacketInformation6
{
    public fixed byte Address[16];
    public uint Interface;
}

/// <summary>Reads and writes the control messages of IPPROTO_IP and IPPROTO_IPV6.</summary>
internal static unsafe class InetControl
{
    private const int Tos = 1, Ttl = 2, PacketInfo = 8;
    private const int PacketInfo6 = 50, HopLimit6 = 52, TrafficClass6 = 67;
    private const int HighestHopLimit = 255;

    /// <summary>Looks at the control messages of a stream, which have nothing to say. EINVAL.</summary>
    internal static Errno CheckStream(SocketMessage* message)
    {
        if (message->ControlLength == 0)
            return Errno.None;
        var reader = new ControlReader(message->Control, message->ControlLength);
        Errno error;
        while (reader.MoveNext(out error))
        {
            if (reader.Current->Level == OptionLevel.Socket && CheckSocketLevel(reader.Current->Type) != Errno.None)
                return Errno.EINVAL;
        }
        return error;
    }

    /// <summary>Adds what a datagram's control messages say to its target. EINVAL.</summary>
    internal static Errno Read(SocketMessage* message, bool isV6, ref DatagramTarget target)
    {
        if (message->ControlLength == 0)
            return Errno.None;
        var reader = new ControlReader(message->Control, message->ControlLength);
        Errno error;
        while (reader.MoveNext(out error))
        {
            int level = reader.Current->Level, type = reader.Current->Type;
            Errno said = Errno.None;
            if (level == OptionLevel.Socket)
                said = CheckSocketLevel(type);
            else if (level == OptionLevel.Ip && !isV6)
                said = Read4(ref reader, type, ref target);
            else if (level == OptionLevel.Ipv6 && isV6)
                said = Read6(ref reader, type, ref target);
            if (said != Errno.None)
                return said;
        }
        return error;
    }

    /// <summary>Tells what the socket asked to know of a datagram.</summary>
    internal static void Write(InetSwitches wanted, SocketMessage* message, in DatagramInformation information, uint localV4)
    {
        if (wanted == InetSwitches.None)
            return;
        if (information.Source.IsV4)
            Write4(wanted, message, information, localV4);
        if ((wanted & InetSwitches.PacketInformation6) != 0)
        {
            var told = new PacketInformation6 { Interface = information.Interface };
            information.Destination.WriteV6(new System.Span<byte>(told.Address, 16));
            Put(message, OptionLevel.Ipv6, PacketInfo6, &told, (nuint)sizeof(PacketInformation6));
        }
        if ((wanted & InetSwitches.HopLimit6) != 0)
            PutInt(message, OptionLevel.Ipv6, HopLimit6, information.HopLimit);
        if ((wanted & InetSwitches.TrafficClass6) != 0)
            PutInt(message, OptionLevel.Ipv6, TrafficClass6, information.TrafficClass);
    }

    private static void Write4(InetSwitches wanted, SocketMessage* message, in DatagramInformation information, uint localV4)
    {
        if ((wanted & InetSwitches.PacketInformation4) != 0)
        {
            var told = new PacketInformation4
            {
                Interface = information.Interface,
                Local = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(information.Destination.IsMulticast ? localV4 : information.Destination.V4),
                Destination = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(information.Destination.V4),
            };
            Put(message, OptionLevel.Ip, PacketInfo, &told, (nuint)sizeof(PacketInformation4));
        }
        if ((wanted & InetSwitches.HopLimit4) != 0)
            PutInt(message, OptionLevel.Ip, Ttl, information.HopLimit);
        if ((wanted & InetSwitches.TrafficClass4) != 0)
        {
            byte value = information.TrafficClass;
            Put(message, OptionLevel.Ip, Tos, &value, sizeof(byte));
        }
    }

    // Rights and credentials have a meaning in AF_UNIX only and are passed over, as on Linux.
    private static Errno CheckSocketLevel(int type) =>
        type is ControlType.Rights or ControlType.Credentials or ControlType.Mark ? Errno.None : Errno.EINVAL;

    private static Errno Read4(ref ControlReader reader, int type, ref DatagramTarget target)
    {
        switch (type)
        {
            case PacketInfo when reader.DataLength == (nuint)sizeof(PacketInformation4):
                var information = (PacketInformation4*)reader.Data;
                if (information->Interface != 0)
                    target.Interface = information->Interface;
                if (information->Local != 0)
                    target.Source = IpAddress.FromV4(System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(information->Local));
                return Errno.None;
            case Ttl when reader.DataLength == sizeof(int):
                int hops = *(int*)reader.Data;
                if (hops is < 1 or > HighestHopLimit)
                    return Errno.EINVAL;
                target.HopLimit = (byte)hops;
                return Errno.None;
            case Tos when reader.DataLength is sizeof(int) or sizeof(byte):
                target.TrafficClass = *reader.Data;
                target.HasTrafficClass = true;
                return Errno.None;
            default:
                return Errno.EINVAL;
        }
    }

    private static Errno Read6(ref ControlReader reader, int type, ref DatagramTarget target)
    {
        if (type == PacketInfo6)
        {
            if (reader.DataLength < (nuint)sizeof(PacketInformation6))
                return Errno.EINVAL;
            var information = (PacketInformation6*)reader.Data;
            if (information->Interface != 0)
                target.Interface = information->Interface;
            target.Source = IpAddress.ReadV6(new System.ReadOnlySpan<byte>(information->Address, 16));
            return Errno.None;
        }
        if (type is not (HopLimit6 or TrafficClass6) || reader.DataLength != sizeof(int))
            return Errno.EINVAL;
        int value = *(int*)reader.Data;
        if (value is < -1 or > HighestHopLimit)
            return Errno.EINVAL;
        if (type == HopLimit6)
        {
            target.HopLimit = value < 0 ? (byte)0 : (byte)value;
        }
        else
        {
            target.TrafficClass = value < 0 ? (byte)0 : (byte)value;
            target.HasTrafficClass = true;
        }
        return Errno.None;
    }

    private static void PutInt(SocketMessage* message, int level, int type, int value) => Put(message, level, type, &value, sizeof(int));

    private static void Put(SocketMessage* message, int level, int type, void* data, nuint length) =>
        message->ControlOut.Put(level, type, data, length, ref message->Returned);
}
