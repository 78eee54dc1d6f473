using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Icmp;

/// <summary>Sends ICMP messages of both versions.</summary>
internal static unsafe class IcmpOutput
{
    /// <summary>Where the checksum stands.</summary>
    private const int ChecksumOffset = 2;

    /// <summary>Sends a message that is complete but for its checksum, and takes its reference. Errors as <see cref="IpOutput.Send"/>.</summary>
    public static Errno Send(NetworkStack* stack, FlowRoute* route, PacketBuffer* message, IpSendOptions options)
    {
        bool isV4 = route->Destination.IsV4;
        ref IcmpStatistics counted = ref stack->Statistics.Icmp(isV4);
        counted.Sent++;
        counted.SentByType[*message->Data]++;
        byte protocol = isV4 ? IpProtocol.Icmp : IpProtocol.IcmpV6;
        message->Checksum = ChecksumState.Partial;
        message->ChecksumOffset = ChecksumOffset;
        *(ushort*)(message->Data + ChecksumOffset) =
            isV4 ? (ushort)0 : InternetChecksum.PseudoHeader(route->Source, route->Destination, protocol, message->TotalLength);
        return IpOutput.Send(stack, route, message, protocol, options);
    }
}
