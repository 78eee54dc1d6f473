// The way in: checks the headers of IP, and hands what is for this host to its transport. Source: RFC 1122 section 3.2.1 and RFC 8200 for what is dropped.
using System;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Ukl.Kernel.Net.Datagrams;
using Ukl.Kernel.Net.Icmp;
using Ukl.Kernel.Net.Tcp;

namespace Ukl.Kernel.Net.Ip;

/// <summary>Takes packets from links. Never sleeps.</summary>
internal static unsafe class IpInput
{
    /// <summary>"More fragments" and the offset, in the order of memory.</summary>
    private const ushort FragmentInMemory = 0xff3f;

    private const int NextHeaderOffset6 = 6;
    private const int ProtocolOffset4 = 9;

    /// <summary>Takes a packet of a link without types (lo), and its reference.</summary>
    public static void Receive(NetworkInterface* on, PacketBuffer* packet)
    {
        if (packet->Length != 0 && *packet->Data >> 4 == 6)
            ReceiveV6(on, packet, false);
        else
            ReceiveV4(on, packet, false);
    }

    /// <summary>Takes a packet of IPv4 and its reference.</summary>
    /// <param name="on">The interface it came in by.</param>
    /// <param name="packet">Its data begins with the header.</param>
    /// <param name="isForGroup">The frame was for everybody, or for a group.</param>
    public static void ReceiveV4(NetworkInterface* on, PacketBuffer* packet, bool isForGroup)
    {
        ref IpStatistics counted = ref on->Stack->Statistics.V4;
        counted.Received++;
        byte* header = packet->Data;
        if (packet->Length < Ipv4Header.Size)
        {
            DropMalformed(on, packet, ref counted);
            return;
        }
        uint size = Ipv4Header.Size;
        ulong sum = (ulong)*(uint*)header + *(uint*)(header + 4) + *(uint*)(header + 8) + *(uint*)(header + 12) + *(uint*)(header + 16);
        if (*header != Ipv4Header.VersionAndSize)
        {
            if (!new Ipv4Header(packet->Bytes).IsWellFormed)
            {
                DropMalformed(on, packet, ref counted);
                return;
            }
            size = (uint)(*header & 15) * 4;
            sum += InternetChecksum.Sum(header + Ipv4Header.Size, size - Ipv4Header.Size);
        }
        uint length = BinaryPrimitives.ReverseEndianness(*(ushort*)(header + 2));
        // Packets that are longer than the field can say come from lo only, or from a device that puts segments together.
        if (length == 0 && packet->Segmentation != SegmentationKind.None)
            length = packet->TotalLength;
        if (InternetChecksum.Fold(sum) != InternetChecksum.Correct || length < size || length > packet->TotalLength)
        {
            DropMalformed(on, packet, ref counted);
            return;
        }
        if (length != packet->TotalLength)
            Trim(packet, length);

        uint destination = BinaryPrimitives.ReverseEndianness(*(uint*)(header + 16));
        uint source = BinaryPrimitives.ReverseEndianness(*(uint*)(header + 12));
        DestinationKind kind = DestinationKind.Local;
        bool isWanted = (destination == on->PrimaryV4 && !isForGroup) ||
            IsForThisHost(on, IpAddress.FromV4(destination), isForGroup, out kind);
        if (!isWanted || !IsPossibleSource(on, source, kind))
        {
            DropUnwanted(on, packet, ref counted.AddressErrors);
            return;
        }
        packet->NetworkHeader = header;
        packet->Pull(size);
        var ip = new IpPacket
        {
            Source = IpAddress.FromV4(source),
            Destination = IpAddress.FromV4(destination),
            Interface = on,
            Protocol = header[ProtocolOffset4],
            TrafficClass = header[1],
            HopLimit = header[8],
            Kind = kind,
        };
        if ((*(ushort*)(header + 6) & FragmentInMemory) != 0)
        {
            packet = ReassembleV4(on, packet, ip);
            if (packet == null)
                return;
        }
        Deliver(on->Stack, packet, ip, 0);
    }

