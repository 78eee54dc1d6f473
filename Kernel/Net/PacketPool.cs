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

    private PacketBuffer* _free;

    /// <summary>The bound, in buffers.</summary>
    public uint Limit;

    /// <summary>How many buffers there are, free ones included.</summary>
    public uint Count;

    /// <summary>How many buffers are in somebody's hands; 0 is what a stack at rest comes back to.</summary>
    public uint InUse;

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
