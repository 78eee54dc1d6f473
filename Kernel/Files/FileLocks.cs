// Advisory locks: flock(2), and the record locks of fcntl(2) in both flavours, of a process and of an open file description.
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files;

/// <summary>What a lock keeps others from.</summary>
public enum LockKind : byte
{
    /// <summary>Nothing; asks to unlock.</summary>
    None,

    /// <summary>Write locks.</summary>
    Read,

    /// <summary>Any lock.</summary>
    Write,
}

/// <summary>
/// The advisory locks of one inode. flock's and fcntl's locks do not see each other, as on Linux. A range belongs to an owner: the descriptor table for a process's
/// record locks, the open file for the others.
/// </summary>
public unsafe struct FileLocks
{
    private const ulong EndOfFile = ulong.MaxValue;

    private struct Range
    {
        public Range* Next;
        public void* Owner;
        public ulong First;
        public ulong Last;
        public int ProcessId;
        public LockKind Kind;
        public bool IsWhole;
    }

    private Range* _first;
    private WaitQueue _waiters;

    /// <summary>flock(2). EWOULDBLOCK when it would have to wait and may not; ENOLCK when out of memory; ERESTARTSYS. May sleep.</summary>
    public static Result SetWhole(OpenFile* file, LockKind kind, bool isWaiting) => Acquire(file->Inode, new Range { Owner = file, Last = EndOfFile, Kind = kind, IsWhole = true }, isWaiting);

    /// <summary>F_SETLK and F_SETLKW. EAGAIN when another holds it; EBADF when the file is not open for it; EINVAL; EDEADLK is not detected. May sleep.</summary>
    public static Result Set(OpenFile* file, void* owner, in RecordLock wanted, bool isWaiting, bool isOfd)
    {
        Errno error = ToRange(file, wanted, out Range range);
        if (error != Errno.None)
            return error;
        if ((range.Kind == LockKind.Read && !file->CanRead) || (range.Kind == LockKind.Write && !file->CanWrite))
            return Errno.EBADF;
        range.Owner = owner;
        range.ProcessId = isOfd ? -1 : Process.Current->Id;
        return Acquire(file->Inode, range, isWaiting);
    }

    /// <summary>F_GETLK: shows the first lock in the way, or sets the type to F_UNLCK.</summary>
    public static Result Query(OpenFile* file, void* owner, ref RecordLock wanted)
    {
        Errno error = ToRange(file, wanted, out Range range);
        if (error != Errno.None)
            return error;
        if (range.Kind == LockKind.None)
            return Errno.EINVAL;
        range.Owner = owner;
        FileLocks* locks = file->Inode->Locks;
        Range* other = locks == null ? null : locks->FindConflict(range);
        if (other == null)
        {
            wanted.Type = 2;
            return Result.Ok;
        }
        wanted.Type = (short)(other->Kind == LockKind.Read ? 0 : 1);
        wanted.Whence = 0;
        wanted.Start = (long)other->First;
        wanted.Length = other->Last == EndOfFile ? 0 : (long)(other->Last - other->First + 1);
        wanted.ProcessId = other->ProcessId;
        return Result.Ok;
    }

    /// <summary>An open file ends: its flock and its own record locks go.</summary>
    internal static void ReleaseFile(OpenFile* file) => ReleaseOwner(file->Inode, file);

    /// <summary>An owner's locks on an inode go. close(2) does this for the descriptor table, whichever descriptor of the file is closed.</summary>
    internal static void ReleaseOwner(Inode* inode, void* owner)
    {
        FileLocks* locks = inode->Locks;
        if (locks == null || locks->_first == null)
            return;
        for (Range** link = &locks->_first; *link != null;)
        {
            Range* range = *link;
            if (range->Owner != owner)
            {
                link = &range->Next;
                continue;
            }
            *link = range->Next;
            Pool<Range>.Free(range);
        }
        locks->_waiters.WakeAll();
    }

    /// <summary>The inode ends; nobody holds a lock any more.</summary>
    internal static void Free(Inode* inode)
    {
        if (inode->Locks != null)
            Pool<FileLocks>.Free(inode->Locks);
        inode->Locks = null;
    }

