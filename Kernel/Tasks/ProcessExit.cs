using Ukl.Kernel.Core;
using Ukl.Kernel.Diagnostics;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Tasks;

/// <summary>The end of threads and processes. Source: exit(2), exit_group(2), set_tid_address(2).</summary>
public static unsafe class ProcessExit
{
    /// <summary>Decides how a process ends, if that is not decided yet; its threads end as they leave the kernel.</summary>
    public static void Begin(Process* process, ExitStatus status)
    {
        if (process->IsEnding)
            return;
        process->IsEnding = true;
        process->ExitStatus = status;
        process->IsStopped = false;
        process->StopQueue.WakeAll();
        Signals.NotifyAll(process);
    }

    /// <summary>A signal kills the process.</summary>
    public static void Kill(Process* process, int signal) => Begin(process, ExitStatus.Killed(signal));

    /// <summary>There is no page left for a thread's fault: the process is killed, by name.</summary>
    public static void KillForMemory(Thread* thread)
    {
        Log.Write("ukl: out of memory: killed process "u8);
        Log.WriteDecimal(thread->Process->Id);
        Log.Write(" ("u8);
        Log.Write(((System.ReadOnlySpan<byte>)thread->Name)[..NameLength(thread)]);
        Log.WriteLine(")"u8);
        Kill(thread->Process, Signal.SIGKILL);
    }

    /// <summary>Ends the current thread. Never returns.</summary>
    public static void ExitThread(Thread* thread)
    {
        Process* process = thread->Process;
        Futex.ReleaseRobustList(thread);
        if (thread->ClearIdAddress != 0)
        {
            int zero = 0;
            // The memory may be gone: then nobody waits for it either.
            if (UserMemory.CopyOut(thread->ClearIdAddress, &zero, sizeof(int)))
                _ = Futex.Wake(thread->ClearIdAddress, isPrivate: false, 1);
        }
        process->EndedCounts.Add(thread->Counts);
        process->EndedUserTicks += thread->UserTicks;
        process->EndedSystemTicks += thread->SystemTicks;
        thread->PendingSignals.Discard(~SignalSet.Empty);
        ThreadTable.Remove(thread);
        if (process->ThreadCount == 0)
            EndProcess(process);
        Scheduler.ExitCurrent();
    }

    private static void ReleaseMemory(Process* process)
    {
        Scheduler.FreeEnded(Scheduler.Current);
        process->PendingSignals.Discard(~SignalSet.Empty);
        KernelHeap.Free(process->ExecutablePath);
        AddressSpace.Release(process->Memory);
    }

    private static int NameLength(Thread* thread)
    {
        int length = 0;
        while (length < ThreadName.Length && thread->Name[length] != 0)
            length++;
        return length;
    }

    private static void EndProcess(Process* process)
    {
        if (!process->IsEnding)
        {
            // The last thread ended by exit, not exit_group: Linux's status is then its code.
            process->IsEnding = true;
        }
        Time.ProcessTimers.Release(process);
        if (process->SessionId == process->Id)
            Files.Terminal.EndSession(process->SessionId);
        Files.FileTable.Release(process->Files);
        Files.FileSystemContext.Release(process->FileSystem);
        if (Canaries.Count != 0)
            Canaries.Verify();
        // The first process is what the machine is for: what it holds is released only to be counted.
        if (LeakCheck.IsOn)
        {
            ReleaseMemory(process);
            LeakCheck.End();
        }
        PowerControl.EndOfProgram(process->ExitStatus);
    }
}
