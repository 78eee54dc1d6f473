// An interface: a device with addresses. Flags as in netdevice(7).
using System;
using System.Runtime.CompilerServices;
using Ukl.Kernel.Net.Dhcp;
using Ukl.Kernel.Net.Ip;
using Ukl.Kernel.Net.Slaac;
using Ukl.Kernel.Net.Tcp;

namespace Ukl.Kernel.Net;

/// <summary>IFF_* of netdevice(7).</summary>
[Flags]
public enum InterfaceFlags : uint
{
    None = 0,
    Up = 0x1,
    Broadcast = 0x2,
    Loopback = 0x8,
    Running = 0x40,
    Multicast = 0x1000,
    LowerUp = 0x1_0000,
}

/// <summary>One interface of a stack. It lives as long as its stack.</summary>
public unsafe struct NetworkInterface
{
    /// <summary>Packets that wait for a device that has no room; further ones are dropped.</summary>
    public const uint BacklogLimit = 1024;

    /// <summary>The stack it belongs to.</summary>
    public NetworkStack* Stack;

    /// <summary>The card; of lo the stack's own.</summary>
    public NetworkDevice* Device;

    /// <summary>The interface with the next higher index, or null.</summary>
    public NetworkInterface* Next;

    /// <summary>Its number; lo has 1.</summary>
    public uint Index;

    /// <summary>The largest IP packet, in bytes.</summary>
    public uint Mtu;

    /// <summary>The IPv4 address that most packets are for, in host order; 0 when there is none.</summary>
    public uint PrimaryV4;

    /// <summary>How many entries of <see cref="Addresses"/> may be in use.</summary>
    public int AddressEnd;

    /// <summary>Its Ethernet address.</summary>
    public MacAddress Mac;

    /// <summary>lo, eth0, eth1 …</summary>
    public InterfaceName Name;

    /// <summary>What it has counted.</summary>
    public InterfaceStatistics Statistics;

    /// <summary>Its addresses; a free entry has <see cref="AddressState.None"/>.</summary>
    public InterfaceAddressArray Addresses;

    /// <summary>The groups it listens to.</summary>
    public MulticastGroupArray Groups;

    /// <summary>Reports of <see cref="Groups"/> that are due.</summary>
    internal NetworkTimer GroupTimer;

    /// <summary>How it comes to its IPv6 addresses.</summary>
    public AutoConfigurationState AutoConfiguration;

    /// <summary>The client that asks for its IPv4 address, or null.</summary>
    public DhcpClient* Dhcp;

    /// <summary>What came in of one flow and is not handed on yet; empty between batches.</summary>
    internal SegmentCoalescer Coalescer;

    private PacketQueue _backlog;

    /// <summary>Whether this is lo.</summary>
    public readonly bool IsLoopback => (Device->Features & NetworkFeatures.Loopback) != 0;

    /// <summary>Its state as programs see it.</summary>
    public readonly InterfaceFlags Flags
    {
        get
        {
            InterfaceFlags state = Device->IsLinkUp ? InterfaceFlags.Up | InterfaceFlags.Running | InterfaceFlags.LowerUp : InterfaceFlags.Up;
            return state | (IsLoopback ? InterfaceFlags.Loopback : InterfaceFlags.Broadcast | InterfaceFlags.Multicast);
        }
    }

    /// <summary>The number of the address's entry in <see cref="Addresses"/>; -1 when the interface does not have it.</summary>
    public readonly int Find(in IpAddress address)
    {
        for (int i = 0; i < AddressEnd; i++)
        {
            ref readonly InterfaceAddress entry = ref Addresses[i];
            if (entry.State != AddressState.None && entry.Address == address)
                return i;
        }
        return -1;
    }

    /// <summary>Sends a packet that is complete but for what the device does, and takes its reference. The device is told at the end of the batch.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Transmit(PacketBuffer* packet)
    {
        uint length = packet->TotalLength;
        if (_backlog.IsEmpty && Device->Transmit(Device, packet))
        {
            Statistics.SentPackets++;
            Statistics.SentBytes += length;
            Stack->IsFlushDue = true;
            return;
        }
        Wait(packet);
    }

    /// <summary>Sends what waits, as the device has room again.</summary>
    internal void DrainBacklog()
    {
        for (PacketBuffer* packet = _backlog.Take(); packet != null; packet = _backlog.Take())
        {
            uint length = packet->TotalLength;
            if (!Device->Transmit(Device, packet))
            {
                _backlog.AddFirst(packet);
                return;
            }
            Statistics.SentPackets++;
            Statistics.SentBytes += length;
            Stack->IsFlushDue = true;
        }
    }

    /// <summary>Drops what waits.</summary>
    internal void ClearBacklog() => _backlog.Clear();

    private void Wait(PacketBuffer* packet)
    {
        if (_backlog.Count >= BacklogLimit || !Device->IsLinkUp)
        {
            Statistics.SendDropped++;
            PacketBuffer.Release(packet);
            return;
        }
        _backlog.Add(packet);
    }
}
