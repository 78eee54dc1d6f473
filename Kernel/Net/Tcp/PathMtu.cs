// How large segments may be on the path. Sources of truth: RFC 1191 and RFC 8201 (path MTU discovery), RFC 6691 (MSS and options), RFC 5927 (whom to believe).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>Segment sizes of connections.</summary>
internal static unsafe class PathMtu
{
    /// <summary>What an end that names no MSS takes (RFC 9293 section 3.7.1): IPv4 and IPv6.</summary>
    public const ushort DefaultMss4 = 536;

    /// <inheritdoc cref="DefaultMss4"/>
    public const ushort DefaultMss6 = 1220;

    /// <summary>No path makes segments smaller than this (Linux: min_snd_mss is 48).</summary>
    public const uint LeastMss = 48;

    private const uint Header4 = 20;
    private const uint Header6 = 40;

    /// <summary>The largest length IP can state.</summary>
    private const uint LargestIpPacket = 65535;

    /// <summary>What this end offers to take on a route: the MSS option.</summary>
    public static ushort OfferedMss(FlowRoute* route, ushort requested)
    {
        uint mtu = route->Mtu < LargestIpPacket ? route->Mtu : LargestIpPacket;
        uint mss = mtu - HeadersOn(route);
        return requested != 0 && requested < mss ? requested : (ushort)mss;
    }

    /// <summary>Takes the sizes and abilities of a connection's route over.</summary>
    public static void Update(TcpConnection* c)
    {
        c->KnownMtu = c->Route.Mtu;
        uint mss = OfferedMss(&c->Route, c->RequestedMss);
        if (c->PeerMss < mss)
            mss = c->PeerMss;
        uint options = c->Has(ConnectionFlags.Timestamps) ? TcpOptions.TimestampsSize : 0;
        c->SndMss = mss > LeastMss + options ? mss - options : LeastMss;
        bool isV4 = c->Flow.Remote.IsV4;
        NetworkFeatures wanted = isV4 ? NetworkFeatures.Segmentation4 : NetworkFeatures.Segmentation6;
        if ((c->Route.Interface->Device->Features & wanted) != 0)
            c->Flags |= ConnectionFlags.CanSegment;
        else
            c->Flags &= ~ConnectionFlags.CanSegment;
        // A buffer that is one whole segment goes out as it is; a device that cuts segments itself likes few large parts.
        c->BlockFill = c->Has(ConnectionFlags.CanSegment) || c->SndMss > PacketBuffer.PayloadCapacity ? PacketBuffer.PayloadCapacity : c->SndMss;
        c->PseudoSum = InternetChecksum.PseudoHeader(c->Flow.Local, c->Flow.Remote, IpProtocol.Tcp, 0);
    }

    /// <summary>The route has changed.</summary>
    public static void Refresh(TcpConnection* c)
    {
        if (IpOutput.IsCurrent(c->Stack, &c->Route) || IpOutput.Refresh(c->Stack, &c->Route) == Errno.None)
            Update(c);
    }

    /// <summary>A segment was too large for the way it was to take: smaller ones go out at the end of the batch.</summary>
    public static void OnRefused(TcpConnection* c)
    {
        Update(c);
        SendAgain(c);
    }

    /// <summary>A router says that the path takes only smaller packets: IP knows already; what is in flight is sent again in smaller pieces, and no congestion is meant (RFC 1191 section 6.5).</summary>
    public static void OnTooBig(TcpConnection* c)
    {
        uint before = c->SndMss;
        Refresh(c);
        if (c->SndMss < before)
            SendAgain(c);
    }

    private static void SendAgain(TcpConnection* c)
    {
        if (c->InFlight != 0)
            LossRecovery.MarkAllLost(c, LossPhase.Recovery);
        c->Flags |= ConnectionFlags.OutputDue;
        TcpState.AddPending(c);
    }

    private static uint HeadersOn(FlowRoute* route) => (route->Destination.IsV4 ? Header4 : Header6) + TcpHeader.MinimumSize;
}
