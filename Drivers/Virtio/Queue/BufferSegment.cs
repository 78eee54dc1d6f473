namespace Ukl.Drivers.Virtio.Queue;

/// <summary>A part of a buffer, contiguous in physical memory.</summary>
internal struct BufferSegment
{
    /// <summary>Physical address.</summary>
    internal ulong Address;

    /// <summary>Bytes.</summary>
    internal uint Length;
}
