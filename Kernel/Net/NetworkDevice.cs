// What the stack asks of a network card, and what a card tells the stack. Drivers fill the first half and register themselves
// (NetworkDevices.Register); the stack that takes a device fills the second half.
using System;

namespace Ukl.Kernel.Net;

/// <summary>Work a device takes over.</summary>
[Flags]
public enum NetworkFeatures : uint
{
    None = 0,

    /// <summary>It completes checksums of packets that go out (<see cref="ChecksumState.Partial"/>).</summary>
    TransmitChecksum = 1,

    /// <summary>It cuts TCP over IPv4 into segments.</summary>
    Segmentation4 = 2,

    /// <summary>It cuts TCP over IPv6 into segments.</summary>
    Segmentation6 = 4,

    /// <summary>It is the machine itself: no Ethernet header, no neighbours, and checksums need not be looked at.</summary>
    Loopback = 8,
}

/// <summary>A network card. All functions are called with interrupts off and never sleep.</summary>
public unsafe struct NetworkDevice
{
    /// <summary>For the driver.</summary>
    public void* Driver;

    /// <summary>Its Ethernet address.</summary>
    public MacAddress Address;

    /// <summary>The largest packet without the Ethernet header, in bytes.</summary>
    public uint Mtu;

    /// <summary>What it takes over.</summary>
    public NetworkFeatures Features;

    /// <summary>Whether the cable is plugged in.</summary>
    public bool IsLinkUp;

    /// <summary>
    /// Begins to receive, into buffers of the pool. False: no memory, or the device failed. Before this a device holds no buffers.
    /// </summary>
    public delegate*<NetworkDevice*, PacketPool*, bool> Start;

    /// <summary>Stops and releases every buffer.</summary>
    public delegate*<NetworkDevice*, void> Stop;

    /// <summary>
    /// Takes a packet, from its Ethernet header on, and one reference to it: the device releases it when it is sent. The packet may have less
    /// than <see cref="PacketBuffer.HeaderRoom"/> left for the device's own header, but never less than 12 bytes. False when the device has no room: the reference stays with the caller, who
    /// tries again after <see cref="TransmitReady"/>.
    /// </summary>
    public delegate*<NetworkDevice*, PacketBuffer*, bool> Transmit;

    /// <summary>Tells the device of the packets taken since the last call. The stack calls it once for each batch.</summary>
    public delegate*<NetworkDevice*, void> Flush;

    /// <summary>For the stack that took the device.</summary>
    public void* Interface;

    /// <summary>Hands up a packet that came in, from its Ethernet header on, with its reference. Set by the stack.</summary>
    public delegate*<NetworkDevice*, PacketBuffer*, void> Received;

    /// <summary>The packets of this interrupt were all handed up: the stack answers, wakes and flushes. Set by the stack.</summary>
    public delegate*<NetworkDevice*, void> BatchEnded;

    /// <summary>There is room again after <see cref="Transmit"/> refused. Set by the stack.</summary>
    public delegate*<NetworkDevice*, void> TransmitReady;

    /// <summary><see cref="IsLinkUp"/> changed. Set by the stack.</summary>
    public delegate*<NetworkDevice*, void> LinkChanged;
}
