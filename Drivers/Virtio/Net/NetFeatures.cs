namespace Ukl.Drivers.Virtio.Net;

/// <summary>Feature bits of the network device. Source: virtio 1.2, section 5.1.3.</summary>
internal static class NetFeatures
{
    /// <summary>VIRTIO_NET_F_CSUM: the device completes checksums of packets that go out.</summary>
    internal const ulong Checksum = 1ul << 0;

    /// <summary>VIRTIO_NET_F_GUEST_CSUM: the driver takes packets whose checksum is not complete, and the device says which it has checked.</summary>
    internal const ulong GuestChecksum = 1ul << 1;

    /// <summary>VIRTIO_NET_F_MTU.</summary>
    internal const ulong Mtu = 1ul << 3;

    /// <summary>VIRTIO_NET_F_MAC.</summary>
    internal const ulong Mac = 1ul << 5;

    /// <summary>VIRTIO_NET_F_GUEST_TSO4: the driver takes TCP packets over IPv4 that were put together.</summary>
    internal const ulong GuestSegmentation4 = 1ul << 7;

    /// <summary>VIRTIO_NET_F_GUEST_TSO6.</summary>
    internal const ulong GuestSegmentation6 = 1ul << 8;

    /// <summary>VIRTIO_NET_F_HOST_TSO4: the device cuts TCP packets over IPv4.</summary>
    internal const ulong HostSegmentation4 = 1ul << 11;

    /// <summary>VIRTIO_NET_F_HOST_TSO6.</summary>
    internal const ulong HostSegmentation6 = 1ul << 12;

    /// <summary>VIRTIO_NET_F_MRG_RXBUF: a packet that comes in may take several buffers.</summary>
    internal const ulong MergeableBuffers = 1ul << 15;

    /// <summary>VIRTIO_NET_F_STATUS: the configuration tells about the link.</summary>
    internal const ulong Status = 1ul << 16;

    private const ulong Basic = Checksum | GuestChecksum | Mtu | Mac | MergeableBuffers | Status | Features.RingPacked;

    /// <summary>What the driver takes of what a device offers.</summary>
    internal static ulong Choose(ulong offered)
    {
        ulong wanted = Basic;
        if ((offered & Checksum) != 0)
            wanted |= HostSegmentation4 | HostSegmentation6;
        // Packets larger than one buffer are only taken in several.
        if ((offered & GuestChecksum) != 0 && (offered & MergeableBuffers) != 0)
            wanted |= GuestSegmentation4 | GuestSegmentation6;
        return wanted;
    }
}
