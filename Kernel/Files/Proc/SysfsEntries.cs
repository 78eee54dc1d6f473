// /sys, as far as runtimes and C libraries read it: processors, memory nodes, huge pages. Source: Linux's Documentation/ABI/stable and testing.
using Ukl.Kernel.Abi;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Files.Proc;

/// <summary>The directories of /sys.</summary>
internal static unsafe class SysfsEntries
{
    private const ulong KibibytesPerPage = 4;

    /// <summary>The entries of /sys/class; null without a network. The network sets it.</summary>
    internal static delegate*<ProcKey, ref ProcVisitor, void> Classes { get; set; }

    internal static void ShowRoot(ProcKey key, ref ProcVisitor visitor)
    {
        if (Classes != null)
            visitor.Directory("class"u8, Classes);
        visitor.Directory("devices"u8, &ShowDevices);
        visitor.Directory("fs"u8, &ShowFileSystems);
        visitor.Directory("kernel"u8, &ShowKernel);
    }

    private static void ShowFileSystems(ProcKey key, ref ProcVisitor visitor) => visitor.Directory("cgroup"u8, &ShowNothing);

    private static void ShowDevices(ProcKey key, ref ProcVisitor visitor) => visitor.Directory("system"u8, &ShowSystem);

    private static void ShowSystem(ProcKey key, ref ProcVisitor visitor)
    {
        visitor.Directory("cpu"u8, &CpuFiles.ShowAll);
        visitor.Directory("node"u8, &ShowNodes);
    }

    private static void ShowNodes(ProcKey key, ref ProcVisitor visitor)
    {
        visitor.File("has_cpu"u8, &WriteZero);
        visitor.File("has_memory"u8, &WriteZero);
        visitor.Directory("node0"u8, &ShowNode);
        visitor.File("online"u8, &WriteZero);
        visitor.File("possible"u8, &WriteZero);
    }

    private static void ShowNode(ProcKey key, ref ProcVisitor visitor)
    {
        visitor.File("cpulist"u8, &WriteProcessors);
        visitor.File("cpumap"u8, &WriteProcessorMap);
        visitor.File("distance"u8, &WriteDistance);
        visitor.File("meminfo"u8, &WriteNodeMemory);
    }

    private static void ShowKernel(ProcKey key, ref ProcVisitor visitor) => visitor.Directory("mm"u8, &ShowMemory);

    private static void ShowMemory(ProcKey key, ref ProcVisitor visitor) => visitor.Directory("transparent_hugepage"u8, &ShowHugePages);

    private static void ShowHugePages(ProcKey key, ref ProcVisitor visitor) => visitor.File("enabled"u8, &WriteHugePages);

    private static void ShowNothing(ProcKey key, ref ProcVisitor visitor)
    {
    }

    private static Errno WriteZero(ProcKey key, TextBuffer* text)
    {
        text->Write("0\n"u8);
        return Errno.None;
    }

    private static Errno WriteDistance(ProcKey key, TextBuffer* text)
    {
        text->Write("10\n"u8);
        return Errno.None;
    }

    private static Errno WriteHugePages(ProcKey key, TextBuffer* text)
    {
        text->Write("always madvise [never]\n"u8);
        return Errno.None;
    }

    private static Errno WriteProcessors(ProcKey key, TextBuffer* text)
    {
        CpuFiles.WriteRange(text);
        text->WriteByte((byte)'\n');
        return Errno.None;
    }

    private static Errno WriteProcessorMap(ProcKey key, TextBuffer* text)
    {
        text->WriteHex((1ul << Cpu.Count) - 1, 8);
        text->WriteByte((byte)'\n');
        return Errno.None;
    }

    private static Errno WriteNodeMemory(ProcKey key, TextBuffer* text)
    {
        text->Write("Node 0 MemTotal:       "u8);
        text->WriteDecimal(PageAllocator.TotalPages * KibibytesPerPage, 8);
        text->Write(" kB\nNode 0 MemFree:        "u8);
        text->WriteDecimal(PageAllocator.FreePages * KibibytesPerPage, 8);
        text->Write(" kB\n"u8);
        return Errno.None;
    }
}
