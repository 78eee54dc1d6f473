using System.Runtime.CompilerServices;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Net;

/// <summary>
/// The packet buffers of one stack. It takes pages as they are needed, up to a bound, and keeps them for the next packet. Never blocks; may be called by
/// interrupt handlers.
/// </summary>
public unsafe struct PacketPool
{
    private const int BlocksPerPage = PageAllocator.PageSize / PacketBuffer.BlockSize;

    /// <summary>What everybody may keep while there is a reserve: the least of net.ipv4.tcp_wmem and tcp_rmem, 4096 bytes.</summary>
    private const uint LeastPart = 4096 / PacketBuffer.BlockSize;

    private PacketBuffer* _free;

    /// <summary>The bound, in buffers.</summary>
    public uint Limit;

    /// <summary>How many buffers there are, free ones included.</summary>
    public uint Count;

    /// <summary>How many buffers are in somebody's hands; 0 is what a stack at rest comes back to.</summary>
    public uint InUse;

    /// <summary>Whether more than half of the bound is in use: whoever keeps buffers looks at <see cref="PartOf"/> from now on.</summary>
    public readonly bool IsScarce => InUse > Limit >> 1;

    /// <summary>Whether there are more buffers than the sixteenth that is for headers, acknowledgements and what the card fills.</summary>
    public readonly bool HasReserve => InUse < Limit - (Limit >> 4);

    /// <summary>
    /// How many buffers one of many may keep who together may have <paramref name="total"/>: as many as are left of it. However many there are, and however much each wants, a
    /// part as large is left for the next one (A. Choudhury and E. Hahne, Dynamic Queue Length Thresholds for Shared-Memory Packet Switches, 1998). When others have it
    /// all, <see cref="LeastPart"/>, so that everybody gets on.
    /// </summary>
    public readonly uint PartOf(uint total)
    {
        uint part = InUse < total ? total - InUse : 0;
        return part > LeastPart ? part : HasReserve ? LeastPart : 0;
    }

    /// <summary>
    /// Takes an empty buffer with one reference, its data beginning behind <paramref name="headroom"/> bytes. Null at the bound, or when there is no memory.
    /// </summary>
    public PacketBuffer* Allocate(uint headroom = PacketBuffer.HeaderRoom)
    {
        PacketBuffer* buffer = _free;
        if (buffer == null)
        {
            if (!Grow())
                return null;
            buffer = _free;
        }
        _free = buffer->Next;
        InUse++;
        *buffer = default;
        buffer->Pool = (PacketPool*)Unsafe.AsPointer(ref this);
        buffer->References = 1;
        buffer->Data = (byte*)buffer + PacketBuffer.DataStart + headroom;
        return buffer;
    }

    /// <summary>Gives every page back. Only when no buffer is in use.</summary>
    public void Clear()
    {
        // The second block of a page is dropped with the first.
        PacketBuffer* kept = null;
        for (PacketBuffer* buffer = _free, next; buffer != null; buffer = next)
        {
            next = buffer->Next;
            if (((ulong)buffer & (PageAllocator.PageSize - 1)) != 0)
                continue;
            buffer->Next = kept;
            kept = buffer;
        }
        for (PacketBuffer* next; kept != null; kept = next)
        {
            next = kept->Next;
            PageAllocator.Free(PhysicalAddress.Of(kept));
        }
        _free = null;
        Count = 0;
    }

    /// <summary>Takes a block back; see <see cref="PacketBuffer.Release"/>.</summary>
    internal void Return(PacketBuffer* buffer)
    {
        buffer->Next = _free;
        _free = buffer;
        InUse--;
    }

    private bool Grow()
    {
        if (Count + BlocksPerPage > Limit)
            return false;
        PhysicalAddress page = PageAllocator.Allocate();
        if (page.IsNone)
            return false;
        for (int i = 0; i < BlocksPerPage; i++)
        {
            var buffer = (PacketBuffer*)((byte*)page.Pointer + (i * PacketBuffer.BlockSize));
            buffer->Next = _free;
            _free = buffer;
        }
        Count += BlocksPerPage;
        return true;
    }
}
