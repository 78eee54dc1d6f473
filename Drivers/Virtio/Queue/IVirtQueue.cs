namespace Ukl.Drivers.Virtio.Queue;

/// <summary>
/// One virtqueue as a driver sees it: buffers go in under a token of the owner's choice and come back, once each, in any order. Drivers are generic over it, so every
/// call is direct. Nothing here sleeps; all of it may be called by interrupt handlers.
/// </summary>
internal unsafe interface IVirtQueue
{
    /// <summary>
    /// Takes memory for <paramref name="size"/> entries (a power of two), and for <paramref name="tables"/> indirect tables of <paramref name="tableCapacity"/> segments
    /// when such tables were negotiated, and makes the queue empty. False when out of memory.
    /// </summary>
    bool TryInitialize(ushort size, ulong features, int tables, int tableCapacity);

    /// <summary>Gives the memory back, when the device does not have the queue.</summary>
    void Free();

    /// <summary>After a reset of the device: gives back one of the buffers that it had. False when there are none left.</summary>
    bool TryDrain(out void* token);

    /// <summary>Where it lies.</summary>
    QueueLayout Layout { get; }

    /// <summary>The doorbell.</summary>
    QueueNotifier Notifier { get; set; }

    /// <summary>Entries.</summary>
    int Size { get; }

    /// <summary>Free descriptors. A buffer takes one per segment, or one in all when it goes through an indirect table.</summary>
    int FreeCount { get; }

    /// <summary>What the device did wrong. Once it is set, the queue gives nothing back any more.</summary>
    QueueFault Fault { get; }

    /// <summary>Adds a buffer of one segment. False when the queue is full.</summary>
    bool TryAdd(ulong address, uint length, bool isWritable, void* token);

    /// <summary>
    /// Adds a buffer of <paramref name="readable"/> segments that the device reads, followed by <paramref name="writable"/> ones that it writes; at least one. False when the
    /// queue is too full.
    /// </summary>
    bool TryAdd(BufferSegment* segments, int readable, int writable, void* token);

    /// <summary>Shows the device what was added since. Returns whether it wants to be notified.</summary>
    bool Publish();

    /// <summary>Takes a buffer back, and how many bytes the device wrote. False when there is none, or after a <see cref="Fault"/>.</summary>
    bool TryTake(out void* token, out uint length);

    /// <summary>Asks for an interrupt when the next buffer comes back. Returns whether one already has: then no interrupt may come for it.</summary>
    bool ResumeInterrupts();

    /// <summary>Asks for no interrupts; some may come nevertheless.</summary>
    void SuspendInterrupts();
}
