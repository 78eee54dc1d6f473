// /proc/<pid>/stat, statm and status. Source: proc(5); .NET reads VmRSS and its neighbours, ps and top read the rest.
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Files.Proc;

/// <summary>The state of a process or thread as text.</summary>
internal static unsafe class ProcessStatus
{
    private const ulong PageSize = 4096, KibibytesPerPage = 4;
    private const ulong NanosecondsPerClockTick = 10_000_000;
    private const int DefaultPriority = 20;
    private const ulong ConsoleDevice = 5 << 8 | 1;
    private const int ExitSignal = Signal.SIGCHLD;

    // What the old masks of stat have room for.
    private const ulong OldSignals = 0x7fff_ffff;

    internal static Errno WriteStat(ProcKey key, TextBuffer* text)
    {
        Errno error = ProcessEntries.Find(key, out Process* process, out Thread* thread);
        if (error != Errno.None)
            return error;
        bool isThread = key.Thread != 0;
        AddressSpace* memory = process->Memory;
        Terminal* terminal = Terminal.ControllingOf(process);
        Number(text, (ulong)thread->Id);
        text->WriteByte((byte)'(');
        text->WriteString((byte*)&thread->Name, ThreadName.Length);
        text->Write(") "u8);
        text->WriteByte(StateOf(process, thread));
        text->WriteByte((byte)' ');
        Number(text, (ulong)process->ParentId);
        Number(text, (ulong)process->GroupId);
        Number(text, (ulong)process->SessionId);
        Number(text, terminal == null ? 0 : ConsoleDevice);
        text->WriteSigned(terminal == null ? -1 : terminal->ForegroundGroup);
        // flags, minflt, cminflt, majflt, cmajflt
        text->Write(" 0 "u8);
        ResourceCounts counts = isThread ? thread->Counts : process->Counts;
        Number(text, counts.Faults);
        text->Write("0 0 0 "u8);
        Number(text, ClockTicks(isThread ? thread->UserTicks : process->UserTicks));
        Number(text, ClockTicks(isThread ? thread->SystemTicks : process->SystemTicks));
        // cutime, cstime
        text->Write("0 0 "u8);
        text->WriteSigned(DefaultPriority + thread->Nice);
        text->WriteByte((byte)' ');
        text->WriteSigned(thread->Nice);
        text->WriteByte((byte)' ');
        Number(text, (ulong)process->ThreadCount);
        text->Write("0 "u8);
        Number(text, (isThread ? thread->StartTime : process->StartTime) / NanosecondsPerClockTick);
        Number(text, memory == null ? 0 : memory->TotalPages * PageSize);
        Number(text, memory == null ? 0 : memory->ResidentPages);
        Number(text, ResourceLimits.Infinity);
        // startcode, endcode
        text->Write("0 0 "u8);
        Number(text, process->Areas.StackStart);
        // kstkesp, kstkeip
        text->Write("0 0 "u8);
        Number(text, (thread->PendingSignals.Pending | process->PendingSignals.Pending).Bits & OldSignals);
        Number(text, thread->SignalMask.Bits & OldSignals);
        SignalSets(process, out ulong ignored, out ulong caught);
        Number(text, ignored & OldSignals);
        Number(text, caught & OldSignals);
        // wchan, nswap, cnswap
        text->Write("0 0 0 "u8);
        Number(text, ExitSignal);
        // processor, rt_priority, policy, delayacct_blkio_ticks, guest_time, cguest_time, start_data, end_data
        text->Write("0 0 0 0 0 0 0 0 "u8);
        Number(text, memory == null ? 0 : memory->BreakStart);
        Number(text, process->Areas.ArgumentsStart);
        Number(text, process->Areas.ArgumentsEnd);
        Number(text, process->Areas.EnvironmentStart);
        Number(text, process->Areas.EnvironmentEnd);
        text->WriteDecimal((ulong)process->ExitStatus.Encoded);
        text->WriteByte((byte)'\n');
        return Errno.None;
    }

