using Ukl.Drivers.Virtio.Queue;

namespace Ukl.Drivers.Virtio.Transport;

/// <summary>A transport with its state: see <see cref="IVirtioTransport"/> for what each function does.</summary>
internal unsafe struct TransportOperations
{
    internal void* Self;
    internal delegate*<void*, uint, uint> ReadFeatures;
    internal delegate*<void*, uint, uint, void> WriteFeatures;
    internal delegate*<void*, byte> ReadStatus;
    internal delegate*<void*, byte, void> WriteStatus;
    internal delegate*<void*, uint> ReadGeneration;
    internal delegate*<void*, uint, int, uint> ReadConfiguration;
    internal delegate*<void*, ushort, ushort> ReadQueueSize;
    internal delegate*<void*, ushort, QueueLayout*, delegate*<void*, void>, void*, QueueNotifier*, bool> TryStartQueue;
    internal delegate*<void*, delegate*<void*, void>, void*, bool> TryWatchConfiguration;

    /// <summary>The functions of <typeparamref name="TTransport"/> for the transport at <paramref name="self"/>, which never moves.</summary>
    internal static TransportOperations Of<TTransport>(TTransport* self)
        where TTransport : unmanaged, IVirtioTransport => new()
        {
            Self = self,
            ReadFeatures = &TTransport.ReadFeatures,
            WriteFeatures = &TTransport.WriteFeatures,
            ReadStatus = &TTransport.ReadStatus,
            WriteStatus = &TTransport.WriteStatus,
            ReadGeneration = &TTransport.ReadGeneration,
            ReadConfiguration = &TTransport.ReadConfiguration,
            ReadQueueSize = &TTransport.ReadQueueSize,
            TryStartQueue = &TTransport.TryStartQueue,
            TryWatchConfiguration = &TTransport.TryWatchConfiguration,
        };
}
