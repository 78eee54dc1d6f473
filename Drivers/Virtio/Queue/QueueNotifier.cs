using Ukl.Kernel.Arch;

namespace Ukl.Drivers.Virtio.Queue;

/// <summary>The doorbell of one queue (virtio 1.2, sections 4.1.5.2 and 4.2.2).</summary>
internal unsafe struct QueueNotifier
{
    /// <summary>The register.</summary>
    internal byte* Register;

    /// <summary>The queue's number.</summary>
    internal ushort Queue;

    /// <summary>Whether the register takes 32 bits, as MMIO's does, instead of 16.</summary>
    internal bool IsWide;

    /// <summary>Tells the device to look at the queue.</summary>
    internal readonly void Notify()
    {
        if (IsWide)
            Mmio.Write32(Register, Queue);
        else
            Mmio.Write16(Register, Queue);
    }
}