    internal static Errno WriteStatm(ProcKey key, TextBuffer* text)
    {
        Errno error = ProcessEntries.Find(key, out Process* process, out _);
        if (error != Errno.None)
            return error;
        AddressSpace* memory = process->Memory;
        Sizes(memory, out ulong data, out _, out ulong code);
        Number(text, memory == null ? 0 : memory->TotalPages);
        Number(text, memory == null ? 0 : memory->ResidentPages);
        text->Write("0 "u8);
        Number(text, code);
        text->Write("0 "u8);
        Number(text, data);
        text->Write("0\n"u8);
        return Errno.None;
    }

    internal static Errno WriteStatus(ProcKey key, TextBuffer* text)
    {
        Errno error = ProcessEntries.Find(key, out Process* process, out Thread* thread);
        if (error != Errno.None)
            return error;
        text->Write("Name:\t"u8);
        text->WriteString((byte*)&thread->Name, ThreadName.Length);
        text->Write("\nUmask:\t"u8);
        text->WriteOctal(process->FileSystem == null ? 0 : process->FileSystem->Umask, 4);
        text->Write("\nState:\t"u8);
        byte state = StateOf(process, thread);
        text->WriteByte(state);
        text->Write(state switch
        {
            (byte)'R' => " (running)"u8,
            (byte)'T' => " (stopped)"u8,
            (byte)'Z' => " (zombie)"u8,
            _ => " (sleeping)"u8,
        });
        Field(text, "\nTgid:\t"u8, (ulong)process->Id);
        Field(text, "\nNgid:\t"u8, 0);
        Field(text, "\nPid:\t"u8, (ulong)thread->Id);
        Field(text, "\nPPid:\t"u8, (ulong)process->ParentId);
        Field(text, "\nTracerPid:\t"u8, 0);
        ref Credentials ids = ref process->Credentials;
        Ids(text, "\nUid:"u8, ids.UserId, ids.EffectiveUserId, ids.SavedUserId);
        Ids(text, "\nGid:"u8, ids.GroupId, ids.EffectiveGroupId, ids.SavedGroupId);
        Field(text, "\nFDSize:\t"u8, process->Files == null ? 0 : process->Files->Capacity);
        text->Write("\nGroups:\t "u8);
        WriteMemory(text, process->Memory);
        Field(text, "\nThreads:\t"u8, (ulong)process->ThreadCount);
        WriteSignals(text, process, thread);
        WriteRest(text, ids.EffectiveUserId == 0, thread->Counts);
        return Errno.None;
    }

    private static void WriteMemory(TextBuffer* text, AddressSpace* memory)
    {
        if (memory == null)
            return;
        Sizes(memory, out ulong data, out ulong stack, out ulong code);
        // The peak of the whole size is not kept; it is at least what it is now.
        Kibibytes(text, "\nVmPeak:\t"u8, memory->TotalPages);
        Kibibytes(text, "\nVmSize:\t"u8, memory->TotalPages);
        Kibibytes(text, "\nVmLck:\t"u8, memory->LockedPages);
        Kibibytes(text, "\nVmPin:\t"u8, 0);
        Kibibytes(text, "\nVmHWM:\t"u8, memory->PeakResidentPages);
        Kibibytes(text, "\nVmRSS:\t"u8, memory->ResidentPages);
        Kibibytes(text, "\nRssAnon:\t"u8, memory->ResidentPages);
        Kibibytes(text, "\nRssFile:\t"u8, 0);
        Kibibytes(text, "\nRssShmem:\t"u8, 0);
        Kibibytes(text, "\nVmData:\t"u8, data);
        Kibibytes(text, "\nVmStk:\t"u8, stack);
        Kibibytes(text, "\nVmExe:\t"u8, code);
        Kibibytes(text, "\nVmLib:\t"u8, 0);
        Kibibytes(text, "\nVmPTE:\t"u8, 0);
        Kibibytes(text, "\nVmSwap:\t"u8, 0);
    }

    private static void WriteSignals(TextBuffer* text, Process* process, Thread* thread)
    {
        SignalSets(process, out ulong ignored, out ulong caught);
        text->Write("\nSigQ:\t0/"u8);
        text->WriteDecimal(process->Limits[ResourceLimits.PendingSignals].Soft);
        Mask(text, "\nSigPnd:\t"u8, thread->PendingSignals.Pending.Bits);
        Mask(text, "\nShdPnd:\t"u8, process->PendingSignals.Pending.Bits);
        Mask(text, "\nSigBlk:\t"u8, thread->SignalMask.Bits);
        Mask(text, "\nSigIgn:\t"u8, ignored);
        Mask(text, "\nSigCgt:\t"u8, caught);
    }

