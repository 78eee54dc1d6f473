// The control group tree, version 2, with one group: the whole machine. .NET's garbage collector takes the limit of its heap from memory.max and its load from
// memory.current less inactive_file, so that it throws OutOfMemoryException before the machine runs out. Source: Linux's Documentation/admin-guide/cgroup-v2.
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files.Proc;

/// <summary>/sys/fs/cgroup.</summary>
internal static unsafe class CgroupEntries
{
    private const ulong PageSize = 4096;
    private const ulong NanosecondsPerMicrosecond = 1000;

    internal static void Show(ProcKey key, ref ProcVisitor visitor)
    {
        visitor.File("cgroup.controllers"u8, &WriteControllers);
        visitor.File("cgroup.events"u8, &WriteEvents);
        visitor.File("cgroup.max.depth"u8, &WriteMax);
        visitor.File("cgroup.max.descendants"u8, &WriteMax);
        visitor.File("cgroup.procs"u8, &WriteProcesses);
        visitor.File("cgroup.stat"u8, &WriteGroupStatistics);
        visitor.File("cgroup.subtree_control"u8, &WriteNothing);
        visitor.File("cgroup.threads"u8, &WriteThreads);
        visitor.File("cgroup.type"u8, &WriteType);
        visitor.File("cpu.max"u8, &WriteCpuMax);
        visitor.File("cpu.stat"u8, &WriteCpuStatistics);
        visitor.File("cpu.weight"u8, &WriteCpuWeight);
        visitor.File("memory.current"u8, &WriteMemoryCurrent);
        visitor.File("memory.events"u8, &WriteMemoryEvents);
        visitor.File("memory.high"u8, &WriteMax);
        visitor.File("memory.low"u8, &WriteZero);
        visitor.File("memory.max"u8, &WriteMemoryMax);
        visitor.File("memory.min"u8, &WriteZero);
        visitor.File("memory.stat"u8, &WriteMemoryStatistics);
        visitor.File("memory.swap.current"u8, &WriteZero);
        visitor.File("memory.swap.max"u8, &WriteZero);
        visitor.File("pids.current"u8, &WriteThreadCount);
        visitor.File("pids.max"u8, &WriteMax);
    }

    private static ulong UsedMemory => (PageAllocator.TotalPages - PageAllocator.FreePages) * PageSize;

    private static Errno WriteControllers(ProcKey key, TextBuffer* text) => Line(text, "cpu memory pids"u8);

    private static Errno WriteEvents(ProcKey key, TextBuffer* text) => Line(text, "populated 1\nfrozen 0"u8);

    private static Errno WriteMax(ProcKey key, TextBuffer* text) => Line(text, "max"u8);

    private static Errno WriteZero(ProcKey key, TextBuffer* text) => Line(text, "0"u8);

    private static Errno WriteNothing(ProcKey key, TextBuffer* text) => Line(text, ""u8);

    private static Errno WriteType(ProcKey key, TextBuffer* text) => Line(text, "domain"u8);

    private static Errno WriteGroupStatistics(ProcKey key, TextBuffer* text) => Line(text, "nr_descendants 0\nnr_dying_descendants 0"u8);

    private static Errno WriteCpuMax(ProcKey key, TextBuffer* text) => Line(text, "max 100000"u8);

    private static Errno WriteCpuWeight(ProcKey key, TextBuffer* text) => Line(text, "100"u8);

    private static Errno WriteMemoryEvents(ProcKey key, TextBuffer* text) => Line(text, "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0"u8);

    private static Errno WriteMemoryMax(ProcKey key, TextBuffer* text) => Line(text, PageAllocator.TotalPages * PageSize);

    private static Errno WriteMemoryCurrent(ProcKey key, TextBuffer* text) => Line(text, UsedMemory);

    private static Errno WriteThreadCount(ProcKey key, TextBuffer* text) => Line(text, (ulong)ThreadTable.Count);

    private static Errno WriteProcesses(ProcKey key, TextBuffer* text)
    {
        int id = 0;
        while ((id = ProcessList.NextProcess(id)) != 0)
            Line(text, (ulong)id);
        return Errno.None;
    }

    private static Errno WriteThreads(ProcKey key, TextBuffer* text)
    {
        int id = 0;
        while ((id = ProcessList.NextProcess(id)) != 0)
        {
            Process* process = ThreadTable.FindProcess(id);
            int thread = 0;
            while ((thread = ProcessList.NextThread(process, thread)) != 0)
                Line(text, (ulong)thread);
        }
        return Errno.None;
    }

    private static Errno WriteCpuStatistics(ProcKey key, TextBuffer* text)
    {
        ProcessList.SumTimes(out ulong user, out ulong system);
        text->Write("usage_usec "u8);
        Line(text, (user + system) / NanosecondsPerMicrosecond);
        text->Write("user_usec "u8);
        Line(text, user / NanosecondsPerMicrosecond);
        text->Write("system_usec "u8);
        return Line(text, system / NanosecondsPerMicrosecond);
    }

    // Files live in memory without a copy on a disk: none of it is cache that could be given up, so inactive_file is 0.
    private static Errno WriteMemoryStatistics(ProcKey key, TextBuffer* text)
    {
        ulong resident = ProcessList.ResidentPages * PageSize;
        ulong used = UsedMemory;
        text->Write("anon "u8);
        Line(text, resident);
        text->Write("file 0\nkernel "u8);
        Line(text, used > resident ? used - resident : 0);
        text->Write("shmem 0\nfile_mapped 0\nfile_dirty 0\nfile_writeback 0\ninactive_anon 0\nactive_anon "u8);
        Line(text, resident);
        return Line(text, "inactive_file 0\nactive_file 0\nunevictable 0\npgfault 0\npgmajfault 0"u8);
    }

    private static Errno Line(TextBuffer* text, System.ReadOnlySpan<byte> line)
    {
        text->Write(line);
        text->WriteByte((byte)'\n');
        return Errno.None;
    }

    private static Errno Line(TextBuffer* text, ulong value)
    {
        text->WriteDecimal(value);
        text->WriteByte((byte)'\n');
        return Errno.None;
    }
}
