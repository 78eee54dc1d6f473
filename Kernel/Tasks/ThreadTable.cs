using System.Runtime.CompilerServices;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Tasks;

/// <summary>Every thread and process by id. Ids are handed out upwards and reused after 4194304 (pid_max), as on Linux.</summary>
public static unsafe class ThreadTable
{
    private const int BucketCount = 128;
    private const int MaximumId = 4194304;

    private static ThreadBuckets s_threads;
    private static Process* s_processes;
    private static int s_lastId;

    /// <summary>How many threads live, for the limit on their number.</summary>
    public static int Count { get; private set; }

    /// <summary>The first process of the list of all, linked by NextInTable.</summary>
    public static Process* FirstProcess => s_processes;

    private static Thread** Buckets => (Thread**)Unsafe.AsPointer(ref s_threads);

    /// <summary>The thread with an id, or null.</summary>
    public static Thread* Find(int id)
    {
        for (Thread* thread = Buckets[(uint)id % BucketCount]; thread != null; thread = thread->NextInTable)
        {
            if (thread->Id == id)
                return thread;
        }
        return null;
    }

    /// <summary>The process with an id, or null.</summary>
    public static Process* FindProcess(int id)
    {
        for (Process* process = s_processes; process != null; process = process->NextInTable)
        {
            if (process->Id == id)
                return process;
        }
        return null;
    }

    /// <summary>Makes a process without threads; null when out of memory.</summary>
    public static Process* CreateProcess()
    {
        Process* process = Pool<Process>.Allocate();
        if (process == null)
            return null;
        process->NextInTable = s_processes;
        s_processes = process;
        process->StartTime = Clock.MonotonicNanoseconds;
        return process;
    }

    /// <summary>Makes a thread of a process, not runnable yet and with an empty frame; null when out of memory.</summary>
    public static Thread* Create(Process* process)
    {
        Thread* thread = Pool<Thread>.Allocate();
        if (thread == null)
            return null;
        ulong stack = KernelStack.Allocate();
        if (stack == 0)
        {
            Pool<Thread>.Free(thread);
            return null;
        }
        Context.Prepare(thread, stack);
        thread->Id = NextId();
        thread->Process = process;
        thread->StartTime = Clock.MonotonicNanoseconds;
        thread->NextInProcess = process->Threads;
        if (process->Threads != null)
            process->Threads->PreviousInProcess = thread;
        process->Threads = thread;
        process->ThreadCount++;
        Thread** bucket = Buckets + (uint)thread->Id % BucketCount;
        thread->NextInTable = *bucket;
        *bucket = thread;
        Count++;
        return thread;
    }

    /// <summary>Takes an ended thread out of its process and of the table; its memory stays until <see cref="Free"/>.</summary>
    public static void Remove(Thread* thread)
    {
        Process* process = thread->Process;
        if (thread->PreviousInProcess == null)
            process->Threads = thread->NextInProcess;
        else
            thread->PreviousInProcess->NextInProcess = thread->NextInProcess;
        if (thread->NextInProcess != null)
            thread->NextInProcess->PreviousInProcess = thread->PreviousInProcess;
        process->ThreadCount--;
        Thread** link = Buckets + (uint)thread->Id % BucketCount;
        while (*link != thread)
            link = &(*link)->NextInTable;
        *link = thread->NextInTable;
        Count--;
    }

    /// <summary>Frees a thread that will never run again.</summary>
    public static void Free(Thread* thread)
    {
        KernelStack.Free(thread->Context.StackTop + (ulong)VectorState.Size);
        Pool<Thread>.Free(thread);
    }

    private static int NextId()
    {
        do
        {
            s_lastId = s_lastId >= MaximumId - 1 ? 1 : s_lastId + 1;
        }
        while (Find(s_lastId) != null);
        return s_lastId;
    }

    [InlineArray(BucketCount)]
    private struct ThreadBuckets
    {
        private nint _first;
    }
}
