namespace Ukl.Kernel.Net.Sockets.Unix;

/// <summary>What a socket has received and nobody has read.</summary>
internal unsafe struct UnixQueue
{
    /// <summary>The oldest message or piece; null: the queue is empty.</summary>
    internal UnixBuffer* First;

    private UnixBuffer* _last;

    /// <summary>How many messages or pieces there are.</summary>
    internal uint Count { get; private set; }

    /// <summary>The newest one.</summary>
    internal readonly UnixBuffer* Last => First == null ? null : _last;

    /// <summary>Adds at the end.</summary>
    internal void Add(UnixBuffer* buffer)
    {
        if (First == null)
            First = buffer;
        else
            _last->Next = buffer;
        _last = buffer;
        Count++;
    }

    /// <summary>Takes the oldest one, which there is.</summary>
    internal UnixBuffer* Take()
    {
        UnixBuffer* buffer = First;
        First = buffer->Next;
        buffer->Next = null;
        Count--;
        return buffer;
    }

    /// <summary>Frees all.</summary>
    internal void Clear()
    {
        while (First != null)
            UnixBuffer.Free(Take());
    }

    /// <summary>Bytes of all that is there.</summary>
    internal readonly nuint TotalLength()
    {
        nuint total = 0;
        for (UnixBuffer* buffer = First; buffer != null; buffer = buffer->Next)
            total += UnixBuffer.TotalLength(buffer);
        return total;
    }
}
