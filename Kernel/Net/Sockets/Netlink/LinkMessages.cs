// RTM_NEWLINK: interfaces. Source: rtnetlink(7), netdevice(7), include/uapi/linux/if_link.h.
using System;
using System.Runtime.InteropServices;
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Net.Sockets.Netlink;

/// <summary>Describes interfaces.</summary>
internal static unsafe class LinkMessages
{
    private const ushort NewLink = 16;

    // ARPHRD_*.
    private const ushort Ethernet = 1, Loopback = 772;

    // IFLA_*.
    private const ushort Address = 1, Broadcast = 2, Name = 3, Mtu = 4, QueueDiscipline = 6, Statistics32 = 7, QueueLength = 13, OperationalState = 16, LinkMode = 17, Statistics64 = 23;

    // IF_OPER_*: what IFLA_OPERSTATE says.
    private const byte StateUnknown = 0, StateDown = 2, StateUp = 6;

    private const uint DefaultQueueLength = 1000;
    private const int Counters32 = 24, Counters64 = 25;

    /// <summary>struct ifinfomsg.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct LinkBody
    {
        public byte Family;
        public byte Padding;
        public ushort Type;
        public uint Index;
        public uint Flags;
        public uint Change;
    }

    /// <summary>All interfaces, lo first.</summary>
    internal static void WriteAll(ref NetlinkWriter writer, NetworkStack* stack)
    {
        for (NetworkInterface* each = stack->Loopback; each != null; each = each->Next)
            Write(ref writer, each, NetlinkHeader.Multiple);
    }

    /// <summary>The interface that a request names by index or by IFLA_IFNAME. ENODEV, EINVAL.</summary>
    internal static Errno WriteOne(ref NetlinkWriter writer, NetworkStack* stack, NetlinkHeader* request)
    {
        uint bodyEnd = (uint)(sizeof(NetlinkHeader) + sizeof(LinkBody));
        if (request->Length < bodyEnd)
            return Errno.EINVAL;
        NetworkInterface* found = stack->FindInterface(((LinkBody*)(request + 1))->Index);
        for (uint at = bodyEnd; found == null && at + (2 * sizeof(ushort)) <= request->Length;)
        {
            var attribute = (ushort*)((byte*)request + at);
            uint size = attribute[0];
            if (size < 2 * sizeof(ushort) || size > request->Length - at)
                return Errno.EINVAL;
            if (attribute[1] == Name)
                found = Find(stack, new ReadOnlySpan<byte>(attribute + 2, (int)size - (2 * sizeof(ushort))));
            at += (size + 3) & ~3u;
        }
        if (found == null)
            return Errno.ENODEV;
        Write(ref writer, found, 0);
        return Errno.None;
    }

    private static NetworkInterface* Find(NetworkStack* stack, ReadOnlySpan<byte> name)
    {
        int length = 0;
        while (length < name.Length && name[length] != 0)
            length++;
        NetworkInterface* each = stack->Loopback;
        while (each != null && !each->Name.Is(name[..length]))
            each = each->Next;
        return each;
    }

    private static void Write(ref NetlinkWriter writer, NetworkInterface* link, ushort flags)
    {
        var body = (LinkBody*)writer.Begin(NewLink, flags, (uint)sizeof(LinkBody));
        if (body == null)
            return;
        body->Type = link->IsLoopback ? Loopback : Ethernet;
        body->Index = link->Index;
        body->Flags = (uint)link->Flags;
        writer.AddText(Name, link->Name.Text);
        writer.Add(QueueLength, DefaultQueueLength);
        writer.Add(OperationalState, link->IsLoopback ? StateUnknown : link->Device->IsLinkUp ? StateUp : StateDown);
        writer.Add(LinkMode, (byte)0);
        writer.Add(Mtu, link->Mtu);
        Span<byte> hardware = stackalloc byte[MacAddress.Size];
        link->Mac.Write(hardware);
        writer.Add(Address, hardware);
        (link->IsLoopback ? default : MacAddress.Broadcast).Write(hardware);
        writer.Add(Broadcast, hardware);
        writer.AddText(QueueDiscipline, "noqueue"u8);
        WriteCounters(ref writer, link->Statistics);
        writer.End();
    }

    // struct rtnl_link_stats and rtnl_link_stats64: packets, bytes, errors and drops first, received and sent in turn.
    private static void WriteCounters(ref NetlinkWriter writer, in InterfaceStatistics statistics)
    {
        ulong* wide = stackalloc ulong[Counters64];
        uint* narrow = stackalloc uint[Counters32];
        new Span<ulong>(wide, Counters64).Clear();
        wide[0] = statistics.ReceivedPackets;
        wide[1] = statistics.SentPackets;
        wide[2] = statistics.ReceivedBytes;
        wide[3] = statistics.SentBytes;
        wide[4] = statistics.ReceiveErrors;
        wide[6] = statistics.ReceiveDropped;
        wide[7] = statistics.SendDropped;
        wide[8] = statistics.ReceivedMulticast;
        for (int i = 0; i < Counters32; i++)
            narrow[i] = (uint)wide[i];
        writer.Add(Statistics64, new ReadOnlySpan<byte>(wide, Counters64 * sizeof(ulong)));
        writer.Add(Statistics32, new ReadOnlySpan<byte>(narrow, Counters32 * sizeof(uint)));
    }
}
