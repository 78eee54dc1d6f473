using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Tasks;

/// <summary>
/// Signals that wait to be delivered to a thread or a process. A standard signal waits at most once; real-time signals queue in order, each with its
/// information, up to a limit per queue. When memory is short the signal is still delivered, without information.
/// </summary>
public unsafe struct SignalQueue
{
    private const int LongestQueue = 4096;

    private Entry* _first;
    private Entry* _last;
    private int _count;

    /// <summary>The signals that wait.</summary>
    public SignalSet Pending { readonly get; private set; }

    /// <summary>Adds a signal. False when a queueing signal found the queue full (EAGAIN).</summary>
    public bool Add(in SignalInfo info)
    {
        if (info.Number < Signal.FirstRealTime && Pending.Contains(info.Number))
            return true;
        Entry* entry = _count < LongestQueue ? Pool<Entry>.Allocate() : null;
        if (entry == null)
        {
            if (info.Number >= Signal.FirstRealTime && info.Code == SignalInfo.Queue)
                return false;
        }
        else
        {
            entry->Info = info;
            entry->Next = null;
            if (_last == null)
                _first = entry;
            else
                _last->Next = entry;
            _last = entry;
            _count++;
        }
        Pending |= SignalSet.Of(info.Number);
        return true;
    }

    /// <summary>
    /// Counts more ends of a timer in its signal that still waits (timer_getoverrun(2)), and gives the sum. False when none of its signals waits.
    /// </summary>
    public readonly bool TryAddOverrun(int signal, int timerId, ulong ends, out int overrun)
    {
        overrun = 0;
        if (!Pending.Contains(signal))
            return false;
        Entry* entry = _first;
        while (entry != null && (entry->Info.Number != signal || entry->Info.Code != SignalInfo.Timer || (int)entry->Info.First != timerId))
            entry = entry->Next;
        if (entry == null)
            return false;
        ulong sum = (entry->Info.First >> 32) + ends;
        overrun = sum > int.MaxValue ? int.MaxValue : (int)sum;
        entry->Info.First = (uint)timerId | ((ulong)(uint)overrun << 32);
        return true;
    }

    /// <summary>Takes the first waiting instance of a signal.</summary>
    public SignalInfo Take(int signal)
    {
        SignalInfo info = new() { Number = signal, Code = SignalInfo.User };
        bool isFound = false;
        bool hasMore = false;
        Entry* previous = null;
        Entry* next;
        for (Entry* entry = _first; entry != null; entry = next)
        {
            next = entry->Next;
            if (entry->Info.Number == signal && isFound)
            {
                hasMore = true;
                break;
            }
            if (entry->Info.Number == signal)
            {
                isFound = true;
                info = entry->Info;
                Unlink(previous, entry);
                continue;
            }
            previous = entry;
        }
        if (!hasMore)
            Pending &= ~SignalSet.Of(signal);
        return info;
    }

    /// <summary>Drops every instance of the signals of a set.</summary>
    public void Discard(SignalSet signals)
    {
        Entry* previous = null;
        Entry* next;
        for (Entry* entry = _first; entry != null; entry = next)
        {
            next = entry->Next;
            if (signals.Contains(entry->Info.Number))
                Unlink(previous, entry);
            else
                previous = entry;
        }
        Pending &= ~signals;
    }

    private void Unlink(Entry* previous, Entry* entry)
    {
        if (previous == null)
            _first = entry->Next;
        else
            previous->Next = entry->Next;
        if (_last == entry)
            _last = previous;
        _count--;
        Pool<Entry>.Free(entry);
    }

    private struct Entry
    {
        internal SignalInfo Info;
        internal Entry* Next;
    }
}
