using Ukl.Kernel.Net.Ip;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Datagrams;

/// <summary>What comes in for a socket: datagrams that wait, and errors.</summary>
internal static unsafe class DatagramQueue
{
    /// <summary>
    /// Adds a packet, and takes its reference; its data begins with what the program gets. False when there is no room for it: it is dropped.
    /// </summary>
    public static bool Add(DatagramSocket* socket, PacketBuffer* packet, in IpPacket ip)
    {
        ref PacketPool pool = ref socket->Stack->Packets;
        uint memory = MemoryOf(packet);
        // The last eighth of all buffers is for those who do something with them.
        bool isScarce = pool.InUse > pool.Limit - (pool.Limit / 8);
        if (isScarce || socket->IsReadShut || (socket->ReceivedMemory + memory > socket->ReceiveLimit && !socket->Received.IsEmpty))
        {
            socket->Dropped++;
            PacketBuffer.Release(packet);
            return false;
        }
        packet->Time = socket->Stack->Now;
        packet->OwnerFlags = ip.Interface->Index;
        socket->ReceivedMemory += memory;
        socket->Received.Add(packet);
        socket->Notify(socket, PollEvents.In | PollEvents.ReadNormal);
        return true;
    }

    /// <summary>Takes the datagram that has waited longest, and its reference.</summary>
    public static PacketBuffer* Take(DatagramSocket* socket)
    {
        PacketBuffer* packet = socket->Received.Take();
        if (packet != null)
            socket->ReceivedMemory -= MemoryOf(packet);
        return packet;
    }

    /// <summary>Notes an error for the next call, when it is one that the socket wants to know of (RFC 1122 section 4.1.3.3, udp(7), ip(7) on IP_RECVERR).</summary>
    public static void Fail(DatagramSocket* socket, in TransportError error)
    {
        if (error.Mtu != 0)
        {
            IpOutput.LowerPathMtu(socket->Stack, error.Remote, error.Mtu);
            if (!socket->Options.ReportsSoftErrors || socket->Options.Discovery == PathMtuDiscovery.Never)
                return;
        }
        else if (!socket->Options.ReportsSoftErrors && (!socket->IsConnected || !error.IsHard))
        {
            return;
        }
        socket->Error = error.Error;
        socket->Notify(socket, PollEvents.Error);
    }

    /// <summary>Whether a packet for a group is for this socket too.</summary>
    public static bool IsMember(DatagramSocket* socket, in IpPacket ip)
    {
        if (ip.Kind != DestinationKind.Multicast)
            return true;
        for (int i = 0; i < DatagramMembershipArray.Capacity; i++)
        {
            ref DatagramMembership membership = ref socket->Memberships[i];
            if (membership.Group == ip.Destination && (membership.Interface == ip.Interface->Index || ip.Interface->IsLoopback))
                return true;
        }
        return socket->Options.IsForAllGroups;
    }

    private static uint MemoryOf(PacketBuffer* packet)
    {
        uint memory = PacketBuffer.BlockSize;
        for (PacketBuffer* part = packet->NextPart; part != null; part = part->NextPart)
            memory += PacketBuffer.BlockSize;
        return memory;
    }
}
