// The memory that bytes wait in between two AF_UNIX sockets.
using System.Numerics;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Net.Sockets.Unix;

/// <summary>
/// A message, a part of a long one, or a piece of a stream: this header and the bytes behind it in one block of memory. The block is charged to the sender's
/// SO_SNDBUF until it is freed.
/// </summary>
internal unsafe struct UnixBuffer
{
    // Blocks: one of a few sizes from the kernel heap, or pages.
    private const uint SmallestBlock = 256, LargestHeapBlock = 2048;
    private const int LargestOrder = 2;
    private const sbyte FromHeap = -1;

    /// <summary>The next message or piece in the queue.</summary>
    internal UnixBuffer* Next;

    /// <summary>The rest of this message.</summary>
    internal UnixBuffer* More;

    /// <summary>Who sent it, with a reference.</summary>
    internal UnixSocket* Sender;

    /// <summary>Files that come with its first byte.</summary>
    internal UnixRights* Rights;

    /// <summary>Whose bytes they are.</summary>
    internal PeerCredentials Credentials;

    /// <summary>When it was sent, in nanoseconds since 1970; 0 when nobody wants to know.</summary>
    internal ulong Time;

    /// <summary>The first byte not yet read, and the end of the bytes, both from <see cref="Bytes"/>.</summary>
    internal uint Start, End;

    /// <summary>How many bytes fit.</summary>
    internal uint Capacity;

    private sbyte _order;

    /// <summary>Bytes not yet read, in this block.</summary>
    internal readonly uint Length => End - Start;

    /// <summary>Bytes of the block as the sender is charged for them.</summary>
    internal readonly uint Charge => Capacity + (uint)sizeof(UnixBuffer);

    /// <summary>An empty buffer for up to <paramref name="wanted"/> bytes; it may hold fewer. Charged to the sender and with a reference on it. Null when out of memory.</summary>
    internal static UnixBuffer* Allocate(UnixSocket* sender, nuint wanted)
    {
        nuint size = wanted + (nuint)sizeof(UnixBuffer);
        UnixBuffer* buffer;
        if (size <= LargestHeapBlock)
        {
            uint block = size <= SmallestBlock ? SmallestBlock : BitOperations.RoundUpToPowerOf2((uint)size);
            buffer = (UnixBuffer*)KernelHeap.Allocate(block);
            if (buffer == null)
                return null;
            buffer->_order = FromHeap;
            buffer->Capacity = block - (uint)sizeof(UnixBuffer);
        }
        else
        {
            buffer = AllocatePages(size);
            if (buffer == null)
                return null;
        }
        buffer->Sender = sender;
        sender->References++;
        sender->Charged += buffer->Charge;
        return buffer;
    }

    /// <summary>The first byte's place.</summary>
    internal static byte* Bytes(UnixBuffer* buffer) => (byte*)(buffer + 1);

    /// <summary>Frees a message with all its parts, gives the room back to the sender and drops the files that nobody received.</summary>
    internal static void Free(UnixBuffer* buffer)
    {
        UnixSocket* sender = buffer->Sender;
        if (buffer->Rights != null)
            UnixRights.Drop(buffer->Rights);
        while (buffer != null)
        {
            UnixBuffer* more = buffer->More;
            sender->Charged -= buffer->Charge;
            if (buffer->_order == FromHeap)
                KernelHeap.Free(buffer);
            else
                PageAllocator.Free(PhysicalAddress.Of(buffer), buffer->_order);
            UnixSocket.Release(sender);
            buffer = more;
        }
    }

    /// <summary>Fills the message from a source, <paramref name="count"/> bytes that fit. False is EFAULT.</summary>
    internal static bool Fill<TSource>(UnixBuffer* buffer, ref TSource source, nuint count)
        where TSource : unmanaged, IByteSource
    {
        for (; buffer != null && count != 0; buffer = buffer->More)
        {
            nuint part = buffer->Capacity - buffer->End < count ? buffer->Capacity - buffer->End : count;
            if (!source.TryTake(Bytes(buffer) + buffer->End, part))
                return false;
            buffer->End += (uint)part;
            count -= part;
        }
        return true;
    }

    /// <summary>Gives the message's first <paramref name="count"/> bytes to a sink without consuming them. False is EFAULT.</summary>
    internal static bool Copy<TSink>(UnixBuffer* buffer, ref TSink sink, nuint count)
        where TSink : unmanaged, IByteSink
    {
        for (; buffer != null && count != 0; buffer = buffer->More)
        {
            nuint part = buffer->Length < count ? buffer->Length : count;
            if (!sink.TryGive(Bytes(buffer) + buffer->Start, part))
                return false;
            count -= part;
        }
        return true;
    }

    /// <summary>Bytes of a message with all its parts.</summary>
    internal static nuint TotalLength(UnixBuffer* buffer)
    {
        nuint total = 0;
        for (; buffer != null; buffer = buffer->More)
            total += buffer->Length;
        return total;
    }

    private static UnixBuffer* AllocatePages(nuint size)
    {
        int order = 0;
        while (order < LargestOrder && ((nuint)PageAllocator.PageSize << order) < size)
            order++;
        for (; order >= 0; order--)
        {
            PhysicalAddress block = PageAllocator.Allocate(order);
            if (block.IsNone)
                continue;
            var buffer = (UnixBuffer*)block.Pointer;
            *buffer = default;
            buffer->_order = (sbyte)order;
            buffer->Capacity = (uint)(PageAllocator.PageSize << order) - (uint)sizeof(UnixBuffer);
            return buffer;
        }
        return null;
    }
}
