// epoll: files report themselves ready through their wait queues, so that waiting costs nothing per watched file. Source: epoll(7), epoll_ctl(2), epoll_wait(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files.Events;

/// <summary>An epoll instance: the files it watches and a list of those that may be ready.</summary>
public unsafe partial struct Epoll
{
    private const PollEvents Readable = PollEvents.In | PollEvents.ReadNormal;

    private WaitQueue _waiters;
    private EpollItem* _firstReady;
    private EpollItem* _lastReady;
    private EpollItemTable _items;

    // Items of other instances that watch this one.
    private EpollItem* _firstParent;
    private int _nestedCount;

    // The last walk that came by, and the links it found from here on.
    private uint _walk;
    private int _walkLinks;

    /// <summary>Makes an epoll with one reference; null when out of memory.</summary>
    public static OpenFile* Create()
    {
        Epoll* epoll = Pool<Epoll>.Allocate();
        if (epoll == null)
            return null;
        OpenFile* file = OpenFile.Create<EpollFile>(epoll, OpenFlags.ReadWrite);
        if (file == null)
            Pool<Epoll>.Free(epoll);
        return file;
    }

    /// <summary>EPOLL_CTL_ADD. EEXIST, EPERM (files that are always ready), EINVAL, ELOOP (nested in a circle or too deep), ENOMEM.</summary>
    public Errno Add(OpenFile* file, int descriptor, EpollEvent wanted)
    {
        if (_items.Find(file, descriptor) != null)
            return Errno.EEXIST;
        bool isExclusive = (wanted.Events & EpollItem.Exclusive) != 0;
        Epoll* nested = EpollFile.TryGet(file);
        if (isExclusive && (nested != null || !IsAllowedExclusive(wanted.Events)))
            return Errno.EINVAL;
        if (nested != null && !CanNest(nested))
            return Errno.ELOOP;
        EpollItem* item = Pool<EpollItem>.Allocate();
        if (item == null)
            return Errno.ENOMEM;
        item->Owner = Self;
        item->File = file;
        item->Descriptor = descriptor;
        item->SetInterest(wanted.Events, wanted.Data);
        if (!_items.Add(item))
        {
            Pool<EpollItem>.Free(item);
            return Errno.ENOMEM;
        }
        if (nested != null)
            nested->AddParent(item);
        item->CloseWatcher.Callback = &OnFileEnded;
        file->AddCloseWatcher(&item->CloseWatcher);
        item->Waiter.Callback = &OnWoken;
        item->Waiter.Context = item;
        item->Waiter.IsExclusive = isExclusive;
        WaitQueue* queue = file->Operations->WaitersOf(file);
        if (queue != null)
            queue->Add(&item->Waiter);
        if (item->Poll() != PollEvents.None)
            MarkReady(item);
        return Errno.None;
    }

    /// <summary>EPOLL_CTL_MOD; arms a one-shot item again. ENOENT, EINVAL.</summary>
    public Errno Modify(OpenFile* file, int descriptor, EpollEvent wanted)
    {
        if ((wanted.Events & EpollItem.Exclusive) != 0)
            return Errno.EINVAL;
        EpollItem* item = _items.Find(file, descriptor);
        if (item == null)
            return Errno.ENOENT;
        if (item->Waiter.IsExclusive)
            return Errno.EINVAL;
        item->SetInterest(wanted.Events, wanted.Data);
        if (item->Poll() != PollEvents.None)
            MarkReady(item);
        return Errno.None;
    }

    /// <summary>EPOLL_CTL_DEL. ENOENT.</summary>
    public Errno Delete(OpenFile* file, int descriptor)
    {
        EpollItem* item = _items.Find(file, descriptor);
        if (item == null)
            return Errno.ENOENT;
        file->RemoveCloseWatcher(&item->CloseWatcher);
        Remove(item);
        return Errno.None;
    }

    /// <summary>
    /// Waits until files are ready and gives their events, at most <paramref name="capacity"/>. Returns how many, 0 at the deadline, EINTR at a signal, EFAULT. The caller
    /// holds a reference on the file.
    /// </summary>
    public Result Wait(UserPtr<EpollEvent> events, int capacity, ulong deadline)
    {
        while (true)
        {
            Result result = Collect(events, capacity);
            if (result.Value != 0 || deadline == Timeouts.Never)
                return result;
            Waiter waiter = Waiter.ForCurrentThread(Readable);
            waiter.IsExclusive = true;
            _waiters.Add(&waiter);
            Errno interruption = Scheduler.Block(deadline);
            WaitQueue.Remove(&waiter);
            if (interruption == Errno.None)
                continue;
            // A file may have become ready as well; its wake-up must not be lost with this thread.
            result = Collect(events, capacity);
            if (result.Value != 0)
                return result;
            return interruption == Errno.ETIMEDOUT ? 0 : Errno.EINTR;
        }
    }

