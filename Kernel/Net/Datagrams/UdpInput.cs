// UDP that comes in: finds its socket. Source: RFC 768, RFC 1122 section 4.1; which of several sockets gets a datagram is as in Linux: the one that says most of
// its ends, by chance of the flow among those of SO_REUSEPORT, all of them for groups.
using Ukl.Kernel.Net.Dhcp;
using Ukl.Kernel.Net.Icmp;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Datagrams;

/// <summary>Hands datagrams to sockets. Never sleeps.</summary>
internal static unsafe class UdpInput
{
    private const ulong HashFactor = 0x9e37_79b9_7f4a_7c15;

    /// <summary>Takes a packet and its reference; its data begins with the UDP header.</summary>
    public static void Receive(NetworkStack* stack, PacketBuffer* packet, in IpPacket ip)
    {
        ref DatagramState state = ref stack->Datagrams;
        ref UdpStatistics counted = ref stack->Statistics.Udp(ip.Source.IsV4);
        if (packet->Length < UdpHeader.Size)
        {
            Drop(packet, ref counted.Errors);
            return;
        }
        var header = new UdpHeader(packet->Bytes);
        uint length = header.Length;
        if (length < UdpHeader.Size || length > packet->TotalLength)
        {
            Drop(packet, ref counted.Errors);
            return;
        }
        if (length != packet->TotalLength)
            IpInput.Trim(packet, length);
        bool isUnchecked = header.HasNoChecksum && ip.Source.IsV4;
        if (!isUnchecked && !InternetChecksum.IsRight(packet, ip.Source, ip.Destination, IpProtocol.Udp))
        {
            counted.ChecksumErrors++;
            Drop(packet, ref counted.Errors);
            return;
        }
        if (header.DestinationPort == DhcpMessage.ClientPort && ip.Interface->Dhcp != null)
        {
            if (header.SourcePort == DhcpMessage.ServerPort && packet->NextPart == null)
                DhcpClient.Receive(ip.Interface->Dhcp, new DhcpMessage(packet->Bytes[UdpHeader.Size..]));
            PacketBuffer.Release(packet);
            return;
        }
        PortEntry* entry = state.Ports.Find(header.DestinationPort);
        if (ip.Kind != DestinationKind.Local)
        {
            if (entry != null)
                ReceiveForGroup(stack, entry, packet, ip, header.SourcePort);
            else
                Drop(packet, ref counted.NoPorts);
            return;
        }
        DatagramSocket* socket = entry == null ? null : Choose(entry, ip.Destination, ip.Source, header.SourcePort, ip.Interface->Index);
        if (socket == null)
        {
            IcmpErrorSender.SendPortUnreachable(stack, packet, ip);
            Drop(packet, ref counted.NoPorts);
            return;
        }
        packet->Pull(UdpHeader.Size);
        Add(socket, packet, ip);
    }

    /// <summary>An error about a datagram that was sent.</summary>
    public static void ReceiveError(NetworkStack* stack, in TransportError error)
    {
        PortEntry* entry = stack->Datagrams.Ports.Find(error.LocalPort);
        DatagramSocket* socket = entry == null ? null : Choose(entry, error.Local, error.Remote, error.RemotePort, 0);
        if (socket != null)
            DatagramQueue.Fail(socket, error);
    }

    private static DatagramSocket* Choose(PortEntry* entry, in IpAddress local, in IpAddress remote, ushort remotePort, uint interfaceIndex)
    {
        DatagramSocket* best = null;
        int bestScore = -1;
        ulong equals = 0;
        ulong hash = (remote.High ^ remote.Low ^ ((ulong)remotePort << 32)) * HashFactor;
        for (PortBinding* holder = entry->First; holder != null; holder = holder->Next)
        {
            var socket = (DatagramSocket*)holder->Owner;
            int score = Score(socket, local, remote, remotePort, interfaceIndex);
            if (score < 0 || score < bestScore)
                continue;
            if (score == bestScore)
            {
                // Of n sockets that share the port each flow has its own, as long as they are the same n: the n-th takes it from those before with chance 1/n.
                equals++;
                hash = (hash * HashFactor) + 1;
                if ((holder->Flags & PortFlags.ReusePort) != 0 && ((hash >> 32) * equals) >> 32 == 0)
                    best = socket;
                continue;
            }
            best = socket;
            bestScore = score;
            equals = 1;
        }
        return best;
    }

    private static void ReceiveForGroup(NetworkStack* stack, PortEntry* entry, PacketBuffer* packet, in IpPacket ip, ushort remotePort)
    {
        packet->Pull(UdpHeader.Size);
        DatagramSocket* last = null;
        for (PortBinding* holder = entry->First; holder != null; holder = holder->Next)
        {
            var socket = (DatagramSocket*)holder->Owner;
            if (Score(socket, ip.Destination, ip.Source, remotePort, ip.Interface->Index) < 0 || !DatagramQueue.IsMember(socket, ip))
                continue;
            if (last != null)
                AddCopy(stack, last, packet, ip);
            last = socket;
        }
        if (last == null)
            Drop(packet, ref stack->Statistics.Udp(ip.Source.IsV4).NoPorts);
        else
            Add(last, packet, ip);
    }

    private static void AddCopy(NetworkStack* stack, DatagramSocket* socket, PacketBuffer* packet, in IpPacket ip)
    {
        PacketBuffer* copy = PacketCopy.OfReceived(&stack->Packets, packet);
        if (copy != null)
            Add(socket, copy, ip);
    }

    private static void Add(DatagramSocket* socket, PacketBuffer* packet, in IpPacket ip)
    {
        ref UdpStatistics counted = ref socket->Stack->Statistics.Udp(ip.Source.IsV4);
        if (DatagramQueue.Add(socket, packet, ip))
        {
            counted.Received++;
            return;
        }
        counted.NoRoom++;
        counted.Errors++;
    }

    /// <summary>How much of a datagram's ends a socket names; -1 when it is not for it.</summary>
    private static int Score(DatagramSocket* socket, in IpAddress local, in IpAddress remote, ushort remotePort, uint interfaceIndex)
    {
        int score = 0;
        ref PortBinding binding = ref socket->Binding;
        if (!binding.Address.IsAny)
        {
            if (binding.Address != local)
                return -1;
            score += 4;
        }
        else if (binding.Address.IsV4 != local.IsV4)
        {
            if (binding.Address.IsV4 || (binding.Flags & PortFlags.IsV6Only) != 0)
                return -1;
        }
        else
        {
            // Of two sockets for any address the one of the datagram's own kind.
            score++;
        }
        if (socket->IsConnected)
        {
            if (socket->Remote != remote || socket->RemotePort != remotePort)
                return -1;
            score += 8;
        }
        if (socket->Options.Interface != 0 && interfaceIndex != 0)
        {
            if (socket->Options.Interface != interfaceIndex)
                return -1;
            score += 2;
        }
        return score;
    }

    private static void Drop(PacketBuffer* packet, ref ulong counter)
    {
        counter++;
        PacketBuffer.Release(packet);
    }
}
