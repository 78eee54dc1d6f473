using Ukl.Kernel.Tasks;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Files.Proc;

/// <summary>Processes and threads in the order of their ids, and sums over all of them.</summary>
internal static unsafe class ProcessList
{
    /// <summary>Pages in memory of all address spaces.</summary>
    public static ulong ResidentPages
    {
        get
        {
            ulong sum = 0;
            for (Process* process = ThreadTable.FirstProcess; process != null; process = process->NextInTable)
            {
                if (process->Memory != null)
                    sum += process->Memory->ResidentPages;
            }
            return sum;
        }
    }

    /// <summary>The lowest process id above <paramref name="id"/>, or 0.</summary>
    public static int NextProcess(int id)
    {
        int next = 0;
        for (Process* process = ThreadTable.FirstProcess; process != null; process = process->NextInTable)
        {
            if (process->Id > id && (next == 0 || process->Id < next))
                next = process->Id;
        }
        return next;
    }

    /// <summary>The lowest id of a process's threads above <paramref name="id"/>, or 0.</summary>
    public static int NextThread(Process* process, int id)
    {
        int next = 0;
        for (Thread* thread = process->Threads; thread != null; thread = thread->NextInProcess)
        {
            if (thread->Id > id && (next == 0 || thread->Id < next))
                next = thread->Id;
        }
        return next;
    }

    /// <summary>A thread of a process by id, or null.</summary>
    public static Thread* FindThread(Process* process, int id)
    {
        for (Thread* thread = process->Threads; thread != null; thread = thread->NextInProcess)
        {
            if (thread->Id == id)
                return thread;
        }
        return null;
    }

    /// <summary>A process's first thread, or another one when that has ended; null when all have.</summary>
    public static Thread* LeaderOf(Process* process)
    {
        Thread* leader = FindThread(process, process->Id);
        return leader != null ? leader : process->Threads;
    }

    /// <summary>Processor time of all processes, in nanoseconds.</summary>
    public static void SumTimes(out ulong user, out ulong system)
    {
        ulong userTicks = 0, systemTicks = 0;
        for (Process* process = ThreadTable.FirstProcess; process != null; process = process->NextInTable)
        {
            userTicks += process->UserTicks;
            systemTicks += process->SystemTicks;
        }
        user = Clock.TicksToNanoseconds(userTicks);
        system = Clock.TicksToNanoseconds(systemTicks);
    }

    /// <summary>How many threads run or could run.</summary>
    public static ulong RunningThreads
    {
        get
        {
            ulong count = 0;
            for (Process* process = ThreadTable.FirstProcess; process != null; process = process->NextInTable)
            {
                for (Thread* thread = process->Threads; thread != null; thread = thread->NextInProcess)
                {
                    if (thread->State == ThreadState.Runnable)
                        count++;
                }
            }
            return count;
        }
    }
}
