// Tells routers and switches which groups this host listens to. Source: RFC 3376 (IGMPv3) and RFC 3810 (MLDv2), of both the part of a host that listens to all sources: a change
// is reported at once and, should that be lost, everything once more within a second; a query is answered with everything.
using System;
using System.Buffers.Binary;
using Ukl.Kernel.Net.Icmp;

namespace Ukl.Kernel.Net.Ip;

/// <summary>Reports of group membership.</summary>
internal static unsafe class GroupReports
{
    /// <summary>Kinds of records (RFC 3376 section 4.2.12, the same in RFC 3810).</summary>
    private const byte Listening = 2, Left = 3, Joined = 4;

    private const byte ReportType4 = 0x22, QueryType4 = 0x11;

    private const int HeaderSize = 8, RecordSize4 = 8, RecordSize6 = 20, RouterAlertSize = 8, OptionSize4 = 4;

    /// <summary>A change is told again within this time (Unsolicited Report Interval), in nanoseconds; the unit of IGMP's delays, and of MLD's.</summary>
    private const ulong RepeatTime = 1_000_000_000, Unit4 = 100_000_000, Unit6 = 1_000_000;

    /// <summary>Internetwork control.</summary>
    private const byte TrafficClass4 = 0xc0;

    /// <summary>224.0.0.22 and ff02::16.</summary>
    private static IpAddress Routers4 => IpAddress.FromV4(0xe000_0016);

    private static IpAddress Routers6 => new(0xff02_0000_0000_0000, 0x16);

    /// <summary>An interface begins or ends to listen to a group.</summary>
    public static void Changed(NetworkInterface* on, in IpAddress group, bool isJoined)
    {
        if (on->IsLoopback || !IsReported(group))
            return;
        Send(on, group.IsV4, group, isJoined ? Joined : Left);
        Schedule(on, RepeatTime);
    }

    /// <summary>Takes a message of IGMP and its reference.</summary>
    public static void Receive4(PacketBuffer* packet, in IpPacket ip)
    {
        bool isQuery = packet->Length >= HeaderSize && *packet->Data == QueryType4 && InternetChecksum.Sum(packet) == InternetChecksum.Correct;
        if (isQuery && !ip.Interface->IsLoopback)
            Schedule(ip.Interface, (packet->Data[1] + 1u) * Unit4);
        PacketBuffer.Release(packet);
    }

    /// <summary>A query of MLD came, from its ICMP header on (RFC 3810 section 5.1.14: only from a neighbour).</summary>
    public static void Receive6(ReadOnlySpan<byte> message, in IpPacket ip)
    {
        if (ip.HopLimit == 1 && ip.Source.IsLinkLocal6 && !ip.Interface->IsLoopback)
            Schedule(ip.Interface, (BinaryPrimitives.ReadUInt16BigEndian(message[4..]) + 1u) * Unit6);
    }

    /// <summary>All hosts are always meant, and what stays within the host concerns nobody else.</summary>
    private static bool IsReported(in IpAddress group) =>
        group.IsV4 ? group.V4 != MulticastGroups.AllHosts4 : ((group.High >> 48) & 15) > 1 && !MulticastGroups.IsAllNodes(group);

    private static void Schedule(NetworkInterface* on, ulong within)
    {
        NetworkStack* stack = on->Stack;
        ulong deadline = stack->Now + (stack->NextRandom() % within);
        if (on->GroupTimer.IsRunning && on->GroupTimer.Deadline <= deadline)
            return;
        on->GroupTimer.Callback = &ReportAll;
        on->GroupTimer.Context = on;
        stack->Timers.Start(&on->GroupTimer, deadline);
    }

    private static void ReportAll(NetworkTimer* timer)
    {
        var on = (NetworkInterface*)timer->Context;
        Send(on, true, default, Listening);
        Send(on, false, default, Listening);
    }