    private static Errno ToRange(OpenFile* file, in RecordLock wanted, out Range range)
    {
        range = default;
        if (wanted.Type is < 0 or > 2)
            return Errno.EINVAL;
        range.Kind = wanted.Type switch { 0 => LockKind.Read, 1 => LockKind.Write, _ => LockKind.None };
        long origin;
        switch (wanted.Whence)
        {
            case 0:
                origin = 0;
                break;
            case 1:
                origin = (long)file->Position;
                break;
            case 2:
                origin = (long)file->Inode->Size;
                break;
            default:
                return Errno.EINVAL;
        }
        if (wanted.Start > long.MaxValue - origin)
            return Errno.EOVERFLOW;
        long first = origin + wanted.Start;
        long last = long.MaxValue;
        if (wanted.Length > 0)
        {
            if (first >= 0 && wanted.Length - 1 > long.MaxValue - first)
                return Errno.EOVERFLOW;
            last = first + wanted.Length - 1;
        }
        else if (wanted.Length < 0)
        {
            // A negative length means the bytes before the start.
            last = first - 1;
            first += wanted.Length;
        }
        if (first < 0 || last < first)
            return Errno.EINVAL;
        range.First = (ulong)first;
        range.Last = last == long.MaxValue ? EndOfFile : (ulong)last;
        return Errno.None;
    }

    private static Result Acquire(Inode* inode, Range wanted, bool isWaiting)
    {
        if (inode->Locks == null)
        {
            if (wanted.Kind == LockKind.None)
                return Result.Ok;
            inode->Locks = Pool<FileLocks>.Allocate();
            if (inode->Locks == null)
                return Errno.ENOLCK;
        }
        FileLocks* locks = inode->Locks;
        while (wanted.Kind != LockKind.None && locks->FindConflict(wanted) != null)
        {
            if (!isWaiting)
                return Errno.EAGAIN;
            Errno reason = locks->_waiters.Sleep();
            if (reason != Errno.None)
                return reason;
        }
        return locks->Replace(wanted);
    }

    private readonly Range* FindConflict(in Range wanted)
    {
        for (Range* range = _first; range != null; range = range->Next)
        {
            bool overlaps = range->First <= wanted.Last && wanted.First <= range->Last;
            bool excludes = range->Kind == LockKind.Write || wanted.Kind == LockKind.Write;
            if (overlaps && excludes && range->IsWhole == wanted.IsWhole && range->Owner != wanted.Owner)
                return range;
        }
        return null;
    }

    // Puts a range in the place of whatever its owner had there. A range in the middle of another splits it, so two may be needed; they are taken first.
    private Errno Replace(in Range wanted)
    {
        Range* added = wanted.Kind == LockKind.None ? null : Pool<Range>.Allocate();
        Range* split = Pool<Range>.Allocate();
        if (split == null || (added == null && wanted.Kind != LockKind.None))
        {
            if (added != null)
                Pool<Range>.Free(added);
            if (split != null)
                Pool<Range>.Free(split);
            return Errno.ENOLCK;
        }
        for (Range** link = &Self->_first; *link != null;)
        {
            Range* range = *link;
            if (range->Owner != wanted.Owner || range->IsWhole != wanted.IsWhole || range->First > wanted.Last || wanted.First > range->Last)
            {
                link = &range->Next;
                continue;
            }
            bool keepsHead = range->First < wanted.First;
            bool keepsTail = range->Last > wanted.Last;
            if (keepsHead && keepsTail)
            {
                *split = *range;
                split->First = wanted.Last + 1;
                range->Last = wanted.First - 1;
                range->Next = split;
                link = &split->Next;
                split = null;
            }
            else if (keepsHead)
            {
                range->Last = wanted.First - 1;
                link = &range->Next;
            }
            else if (keepsTail)
            {
                range->First = wanted.Last + 1;
                link = &range->Next;
            }
            else
            {
                *link = range->Next;
                Pool<Range>.Free(range);
            }
        }
        if (split != null)
            Pool<Range>.Free(split);
        if (added != null)
        {
            *added = wanted;
            added->Next = _first;
            _first = added;
        }
        _waiters.WakeAll();
        return Errno.None;
    }

    private FileLocks* Self => (FileLocks*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref this);
}
