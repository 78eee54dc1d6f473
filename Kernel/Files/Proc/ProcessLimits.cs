using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files.Proc;

/// <summary>/proc/PID/limits. Source: proc(5), getrlimit(2).</summary>
internal static unsafe class ProcessLimits
{
    private const int NameWidth = 26, ValueWidth = 21;

    internal static Errno Write(ProcKey key, TextBuffer* text)
    {
        Process* process = ThreadTable.FindProcess(key.Process);
        if (process == null)
            return Errno.ESRCH;
        text->Write("Limit                     Soft Limit           Hard Limit           Units     \n"u8);
        // In the order of their numbers.
        int number = 0;
        Line(text, process, number++, "Max cpu time"u8, "seconds"u8);
        Line(text, process, number++, "Max file size"u8, "bytes"u8);
        Line(text, process, number++, "Max data size"u8, "bytes"u8);
        Line(text, process, number++, "Max stack size"u8, "bytes"u8);
        Line(text, process, number++, "Max core file size"u8, "bytes"u8);
        Line(text, process, number++, "Max resident set"u8, "bytes"u8);
        Line(text, process, number++, "Max processes"u8, "processes"u8);
        Line(text, process, number++, "Max open files"u8, "files"u8);
        Line(text, process, number++, "Max locked memory"u8, "bytes"u8);
        Line(text, process, number++, "Max address space"u8, "bytes"u8);
        Line(text, process, number++, "Max file locks"u8, "locks"u8);
        Line(text, process, number++, "Max pending signals"u8, "signals"u8);
        Line(text, process, number++, "Max msgqueue size"u8, "bytes"u8);
        Line(text, process, number++, "Max nice priority"u8, default);
        Line(text, process, number++, "Max realtime priority"u8, default);
        Line(text, process, number, "Max realtime timeout"u8, "us"u8);
        return Errno.None;
    }

    private static void Line(TextBuffer* text, Process* process, int number, ReadOnlySpan<byte> name, ReadOnlySpan<byte> unit)
    {
        ref ResourceLimit limit = ref process->Limits[number];
        nuint start = text->Length;
        text->Write(name);
        text->PadLine(start, NameWidth);
        Value(text, limit.Soft);
        text->PadLine(start, NameWidth + ValueWidth);
        Value(text, limit.Hard);
        text->PadLine(start, NameWidth + 2 * ValueWidth);
        text->Write(unit);
        text->WriteByte((byte)'\n');
    }

    private static void Value(TextBuffer* text, ulong value)
    {
        if (value == ResourceLimits.Infinity)
            text->Write("unlimited"u8);
        else
            text->WriteDecimal(value);
    }
}
