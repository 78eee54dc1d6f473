using System.Buffers.Binary;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Icmp;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Datagrams;

/// <summary>Sends echo requests of ping sockets.</summary>
internal static unsafe class PingOutput
{
    /// <summary>
    /// Sends what the program wrote, an ICMP message with the socket's identifier, and takes the packet's reference. EINVAL when it is no echo request; else as
    /// <see cref="IpOutput.Send"/>.
    /// </summary>
    public static Errno Send(DatagramSocket* socket, FlowRoute* route, PacketBuffer* packet, IpSendOptions options)
    {
        byte* header = packet->Data;
        if (header[0] != (socket->IsV6 ? Icmp6Type.EchoRequest : IcmpType.EchoRequest) || header[1] != 0 || socket->IsV6 == route->Destination.IsV4)
        {
            PacketBuffer.Release(packet);
            return Errno.EINVAL;
        }
        *(ushort*)(header + 4) = BinaryPrimitives.ReverseEndianness(socket->Binding.Port);
        return IcmpOutput.Send(socket->Stack, route, packet, options);
    }
}
