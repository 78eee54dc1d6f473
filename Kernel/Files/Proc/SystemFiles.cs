// The files of /proc about the machine as a whole. Source: proc(5); .NET reads MemAvailable of meminfo, busybox's free, uptime and top the rest.
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Boot;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Syscalls;
using Ukl.Kernel.Tasks;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Files.Proc;

/// <summary>meminfo, stat, uptime and their like.</summary>
public static unsafe class SystemFiles
{
    private const ulong KibibytesPerPage = 4;
    private const ulong NanosecondsPerClockTick = 10_000_000;
    private const ulong NanosecondsPerSecond = 1_000_000_000;
    private const int MemoryValueColumn = 16, MemoryValueWidth = 8;

    /// <summary>The kernel's command line; null: none is shown. Boot sets it.</summary>
    public static CommandLine* CommandLine { get; set; }

    internal static Errno WriteCommandLine(ProcKey key, TextBuffer* text)
    {
        if (CommandLine != null)
        {
            bool isFirst = true;
            WriteWords(text, CommandLine->Options, ref isFirst);
            CommandLineWords arguments = CommandLine->Arguments;
            if (arguments.MoveNext())
            {
                text->Write(isFirst ? "--"u8 : " --"u8);
                isFirst = false;
                WriteWords(text, CommandLine->Arguments, ref isFirst);
            }
        }
        text->WriteByte((byte)'\n');
        return Errno.None;
    }

    internal static Errno WriteVersion(ProcKey key, TextBuffer* text)
    {
        text->Write("Linux version "u8);
        text->Write(SystemCalls.Release);
        text->Write(" (ukl@ukl) (NativeAOT) #1 UKL\n"u8);
        return Errno.None;
    }

    internal static Errno WriteFileSystems(ProcKey key, TextBuffer* text)
    {
        text->Write("nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tcgroup2\n"u8);
        return Errno.None;
    }

    internal static Errno WriteSwaps(ProcKey key, TextBuffer* text)
    {
        text->Write("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"u8);
        return Errno.None;
    }

    internal static Errno WriteMemory(ProcKey key, TextBuffer* text)
    {
        ulong resident = ProcessList.ResidentPages;
        Pages(text, "MemTotal:"u8, PageAllocator.TotalPages);
        Pages(text, "MemFree:"u8, PageAllocator.FreePages);
        // Files live in memory only, so nothing but free pages can be had.
        Pages(text, "MemAvailable:"u8, PageAllocator.FreePages);
        Pages(text, "Buffers:"u8, 0);
        Pages(text, "Cached:"u8, 0);
        Pages(text, "SwapCached:"u8, 0);
        Pages(text, "Active:"u8, resident);
        Pages(text, "Inactive:"u8, 0);
        Pages(text, "Active(anon):"u8, resident);
        Pages(text, "Inactive(anon):"u8, 0);
        Pages(text, "Active(file):"u8, 0);
        Pages(text, "Inactive(file):"u8, 0);
        Pages(text, "Unevictable:"u8, 0);
        Pages(text, "Mlocked:"u8, 0);
        Pages(text, "SwapTotal:"u8, 0);
        Pages(text, "SwapFree:"u8, 0);
        Pages(text, "Dirty:"u8, 0);
        Pages(text, "Writeback:"u8, 0);
        Pages(text, "AnonPages:"u8, resident);
        Pages(text, "Mapped:"u8, 0);
        Pages(text, "Shmem:"u8, 0);
        Pages(text, "SReclaimable:"u8, 0);
        return Errno.None;
    }

    internal static Errno WriteUptime(ProcKey key, TextBuffer* text)
    {
        text->WriteHundredths(Clock.MonotonicNanoseconds / NanosecondsPerClockTick);
        text->WriteByte((byte)' ');
        text->WriteHundredths(IdleNanoseconds() / NanosecondsPerClockTick);
        text->WriteByte((byte)'\n');
        return Errno.None;
    }

    // The load is not averaged: it is what runs now.
    internal static Errno WriteLoadAverage(ProcKey key, TextBuffer* text)
    {
        text->Write("0.00 0.00 0.00 "u8);
        text->WriteDecimal(ProcessList.RunningThreads);
        text->WriteByte((byte)'/');
        text->WriteDecimal((ulong)ThreadTable.Count);
        text->WriteByte((byte)' ');
        text->WriteDecimal((ulong)Scheduler.Current->Id);
        text->WriteByte((byte)'\n');
        return Errno.None;
    }

    internal static Errno WriteStatistics(ProcKey key, TextBuffer* text)
    {
        ProcessList.SumTimes(out ulong user, out ulong system);
        ulong idle = IdleNanoseconds();
        text->Write("cpu "u8);
        WriteTimes(text, user, system, idle);
        for (int cpu = 0; cpu < Cpu.Count; cpu++)
        {
            // Times are kept per thread; they are shown as if the processors shared them evenly.
            text->Write("cpu"u8);
            text->WriteDecimal((ulong)cpu);
            WriteTimes(text, user / (ulong)Cpu.Count, system / (ulong)Cpu.Count, idle / (ulong)Cpu.Count);
        }
        text->Write("intr 0\nctxt 0\nbtime "u8);
        text->WriteDecimal(Clock.RealtimeOffset / NanosecondsPerSecond);
        text->Write("\nprocesses "u8);
        text->WriteDecimal((ulong)ThreadTable.Count);
        text->Write("\nprocs_running "u8);
        text->WriteDecimal(ProcessList.RunningThreads);
        text->Write("\nprocs_blocked 0\n"u8);
        return Errno.None;
    }

    private static ulong IdleNanoseconds()
    {
        ProcessList.SumTimes(out ulong user, out ulong system);
        ulong total = Clock.MonotonicNanoseconds * (ulong)Cpu.Count;
        return total > user + system ? total - user - system : 0;
    }

    // user nice system idle iowait irq softirq steal guest guest_nice
    private static void WriteTimes(TextBuffer* text, ulong user, ulong system, ulong idle)
    {
        text->WriteByte((byte)' ');
        text->WriteDecimal(user / NanosecondsPerClockTick);
        text->Write(" 0 "u8);
        text->WriteDecimal(system / NanosecondsPerClockTick);
        text->WriteByte((byte)' ');
        text->WriteDecimal(idle / NanosecondsPerClockTick);
        text->Write(" 0 0 0 0 0 0\n"u8);
    }

    private static void WriteWords(TextBuffer* text, CommandLineWords words, ref bool isFirst)
    {
        while (words.MoveNext())
        {
            if (!isFirst)
                text->WriteByte((byte)' ');
            isFirst = false;
            text->Write(words.Current);
        }
    }

    private static void Pages(TextBuffer* text, ReadOnlySpan<byte> name, ulong pages)
    {
        nuint start = text->Length;
        text->Write(name);
        text->PadLine(start, MemoryValueColumn);
        text->WriteDecimal(pages * KibibytesPerPage, MemoryValueWidth);
        text->Write(" kB\n"u8);
    }
}
