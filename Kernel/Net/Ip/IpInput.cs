// The way in: checks the headers of IP, and hands what is for this host to its transport.
using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Net.Ip;

/// <summary>Takes packets from links. Never sleeps.</summary>
internal static unsafe class IpInput
{
    private const ushort FragmentInMemory = 0xff3f;

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
        byte* header = packet->Data;
        if (packet->Length < Ipv4Header.Size)
        {
            DropMalformed(on, packet);
            return;
        }
        uint size = Ipv4Header.Size;
        ulong sum = (ulong)*(uint*)header + *(uint*)(header + 4) + *(uint*)(header + 8) + *(uint*)(header + 12) + *(uint*)(header + 16);
        if (*header != Ipv4Header.VersionAndSize)
        {
            if (!new Ipv4Header(packet->Bytes).IsWellFormed)
            {
                DropMalformed(on, packet);
                return;
            }
            size = (uint)(*header & 15) * 4;
            sum += InternetChecksum.Sum(header + Ipv4Header.Size, size - Ipv4Header.Size);
        }
        uint length = BinaryPrimitives.ReverseEndianness(*(ushort*)(header + 2));
        if (InternetChecksum.Fold(sum) != InternetChecksum.Correct || length < size || length > packet->TotalLength)
        {
            DropMalformed(on, packet);
            return;
        }
        if (length != packet->TotalLength)
            Trim(packet, length);

        uint destination = BinaryPrimitives.ReverseEndianness(*(uint*)(header + 16));
        DestinationKind kind = DestinationKind.Local;
        if ((destination != on->PrimaryV4 || isForGroup) && !IsForThisHost(on, IpAddress.FromV4(destination), isForGroup, out kind))
        {
            DropUnwanted(on, packet);
            return;
        }
        uint source = BinaryPrimitives.ReverseEndianness(*(uint*)(header + 12));
        packet->NetworkHeader = header;
        packet->Pull(size);
        packet->TransportHeader = packet->Data;
        var ip = new IpPacket
        {
            Source = IpAddress.FromV4(source),
            Destination = IpAddress.FromV4(destination),
            Interface = on,
            Protocol = header[9],
            TrafficClass = header[1],
            HopLimit = header[8],
            Kind = kind,
        };
        if ((*(ushort*)(header + 6) & FragmentInMemory) != 0)
        {
            DropUnwanted(on, packet);
            return;
        }
        Deliver(on->Stack, packet, ip);
    }

    /// <summary>Takes a packet of IPv6 and its reference; parameters as <see cref="ReceiveV4"/>.</summary>
    public static void ReceiveV6(NetworkInterface* on, PacketBuffer* packet, bool isForGroup) => DropUnwanted(on, packet);

    private static void Deliver(NetworkStack* stack, PacketBuffer* packet, in IpPacket ip)
    {
        switch (ip.Protocol)
        {
            default:
                DropUnwanted(ip.Interface, packet);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool IsForThisHost(NetworkInterface* on, in IpAddress destination, bool isForGroup, out DestinationKind kind)
    {
        kind = DestinationKind.Local;
        return !isForGroup && on->Stack->IsLocal(destination);
    }

    /// <summary>Drops what stands behind the packet: a frame is filled up to 60 bytes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Trim(PacketBuffer* packet, uint length)
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

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DropMalformed(NetworkInterface* on, PacketBuffer* packet)
    {
        on->Statistics.ReceiveErrors++;
        PacketBuffer.Release(packet);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DropUnwanted(NetworkInterface* on, PacketBuffer* packet)
    {
        on->Statistics.ReceiveDropped++;
        PacketBuffer.Release(packet);
    }
}
