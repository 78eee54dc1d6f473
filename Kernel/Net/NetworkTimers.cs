// The timers of one stack: a hierarchical wheel. Source of truth: G. Varghese and A. Lauck, Hashed and Hierarchical Timing Wheels, IEEE/ACM Transactions on
// Networking 1997, scheme 7. A connection moves its retransmission timer with every segment and hardly ever lets it end, so moving one to a later time, and
// stopping it for a while, is a store into the timer: the wheel notices when it comes to the old place.
using System.Numerics;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Net;

/// <summary>
/// A wheel of seven levels with 64 slots each; a tick is 2^20 ns, about a millisecond. Timers are called at or up to a tick after their deadline, never
/// before. Starting and stopping are O(1). Never sleeps; belongs to its stack, which calls it with interrupts off.
/// </summary>
public unsafe struct NetworkTimers
{
    /// <summary>A deadline that never comes.</summary>
    public const ulong Never = ulong.MaxValue;

    /// <summary>Nanoseconds of a tick, as a power of two.</summary>
    public const int TickShift = 20;

    private const int LevelBits = 6;
    private const int LevelCount = 7;
    private const int SlotsPerLevel = 1 << LevelBits;
    private const ulong SlotMask = SlotsPerLevel - 1;

    /// <summary>The last tick that has a place, 146 years after the clock's beginning.</summary>
    private const ulong LastTick = (1UL << (LevelBits * LevelCount)) - 1;

    /// <summary>The first timer of each slot, level after level.</summary>
    private NetworkTimer** _slots;

    /// <summary>One word for each level, one bit for each slot that has timers.</summary>
    private ulong* _occupied;

    /// <summary>Every timer up to this tick has been called.</summary>
    private ulong _elapsed;

    /// <summary>No slot needs to be looked at before this tick.</summary>
    private ulong _next;

    /// <summary>How many timers stand in the wheel, suspended ones included.</summary>
    public uint Count { get; private set; }

    /// <summary>When <see cref="Run"/> wants to be called next, in nanoseconds; <see cref="Never"/> when no timer stands in the wheel. It may be too early, never too late.</summary>
    public readonly ulong NextDeadline => _next > Never >> TickShift ? Never : _next << TickShift;

    /// <summary>Prepares an empty wheel. False when out of memory.</summary>
    public bool Initialize(ulong now)
    {
        _slots = (NetworkTimer**)KernelHeap.Allocate(((LevelCount * SlotsPerLevel) + LevelCount) * sizeof(ulong));
        _occupied = (ulong*)(_slots + (LevelCount * SlotsPerLevel));
        _elapsed = now >> TickShift;
        _next = Never;
        Count = 0;
        return _slots != null;
    }

    /// <summary>Gives the wheel's memory back. No timer may run.</summary>
    public void Clear()
    {
        KernelHeap.Free(_slots);
        _slots = null;
    }

    /// <summary>Starts a timer, or moves it when it runs already. One whose deadline has passed is called at the next tick.</summary>
    public void Start(NetworkTimer* timer, ulong deadline)
    {
        timer->Deadline = deadline;
        if (timer->Place != 0)
        {
            if (timer->Tick <= TickOf(deadline))
                return;
            Unlink(timer);
        }
        Insert(timer);
    }

    /// <summary>Stops a timer and takes it out of the wheel.</summary>
    public void Cancel(NetworkTimer* timer)
    {
        if (timer->Place != 0)
            Unlink(timer);
        timer->Deadline = Never;
        if (Count == 0)
            _next = Never;
    }

    /// <summary>Stops a timer that will probably be started again soon: it keeps its place in the wheel. Its memory still belongs to the wheel until <see cref="Cancel"/>.</summary>
    public static void Suspend(NetworkTimer* timer) => timer->Deadline = Never;

    /// <summary>Calls every timer that is due at <paramref name="now"/>, tick after tick.</summary>
    public void Run(ulong now)
    {
        ulong target = now >> TickShift;
        while (FindNext(out int place, out ulong tick) && tick <= target)
        {
            _elapsed = tick;
            NetworkTimer* timer;
            while ((timer = _slots[place]) != null)
            {
                Unlink(timer);
                if (timer->Deadline == Never)
                    continue;
                if (TickOf(timer->Deadline) > tick)
                    Insert(timer);
                else
                    timer->Callback(timer);
            }
        }
        if (target > _elapsed)
            _elapsed = target;
        _next = FindNext(out _, out ulong next) ? next : Never;
    }

    private static ulong TickOf(ulong deadline) =>
        deadline > Never - (1UL << TickShift) ? Never >> TickShift : (deadline + (1UL << TickShift) - 1) >> TickShift;

    /// <summary>
    /// The highest bit in which a timer's tick differs from the present one decides its level, so a level's timers all lie within one turn of it, and every level's
    /// timers come before those of the level above.
    /// </summary>
    private void Insert(NetworkTimer* timer)
    {
        ulong tick = TickOf(timer->Deadline);
        if (tick <= _elapsed)
            tick = _elapsed + 1;
        if (tick > LastTick)
            tick = LastTick;
        timer->Tick = tick;
        int level = BitOperations.Log2(tick ^ _elapsed) / LevelBits;
        int slot = (int)((tick >> (level * LevelBits)) & SlotMask);
        int place = (level * SlotsPerLevel) + slot;
        NetworkTimer* first = _slots[place];
        timer->Next = first;
        timer->Previous = null;
        if (first != null)
            first->Previous = timer;
        _slots[place] = timer;
        _occupied[level] |= 1UL << slot;
        timer->Place = place + 1;
        Count++;
        ulong start = tick >> (level * LevelBits) << (level * LevelBits);
        if (start < _next)
            _next = start;
    }

    private void Unlink(NetworkTimer* timer)
    {
        int place = timer->Place - 1;
        if (timer->Next != null)
            timer->Next->Previous = timer->Previous;
        if (timer->Previous != null)
        {
            timer->Previous->Next = timer->Next;
        }
        else
        {
            _slots[place] = timer->Next;
            if (timer->Next == null)
                _occupied[place / SlotsPerLevel] &= ~(1UL << (place % SlotsPerLevel));
        }
        timer->Place = 0;
        Count--;
    }

    /// <summary>The earliest slot that has timers, and the tick at which it begins.</summary>
    private readonly bool FindNext(out int place, out ulong tick)
    {
        for (int level = 0; level < LevelCount; level++)
        {
            ulong occupied = _occupied[level];
            if (occupied == 0)
                continue;
            int slot = BitOperations.TrailingZeroCount(occupied);
            place = (level * SlotsPerLevel) + slot;
            int shift = level * LevelBits;
            tick = (_elapsed >> (shift + LevelBits) << (shift + LevelBits)) | ((ulong)slot << shift);
            return true;
        }
        place = 0;
        tick = 0;
        return false;
    }
}
