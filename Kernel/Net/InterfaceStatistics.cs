namespace Ukl.Kernel.Net;

/// <summary>What an interface has counted, as in /proc/net/dev.</summary>
public struct InterfaceStatistics
{
    public ulong ReceivedPackets;
    public ulong ReceivedBytes;

    /// <summary>Packets that were no packets: too short, wrong lengths or header checksums.</summary>
    public ulong ReceiveErrors;

    /// <summary>Good packets that nobody wanted or for which there was no memory.</summary>
    public ulong ReceiveDropped;
    public ulong ReceivedMulticast;
    public ulong SentPackets;
    public ulong SentBytes;

    /// <summary>Packets for which neither the device nor the queue before it had room.</summary>
    public ulong SendDropped;
}