    /// <summary>The queue of threads that wait and of epolls that watch this one.</summary>
    internal static WaitQueue* WaitersOf(Epoll* epoll) => &epoll->_waiters;

    /// <summary>Whether a wait would find something. Takes items off the ready list that are not ready after all.</summary>
    internal bool HasReady()
    {
        while (_firstReady != null)
        {
            if (_firstReady->Poll() != PollEvents.None)
                return true;
            UnmarkReady(_firstReady);
        }
        return false;
    }

    /// <summary>The last descriptor of the epoll is closed: forgets every item.</summary>
    internal static void Free(Epoll* epoll)
    {
        for (uint bucket = 0; bucket < epoll->_items.BucketCount; bucket++)
        {
            EpollItem* item;
            while ((item = epoll->_items.FirstIn(bucket)) != null)
            {
                item->File->RemoveCloseWatcher(&item->CloseWatcher);
                epoll->Remove(item);
            }
        }
        epoll->_items.Dispose();
        Pool<Epoll>.Free(epoll);
    }

    private Result Collect(UserPtr<EpollEvent> events, int capacity)
    {
        int count = 0;
        EpollItem* last = _lastReady;
        while (_firstReady != null && count < capacity)
        {
            EpollItem* item = _firstReady;
            PollEvents ready = item->Poll();
            if (ready != PollEvents.None)
            {
                if (!events.At((nuint)count).TryWrite(new EpollEvent { Events = (uint)ready, Data = item->Data }))
                    return count != 0 ? count : Errno.EFAULT;
                count++;
            }
            UnmarkReady(item);
            if ((item->Events & EpollItem.OneShot) != 0 && ready != PollEvents.None)
                item->Disarm();
            else if ((item->Events & EpollItem.EdgeTriggered) == 0 && ready != PollEvents.None)
                Append(item);
            // Level-triggered items go round; each is looked at once.
            if (item == last)
                break;
        }
        if (_firstReady != null && !_waiters.IsEmpty)
            _waiters.Wake(Readable);
        return count;
    }

    private static bool IsAllowedExclusive(uint events)
    {
        const uint allowed = (uint)(PollEvents.In | PollEvents.Out | PollEvents.Error | PollEvents.HangUp) |
            EpollItem.WakeUp | EpollItem.EdgeTriggered | EpollItem.Exclusive;
        return (events & ~allowed) == 0;
    }

    private static void OnWoken(Waiter* waiter, PollEvents events)
    {
        var item = (EpollItem*)waiter->Context;
        if (item->IsArmed)
            item->Owner->MarkReady(item);
    }

    private static void OnFileEnded(CloseWatcher* watcher, OpenFile* file)
    {
        var item = (EpollItem*)watcher;
        item->Owner->Remove(item);
    }

    // Called by interrupt handlers too.
    private void MarkReady(EpollItem* item)
    {
        if (!item->IsReady)
            Append(item);
        if (!_waiters.IsEmpty)
            _waiters.Wake(Readable);
    }

    private void Append(EpollItem* item)
    {
        item->IsReady = true;
        item->NextReady = null;
        item->PreviousReady = _lastReady;
        if (_lastReady == null)
            _firstReady = item;
        else
            _lastReady->NextReady = item;
        _lastReady = item;
    }

    private void UnmarkReady(EpollItem* item)
    {
        if (item->PreviousReady == null)
            _firstReady = item->NextReady;
        else
            item->PreviousReady->NextReady = item->NextReady;
        if (item->NextReady == null)
            _lastReady = item->PreviousReady;
        else
            item->NextReady->PreviousReady = item->PreviousReady;
        item->IsReady = false;
        item->Waiter.IsSignaled = false;
    }

    private void Remove(EpollItem* item)
    {
        WaitQueue.Remove(&item->Waiter);
        if (item->IsReady)
            UnmarkReady(item);
        _items.Remove(item);
        Epoll* nested = EpollFile.TryGet(item->File);
        if (nested != null)
            nested->RemoveParent(item);
        Pool<EpollItem>.Free(item);
    }

    private Epoll* Self => (Epoll*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref this);
}