    private static void WriteRest(TextBuffer* text, bool isRoot, in ResourceCounts counts)
    {
        const ulong allCapabilities = (1ul << 41) - 1;
        ulong capabilities = isRoot ? allCapabilities : 0;
        Mask(text, "\nCapInh:\t"u8, 0);
        Mask(text, "\nCapPrm:\t"u8, capabilities);
        Mask(text, "\nCapEff:\t"u8, capabilities);
        Mask(text, "\nCapBnd:\t"u8, allCapabilities);
        Mask(text, "\nCapAmb:\t"u8, 0);
        Field(text, "\nNoNewPrivs:\t"u8, 0);
        Field(text, "\nSeccomp:\t"u8, 0);
        text->Write("\nCpus_allowed:\t"u8);
        text->WriteHex((1ul << Cpu.Count) - 1);
        text->Write("\nCpus_allowed_list:\t"u8);
        CpuFiles.WriteRange(text);
        text->Write("\nMems_allowed:\t1\nMems_allowed_list:\t0"u8);
        Field(text, "\nvoluntary_ctxt_switches:\t"u8, counts.VoluntarySwitches);
        Field(text, "\nnonvoluntary_ctxt_switches:\t"u8, counts.InvoluntarySwitches);
        text->WriteByte((byte)'\n');
    }

    private static byte StateOf(Process* process, Thread* thread)
    {
        if (thread->State == ThreadState.Dead)
            return (byte)'Z';
        if (process->IsStopped)
            return (byte)'T';
        return thread->State == ThreadState.Runnable ? (byte)'R' : (byte)'S';
    }

    // Pages of private writable areas, of the stack, and of executable ones.
    private static void Sizes(AddressSpace* memory, out ulong data, out ulong stack, out ulong code)
    {
        data = stack = code = 0;
        if (memory == null)
            return;
        for (VirtualMemoryArea* area = memory->FirstArea; area != null; area = area->Next)
        {
            if ((area->Flags & AreaFlags.GrowsDown) != 0)
                stack += area->PageCount;
            else if ((area->Protection & Protection.Write) != 0 && !area->IsShared)
                data += area->PageCount;
            else if ((area->Protection & Protection.Execute) != 0)
                code += area->PageCount;
        }
    }

    private static void SignalSets(Process* process, out ulong ignored, out ulong caught)
    {
        ignored = caught = 0;
        for (int i = 0; i < Signal.Highest; i++)
        {
            ulong handler = process->Actions[i].Handler;
            if (handler == SignalAction.Ignore)
                ignored |= 1ul << i;
            else if (handler != SignalAction.Default)
                caught |= 1ul << i;
        }
    }

    private static ulong ClockTicks(ulong ticks) => Clock.TicksToNanoseconds(ticks) / NanosecondsPerClockTick;

    private static void Number(TextBuffer* text, ulong value)
    {
        text->WriteDecimal(value);
        text->WriteByte((byte)' ');
    }

    private static void Field(TextBuffer* text, ReadOnlySpan<byte> name, ulong value)
    {
        text->Write(name);
        text->WriteDecimal(value);
    }

    private static void Mask(TextBuffer* text, ReadOnlySpan<byte> name, ulong value)
    {
        text->Write(name);
        text->WriteHex(value, 16);
    }

    private static void Kibibytes(TextBuffer* text, ReadOnlySpan<byte> name, ulong pages)
    {
        text->Write(name);
        text->WriteDecimal(pages * KibibytesPerPage, 8);
        text->Write(" kB"u8);
    }

    // Real, effective, saved and file-system id; the last follows the effective one.
    private static void Ids(TextBuffer* text, ReadOnlySpan<byte> name, uint real, uint effective, uint saved)
    {
        text->Write(name);
        Field(text, "\t"u8, real);
        Field(text, "\t"u8, effective);
        Field(text, "\t"u8, saved);
        Field(text, "\t"u8, effective);
    }
}