    /// <summary>Takes a packet of IPv6 and its reference; parameters as <see cref="ReceiveV4"/>.</summary>
    public static void ReceiveV6(NetworkInterface* on, PacketBuffer* packet, bool isForGroup)
    {
        ref IpStatistics counted = ref on->Stack->Statistics.V6;
        counted.Received++;
        var header = new Ipv6Header(packet->Bytes);
        if (!header.IsWellFormed)
        {
            DropMalformed(on, packet, ref counted);
            return;
        }
        uint length = (uint)header.PayloadLength + Ipv6Header.Size;
        if (length == Ipv6Header.Size && packet->Segmentation != SegmentationKind.None)
            length = packet->TotalLength;
        IpAddress source = header.Source;
        IpAddress destination = header.Destination;
        if (length > packet->TotalLength || source.IsMulticast || source.IsV4 || destination.IsV4 || destination.IsAny)
        {
            DropMalformed(on, packet, ref counted);
            return;
        }
        if (length != packet->TotalLength)
            Trim(packet, length);
        bool isFromOutside = !on->IsLoopback;
        if (!IsForThisHost(on, destination, isForGroup, out DestinationKind kind) || (isFromOutside && (source.IsLoopback || on->Find(source) >= 0) &&
            header.NextHeader != IpProtocol.IcmpV6))
        {
            DropUnwanted(on, packet, ref counted.AddressErrors);
            return;
        }
        packet->NetworkHeader = packet->Data;
        byte protocol = header.NextHeader;
        var ip = new IpPacket
        {
            Source = source,
            Destination = destination,
            Interface = on,
            Protocol = protocol,
            TrafficClass = header.TrafficClass,
            HopLimit = header.HopLimit,
            Kind = kind,
        };
        if (protocol is IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.IcmpV6)
        {
            packet->Pull(Ipv6Header.Size);
            Deliver(on->Stack, packet, ip, NextHeaderOffset6);
            return;
        }
        ReceiveExtended(on, packet, ip);
    }

    /// <summary>Drops what stands behind a packet: frames are filled up to 60 bytes. <paramref name="length"/> counts from the data on.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void Trim(PacketBuffer* packet, uint length)
    {
        if (length <= packet->Length)
        {
            packet->Length = length;
            packet->PartsLength = 0;
            PacketBuffer.Release(packet->NextPart);
            packet->NextPart = null;
            return;
        }
        packet->PartsLength = length - packet->Length;
        uint rest = packet->PartsLength;
        PacketBuffer* part = packet->NextPart;
        for (; part->Length < rest; part = part->NextPart)
            rest -= part->Length;
        part->Length = rest;
        PacketBuffer.Release(part->NextPart);
        part->NextPart = null;
    }

