using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Tasks;

/// <summary>What Linux keeps per process (thread group). Nothing of this is global. Lives in a pool; reached by pointer.</summary>
public unsafe struct Process
{
    /// <summary>The process id.</summary>
    public int Id;

    /// <summary>The parent's id; 0 for the first process.</summary>
    public int ParentId;

    /// <summary>Process group id.</summary>
    public int GroupId;

    /// <summary>Session id.</summary>
    public int SessionId;

    /// <summary>Runs in ring 3 (level 0); a linked program does not.</summary>
    public bool IsUserMode;

    /// <summary>The address space.</summary>
    public AddressSpace* Memory;

    /// <summary>The open files.</summary>
    public FileTable* Files;

    /// <summary>Root, current directory and umask.</summary>
    public FileSystemContext* FileSystem;

    /// <summary>Its threads.</summary>
    public Thread* Threads;

    /// <summary>How many threads have not ended.</summary>
    public int ThreadCount;

    /// <summary>exit_group or a fatal signal has decided how the process ends; its threads end on their way out of the kernel.</summary>
    public bool IsEnding;

    /// <summary>How it ends; valid with <see cref="IsEnding"/>.</summary>
    public ExitStatus ExitStatus;

    /// <summary>What to do with each signal.</summary>
    public SignalActions Actions;

    /// <summary>Signals sent to the process.</summary>
    public SignalQueue PendingSignals;

    /// <summary>Who waits for signals of this process or of one of its threads through a file (signalfd).</summary>
    public WaitQueue SignalWaiters;

    /// <summary>Stopped by SIGSTOP or its like; threads wait in <see cref="StopQueue"/>.</summary>
    public bool IsStopped;

    /// <summary>Where stopped threads wait for SIGCONT.</summary>
    public WaitQueue StopQueue;

    /// <summary>User and group ids.</summary>
    public Credentials Credentials;

    /// <summary>Resource limits.</summary>
    public ResourceLimits Limits;

    /// <summary>Timers of setitimer, alarm and timer_create; null until the first.</summary>
    public ProcessTimers* Timers;

    /// <summary>What prctl sets.</summary>
    public ProcessControlState Control;

    /// <summary>Ticks of threads that have ended.</summary>
    public ulong EndedUserTicks;

    /// <summary>See <see cref="EndedUserTicks"/>.</summary>
    public ulong EndedSystemTicks;

    /// <summary>Counts of threads that have ended.</summary>
    public ResourceCounts EndedCounts;

    /// <summary>The commands of membarrier(2) for which the process has registered, as their bits.</summary>
    public uint MemoryBarriers;

    /// <summary>Monotonic nanoseconds at its start.</summary>
    public ulong StartTime;

    /// <summary>Where argument strings, environment strings and auxiliary vector lie in the program's memory, for /proc.</summary>
    public ProgramAreas Areas;

    /// <summary>Absolute path of the executable, in kernel memory, NUL-terminated.</summary>
    public byte* ExecutablePath;

    /// <summary>Link of the id table.</summary>
    public Process* NextInTable;

    /// <summary>The current thread's process.</summary>
    public static Process* Current => Scheduler.Current->Process;

    /// <summary>Ticks all its threads spent in the program.</summary>
    public readonly ulong UserTicks
    {
        get
        {
            ulong sum = EndedUserTicks;
            for (Thread* thread = Threads; thread != null; thread = thread->NextInProcess)
                sum += thread->UserTicks;
            return sum;
        }
    }

    /// <summary>Counts of all its threads.</summary>
    public readonly ResourceCounts Counts
    {
        get
        {
            ResourceCounts sum = EndedCounts;
            for (Thread* thread = Threads; thread != null; thread = thread->NextInProcess)
                sum.Add(thread->Counts);
            return sum;
        }
    }

    /// <summary>Ticks all its threads spent in the kernel.</summary>
    public readonly ulong SystemTicks
    {
        get
        {
            ulong sum = EndedSystemTicks;
            for (Thread* thread = Threads; thread != null; thread = thread->NextInProcess)
                sum += thread->SystemTicks;
            return sum;
        }
    }
}

/// <summary>Where the start of a program put what /proc shows of it.</summary>
public struct ProgramAreas
{
    /// <summary>First byte of the argument strings.</summary>
    public ulong ArgumentsStart;

    /// <summary>First byte after the argument strings.</summary>
    public ulong ArgumentsEnd;

    /// <summary>First byte of the environment strings.</summary>
    public ulong EnvironmentStart;

    /// <summary>First byte after the environment strings.</summary>
    public ulong EnvironmentEnd;

    /// <summary>First byte of the auxiliary vector.</summary>
    public ulong AuxiliaryStart;

    /// <summary>First byte after the auxiliary vector.</summary>
    public ulong AuxiliaryEnd;

    /// <summary>The stack pointer at the start.</summary>
    public ulong StackStart;

    /// <summary>The code page of the vDSO; its data page lies just below.</summary>
    public ulong VdsoStart;
}

/// <summary>User and group ids of a process (credentials(7)).</summary>
public struct Credentials
{
    public uint UserId;
    public uint EffectiveUserId;
    public uint SavedUserId;
    public uint GroupId;
    public uint EffectiveGroupId;
    public uint SavedGroupId;
}

/// <summary>How a process ended, as wait(2) encodes it.</summary>
public readonly struct ExitStatus(int encoded)
{
    /// <summary>Exit code in bits 8–15, or the signal in bits 0–6.</summary>
    public readonly int Encoded = encoded;

    /// <summary>Ended by exit or exit_group.</summary>
    public static ExitStatus Exited(int code) => new((code & 0xff) << 8);

    /// <summary>Killed by a signal.</summary>
    public static ExitStatus Killed(int signal) => new(signal & 0x7f);

    /// <summary>The signal, or 0.</summary>
    public int Signal => Encoded & 0x7f;

    /// <summary>The exit code.</summary>
    public int Code => (Encoded >> 8) & 0xff;
}

/// <summary>What prctl(2) sets for a process.</summary>
public struct ProcessControlState
{
    /// <summary>PR_SET_PDEATHSIG.</summary>
    public int ParentDeathSignal;

    /// <summary>PR_SET_DUMPABLE 0.</summary>
    public bool IsNotDumpable;

    /// <summary>PR_SET_KEEPCAPS.</summary>
    public bool KeepsCapabilities;

    /// <summary>PR_SET_NO_NEW_PRIVS.</summary>
    public bool HasNoNewPrivileges;

    /// <summary>PR_SET_TIMERSLACK in nanoseconds; 0 is the default.</summary>
    public ulong TimerSlack;
}
