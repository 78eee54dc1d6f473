using Ukl.Drivers.Virtio.Queue;

namespace Ukl.Drivers.Virtio.Transport;

/// <summary>
/// How a virtio device is reached: what virtio 1.2, section 4 defines per bus. <c>self</c> is the transport's own state. Only setting up goes through here; what is
/// done per packet is <see cref="QueueNotifier"/>.
/// </summary>
internal unsafe interface IVirtioTransport
{
    /// <summary>Features 32*<paramref name="word"/> and up that the device offers.</summary>
    static abstract uint ReadFeatures(void* self, uint word);

    /// <summary>Features 32*<paramref name="word"/> and up that the driver takes.</summary>
    static abstract void WriteFeatures(void* self, uint word, uint value);

    /// <summary>device_status.</summary>
    static abstract byte ReadStatus(void* self);

    /// <summary>Writes device_status; 0 resets the device.</summary>
    static abstract void WriteStatus(void* self, byte value);

    /// <summary>Changes whenever the device changes its configuration.</summary>
    static abstract uint ReadGeneration(void* self);

    /// <summary>Reads 1, 2 or 4 bytes of the device's own configuration; 0 when they are not there.</summary>
    static abstract uint ReadConfiguration(void* self, uint offset, int size);

    /// <summary>The largest size of a queue; 0 when there is no such queue.</summary>
    static abstract ushort ReadQueueSize(void* self, ushort queue);

    /// <summary>
    /// Gives a queue to the device and calls <paramref name="handler"/> on its interrupts. False when the device takes no such queue or no interrupt is left.
    /// </summary>
    static abstract bool TryStartQueue(void* self, ushort queue, QueueLayout* layout, delegate*<void*, void> handler, void* context, QueueNotifier* notifier);

    /// <summary>Calls <paramref name="handler"/> when the device's configuration changes. False when no interrupt is left.</summary>
    static abstract bool TryWatchConfiguration(void* self, delegate*<void*, void> handler, void* context);
}
