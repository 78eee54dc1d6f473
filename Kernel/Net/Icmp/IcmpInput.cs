// ICMP for IPv4 that comes in. Source: RFC 792, RFC 1122 section 3.2.2.
using System;
using System.Buffers.Binary;
using Ukl.Kernel.Net.Datagrams;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Icmp;

/// <summary>Answers and hands on.</summary>
internal static unsafe class IcmpInput
{
    private const int HeaderSize = 8;

    /// <summary>Takes a message and its reference; its data begins with the ICMP header.</summary>
    public static void Receive(NetworkStack* stack, PacketBuffer* packet, in IpPacket ip)
    {
        ref IcmpStatistics counted = ref stack->Statistics.Icmp4;
        counted.Received++;
        bool isRight = packet->Checksum == ChecksumState.Verified || InternetChecksum.Sum(packet) == InternetChecksum.Correct;
        if (packet->Length < HeaderSize || !isRight)
        {
            counted.Errors++;
            if (packet->Length >= HeaderSize)
                counted.ChecksumErrors++;
            ip.Interface->Statistics.ReceiveErrors++;
            PacketBuffer.Release(packet);
            return;
        }
        ReadOnlySpan<byte> message = packet->Bytes;
        counted.ReceivedByType[message[0]]++;
        switch (message[0])
        {
            case IcmpType.EchoRequest:
                // A group is not answered: that would make this host one of many that flood a third (RFC 1122 section 3.2.2.6 lets it).
                if (ip.Kind == DestinationKind.Local)
                    Echo(stack, packet, ip, IcmpType.EchoReply);
                break;
            case IcmpType.EchoReply:
                PingInput.Receive(stack, packet, ip);
                return;
            case IcmpType.DestinationUnreachable or IcmpType.TimeExceeded or IcmpType.ParameterProblem:
                IcmpErrors.Receive4(stack, ip.Source, message[0], message[1], BinaryPrimitives.ReadUInt16BigEndian(message[6..]), message[HeaderSize..]);
                break;
        }
        PacketBuffer.Release(packet);
    }

    /// <summary>Sends back what an echo request carries. The request stays the caller's.</summary>
    internal static void Echo(NetworkStack* stack, PacketBuffer* request, in IpPacket ip, byte type)
    {
        FlowRoute route;
        uint scope = ip.Source.IsLinkLocal6 ? ip.Interface->Index : 0;
        if (IpOutput.Resolve(stack, ip.Source, ip.Kind == DestinationKind.Local ? ip.Destination : default, scope, &route) != Abi.Errno.None)
            return;
        PacketBuffer* reply = stack->Packets.Allocate();
        if (reply == null)
            return;
        *(ulong*)reply->Data = *(ulong*)request->Data;
        *(uint*)reply->Data = type;
        reply->Length = HeaderSize;
        // The rest goes out from where it came in.
        bool isWhole = request->Length == HeaderSize || reply->TryAddPart(request->Data + HeaderSize, request->Length - HeaderSize);
        for (PacketBuffer* part = request->NextPart; part != null && isWhole; part = part->NextPart)
            isWhole = part->Length == 0 || reply->TryAddPart(part->Data, part->Length);
        if (isWhole)
            IcmpOutput.Send(stack, &route, reply, default);
        else
            PacketBuffer.Release(reply);
    }
}
