using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Time;

/// <summary>The timers of a process: the three of setitimer(2) and those of timer_create(2). Made when first asked for.</summary>
public unsafe struct ProcessTimers
{
    /// <summary>How many timers timer_create makes for one process.</summary>
    private const int Capacity = 4096;

    /// <summary>ITIMER_REAL.</summary>
    public IntervalTimer Real;

    /// <summary>ITIMER_VIRTUAL.</summary>
    public IntervalTimer Virtual;

    /// <summary>ITIMER_PROF.</summary>
    public IntervalTimer Profiling;

    private IntervalTimer* _first;
    private int _count;
    private int _nextId;

    /// <summary>The current process's timers; null when out of memory.</summary>
    public static ProcessTimers* OfCurrent()
    {
        Process* process = Process.Current;
        if (process->Timers != null)
            return process->Timers;
        ProcessTimers* timers = Pool<ProcessTimers>.Allocate();
        if (timers == null)
            return null;
        Prepare(&timers->Real, process, IntervalClock.Monotonic, Signal.SIGALRM);
        Prepare(&timers->Virtual, process, IntervalClock.ProgramTime, Signal.SIGVTALRM);
        Prepare(&timers->Profiling, process, IntervalClock.ProcessTime, Signal.SIGPROF);
        process->Timers = timers;
        return timers;
    }

    /// <summary>Stops and frees all timers of a process that ends.</summary>
    public static void Release(Process* process)
    {
        ProcessTimers* timers = process->Timers;
        if (timers == null)
            return;
        process->Timers = null;
        IntervalTimer.Stop(&timers->Real);
        IntervalTimer.Stop(&timers->Virtual);
        IntervalTimer.Stop(&timers->Profiling);
        while (timers->_first != null)
            Delete(timers, timers->_first);
        Pool<ProcessTimers>.Free(timers);
    }

    /// <summary>Makes a timer that does not run, with an id; null when there is no memory or there are too many.</summary>
    public static IntervalTimer* Create(ProcessTimers* timers)
    {
        if (timers->_count == Capacity)
            return null;
        IntervalTimer* timer = Pool<IntervalTimer>.Allocate();
        if (timer == null)
            return null;
        do
        {
            timer->Id = timers->_nextId;
            timers->_nextId = timers->_nextId == int.MaxValue ? 0 : timers->_nextId + 1;
        }
        while (Find(timers, timer->Id) != null);
        timer->Process = Process.Current;
        timer->Next = timers->_first;
        timers->_first = timer;
        timers->_count++;
        return timer;
    }

    /// <summary>The timer with an id, or null.</summary>
    public static IntervalTimer* Find(ProcessTimers* timers, int id)
    {
        IntervalTimer* timer = timers == null ? null : timers->_first;
        while (timer != null && timer->Id != id)
            timer = timer->Next;
        return timer;
    }

    /// <summary>Stops and frees a timer.</summary>
    public static void Delete(ProcessTimers* timers, IntervalTimer* timer)
    {
        IntervalTimer** link = &timers->_first;
        while (*link != timer)
            link = &(*link)->Next;
        *link = timer->Next;
        timers->_count--;
        IntervalTimer.Stop(timer);
        Pool<IntervalTimer>.Free(timer);
    }

    private static void Prepare(IntervalTimer* timer, Process* process, IntervalClock clock, int signal)
    {
        timer->Id = -1;
        timer->Process = process;
        timer->Clock = clock;
        timer->SignalNumber = signal;
    }
}
