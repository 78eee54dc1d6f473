// What a program has sent and the other end has not acknowledged. The bytes are copied once, behind room for the headers, and stay where they are: a segment that
// is one whole buffer goes out with its headers written in front of it, any other is a buffer of headers that refers to these.
// The packet's own fields (Next, Data, Length …) belong to whoever sends it; the queue uses those meant for the owner.
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>Bytes [start of the first buffer, <see cref="End"/>) of one connection.</summary>
internal unsafe struct SendQueue
{
    /// <summary>Where payload begins in each block.</summary>
    private const uint PayloadStart = PacketBuffer.DataStart + PacketBuffer.HeaderRoom;

    private PacketBuffer* _first;
    private PacketBuffer* _last;
    private PacketBuffer* _newCursor;
    private PacketBuffer* _oldCursor;
    private uint _blocks;

    /// <summary>The sequence number after the last byte.</summary>
    public uint End { get; private set; }

    /// <summary>Buffers of the pool the queue takes.</summary>
    public readonly uint Blocks => _blocks;

    /// <summary>Bytes of memory the queue takes.</summary>
    public readonly uint Memory => _blocks * PacketBuffer.BlockSize;

    /// <summary>Whether nothing waits.</summary>
    public readonly bool IsEmpty => _first == null;

    /// <summary>Begins an empty queue: the first byte will be <paramref name="start"/>.</summary>
    public void Initialize(uint start) => End = start;

    /// <summary>The payload of a buffer of the queue.</summary>
    public static byte* PayloadOf(PacketBuffer* buffer) => (byte*)buffer + PayloadStart;

    /// <summary>How many bytes of payload a buffer of the queue has.</summary>
    public static uint LengthOf(PacketBuffer* buffer) => (uint)buffer->OwnerValue;

    /// <summary>The buffer behind another.</summary>
    public static PacketBuffer* NextOf(PacketBuffer* buffer) => (PacketBuffer*)buffer->Owner;

    /// <summary>
    /// Adds bytes at the end, up to <paramref name="fill"/> in each buffer and while the memory is below <paramref name="limit"/> and this connection's part of the
    /// pool. Returns how many; EAGAIN when none fit, EFAULT when the source fails with the first.
    /// </summary>
    public Result Append<TSource>(PacketPool* pool, ref TSource source, nuint count, uint fill, uint limit)
        where TSource : struct, IByteSource
    {
        nuint done = 0;
        while (done < count)
        {
            PacketBuffer* last = _last;
            uint length = last == null ? fill : LengthOf(last);
            if (length >= fill)
            {
                if (Memory >= limit || _blocks >= SendRoom.PartOf(pool))
                    return done == 0 ? Errno.EAGAIN : (Result)done;
                last = pool->Allocate();
                if (last == null)
                    return done == 0 ? Errno.EAGAIN : (Result)done;
                length = 0;
            }
            uint take = fill - length;
            if (take > count - done)
                take = (uint)(count - done);
            if (!source.TryTake(PayloadOf(last) + length, take))
            {
                if (length == 0)
                    PacketBuffer.Release(last);
                return done == 0 ? Errno.EFAULT : (Result)done;
            }
            if (length == 0)
                Link(last);
            last->OwnerValue = length + take;
            End += take;
            done += take;
        }
        return (Result)done;
    }

    /// <summary>Gives up the buffers whose last byte is before <paramref name="sequence"/>.</summary>
    public void FreeUntil(uint sequence)
    {
        PacketBuffer* first = _first;
        while (first != null && Sequence.IsAtMost(first->Sequence + LengthOf(first), sequence))
        {
            PacketBuffer* next = NextOf(first);
            if (_newCursor == first)
                _newCursor = next;
            if (_oldCursor == first)
                _oldCursor = next;
            PacketBuffer.Release(first);
            _blocks--;
            first = next;
        }
        _first = first;
        if (first == null)
            _last = null;
    }

    /// <summary>
    /// The buffer that has a byte of the queue, and where in its payload. Those who send new data and those who send old data again each walk on from where
    /// they were.
    /// </summary>
    public PacketBuffer* Seek(uint sequence, bool isNew, out uint offset)
    {
        PacketBuffer* buffer = isNew ? _newCursor : _oldCursor;
        if (buffer == null || Sequence.IsBefore(sequence, buffer->Sequence))
            buffer = _first;
        while (sequence - buffer->Sequence >= LengthOf(buffer))
            buffer = NextOf(buffer);
        if (isNew)
            _newCursor = buffer;
        else
            _oldCursor = buffer;
        offset = sequence - buffer->Sequence;
        return buffer;
    }

    /// <summary>Gives everything up.</summary>
    public void Clear()
    {
        for (PacketBuffer* next; _first != null; _first = next)
        {
            next = NextOf(_first);
            PacketBuffer.Release(_first);
        }
        _last = null;
        _newCursor = null;
        _oldCursor = null;
        _blocks = 0;
    }

    private void Link(PacketBuffer* buffer)
    {
        buffer->Sequence = End;
        buffer->Owner = null;
        if (_last == null)
            _first = buffer;
        else
            _last->Owner = buffer;
        _last = buffer;
        _blocks++;
    }
}