    /// <summary>Sends a report about one group, or about all of a version when none is given.</summary>
    private static void Send(NetworkInterface* on, bool isV4, in IpAddress group, byte kind)
    {
        NetworkStack* stack = on->Stack;
        IpAddress routers = isV4 ? Routers4 : Routers6;
        Neighbor* nextHop = stack->Neighbors.Get(on, routers);
        PacketBuffer* packet = nextHop == null ? null : stack->Packets.Allocate();
        if (packet == null)
            return;
        ushort count = 0;
        byte* to = packet->Data + HeaderSize;
        if (group != default)
            WriteRecord(ref to, ref count, group, kind);
        for (int i = 0; group == default && i < MulticastGroupArray.Capacity; i++)
        {
            ref MulticastGroup each = ref on->Groups[i];
            if (each.References != 0 && each.Address.IsV4 == isV4 && IsReported(each.Address))
                WriteRecord(ref to, ref count, each.Address, kind);
        }
        packet->Length = (uint)(to - packet->Data);
        *(ulong*)packet->Data = isV4 ? ReportType4 : Icmp6Type.ListenerReport2;
        *(ushort*)(packet->Data + 6) = BinaryPrimitives.ReverseEndianness(count);
        if (count == 0)
        {
            PacketBuffer.Release(packet);
            return;
        }
        if (isV4)
            WriteHeaders4(on, packet, routers);
        else
            WriteHeaders6(on, packet, routers);
        nextHop->PutHeader(packet);
        on->Transmit(packet);
    }

    private static void WriteRecord(ref byte* to, ref ushort count, in IpAddress group, byte kind)
    {
        int size = group.IsV4 ? RecordSize4 : RecordSize6;
        var record = new Span<byte>(to, size);
        record.Clear();
        record[0] = kind;
        if (group.IsV4)
            BinaryPrimitives.WriteUInt32BigEndian(record[4..], group.V4);
        else
            group.WriteV6(record[4..]);
        to += size;
        count++;
    }

    /// <summary>IGMP behind a header of IPv4 that says "routers, look" (RFC 2113).</summary>
    private static void WriteHeaders4(NetworkInterface* on, PacketBuffer* packet, in IpAddress routers)
    {
        *(ushort*)(packet->Data + 2) = (ushort)~InternetChecksum.Sum(packet);
        IpAddress source = SourceAddress.Choose(on, routers, routers);
        *(uint*)packet->Push(OptionSize4) = 0x0494;
        uint length = packet->Length + Ipv4Header.Size;
        byte* header = packet->Push(Ipv4Header.Size);
        Ipv4Header.Write(header, length, 0, Ipv4Header.DontFragment, 1, IpProtocol.Igmp, TrafficClass4, source.V4, routers.V4);
        header[0] = Ipv4Header.VersionAndSize + 1;
        *(ushort*)(header + 10) = 0;
        *(ushort*)(header + 10) = (ushort)~InternetChecksum.Sum(header, Ipv4Header.Size + OptionSize4);
    }

    /// <summary>MLD behind a hop-by-hop header that says the same (RFC 2711). While the only address is tentative it comes from nobody (RFC 3590).</summary>
    private static void WriteHeaders6(NetworkInterface* on, PacketBuffer* packet, in IpAddress routers)
    {
        IpAddress source = SourceAddress.Choose(on, routers, routers);
        *(ushort*)(packet->Data + 2) = InternetChecksum.PseudoHeader(source, routers, IpProtocol.IcmpV6, packet->Length);
        *(ushort*)(packet->Data + 2) = (ushort)~InternetChecksum.Sum(packet);
        byte* alert = packet->Push(RouterAlertSize);
        *(ulong*)alert = 0x0001_0000_0205_0000 | IpProtocol.IcmpV6;
        uint length = packet->Length;
        Ipv6Header.Write(packet->Push(Ipv6Header.Size), length, 1, IpProtocol.HopByHop, 0, source, routers);
    }
}
