// What has arrived: the bytes in order that the program has not read, and those that came before their time. Both are lists of the very blocks the device filled;
// only small pieces are copied together, so that a sender of single bytes cannot fill the memory with nearly empty blocks.
using System;
using System.Runtime.CompilerServices;
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>The receive queues of one connection.</summary>
internal unsafe struct ReceiveQueue
{
    /// <summary>A piece of at most this many bytes is copied behind the one before when it fits.</summary>
    private const uint CopyLimit = 512;

    private PacketBuffer* _first;
    private PacketBuffer* _last;
    private PacketBuffer* _early;
    private PacketBuffer* _earlyLast;
    private uint _blocks;

    /// <summary>Bytes in order.</summary>
    public uint Bytes { get; private set; }

    /// <summary>The ranges to tell in SACK blocks, the one that changed last first (RFC 2018 section 4).</summary>
    public SackRanges Ranges;

    /// <summary>Buffers of the pool the queues take.</summary>
    public readonly uint Blocks => _blocks;

    /// <summary>Bytes of memory the queues take.</summary>
    public readonly uint Memory => _blocks * PacketBuffer.BlockSize;

    /// <summary>Whether something came before its time.</summary>
    public readonly bool HasEarly => _early != null;

    /// <summary>Adds a packet's payload, of <paramref name="length"/> bytes, that is next in order, and takes its reference. Blocks without bytes are given back.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(PacketBuffer* packet, uint length)
    {
        Bytes += length;
        if (_first == null && packet->NextPart == null)
        {
            packet->Next = null;
            _first = packet;
            _last = packet;
            _blocks++;
            return;
        }
        AppendBlocks(packet);
    }

    /// <summary>
    /// Keeps a payload of <paramref name="length"/> bytes, which begins beyond RCV.NXT, for later; what is there already is dropped. Takes the reference.
    /// </summary>
    public void InsertEarly(PacketBuffer* packet, uint sequence, uint length)
    {
        Ranges.Add(sequence, sequence + length);
        for (PacketBuffer* block = packet, next; block != null; block = next)
        {
            next = block->NextPart;
            Detach(block);
            block->Sequence = sequence;
            sequence += block->Length;
            InsertBlock(block);
        }
    }

    /// <summary>Moves what has become next in order; returns the new RCV.NXT.</summary>
    public uint Drain(uint rcvNxt)
    {
        while (_early != null && Sequence.IsAtMost(_early->Sequence, rcvNxt))
        {
            PacketBuffer* block = _early;
            _early = block->Next;
            if (_early == null)
                _earlyLast = null;
            _blocks--;
            uint known = rcvNxt - block->Sequence;
            if (known >= block->Length)
            {
                PacketBuffer.Release(block);
                continue;
            }
            block->Pull(known);
            Bytes += block->Length;
            rcvNxt += block->Length;
            AppendBlock(block);
        }
        Ranges.DropUntil(rcvNxt);
        return rcvNxt;
    }

    /// <summary>
    /// Gives up to <paramref name="count"/> bytes to the sink, beginning <paramref name="skip"/> bytes into the queue; consumes nothing. Returns the number, or
    /// EFAULT when the first failed.
    /// </summary>
    public readonly Result CopyTo<TSink>(ref TSink sink, uint skip, uint count)
        where TSink : struct, IByteSink
    {
        uint done = 0;
        for (PacketBuffer* block = _first; block != null && done < count; block = block->Next)
        {
            if (skip >= block->Length)
            {
                skip -= block->Length;
                continue;
            }
            uint give = block->Length - skip;
            if (give > count - done)
                give = count - done;
            if (!sink.TryGive(block->Data + skip, give))
                return done == 0 ? Errno.EFAULT : (Result)(ulong)done;
            done += give;
            skip = 0;
        }
        return (ulong)done;
    }

    /// <summary>Drops bytes from the front; there are that many.</summary>
    public void Consume(uint count)
    {
        Bytes -= count;
        while (_first != null && count >= _first->Length)
        {
            PacketBuffer* block = _first;
            count -= block->Length;
            _first = block->Next;
            _blocks--;
            PacketBuffer.Release(block);
        }
        if (_first == null)
            _last = null;
        else
            _first->Pull(count);
    }

    /// <summary>The byte at a place in the queue.</summary>
    public readonly byte Peek(uint skip)
    {
        PacketBuffer* block = _first;
        while (skip >= block->Length)
        {
            skip -= block->Length;
            block = block->Next;
        }
        return block->Data[skip];
    }

