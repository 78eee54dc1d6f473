namespace Ukl.Kernel.Tasks;

/// <summary>Threads that wait for a processor, first come first served.</summary>
public unsafe struct ThreadList
{
    private Thread* _first;
    private Thread* _last;

    /// <summary>Whether it is empty.</summary>
    public readonly bool IsEmpty => _first == null;

    /// <summary>Adds at the end.</summary>
    public void Add(Thread* thread)
    {
        thread->NextRunnable = null;
        if (_last == null)
            _first = thread;
        else
            _last->NextRunnable = thread;
        _last = thread;
    }

    /// <summary>Takes the first; null when empty.</summary>
    public Thread* Take()
    {
        Thread* thread = _first;
        if (thread == null)
            return null;
        _first = thread->NextRunnable;
        if (_first == null)
            _last = null;
        return thread;
    }
}

/// <summary>
/// One processor's runnable threads. A thread that has used up its slice gets a new one and goes to the second list, which becomes the first when
/// that is empty: everybody runs once a round, and a thread that sleeps keeps what is left of its slice, so it runs soon after it wakes.
/// </summary>
public unsafe struct RunQueue
{
    private ThreadList _current;
    private ThreadList _next;

    /// <summary>Time stamp when the running thread was switched to.</summary>
    public ulong RunStart;

    /// <summary>A thread that ended here and whose memory is still to be freed, because it was its stack that ended it.</summary>
    public Thread* Ended;

    /// <summary>Ends the running thread's slice while others wait.</summary>
    public Time.Timer SliceTimer;

    /// <summary>Nobody runs: the current thread only lends its stack to the waiting, and is not charged for it.</summary>
    public bool IsIdle { readonly get; private set; }

    /// <summary>Whether nobody waits.</summary>
    public readonly bool IsEmpty => _current.IsEmpty && _next.IsEmpty;

    /// <summary>Adds a thread where its slice says.</summary>
    public void Add(Thread* thread)
    {
        if (thread->SliceLeft > 0)
        {
            _current.Add(thread);
        }
        else
        {
            thread->SliceLeft = Scheduler.SliceFor(thread);
            _next.Add(thread);
        }
        thread->IsQueued = true;
    }

    /// <summary>The processor is about to wait on a thread's stack: what the thread used so far is charged.</summary>
    public void BeginIdle(Thread* thread)
    {
        thread->SystemBalance += Arch.Cpu.ReadTimestamp();
        IsIdle = true;
    }

    /// <summary>An interrupt ended the waiting.</summary>
    public void EndIdle(Thread* thread)
    {
        thread->SystemBalance -= Arch.Cpu.ReadTimestamp();
        IsIdle = false;
    }

    /// <summary>Takes the thread to run; null when nobody waits.</summary>
    public Thread* Take()
    {
        Thread* thread = _current.Take();
        if (thread == null)
        {
            _current = _next;
            _next = default;
            thread = _current.Take();
        }
        if (thread != null)
            thread->IsQueued = false;
        return thread;
    }
}
