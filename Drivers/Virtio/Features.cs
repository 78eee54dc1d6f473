namespace Ukl.Drivers.Virtio;

/// <summary>Features that do not belong to one kind of device. Source: virtio 1.2, section 6 (reserved feature bits).</summary>
internal static class Features
{
    /// <summary>VIRTIO_F_INDIRECT_DESC: a descriptor may stand for a table of descriptors.</summary>
    internal const ulong IndirectDescriptors = 1ul << 28;

    /// <summary>VIRTIO_F_EVENT_IDX: each side says up to which entry it does not want to be told.</summary>
    internal const ulong EventIndex = 1ul << 29;

    /// <summary>VIRTIO_F_VERSION_1: not a legacy device. Nothing works without it here.</summary>
    internal const ulong Version1 = 1ul << 32;

    /// <summary>VIRTIO_F_ACCESS_PLATFORM: addresses go through the platform's translation, of which there is none that firmware does not set up as identity.</summary>
    internal const ulong AccessPlatform = 1ul << 33;

    /// <summary>VIRTIO_F_RING_PACKED: queues are packed.</summary>
    internal const ulong RingPacked = 1ul << 34;

    /// <summary>What every driver here takes when it is offered.</summary>
    internal const ulong Common = IndirectDescriptors | EventIndex | Version1 | AccessPlatform;

    /// <summary>For a device without features of its own.</summary>
    internal static ulong ChooseNone(ulong offered) => 0;
}
