// The memory of packets. A packet that comes in is a chain of buffers that the device filled; a packet that goes out is one buffer with headers in front of its
// data, or a buffer of headers with a table of parts that lie in other buffers, so that what a connection keeps until it is acknowledged is never copied again.
using System;
using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Net;

/// <summary>What is known of a packet's transport checksum.</summary>
public enum ChecksumState : byte
{
    /// <summary>Nothing: software checks it (in) or it is complete (out).</summary>
    None,

    /// <summary>In: the device has checked it, or the packet never left this machine.</summary>
    Verified,

    /// <summary>Out: the field holds the sum of the pseudo header; the device, or software for a device that cannot, adds the rest.</summary>
    Partial,
}

/// <summary>How a packet larger than the MTU is to be cut by the device (out), or was put together by it (in).</summary>
public enum SegmentationKind : byte
{
    None,
    Tcp4,
    Tcp6,
}

/// <summary>A piece of a packet that lies in another buffer.</summary>
public unsafe struct PacketPart
{
    /// <summary>Its first byte.</summary>
    public byte* Data;

    /// <summary>Its length in bytes.</summary>
    public uint Length;
}

/// <summary>
/// One buffer: a block of <see cref="BlockSize"/> bytes, aligned to its size, that begins with this structure. It belongs to the <see cref="PacketPool"/> it came from and has a
/// count of references.
/// </summary>
public unsafe struct PacketBuffer
{
    /// <summary>Bytes of a block, this structure included.</summary>
    public const int BlockSize = 2048;

    /// <summary>Where in a block the bytes of packets begin.</summary>
    public const int DataStart = 128;

    /// <summary>Room in front of payload for every header there may be: the device's, Ethernet, IPv6 and TCP with all its options.</summary>
    public const int HeaderRoom = 128;

    /// <summary>How much payload fits behind <see cref="HeaderRoom"/>.</summary>
    public const int PayloadCapacity = BlockSize - DataStart - HeaderRoom;

    /// <summary>How many parts a packet may have.</summary>
    public const int MaximumParts = (BlockSize - PartTableStart) / 16;

    /// <summary>Where in a block of headers the table of parts stands.</summary>
    private const int PartTableStart = 512;

    /// <summary>The next packet in whatever queue its owner keeps.</summary>
    public PacketBuffer* Next;

    /// <summary>In: the buffer that holds the packet's next bytes; null in its last buffer.</summary>
    public PacketBuffer* NextPart;

    /// <summary>In: the buffer in whose block the bytes lie, with a reference on it, when that is not this one; null otherwise.</summary>
    public PacketBuffer* Source;

    /// <summary>Where the block goes when nobody refers to it any more.</summary>
    public PacketPool* Pool;

    /// <summary>The first valid byte in this block.</summary>
    public byte* Data;

    /// <summary>How many bytes are valid in this block.</summary>
    public uint Length;

    /// <summary>How many owners there are.</summary>
    public uint References;

    /// <summary>Bytes in the parts (out) or in the buffers after this one (in): what the packet has beyond <see cref="Length"/>.</summary>
    public uint PartsLength;

    /// <summary>Out: how many entries of <see cref="Parts"/> follow the bytes in this block.</summary>
    public ushort PartCount;

    /// <summary>The payload of each segment but the last, with <see cref="Segmentation"/>.</summary>
    public ushort SegmentSize;

    /// <summary>Whether and how the packet is to be cut, or was put together.</summary>
    public SegmentationKind Segmentation;

    /// <summary>What is known of the transport checksum.</summary>
    public ChecksumState Checksum;

    /// <summary>Out, <see cref="ChecksumState.Partial"/>: where the sum is stored, in bytes from <see cref="TransportHeader"/>.</summary>
    public ushort ChecksumOffset;

    /// <summary>For the owner: the sequence number of the first payload byte of TCP data that is kept or waits.</summary>
    public uint Sequence;

    /// <summary>For the owner of TCP data: its own flags.</summary>
    public uint OwnerFlags;

    /// <summary>The first byte of the network header, once known.</summary>
    public byte* NetworkHeader;

    /// <summary>The first byte of the transport header, once known.</summary>
    public byte* TransportHeader;

    /// <summary>For the owner: a time, in the stack's nanoseconds (when it was sent or arrived).</summary>
    public ulong Time;

    /// <summary>For the owner: anything.</summary>
    public void* Owner;

    /// <summary>For the owner: a second time or counter.</summary>
    public ulong OwnerValue;

    /// <summary>The buffer in whose block a byte lies.</summary>
    public static PacketBuffer* Of(void* data) => (PacketBuffer*)((ulong)data & ~(ulong)(BlockSize - 1));

    /// <summary>The start of the block.</summary>
    public readonly byte* Block => (byte*)Of(Unsafe.AsPointer(ref Unsafe.AsRef(in this)));

    /// <summary>The bytes valid in this block.</summary>
    public readonly Span<byte> Bytes => new(Data, (int)Length);

    /// <summary>All bytes of the packet.</summary>
    public readonly uint TotalLength => Length + PartsLength;

    /// <summary>Bytes that still fit in front of <see cref="Data"/>.</summary>
    public readonly uint Headroom => (uint)(Data - Block) - DataStart;

    /// <summary>Bytes that still fit behind the valid ones, in a block without parts; none behind another's.</summary>
    public readonly uint Tailroom => Source == null ? (uint)(Block + BlockSize - Data) - Length : 0;

    /// <summary>Out: the pieces that follow the bytes in this block, <see cref="PartCount"/> of them.</summary>
    public readonly PacketPart* Parts => (PacketPart*)(Block + PartTableStart);

    /// <summary>Makes room for <paramref name="count"/> bytes in front and returns their place. The caller knows that they fit (<see cref="HeaderRoom"/>).</summary>
    public byte* Push(uint count)
    {
        Data -= count;
        Length += count;
        return Data;
    }

    /// <summary>Drops <paramref name="count"/> bytes in front, which lie in this block.</summary>
    public void Pull(uint count)
    {
        Data += count;
        Length -= count;
    }

    /// <summary>Adds a piece of another buffer, and a reference on that buffer. False when the table is full.</summary>
    public bool TryAddPart(byte* data, uint length)
    {
        if (PartCount == MaximumParts)
            return false;
        Parts[PartCount].Data = data;
        Parts[PartCount].Length = length;
        PartCount++;
        PartsLength += length;
        Of(data)->References++;
        return true;
    }

    /// <summary>Takes one more reference.</summary>
    public void AddReference() => References++;

    /// <summary>
    /// Gives a reference back. With the last one the block, the references it holds on parts or on another block, and the buffers chained behind it go back as well.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Release(PacketBuffer* buffer)
    {
        // Most parts of a packet that was sent are still kept until they are acknowledged: that case is a decrement.
        if (buffer != null && --buffer->References == 0)
            Free(buffer);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Free(PacketBuffer* buffer)
    {
        do
        {
            PacketPart* parts = buffer->Parts;
            for (int i = 0; i < buffer->PartCount; i++)
                Release(Of(parts[i].Data));
            Release(buffer->Source);
            PacketBuffer* next = buffer->NextPart;
            buffer->Pool->Return(buffer);
            buffer = next;
        }
        while (buffer != null && --buffer->References == 0);
    }
}
