// The options of a segment. Sources of truth: RFC 9293 section 3.2 (layout, MSS), RFC 7323 (window scale, timestamps), RFC 2018 (SACK).
// Nothing but reading and writing. Unknown options are skipped by their length; a length that cannot be ends the reading, and what was read before holds.
using System;
using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>Which options a segment has.</summary>
[Flags]
public enum TcpOptionSet : byte
{
    None = 0,
    MaximumSegmentSize = 1,
    WindowScale = 2,
    SackPermitted = 4,
    Timestamps = 8,
}

/// <summary>A range of sequence numbers: what a SACK block says has arrived.</summary>
public struct SackBlock
{
    /// <summary>The first byte.</summary>
    public uint Start;

    /// <summary>The one after the last byte.</summary>
    public uint End;
}

/// <summary>The options of one segment, in host order.</summary>
public unsafe struct TcpOptions
{
    /// <summary>Bytes of the timestamps option with the padding in front.</summary>
    public const uint TimestampsSize = 12;

    /// <summary>The largest shift count there is (RFC 7323 section 2.3); larger ones count as this.</summary>
    public const byte LargestWindowScale = 14;

    /// <summary>SACK blocks that fit beside timestamps.</summary>
    public const int MaximumBlocks = 4;

    private const byte EndOfList = 0;
    private const byte NoOperation = 1;
    private const byte MaximumSegmentSizeKind = 2;
    private const byte WindowScaleKind = 3;
    private const byte SackPermittedKind = 4;
    private const byte SackKind = 5;
    private const byte TimestampsKind = 8;

    /// <summary>NOP, NOP, timestamps, 10, as they lie in memory: how everybody sends timestamps.</summary>
    internal const uint AlignedTimestamps = NoOperation | (NoOperation << 8) | (TimestampsKind << 16) | (10u << 24);

    /// <summary>What there is.</summary>
    public TcpOptionSet Present;

    /// <summary>The shift count, at most <see cref="LargestWindowScale"/>.</summary>
    public byte WindowScale;

    /// <summary>The largest payload the other end takes.</summary>
    public ushort MaximumSegmentSize;

    /// <summary>TSval.</summary>
    public uint TimestampValue;

    /// <summary>TSecr.</summary>
    public uint TimestampEcho;

    /// <summary>How many SACK blocks there are.</summary>
    public int BlockCount;

    private byte* _blocks;

    /// <summary>Whether an option is there.</summary>
    public readonly bool Has(TcpOptionSet option) => (Present & option) != 0;

    /// <summary>A SACK block.</summary>
    public readonly SackBlock Block(int number) =>
        new() { Start = TcpHeader.ReadUInt32(_blocks + (number * 8)), End = TcpHeader.ReadUInt32(_blocks + (number * 8) + 4) };

    /// <summary>Reads the options, which must stay where they are while blocks are asked for.</summary>
    public static void Read(byte* from, uint length, out TcpOptions options)
    {
        options = default;
        if (length == TimestampsSize && *(uint*)from == AlignedTimestamps)
        {
            options.SetTimestamps(from + 4);
            return;
        }
        for (uint i = 0; i < length;)
        {
            byte kind = from[i];
            if (kind == EndOfList)
                return;
            if (kind == NoOperation)
            {
                i++;
                continue;
            }
            if (i + 1 >= length)
                return;
            uint size = from[i + 1];
            if (size < 2 || i + size > length)
                return;
            options.Take(kind, from + i + 2, size - 2);
            i += size;
        }
    }

    private void Take(byte kind, byte* value, uint size)
    {
        if (kind == MaximumSegmentSizeKind && size == 2)
        {
            Present |= TcpOptionSet.MaximumSegmentSize;
            MaximumSegmentSize = TcpHeader.ReadUInt16(value);
        }
        else if (kind == WindowScaleKind && size == 1)
        {
            Present |= TcpOptionSet.WindowScale;
            WindowScale = *value > LargestWindowScale ? LargestWindowScale : *value;
        }
        else if (kind == SackPermittedKind && size == 0)
        {
            Present |= TcpOptionSet.SackPermitted;
        }
        else if (kind == SackKind && size % 8 == 0 && size / 8 is >= 1 and <= MaximumBlocks)
        {
            _blocks = value;
            BlockCount = (int)(size / 8);
        }
        else if (kind == TimestampsKind && size == 8)
        {
            SetTimestamps(value);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void SetTimestamps(byte* value)
    {
        Present |= TcpOptionSet.Timestamps;
        TimestampValue = TcpHeader.ReadUInt32(value);
        TimestampEcho = TcpHeader.ReadUInt32(value + 4);
    }

    /// <summary>Writes timestamps with the usual padding; returns <see cref="TimestampsSize"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint WriteTimestamps(byte* to, uint value, uint echo)
    {
        *(uint*)to = AlignedTimestamps;
        TcpHeader.WriteUInt32(to + 4, value);
        TcpHeader.WriteUInt32(to + 8, echo);
        return TimestampsSize;
    }

    /// <summary>Writes SACK blocks with padding in front; returns the bytes written.</summary>
    public static uint WriteBlocks(byte* to, SackBlock* blocks, int count)
    {
        to[0] = NoOperation;
        to[1] = NoOperation;
        to[2] = SackKind;
        to[3] = (byte)(2 + (count * 8));
        for (int i = 0; i < count; i++)
        {
            TcpHeader.WriteUInt32(to + 4 + (i * 8), blocks[i].Start);
            TcpHeader.WriteUInt32(to + 8 + (i * 8), blocks[i].End);
        }
        return 4 + ((uint)count * 8);
    }

    /// <summary>Writes what a SYN says: the options in <see cref="Present"/>, padded to words. Returns the bytes written, at most 20.</summary>
    public readonly uint WriteSyn(byte* to)
    {
        uint length = 0;
        if (Has(TcpOptionSet.MaximumSegmentSize))
        {
            TcpHeader.WriteUInt32(to, (MaximumSegmentSizeKind << 24) | (4u << 16) | MaximumSegmentSize);
            length = 4;
        }
        if (Has(TcpOptionSet.Timestamps))
        {
            WriteTimestamps(to + length, TimestampValue, TimestampEcho);
            if (Has(TcpOptionSet.SackPermitted))
                TcpHeader.WriteUInt32(to + length, (SackPermittedKind << 24) | (2u << 16) | (TimestampsKind << 8) | 10);
            length += TimestampsSize;
        }
        else if (Has(TcpOptionSet.SackPermitted))
        {
            TcpHeader.WriteUInt32(to + length, (NoOperation << 24) | (NoOperation << 16) | (SackPermittedKind << 8) | 2);
            length += 4;
        }
        if (Has(TcpOptionSet.WindowScale))
        {
            TcpHeader.WriteUInt32(to + length, (NoOperation << 24) | (WindowScaleKind << 16) | (3u << 8) | WindowScale);
            length += 4;
        }
        return length;
    }
}
