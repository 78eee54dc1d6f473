using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>
/// The ranges a receiver tells of: each segment's range first while it is the newest (RFC 2018 section 4). A fifth range pushes out the one that has not changed
/// for longest; its data is kept all the same.
/// </summary>
internal struct SackRanges
{
    /// <summary>How many there are.</summary>
    public int Count;

    private BlockArray _blocks;

    /// <summary>A range; 0 is the newest.</summary>
    public readonly SackBlock this[int number] => _blocks[number];

    /// <summary>Adds a range and joins it with those it touches.</summary>
    public void Add(uint start, uint end)
    {
        int kept = 0;
        for (int i = 0; i < Count; i++)
        {
            SackBlock block = _blocks[i];
            if (Sequence.IsAtMost(block.Start, end) && Sequence.IsAtMost(start, block.End))
            {
                start = Sequence.Earlier(start, block.Start);
                end = Sequence.Later(end, block.End);
                continue;
            }
            _blocks[kept++] = block;
        }
        if (kept == TcpOptions.MaximumBlocks)
            kept--;
        for (int i = kept; i > 0; i--)
            _blocks[i] = _blocks[i - 1];
        _blocks[0] = new SackBlock { Start = start, End = end };
        Count = kept + 1;
    }

    /// <summary>Forgets what is before <paramref name="rcvNxt"/>.</summary>
    public void DropUntil(uint rcvNxt)
    {
        int kept = 0;
        for (int i = 0; i < Count; i++)
        {
            if (Sequence.IsAfter(_blocks[i].Start, rcvNxt))
                _blocks[kept++] = _blocks[i];
        }
        Count = kept;
    }

    [InlineArray(TcpOptions.MaximumBlocks)]
    private struct BlockArray
    {
        private SackBlock _first;
    }
}
