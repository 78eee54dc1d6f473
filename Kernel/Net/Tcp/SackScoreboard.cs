using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>
/// What a sender knows to have arrived beyond SND.UNA (RFC 2018, RFC 6675): disjoint ranges in order. Of more ranges than there is room for, the ones that do
/// not fit are not remembered: such data is sent once more, and nothing else goes wrong.
/// </summary>
internal struct SackScoreboard
{
    private const int Capacity = 96;

    /// <summary>RFC 6675: DupThresh.</summary>
    public const int DupThresh = 3;

    private RangeArray _ranges;

    /// <summary>How many ranges there are.</summary>
    public int Count { get; private set; }

    /// <summary>How many bytes they have.</summary>
    public uint Bytes { get; private set; }

    /// <summary>Where the first range begins; there is one.</summary>
    public readonly uint FirstStart => _ranges[0].Start;

    /// <summary>Takes a block in; returns whether it told anything new.</summary>
    public bool Add(uint start, uint end)
    {
        // The first range that ends at or behind the block's start.
        int first = Count;
        while (first > 0 && Sequence.IsAtMost(start, _ranges[first - 1].End))
            first--;
        int last = first;
        uint covered = 0;
        uint joinedStart = start, joinedEnd = end;
        while (last < Count && Sequence.IsAtMost(_ranges[last].Start, end))
        {
            joinedStart = Sequence.Earlier(joinedStart, _ranges[last].Start);
            joinedEnd = Sequence.Later(joinedEnd, _ranges[last].End);
            covered += _ranges[last].End - _ranges[last].Start;
            last++;
        }
        if (first == last)
        {
            if (Count == Capacity)
                return false;
            for (int i = Count; i > first; i--)
                _ranges[i] = _ranges[i - 1];
            Count++;
        }
        else if (last - first > 1)
        {
            int removed = last - first - 1;
            for (int i = first + 1; i + removed < Count; i++)
                _ranges[i] = _ranges[i + removed];
            Count -= removed;
        }
        _ranges[first] = new SackBlock { Start = joinedStart, End = joinedEnd };
        Bytes += joinedEnd - joinedStart - covered;
        return joinedEnd - joinedStart != covered;
    }

    /// <summary>Forgets what is acknowledged.</summary>
    public void DropUntil(uint sndUna)
    {
        int gone = 0;
        while (gone < Count && Sequence.IsAtMost(_ranges[gone].End, sndUna))
        {
            Bytes -= _ranges[gone].End - _ranges[gone].Start;
            gone++;
        }
        if (gone != 0)
        {
            Count -= gone;
            for (int i = 0; i < Count; i++)
                _ranges[i] = _ranges[i + gone];
        }
        if (Count != 0 && Sequence.IsBefore(_ranges[0].Start, sndUna))
        {
            Bytes -= sndUna - _ranges[0].Start;
            _ranges[0].Start = sndUna;
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Count = 0;
        Bytes = 0;
    }

    /// <summary>
    /// Everything before this that has not arrived is lost (RFC 6675 IsLost): more than (DupThresh - 1) segments' bytes, or DupThresh ranges, arrived
    /// from here on. <paramref name="sndUna"/> when nothing is.
    /// </summary>
    public readonly uint LostUntil(uint sndUna, uint mss)
    {
        uint bytes = 0;
        for (int i = Count - 1, ranges = 1; i >= 0; i--, ranges++)
        {
            bytes += _ranges[i].End - _ranges[i].Start;
            if (bytes > (DupThresh - 1) * mss || ranges == DupThresh)
                return _ranges[i].Start;
        }
        return sndUna;
    }

    /// <summary>How many bytes of [<paramref name="start"/>, <paramref name="end"/>) have arrived.</summary>
    public readonly uint Within(uint start, uint end)
    {
        uint bytes = 0;
        for (int i = 0; i < Count && Sequence.IsBefore(_ranges[i].Start, end); i++)
        {
            uint from = Sequence.Later(_ranges[i].Start, start);
            uint to = Sequence.Earlier(_ranges[i].End, end);
            if (Sequence.IsBefore(from, to))
                bytes += to - from;
        }
        return bytes;
    }

    /// <summary>Finds the first byte at or behind <paramref name="from"/> that has not arrived, and where what has arrived begins again (<paramref name="limit"/> at most).</summary>
    public readonly uint NextHole(uint from, uint limit, out uint end)
    {
        end = limit;
        for (int i = 0; i < Count; i++)
        {
            if (Sequence.IsAtMost(_ranges[i].End, from))
                continue;
            if (Sequence.IsAfter(_ranges[i].Start, from))
            {
                end = Sequence.Earlier(_ranges[i].Start, limit);
                return from;
            }
            from = _ranges[i].End;
        }
        return from;
    }

    [InlineArray(Capacity)]
    private struct RangeArray
    {
        private SackBlock _first;
    }
}
