// /proc/sys: the kernel's parameters. They can be read; those that programs set have their own calls. Source: proc(5).
using System;
using System.Runtime.CompilerServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files.Pipes;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Syscalls;

namespace Ukl.Kernel.Files.Proc;

/// <summary>The directories of /proc/sys.</summary>
internal static unsafe class SysctlEntries
{
    private const int UuidLength = 16;

    private static BootId s_bootId;
    private static bool s_hasBootId;

    [InlineArray(UuidLength)]
    private struct BootId
    {
        private byte _first;
    }

    /// <summary>The entries of /proc/sys/net; null without a network. The network sets it.</summary>
    internal static delegate*<ProcKey, ref ProcVisitor, void> Network { get; set; }

    internal static void ShowRoot(ProcKey key, ref ProcVisitor visitor)
    {
        visitor.Directory("fs"u8, &ShowFiles);
        visitor.Directory("kernel"u8, &ShowKernel);
        if (Network != null)
            visitor.Directory("net"u8, Network);
        visitor.Directory("vm"u8, &ShowMemory);
    }

    private static void ShowKernel(ProcKey key, ref ProcVisitor visitor)
    {
        visitor.File("cap_last_cap"u8, &WriteLastCapability);
        visitor.File("core_pattern"u8, &WriteCorePattern);
        visitor.File("hostname"u8, &WriteHostName);
        visitor.File("ngroups_max"u8, &WriteGroups);
        visitor.File("osrelease"u8, &WriteRelease);
        visitor.File("ostype"u8, &WriteSystem);
        visitor.File("pid_max"u8, &WriteHighestId);
        visitor.Directory("random"u8, &ShowRandom);
        visitor.File("randomize_va_space"u8, &WriteTwo);
        visitor.File("threads-max"u8, &WriteHighestId);
        visitor.File("version"u8, &WriteVersion);
    }

    private static void ShowRandom(ProcKey key, ref ProcVisitor visitor)
    {
        visitor.File("boot_id"u8, &WriteBootId);
        visitor.File("entropy_avail"u8, &WriteEntropy);
        visitor.File("poolsize"u8, &WriteEntropy);
        visitor.File("uuid"u8, &WriteUuid);
    }

    private static void ShowMemory(ProcKey key, ref ProcVisitor visitor)
    {
        visitor.File("max_map_count"u8, &WriteAreas);
        visitor.File("mmap_min_addr"u8, &WriteLowestAddress);
        visitor.File("overcommit_memory"u8, &WriteZero);
        visitor.File("overcommit_ratio"u8, &WriteFifty);
        visitor.File("swappiness"u8, &WriteZero);
    }

    private static void ShowFiles(ProcKey key, ref ProcVisitor visitor)
    {
        visitor.Directory("epoll"u8, &ShowEpoll);
        visitor.File("file-max"u8, &WriteFiles);
        visitor.File("file-nr"u8, &WriteFileCount);
        visitor.Directory("inotify"u8, &ShowInotify);
        visitor.File("nr_open"u8, &WriteDescriptors);
        visitor.File("pipe-max-size"u8, &WritePipeSize);
    }

    private static void ShowEpoll(ProcKey key, ref ProcVisitor visitor) => visitor.File("max_user_watches"u8, &WriteWatches);

    private static void ShowInotify(ProcKey key, ref ProcVisitor visitor)
    {
        visitor.File("max_queued_events"u8, &WriteInotifyEvents);
        visitor.File("max_user_instances"u8, &WriteInotifyInstances);
        visitor.File("max_user_watches"u8, &WriteWatches);
    }

    private static Errno Line(TextBuffer* text, ulong value)
    {
        text->WriteDecimal(value);
        text->WriteByte((byte)'\n');
        return Errno.None;
    }

    private static Errno Line(TextBuffer* text, ReadOnlySpan<byte> value)
    {
        text->Write(value);
        text->WriteByte((byte)'\n');
        return Errno.None;
    }

    private static Errno WriteZero(ProcKey key, TextBuffer* text) => Line(text, 0);

    private static Errno WriteTwo(ProcKey key, TextBuffer* text) => Line(text, 2);

    private static Errno WriteFifty(ProcKey key, TextBuffer* text) => Line(text, 50);

    private static Errno WriteLastCapability(ProcKey key, TextBuffer* text) => Line(text, 40);

    private static Errno WriteCorePattern(ProcKey key, TextBuffer* text) => Line(text, "core"u8);

    private static Errno WriteHostName(ProcKey key, TextBuffer* text) => Line(text, SystemCalls.HostName);

    private static Errno WriteGroups(ProcKey key, TextBuffer* text) => Line(text, 65536);

    private static Errno WriteRelease(ProcKey key, TextBuffer* text) => Line(text, SystemCalls.Release);

    private static Errno WriteSystem(ProcKey key, TextBuffer* text) => Line(text, "Linux"u8);

    private static Errno WriteVersion(ProcKey key, TextBuffer* text) => Line(text, "#1 UKL"u8);

    private static Errno WriteHighestId(ProcKey key, TextBuffer* text) => Line(text, 4194304);

    private static Errno WriteEntropy(ProcKey key, TextBuffer* text) => Line(text, 256);

    private static Errno WriteAreas(ProcKey key, TextBuffer* text) => Line(text, AddressSpace.MaximumAreaCount);

    private static Errno WriteLowestAddress(ProcKey key, TextBuffer* text) => Line(text, AddressSpace.LowestAddress);

    private static Errno WriteFiles(ProcKey key, TextBuffer* text) => Line(text, long.MaxValue);

    private static Errno WriteDescriptors(ProcKey key, TextBuffer* text) => Line(text, FileTable.MaximumLimit);

    private static Errno WritePipeSize(ProcKey key, TextBuffer* text) => Line(text, PipeBuffer.MaxCapacity);

    private static Errno WriteWatches(ProcKey key, TextBuffer* text) => Line(text, 1048576);

    private static Errno WriteInotifyEvents(ProcKey key, TextBuffer* text) => Line(text, 16384);

    private static Errno WriteInotifyInstances(ProcKey key, TextBuffer* text) => Line(text, 128);

    private static Errno WriteFileCount(ProcKey key, TextBuffer* text)
    {
        text->WriteDecimal(OpenFile.Count);
        text->Write("\t0\t"u8);
        return Line(text, long.MaxValue);
    }

    private static Errno WriteBootId(ProcKey key, TextBuffer* text)
    {
        byte* id = (byte*)Unsafe.AsPointer(ref s_bootId);
        if (!s_hasBootId)
        {
            Core.Random.Fill(id, UuidLength);
            s_hasBootId = true;
        }
        WriteUuidText(text, id);
        return Errno.None;
    }

    private static Errno WriteUuid(ProcKey key, TextBuffer* text)
    {
        byte* id = stackalloc byte[UuidLength];
        Core.Random.Fill(id, UuidLength);
        WriteUuidText(text, id);
        return Errno.None;
    }

    // A random (version 4) UUID, RFC 9562.
    private static void WriteUuidText(TextBuffer* text, byte* id)
    {
        for (int i = 0; i < UuidLength; i++)
        {
            if (i is 4 or 6 or 8 or 10)
                text->WriteByte((byte)'-');
            byte value = i switch
            {
                6 => (byte)((id[i] & 0x0f) | 0x40),
                8 => (byte)((id[i] & 0x3f) | 0x80),
                _ => id[i],
            };
            text->WriteHex(value, 2);
        }
        text->WriteByte((byte)'\n');
    }
}
