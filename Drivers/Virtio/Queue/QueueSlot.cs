using System.Runtime.InteropServices;
using Ukl.Kernel.Memory;

namespace Ukl.Drivers.Virtio.Queue;

/// <summary>
/// What the driver remembers of a descriptor and of the buffer that starts there. The ring's own memory is never believed: the device can write it.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct QueueSlot
{
    /// <summary>The owner's name for the buffer.</summary>
    internal void* Token;

    /// <summary>How many bytes the device may write.</summary>
    internal uint Writable;

    /// <summary>The next descriptor of the buffer, or of the free list.</summary>
    internal ushort Next;

    /// <summary>How many descriptors of the ring the buffer takes; 0: the device does not have it.</summary>
    internal ushort Count;

    /// <summary>The indirect table that it goes through, from 1; 0: none.</summary>
    internal ushort Table;

    /// <summary>Takes memory for the slots of a queue, each free and linked with the next one. Null when out of memory.</summary>
    internal static QueueSlot* AllocateFree(ushort size)
    {
        var slots = (QueueSlot*)KernelHeap.Allocate((nuint)sizeof(QueueSlot) * size);
        for (int i = 0; slots != null && i < size; i++)
            slots[i].Next = (ushort)(i + 1);
        return slots;
    }

    /// <summary>See <see cref="IVirtQueue.TryDrain"/>.</summary>
    internal static bool TryDrain(QueueSlot* slots, ushort size, out void* token)
    {
        for (int i = 0; i < size; i++)
        {
            if (slots[i].Count == 0)
                continue;
            slots[i].Count = 0;
            token = slots[i].Token;
            return true;
        }
        token = null;
        return false;
    }
}