    /// <summary>Gives up what came before its time: memory is short, and the sender still has it (RFC 2018 section 8).</summary>
    public void ClearEarly()
    {
        for (PacketBuffer* next; _early != null; _early = next)
        {
            next = _early->Next;
            PacketBuffer.Release(_early);
            _blocks--;
        }
        _earlyLast = null;
        Ranges.Count = 0;
    }

    /// <summary>Gives everything up.</summary>
    public void Clear()
    {
        ClearEarly();
        for (PacketBuffer* next; _first != null; _first = next)
        {
            next = _first->Next;
            PacketBuffer.Release(_first);
        }
        _last = null;
        _blocks = 0;
        Bytes = 0;
    }

    /// <summary>Drops bytes at the front of a packet that came in; its first block stays its first, if only with no bytes.</summary>
    public static void DropFront(PacketBuffer* packet, uint count)
    {
        for (PacketBuffer* block = packet; count != 0; block = block->NextPart)
        {
            uint here = block->Length < count ? block->Length : count;
            block->Pull(here);
            count -= here;
        }
    }

    /// <summary>Cuts a packet that came in to so many bytes.</summary>
    public static void Cut(PacketBuffer* packet, uint length)
    {
        for (PacketBuffer* block = packet; block != null; block = block->NextPart)
        {
            if (block->Length > length)
                block->Length = length;
            length -= block->Length;
        }
    }

    private void AppendBlocks(PacketBuffer* packet)
    {
        for (PacketBuffer* block = packet, next; block != null; block = next)
        {
            next = block->NextPart;
            Detach(block);
            AppendBlock(block);
        }
    }

    /// <summary>Makes a block of a chain stand for itself.</summary>
    private static void Detach(PacketBuffer* block)
    {
        block->NextPart = null;
        block->PartsLength = 0;
    }

    private void AppendBlock(PacketBuffer* block)
    {
        if (block->Length == 0 || TryCopyBehind(_last, block))
        {
            PacketBuffer.Release(block);
            return;
        }
        block->Next = null;
        if (_last == null)
            _first = block;
        else
            _last->Next = block;
        _last = block;
        _blocks++;
    }

    private static bool TryCopyBehind(PacketBuffer* last, PacketBuffer* block)
    {
        if (last == null || block->Length > CopyLimit || last->Tailroom < block->Length || last->References != 1)
            return false;
        block->Bytes.CopyTo(new Span<byte>(last->Data + last->Length, (int)block->Length));
        last->Length += block->Length;
        return true;
    }

    /// <summary>Puts a block into its place among those that came early; bytes that are there already are taken from the new one, or the old one goes when the new one covers it.</summary>
    private void InsertBlock(PacketBuffer* block)
    {
        PacketBuffer* before = null;
        if (_earlyLast != null && Sequence.IsAtMost(_earlyLast->Sequence, block->Sequence))
        {
            before = _earlyLast;
        }
        else
        {
            for (PacketBuffer* each = _early; each != null && Sequence.IsAtMost(each->Sequence, block->Sequence); each = each->Next)
                before = each;
        }
        if (before != null)
        {
            uint beforeEnd = before->Sequence + before->Length;
            if (Sequence.IsAfter(beforeEnd, block->Sequence))
            {
                uint known = beforeEnd - block->Sequence;
                if (known >= block->Length)
                    known = block->Length;
                block->Pull(known);
                block->Sequence += known;
            }
            if (block->Length == 0 || (beforeEnd == block->Sequence && TryCopyBehind(before, block)))
            {
                uint end = block->Sequence + block->Length;
                PacketBuffer.Release(block);
                DropCovered(before, end);
                return;
            }
        }
        else if (block->Length == 0)
        {
            PacketBuffer.Release(block);
            return;
        }
        block->Next = before == null ? _early : before->Next;
        if (before == null)
            _early = block;
        else
            before->Next = block;
        if (_earlyLast == before)
            _earlyLast = block;
        _blocks++;
        DropCovered(block, block->Sequence + block->Length);
    }

    /// <summary>Takes from the blocks behind <paramref name="block"/> what lies before <paramref name="end"/>.</summary>
    private void DropCovered(PacketBuffer* block, uint end)
    {
        for (PacketBuffer* next = block->Next; next != null && Sequence.IsBefore(next->Sequence, end); next = block->Next)
        {
            uint known = end - next->Sequence;
            if (known < next->Length)
            {
                next->Pull(known);
                next->Sequence += known;
                return;
            }
            block->Next = next->Next;
            if (_earlyLast == next)
                _earlyLast = block;
            PacketBuffer.Release(next);
            _blocks--;
        }
    }
}
