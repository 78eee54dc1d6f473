// Fast user-space mutexes. Source: futex(2), robust-futexes and pi-futex documentation of the Linux kernel.
using System.Runtime.CompilerServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Tasks;

/// <summary>
/// What a futex word is, independent of where it is mapped: the address space and address of private memory, or the physical address of memory that is shared.
/// </summary>
public readonly unsafe struct FutexKey(void* space, ulong address)
{
    /// <summary>The address space; null for shared memory.</summary>
    public readonly void* Space = space;

    /// <summary>The word's address.</summary>
    public readonly ulong Address = address;

    /// <summary>
    /// Finds the key of a word. <paramref name="isPrivate"/>: the program promises that no other process uses it. False (EFAULT) when there is no such memory.
    /// </summary>
    public static bool TryFind(ulong address, bool isPrivate, out FutexKey key)
    {
        key = default;
        return UserMemory.IsValidRange(address, sizeof(uint)) && TryFindInProgram(address, isPrivate, wasRead: false, out key);
    }

    /// <summary>The same for an address that the program may use, from which, with <paramref name="wasRead"/>, the word has just been read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool TryFindInProgram(ulong address, bool isPrivate, bool wasRead, out FutexKey key)
    {
        AddressSpace* space = Process.Current->Memory;
        key = new FutexKey(space, address);
        // What lies above the top is a linked program's image, which nothing else maps.
        if (isPrivate || address >= UserMemory.Top)
            return true;
        VirtualMemoryArea* area = space->FindAreaAgain(address);
        if (area != null && area->IsWritableCopy && (wasRead || !area->File.IsPresent))
            return true;
        return TryFindByTouch(space, address, ref key);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool TryFindByTouch(AddressSpace* space, ulong address, ref FutexKey key)
    {
        // Touching it brings a shared page into the table.
        uint value;
        if (UserAccess.CopyIn(&value, address, sizeof(uint)) != 0)
            return false;
        VirtualMemoryArea* area = space->FindAreaAgain(address);
        if (area == null || area->IsWritableCopy)
            return true;
        // Memory of the program alone that it cannot change is no futex on Linux.
        if (!area->IsShared && !area->File.IsPresent)
            return false;
        if (space->TryTranslate(address, out PhysicalAddress physical))
            key = new FutexKey(null, physical.Value);
        return true;
    }

    /// <summary>Keeps shared memory from serving as something else while a thread waits on it.</summary>
    public void Hold()
    {
        if (Space == null)
            PageFrame.Of(new PhysicalAddress(Address))->AddReference();
    }

    /// <summary>Undoes <see cref="Hold"/>.</summary>
    public void Drop()
    {
        if (Space == null)
            PageFrame.Release(new PhysicalAddress(Address & ~(ulong)(PageAllocator.PageSize - 1)));
    }

    /// <summary>Whether both name the same word.</summary>
    public bool IsSame(in FutexKey other) => Address == other.Address && Space == other.Space;
}

/// <summary>A thread that waits on a futex word; on its kernel stack.</summary>
public unsafe struct FutexWaiter
{
    internal FutexWaiter* Next;
    internal FutexWaiter* Previous;
    internal FutexBucket* Bucket;
    internal FutexKey Key;
    internal Thread* Thread;
    internal uint BitSet;
    internal bool IsWoken;
}

/// <summary>The waiters whose words hash alike, in order of arrival.</summary>
public unsafe struct FutexBucket
{
    internal FutexWaiter* First;
    internal FutexWaiter* Last;

    internal void Add(FutexWaiter* waiter)
    {
        waiter->Bucket = (FutexBucket*)Unsafe.AsPointer(ref this);
        waiter->Next = null;
        waiter->Previous = Last;
        if (Last == null)
            First = waiter;
        else
            Last->Next = waiter;
        Last = waiter;
    }

    internal static void Remove(FutexWaiter* waiter)
    {
        FutexBucket* bucket = waiter->Bucket;
        if (bucket == null)
            return;
        if (waiter->Previous == null)
            bucket->First = waiter->Next;
        else
            waiter->Previous->Next = waiter->Next;
        if (waiter->Next == null)
            bucket->Last = waiter->Previous;
        else
            waiter->Next->Previous = waiter->Previous;
        waiter->Bucket = null;
    }
}

/// <summary>Waiting on and waking futex words. The big lock (interrupts off) makes test and sleep one step.</summary>
public static unsafe class Futex
{
    /// <summary>Matches every waiter.</summary>
    public const uint AnyBit = uint.MaxValue;

    private const int BucketCount = 256;
    private const uint OwnerDied = 0x4000_0000;
    private const uint Waiters = 0x8000_0000;
    private const uint IdMask = 0x3fff_ffff;
    private const int LongestRobustList = 2048;

    private static Buckets s_buckets;

    /// <summary>
    /// Sleeps until woken if the word still is <paramref name="expected"/>; otherwise EAGAIN. EFAULT, ETIMEDOUT, or ERESTARTSYS for a signal. May block.
    /// </summary>
    public static Errno Wait(ulong address, bool isPrivate, uint expected, uint bitSet, ulong deadline)
    {
        uint value;
        if (!UserMemory.CopyIn(&value, address, sizeof(uint)))
            return Errno.EFAULT;
        FutexWaiter waiter;
        if (!FutexKey.TryFindInProgram(address, isPrivate, wasRead: true, out waiter.Key))
            return Errno.EFAULT;
        if (value != expected)
            return Errno.EAGAIN;
        waiter.Key.Hold();
        waiter.Thread = Scheduler.Current;
        waiter.BitSet = bitSet;
        waiter.IsWoken = false;
        BucketOf(waiter.Key)->Add(&waiter);
        Errno error = Errno.None;
        while (!waiter.IsWoken && error == Errno.None)
            error = Scheduler.Block(deadline);
        FutexBucket.Remove(&waiter);
        waiter.Key.Drop();
        return waiter.IsWoken ? Errno.None : error;
    }

    /// <summary>Wakes up to <paramref name="count"/> waiters of a word whose bits meet <paramref name="bitSet"/>; returns how many. EFAULT.</summary>
    public static Result Wake(ulong address, bool isPrivate, int count, uint bitSet = AnyBit)
    {
        if (!FutexKey.TryFind(address, isPrivate, out FutexKey key))
            return Errno.EFAULT;
        int woken = 0;
        FutexWaiter* next;
        for (FutexWaiter* waiter = BucketOf(key)->First; waiter != null && woken < count; waiter = next)
        {
            next = waiter->Next;
            if (!waiter->Key.IsSame(key) || (waiter->BitSet & bitSet) == 0)
                continue;
            WakeOne(waiter);
            woken++;
        }
        return woken;
    }

    /// <summary>Wakes up to <paramref name="wakeCount"/> and moves up to <paramref name="moveCount"/> others to another word. Returns how many were woken and moved. EFAULT.</summary>
    public static Result Requeue(ulong from, ulong to, bool isPrivate, int wakeCount, int moveCount)
    {
        if (!FutexKey.TryFind(from, isPrivate, out FutexKey source) || !FutexKey.TryFind(to, isPrivate, out FutexKey target))
            return Errno.EFAULT;
        int woken = 0;
        int moved = 0;
        FutexWaiter* next;
        for (FutexWaiter* waiter = BucketOf(source)->First; waiter != null; waiter = next)
        {
            next = waiter->Next;
            if (!waiter->Key.IsSame(source))
                continue;
            if (woken < wakeCount)
            {
                WakeOne(waiter);
                woken++;
                continue;
            }
            if (moved >= moveCount)
                break;
            moved++;
            if (source.IsSame(target))
                continue;
            FutexBucket.Remove(waiter);
            target.Hold();
            waiter->Key.Drop();
            waiter->Key = target;
            BucketOf(target)->Add(waiter);
        }
        return woken + moved;
    }

    /// <summary>FUTEX_LOCK_PI: takes a lock whose word holds its owner's id, sleeping while another owns it. There is no priority to inherit here. May block.</summary>
    public static Errno LockOwned(ulong address, bool isPrivate, ulong deadline, bool tryOnly)
    {
        Thread* thread = Scheduler.Current;
        while (true)
        {
            uint value;
            if (!UserMemory.CopyIn(&value, address, sizeof(uint)))
                return Errno.EFAULT;
            uint owner = value & IdMask;
            if (owner == (uint)thread->Id)
                return Errno.EDEADLK;
            if (owner == 0)
            {
                uint taken = (uint)thread->Id | (value & OwnerDied) | (HasWaiter(address, isPrivate) ? Waiters : 0);
                if (!UserAccess.TryCompareExchange(address, value, taken, out uint seen))
                    return Errno.EFAULT;
                if (seen == value)
                    return Errno.None;
                continue;
            }
            if (tryOnly)
                return Errno.EAGAIN;
            if (ThreadTable.Find((int)owner) == null)
                return Errno.ESRCH;
            if (!UserAccess.TryCompareExchange(address, value, value | Waiters, out uint before))
                return Errno.EFAULT;
            if (before != value)
                continue;
            Errno error = Wait(address, isPrivate, value | Waiters, AnyBit, deadline);
            if (error is not (Errno.None or Errno.EAGAIN))
                return error;
        }
    }

    /// <summary>FUTEX_UNLOCK_PI: gives a lock up and wakes one that waits for it.</summary>
    public static Errno UnlockOwned(ulong address, bool isPrivate)
    {
        uint value;
        if (!UserMemory.CopyIn(&value, address, sizeof(uint)))
            return Errno.EFAULT;
        if ((value & IdMask) != (uint)Scheduler.Current->Id)
            return Errno.EPERM;
        uint zero = 0;
        if (!UserMemory.CopyOut(address, &zero, sizeof(uint)))
            return Errno.EFAULT;
        _ = Wake(address, isPrivate, 1);
        return Errno.None;
    }

    /// <summary>A thread ends: the robust locks it holds are marked so that their next owner learns of it.</summary>
    public static void ReleaseRobustList(Thread* thread)
    {
        if (thread->RobustList == 0)
            return;
        RobustListHead head;
        if (!UserMemory.CopyIn(&head, thread->RobustList, (nuint)sizeof(RobustListHead)))
            return;
        ulong entry = head.First;
        for (int i = 0; i < LongestRobustList && (entry & ~1ul) != thread->RobustList; i++)
        {
            ulong next;
            // A list that cannot be read ends here: nothing of the kernel depends on it.
            if (!UserMemory.CopyIn(&next, entry & ~1ul, sizeof(ulong)))
                return;
            if (entry != head.Pending)
                MarkOwnerDied(thread, (entry & ~1ul) + head.Offset);
            entry = next;
        }
        if (head.Pending != 0)
            MarkOwnerDied(thread, (head.Pending & ~1ul) + head.Offset);
    }

    private static void MarkOwnerDied(Thread* thread, ulong address)
    {
        uint value;
        while (UserMemory.CopyIn(&value, address, sizeof(uint)) && (value & IdMask) == (uint)thread->Id)
        {
            if (!UserAccess.TryCompareExchange(address, value, (value & Waiters) | OwnerDied, out uint seen))
                return;
            if (seen != value)
                continue;
            if ((value & Waiters) != 0)
                _ = Wake(address, isPrivate: false, 1);
            return;
        }
    }

    private static bool HasWaiter(ulong address, bool isPrivate)
    {
        if (!FutexKey.TryFind(address, isPrivate, out FutexKey key))
            return false;
        for (FutexWaiter* waiter = BucketOf(key)->First; waiter != null; waiter = waiter->Next)
        {
            if (waiter->Key.IsSame(key))
                return true;
        }
        return false;
    }

    private static void WakeOne(FutexWaiter* waiter)
    {
        FutexBucket.Remove(waiter);
        waiter->IsWoken = true;
        Scheduler.Wake(waiter->Thread);
    }

    private static FutexBucket* BucketOf(in FutexKey key)
    {
        ulong hash = (key.Address >> 2) ^ (key.Address >> 12) ^ ((ulong)key.Space >> 6);
        return (FutexBucket*)Unsafe.AsPointer(ref s_buckets) + (hash & (BucketCount - 1));
    }

    private struct RobustListHead
    {
        public ulong First;
        public ulong Offset;
        public ulong Pending;
    }

    [InlineArray(BucketCount)]
    private struct Buckets
    {
        private FutexBucket _first;
    }
}
