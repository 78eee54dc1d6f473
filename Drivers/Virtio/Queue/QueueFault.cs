namespace Ukl.Drivers.Virtio.Queue;

/// <summary>What a device did to a queue that no device may do.</summary>
internal enum QueueFault : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>It gave back a buffer that it did not have.</summary>
    UnknownBuffer,

    /// <summary>It says that it wrote more than the buffer holds.</summary>
    Overrun,

    /// <summary>It says that it is done with more buffers than it has.</summary>
    EndlessRing,
}
