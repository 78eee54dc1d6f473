// Ethernet addresses of IPv4 neighbours. Source: RFC 826; what is believed follows Linux's arp_accept=0: a message creates an entry only when it asks for this
// host.
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Ethernet;

/// <summary>Asks, answers and learns.</summary>
internal static unsafe class Arp
{
    /// <summary>Takes a message and its reference; its data begins behind the Ethernet header.</summary>
    public static void Receive(NetworkInterface* on, PacketBuffer* packet)
    {
        var message = new ArpPacket(packet->Bytes);
        if (!message.IsWellFormed)
            on->Statistics.ReceiveErrors++;
        else
            Process(on, message);
        PacketBuffer.Release(packet);
    }

    /// <summary>Asks for a neighbour's Ethernet address: everybody, or the one who had it.</summary>
    public static void Ask(NetworkInterface* on, in IpAddress target, MacAddress whom)
    {
        IpAddress source = SourceAddress.Choose(on, target, target);
        Send(on, ArpPacket.Request, source == default ? IpAddress.Any4 : source, whom, default, target);
    }

    /// <summary>Tells everybody of an address of this host (RFC 5227 section 2.3).</summary>
    public static void Announce(NetworkInterface* on, in IpAddress address) =>
        Send(on, ArpPacket.Request, address, MacAddress.Broadcast, default, address);

    private static void Process(NetworkInterface* on, in ArpPacket message)
    {
        NetworkStack* stack = on->Stack;
        IpAddress sender = message.Sender;
        MacAddress mac = message.SenderMac;
        if (mac.IsGroup || mac == default || sender.IsLoopback || sender.IsMulticast || stack->IsBroadcast(sender))
            return;
        // Somebody else with an address of this host: nothing to be learned.
        if (on->Find(sender) >= 0)
            return;
        bool isForUs = on->Find(message.Target) is >= 0 and int number && on->Addresses[number].IsUsable;
        if (!sender.IsAny)
            Learn(on, message, isForUs);
        if (isForUs && message.Operation == ArpPacket.Request)
            Send(on, ArpPacket.Reply, message.Target, mac, mac, sender);
    }

    private static void Learn(NetworkInterface* on, in ArpPacket message, bool isForUs)
    {
        NeighborTable* neighbors = &on->Stack->Neighbors;
        IpAddress sender = message.Sender;
        Neighbor* known = neighbors->Find(on, sender);
        if (known == null)
        {
            if (isForUs && message.Operation == ArpPacket.Request && neighbors->HasRoomForStrangers)
                known = neighbors->Get(on, sender);
            if (known == null)
                return;
        }
        bool isAnswer = message.Operation == ArpPacket.Reply && isForUs;
        NeighborDiscovery.Learn(known, message.SenderMac, isAnswer, isAnswer || message.Operation == ArpPacket.Request);
    }

    private static void Send(NetworkInterface* on, ushort operation, in IpAddress sender, MacAddress whom, MacAddress targetMac, in IpAddress target)
    {
        PacketBuffer* packet = on->Stack->Packets.Allocate();
        if (packet == null)
            return;
        packet->Length = ArpPacket.Size;
        ArpPacket.Write(packet->Bytes, operation, on->Mac, sender, targetMac, target);
        EthernetHeader.Write(packet->Push(EthernetHeader.Size), whom, on->Mac, EthernetHeader.Arp);
        on->Transmit(packet);
    }
}
