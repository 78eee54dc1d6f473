// What others say in neighbour discovery, and what of it is believed. Source: RFC 4861 sections 6.1, 7.1, 7.2; RFC 4862 section 5.4 (somebody has an address that this
// host is trying for). Redirects are not followed.
using Ukl.Kernel.Net.Ip;
using Ukl.Kernel.Net.Slaac;

namespace Ukl.Kernel.Net.Icmp;

/// <summary>Answers and learns.</summary>
internal static unsafe class NdpInput
{
    /// <summary>Takes a message whose checksum is right; the packet stays the caller's.</summary>
    public static void Receive(PacketBuffer* packet, in IpPacket ip)
    {
        var message = new NdpMessage(packet->Bytes);
        // Only a neighbour can send with this hop limit.
        if (ip.HopLimit != NdpOutput.HopLimit || message.Code != 0 || packet->NextPart != null || ip.Interface->IsLoopback)
            return;
        switch (*packet->Data)
        {
            case Icmp6Type.NeighborSolicitation when message.IsWellFormed(NdpMessage.NeighborSize):
                ReceiveSolicitation(message, ip);
                break;
            case Icmp6Type.NeighborAdvertisement when message.IsWellFormed(NdpMessage.NeighborSize):
                ReceiveAdvertisement(message, ip);
                break;
            case Icmp6Type.RouterAdvertisement when message.IsWellFormed(NdpMessage.RouterAdvertisementSize) && ip.Source.IsLinkLocal6:
                RouterAdvertisements.Receive(ip.Interface, ip.Source, message);
                break;
        }
    }

    private static void ReceiveSolicitation(in NdpMessage message, in IpPacket ip)
    {
        NetworkInterface* on = ip.Interface;
        IpAddress target = message.Target;
        bool hasLinkAddress = message.TryGetLinkAddress(NdpMessage.NeighborSize, NdpOptionType.SourceLinkAddress, out MacAddress mac);
        // From nobody: somebody would like to have the address (section 7.1.1).
        if (ip.Source.IsAny && (hasLinkAddress || ip.Destination != NdpOutput.SolicitedNodeGroup(target)))
            return;
        int number = on->Find(target);
        if (number < 0)
            return;
        if (!on->Addresses[number].IsUsable)
        {
            if (ip.Source.IsAny)
                DuplicateAddresses.NoteConflict(on, number);
            return;
        }
        // Whoever sends from an address of this host: nothing to be learned.
        if (on->Find(ip.Source) >= 0)
            return;
        if (!ip.Source.IsAny && hasLinkAddress && !mac.IsGroup)
        {
            NeighborTable* neighbors = &on->Stack->Neighbors;
            Neighbor* known = neighbors->Find(on, ip.Source);
            if (known == null && neighbors->HasRoomForStrangers)
                known = neighbors->Get(on, ip.Source);
            if (known != null)
                NeighborDiscovery.Learn(known, mac, false, true);
        }
        NdpOutput.Advertise(on, target, ip.Source);
    }

    private static void ReceiveAdvertisement(in NdpMessage message, in IpPacket ip)
    {
        NetworkInterface* on = ip.Interface;
        IpAddress target = message.Target;
        bool isSolicited = (message.Flags & NdpMessage.SolicitedFlag) != 0;
        if (target.IsMulticast || (isSolicited && ip.Kind == DestinationKind.Multicast))
            return;
        int own = on->Find(target);
        if (own >= 0)
        {
            if (!on->Addresses[own].IsUsable)
                DuplicateAddresses.NoteConflict(on, own);
            return;
        }
        Neighbor* known = on->Stack->Neighbors.Find(on, target);
        if (known == null)
            return;
        bool hasLinkAddress = message.TryGetLinkAddress(NdpMessage.NeighborSize, NdpOptionType.TargetLinkAddress, out MacAddress mac);
        if (hasLinkAddress && !mac.IsGroup)
            NeighborDiscovery.Learn(known, mac, isSolicited, (message.Flags & NdpMessage.OverrideFlag) != 0);
        else if (isSolicited && known->State is >= NeighborState.Stale and not NeighborState.Permanent)
            NeighborDiscovery.Confirm(known);
        bool isRouter = (message.Flags & NdpMessage.RouterFlag) != 0;
        if (known->IsRouter && !isRouter)
            RouterAdvertisements.ForgetRouter(on, target);
        known->IsRouter = isRouter;
    }
}