    private static void Deliver(NetworkStack* stack, PacketBuffer* packet, in IpPacket ip, uint nextHeaderOffset)
    {
        packet->TransportHeader = packet->Data;
        ref IpStatistics counted = ref stack->Statistics.Ip(ip.Source.IsV4);
        bool isTaken = stack->Datagrams.FirstRaw != null && RawInput.Offer(stack, packet, ip);
        bool isV4 = ip.Source.IsV4;
        // Nobody can be answered: neighbour discovery is the only one that understands that.
        if (ip.Source.IsAny && ip.Protocol != IpProtocol.IcmpV6 && !(ip.Protocol == IpProtocol.Udp && ip.Kind == DestinationKind.Broadcast))
        {
            DropUnwanted(ip.Interface, packet, ref counted.AddressErrors);
            return;
        }
        switch (ip.Protocol)
        {
            case IpProtocol.Tcp:
                TcpInput.Receive(stack, packet, ip);
                break;
            case IpProtocol.Udp:
                UdpInput.Receive(stack, packet, ip);
                break;
            case IpProtocol.Igmp when isV4:
                GroupReports.Receive4(packet, ip);
                break;
            case IpProtocol.Icmp when isV4:
                IcmpInput.Receive(stack, packet, ip);
                break;
            case IpProtocol.IcmpV6 when !isV4:
                Icmp6Input.Receive(stack, packet, ip);
                break;
            default:
                if (isTaken)
                {
                    PacketBuffer.Release(packet);
                    break;
                }
                IcmpErrorSender.SendProtocolUnreachable(stack, packet, ip, nextHeaderOffset);
                DropUnwanted(ip.Interface, packet, ref counted.UnknownProtocols);
                return;
        }
        counted.Delivered++;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static PacketBuffer* ReassembleV4(NetworkInterface* on, PacketBuffer* packet, in IpPacket ip)
    {
        var header = new Ipv4Header(new ReadOnlySpan<byte>(packet->NetworkHeader, Ipv4Header.Size));
        var place = new PiecePlace
        {
            Offset = header.FragmentOffset,
            Identification = header.Identification,
            IsLast = (header.FragmentField & Ipv4Header.MoreFragments) == 0,
        };
        PacketBuffer* whole = on->Stack->Reassembly.Add(on->Stack, packet, ip, place);
        if (whole == null)
            return null;
        // Raw sockets see the header: it is now that of the whole.
        *(ushort*)(whole->NetworkHeader + 6) = 0;
        uint length = whole->TotalLength + (uint)(whole->Data - whole->NetworkHeader);
        *(ushort*)(whole->NetworkHeader + 2) = BinaryPrimitives.ReverseEndianness((ushort)length);
        return whole;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ReceiveExtended(NetworkInterface* on, PacketBuffer* packet, in IpPacket ip)
    {
        NetworkStack* stack = on->Stack;
        byte next = ip.Protocol;
        int at = Ipv6Header.Size;
        int fieldAt = NextHeaderOffset6;
        // A second time after reassembly: what was cut begins with options now and then.
        for (int i = 0; i < 2; i++)
        {
            var extensions = new Ipv6Extensions(new ReadOnlySpan<byte>(packet->NetworkHeader, (int)(packet->Data - packet->NetworkHeader) + (int)packet->Length));
            ExtensionVerdict verdict = extensions.Read(next, at, fieldAt, ip.Kind != DestinationKind.Local);
            if (verdict is ExtensionVerdict.Drop or ExtensionVerdict.Report)
            {
                if (verdict == ExtensionVerdict.Report)
                    IcmpErrorSender.Send(stack, packet, ip, Icmp6Type.ParameterProblem, extensions.ErrorCode, (uint)extensions.ErrorOffset);
                DropUnwanted(on, packet, ref stack->Statistics.V6.HeaderErrors);
                return;
            }
            packet->Pull((uint)(packet->NetworkHeader + extensions.Offset - packet->Data));
            next = extensions.NextHeader;
            at = extensions.Offset;
            fieldAt = extensions.NextHeaderOffset;
            if (verdict == ExtensionVerdict.Deliver)
            {
                Deliver(stack, packet, WithProtocol(ip, next), (uint)fieldAt);
                return;
            }
            if (extensions.IsAtomic)
                continue;
            packet = stack->Reassembly.Add(stack, packet, WithProtocol(ip, next), extensions.Place);
            if (packet == null)
                return;
            // The headers of the first piece are those of the whole.
            at = (int)(packet->Data - packet->NetworkHeader);
            fieldAt = at - (int)IpFragmenter.ExtensionSize;
            next = packet->NetworkHeader[fieldAt];
        }
        DropUnwanted(on, packet, ref stack->Statistics.V6.HeaderErrors);
    }

    private static IpPacket WithProtocol(in IpPacket ip, byte protocol) => ip with { Protocol = protocol };

    /// <summary>Whether a packet is for this host; its kind otherwise tells whom it means.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool IsForThisHost(NetworkInterface* on, in IpAddress destination, bool isForGroup, out DestinationKind kind)
    {
        NetworkStack* stack = on->Stack;
        kind = DestinationKind.Multicast;
        if (destination.IsMulticast)
        {
            if (!on->IsLoopback)
                return MulticastGroups.IsMember(on, destination);
            // What this host sends to a group comes back this way, whatever interface listens.
            bool isMember = false;
            for (NetworkInterface* each = on; each != null && !isMember; each = each->Next)
                isMember = MulticastGroups.IsMember(each, destination);
            return isMember;
        }
        kind = DestinationKind.Broadcast;
        if (destination.IsV4 && stack->IsBroadcast(destination))
            return true;
        kind = DestinationKind.Local;
        // A frame for everybody with a packet for one: RFC 1122 section 3.3.6.
        if (isForGroup || (destination.IsLoopback && !on->IsLoopback))
            return false;
        if (destination.IsLinkLocal6 && !on->IsLoopback)
            return on->Find(destination) is >= 0 and int number && on->Addresses[number].IsUsable;
        return stack->IsLocal(destination);
    }

    /// <summary>Whether a packet can come from an address of IPv4 by this interface: one other host's (RFC 1122 section 3.2.1.3).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsPossibleSource(NetworkInterface* on, uint source, DestinationKind kind)
    {
        uint network = source >> 24;
        if (network - 1 < 223 && network != 127 && source != on->PrimaryV4)
            return true;
        return on->IsLoopback || (source == 0 && kind != DestinationKind.Local);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DropMalformed(NetworkInterface* on, PacketBuffer* packet, ref IpStatistics counted)
    {
        counted.HeaderErrors++;
        on->Statistics.ReceiveErrors++;
        PacketBuffer.Release(packet);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DropUnwanted(NetworkInterface* on, PacketBuffer* packet, ref ulong counter)
    {
        counter++;
        on->Statistics.ReceiveDropped++;
        PacketBuffer.Release(packet);
    }
}
