using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Ethernet;

/// <summary>Takes frames from devices and hands them to the protocol they carry.</summary>
internal static unsafe class EthernetInput
{
    private const uint Ipv4InMemory = 0x0008;
    private const uint Ipv6InMemory = 0xdd86;
    private const uint ArpInMemory = 0x0608;

    /// <summary>Takes a frame and its reference.</summary>
    public static void Receive(NetworkInterface* on, PacketBuffer* packet)
    {
        on->Statistics.ReceivedPackets++;
        on->Statistics.ReceivedBytes += packet->TotalLength;
        if (packet->Length < EthernetHeader.Size)
        {
            on->Statistics.ReceiveErrors++;
            PacketBuffer.Release(packet);
            return;
        }
        byte* header = packet->Data;
        bool isForGroup = false;
        MacAddress destination = EthernetHeader.ReadDestination(header);
        if (destination != on->Mac)
        {
            // A card hands up others' frames when it must (a switch that does not know yet, no filter).
            if (!destination.IsGroup)
            {
                PacketBuffer.Release(packet);
                return;
            }
            isForGroup = true;
            on->Statistics.ReceivedMulticast++;
        }
        uint type = *(ushort*)(header + EthernetHeader.TypeOffset);
        packet->Pull(EthernetHeader.Size);
        if (type is Ipv4InMemory or Ipv6InMemory && !isForGroup && on->Coalescer.TryTake(on, packet, type == Ipv4InMemory))
            return;
        if (type == Ipv4InMemory)
        {
            IpInput.ReceiveV4(on, packet, isForGroup);
        }
        else if (type == Ipv6InMemory)
        {
            IpInput.ReceiveV6(on, packet, isForGroup);
        }
        else if (type == ArpInMemory)
        {
            Arp.Receive(on, packet);
        }
        else
        {
            on->Statistics.ReceiveDropped++;
            PacketBuffer.Release(packet);
        }
    }
}
