// The events an inotify descriptor has not given to its reader yet. Source: inotify(7), "Reading events from an inotify file descriptor".
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Files.Events;

/// <summary>The fixed part of Linux's <c>struct inotify_event</c>; a name of <see cref="NameLength"/> bytes, filled with NULs, follows.</summary>
public struct InotifyEvent
{
    public int Watch;
    public uint Mask;
    public uint Cookie;
    public uint NameLength;
}

/// <summary>A queue of events, each with its name.</summary>
public unsafe struct InotifyQueue
{
    /// <summary>IN_Q_OVERFLOW: events were lost.</summary>
    public const uint Overflow = 0x4000;

    /// <summary>/proc/sys/fs/inotify/max_queued_events.</summary>
    public const int Capacity = 16384;

    private const int NoWatch = -1;

    private Entry* _first;
    private Entry* _last;
    private int _count;
    private bool _isOverflowed;

    /// <summary>Whether there is nothing to read.</summary>
    public readonly bool IsEmpty => _first == null && !_isOverflowed;

    /// <summary>Bytes that all events take in a reader's buffer (FIONREAD).</summary>
    public readonly nuint ByteCount
    {
        get
        {
            nuint sum = _isOverflowed ? (nuint)sizeof(InotifyEvent) : 0;
            for (Entry* entry = _first; entry != null; entry = entry->Next)
                sum += entry->Size;
            return sum;
        }
    }

    private struct Entry
    {
        public Entry* Next;
        public InotifyEvent Event;

        public readonly nuint Size => (nuint)sizeof(InotifyEvent) + Event.NameLength;
    }

    /// <summary>Adds an event, unless the one before it is the same. Without memory or room an overflow is noted instead.</summary>
    public void Add(int watch, uint mask, uint cookie, ReadOnlySpan<byte> name)
    {
        if (IsSameAsLast(watch, mask, cookie, name))
            return;
        // The name with its NUL, filled up so that the next event is aligned.
        uint nameLength = name.Length == 0 ? 0 : ((uint)name.Length + (uint)sizeof(InotifyEvent)) & ~((uint)sizeof(InotifyEvent) - 1);
        Entry* entry = _count >= Capacity ? null : (Entry*)KernelHeap.Allocate((nuint)sizeof(Entry) + nameLength);
        if (entry == null)
        {
            _isOverflowed = true;
            return;
        }
        entry->Event = new InotifyEvent { Watch = watch, Mask = mask, Cookie = cookie, NameLength = nameLength };
        name.CopyTo(new Span<byte>(entry + 1, (int)nameLength));
        if (_last == null)
            _first = entry;
        else
            _last->Next = entry;
        _last = entry;
        _count++;
    }

    /// <summary>Gives as many events as fit and returns their bytes. EINVAL: not even the first fits. EFAULT.</summary>
    public Result Read(UserSpan to)
    {
        nuint done = 0;
        while (_first != null && to.Length - done >= _first->Size)
        {
            Entry* entry = _first;
            if (!to.Slice(done).CopyFrom(&entry->Event, entry->Size))
                return done != 0 ? (Result)(ulong)done : Errno.EFAULT;
            done += entry->Size;
            RemoveFirst();
        }
        if (_first == null && _isOverflowed && to.Length - done >= (nuint)sizeof(InotifyEvent))
        {
            var overflow = new InotifyEvent { Watch = NoWatch, Mask = Overflow };
            if (!to.Slice(done).CopyFrom(&overflow, (nuint)sizeof(InotifyEvent)))
                return done != 0 ? (Result)(ulong)done : Errno.EFAULT;
            done += (nuint)sizeof(InotifyEvent);
            _isOverflowed = false;
        }
        return done != 0 ? (ulong)done : Errno.EINVAL;
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        while (_first != null)
            RemoveFirst();
        _isOverflowed = false;
    }

    private void RemoveFirst()
    {
        Entry* entry = _first;
        _first = entry->Next;
        if (_first == null)
            _last = null;
        _count--;
        KernelHeap.Free(entry);
    }

    private readonly bool IsSameAsLast(int watch, uint mask, uint cookie, ReadOnlySpan<byte> name)
    {
        if (_last == null || _last->Event.Watch != watch || _last->Event.Mask != mask || _last->Event.Cookie != cookie)
            return false;
        byte* lastName = (byte*)(_last + 1);
        if (name.Length == 0)
            return _last->Event.NameLength == 0;
        if (_last->Event.NameLength <= (uint)name.Length || lastName[name.Length] != 0)
            return false;
        return FileNames.AreEqual(name, new ReadOnlySpan<byte>(lastName, name.Length));
    }
}
