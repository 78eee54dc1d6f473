// An epoll can watch an epoll. Circles would never end and long chains would overflow the kernel stack, so both are refused. Source: epoll_ctl(2), ELOOP.
namespace Ukl.Kernel.Files.Events;

public unsafe partial struct Epoll
{
    // At most five instances in a chain, as on Linux.
    private const int MaxLinks = 4;

    private static uint s_lastWalk;

    private void AddParent(EpollItem* item)
    {
        item->NextParent = _firstParent;
        _firstParent = item;
        item->Owner->_nestedCount++;
    }

    private void RemoveParent(EpollItem* item)
    {
        EpollItem** link = &Self->_firstParent;
        while (*link != item)
            link = &(*link)->NextParent;
        *link = item->NextParent;
        item->Owner->_nestedCount--;
    }

    private bool CanNest(Epoll* nested)
    {
        Epoll* self = Self;
        s_lastWalk++;
        int below = nested->LinksBelow(self, s_lastWalk);
        s_lastWalk++;
        return below <= MaxLinks && self->LinksAbove(s_lastWalk) + 1 + below <= MaxLinks;
    }

    // Longest chain of watched instances under this one; more than MaxLinks when it leads to the one that must not be met.
    private int LinksBelow(Epoll* forbidden, uint walk)
    {
        if (Self == forbidden)
            return MaxLinks + 1;
        if (_walk == walk)
            return _walkLinks;
        int longest = 0;
        for (uint bucket = 0; _nestedCount != 0 && bucket < _items.BucketCount; bucket++)
        {
            for (EpollItem* item = _items.FirstIn(bucket); item != null; item = item->NextInBucket)
            {
                Epoll* nested = EpollFile.TryGet(item->File);
                if (nested == null)
                    continue;
                int links = nested->LinksBelow(forbidden, walk) + 1;
                if (links > longest)
                    longest = links;
            }
        }
        _walk = walk;
        _walkLinks = longest;
        return longest;
    }

    // Longest chain of instances that watch this one.
    private int LinksAbove(uint walk)
    {
        if (_walk == walk)
            return _walkLinks;
        int longest = 0;
        for (EpollItem* item = _firstParent; item != null; item = item->NextParent)
        {
            int links = item->Owner->LinksAbove(walk) + 1;
            if (links > longest)
                longest = links;
        }
        _walk = walk;
        _walkLinks = longest;
        return longest;
    }
}
