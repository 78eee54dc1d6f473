using Ukl.Kernel.Abi;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files.Proc;

/// <summary>The directory /proc.</summary>
internal static unsafe class ProcRoot
{
    /// <summary>The entries of /proc/net; null without a network. The network sets it.</summary>
    internal static delegate*<ProcKey, ref ProcVisitor, void> NetworkEntries { get; set; }

    internal static void Show(ProcKey key, ref ProcVisitor visitor)
    {
        visitor.Link("self"u8, &WriteSelf);
        visitor.Link("thread-self"u8, &WriteThreadSelf);
        visitor.Link("mounts"u8, &WriteMountsLink);
        visitor.File("cmdline"u8, &SystemFiles.WriteCommandLine);
        visitor.File("cpuinfo"u8, &CpuFiles.WriteInformation);
        visitor.File("filesystems"u8, &SystemFiles.WriteFileSystems);
        visitor.File("loadavg"u8, &SystemFiles.WriteLoadAverage);
        visitor.File("meminfo"u8, &SystemFiles.WriteMemory);
        visitor.File("stat"u8, &SystemFiles.WriteStatistics);
        visitor.File("swaps"u8, &SystemFiles.WriteSwaps);
        if (NetworkEntries != null)
            visitor.Directory("net"u8, NetworkEntries);
        visitor.Directory("sys"u8, &SysctlEntries.ShowRoot);
        visitor.File("uptime"u8, &SystemFiles.WriteUptime);
        visitor.File("version"u8, &SystemFiles.WriteVersion);
        uint first = visitor.FirstNumber;
        if (first > int.MaxValue)
            return;
        int id = (int)first - 1;
        while (!visitor.IsDone && (id = ProcessList.NextProcess(id)) != 0)
            visitor.AddNumbered((uint)id, ProcessEntries.NodeOf(ThreadTable.FindProcess(id)));
    }

    private static Errno WriteSelf(ProcKey key, TextBuffer* text)
    {
        text->WriteDecimal((ulong)Process.Current->Id);
        return Errno.None;
    }

    private static Errno WriteThreadSelf(ProcKey key, TextBuffer* text)
    {
        text->WriteDecimal((ulong)Process.Current->Id);
        text->Write("/task/"u8);
        text->WriteDecimal((ulong)Scheduler.Current->Id);
        return Errno.None;
    }

    private static Errno WriteMountsLink(ProcKey key, TextBuffer* text)
    {
        text->Write("self/mounts"u8);
        return Errno.None;
    }
}
