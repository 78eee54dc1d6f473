namespace Ukl.Drivers.Virtio.Queue;

/// <summary>Where a queue lies: what a transport tells the device (virtio 1.2, section 2.6).</summary>
internal struct QueueLayout
{
    /// <summary>Entries.</summary>
    internal ushort Size;

    /// <summary>Physical address of the descriptor area.</summary>
    internal ulong DescriptorArea;

    /// <summary>Physical address of the driver area.</summary>
    internal ulong DriverArea;

    /// <summary>Physical address of the device area.</summary>
    internal ulong DeviceArea;
}
