// /proc/<pid>/maps and what the start of a program left in its memory: cmdline, environ, auxv. Source: proc(5).
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files.Proc;

/// <summary>A process's memory as text.</summary>
internal static unsafe class ProcessMemory
{
    // Column in which maps writes the name.
    private const int NameColumn = 73;
    private const int ChunkSize = 256;

    internal static Errno WriteMaps(ProcKey key, TextBuffer* text)
    {
        Process* process = ThreadTable.FindProcess(key.Process);
        if (process == null)
            return Errno.ESRCH;
        if (process->Memory == null)
            return Errno.None;
        Path executable = FindExecutable(process);
        for (VirtualMemoryArea* area = process->Memory->FirstArea; area != null; area = area->Next)
            WriteArea(text, process, area, executable);
        executable.Release();
        return Errno.None;
    }

    internal static Errno WriteArguments(ProcKey key, TextBuffer* text)
    {
        Process* process = ThreadTable.FindProcess(key.Process);
        return process == null ? Errno.ESRCH : Copy(process, process->Areas.ArgumentsStart, process->Areas.ArgumentsEnd, text);
    }

    internal static Errno WriteEnvironment(ProcKey key, TextBuffer* text)
    {
        Process* process = ThreadTable.FindProcess(key.Process);
        return process == null ? Errno.ESRCH : Copy(process, process->Areas.EnvironmentStart, process->Areas.EnvironmentEnd, text);
    }

    internal static Errno WriteAuxiliaryVector(ProcKey key, TextBuffer* text)
    {
        Process* process = ThreadTable.FindProcess(key.Process);
        return process == null ? Errno.ESRCH : Copy(process, process->Areas.AuxiliaryStart, process->Areas.AuxiliaryEnd, text);
    }

    // The memory of another process is not mapped here: its files read as empty.
    private static Errno Copy(Process* process, ulong start, ulong end, TextBuffer* text)
    {
        if (process != Process.Current)
            return Errno.None;
        byte* chunk = stackalloc byte[ChunkSize];
        for (ulong at = start; at < end;)
        {
            nuint count = end - at < ChunkSize ? (nuint)(end - at) : ChunkSize;
            if (!UserMemory.CopyIn(chunk, at, count))
                return Errno.EIO;
            text->Write(new ReadOnlySpan<byte>(chunk, (int)count));
            at += count;
        }
        return Errno.None;
    }

    private static Path FindExecutable(Process* process)
    {
        if (process->ExecutablePath == null)
            return default;
        int length = 0;
        while (process->ExecutablePath[length] != 0)
            length++;
        Vfs.Find(new ReadOnlySpan<byte>(process->ExecutablePath, length), out Path path);
        return path;
    }

    private static void WriteArea(TextBuffer* text, Process* process, VirtualMemoryArea* area, in Path executable)
    {
        nuint lineStart = text->Length;
        text->WriteHex(area->Start, 8);
        text->WriteByte((byte)'-');
        text->WriteHex(area->End, 8);
        text->WriteByte((byte)' ');
        text->WriteByte((area->Protection & Protection.Read) != 0 ? (byte)'r' : (byte)'-');
        text->WriteByte((area->Protection & Protection.Write) != 0 ? (byte)'w' : (byte)'-');
        text->WriteByte((area->Protection & Protection.Execute) != 0 ? (byte)'x' : (byte)'-');
        text->WriteByte(area->IsShared ? (byte)'s' : (byte)'p');
        text->WriteByte((byte)' ');
        text->WriteHex(area->FilePage * PageAllocator.PageSize, 8);
        text->WriteByte((byte)' ');
        // Only the executable's mappings are known by name: a mapping does not keep the path it was opened by.
        bool isExecutable = area->File.IsPresent && !executable.IsEmpty && area->File.Object == executable.Inode;
        ulong device = isExecutable ? executable.Inode->FileSystem->DeviceNumber : 0;
        text->WriteHex(DeviceNumber.Major(device), 2);
        text->WriteByte((byte)':');
        text->WriteHex(DeviceNumber.Minor(device), 2);
        text->WriteByte((byte)' ');
        text->WriteDecimal(isExecutable ? executable.Inode->Number : 0);
        text->WriteByte((byte)' ');
        WriteName(text, process, area, isExecutable, lineStart);
        text->WriteByte((byte)'\n');
    }

    private static void WriteName(TextBuffer* text, Process* process, VirtualMemoryArea* area, bool isExecutable, nuint lineStart)
    {
        AddressSpace* memory = process->Memory;
        ReadOnlySpan<byte> name = default;
        if ((area->Flags & AreaFlags.SharedMemory) != 0)
            name = "/dev/zero (deleted)"u8;
        else if (!area->File.IsPresent && area->Start < memory->Break && area->End > memory->BreakStart)
            name = "[heap]"u8;
        else if (area->Start <= memory->StackStart && area->End >= memory->StackStart && memory->StackStart != 0)
            name = "[stack]"u8;
        if (isExecutable || name.Length != 0)
            text->PadLine(lineStart, NameColumn);
        if (isExecutable)
            text->WriteString(process->ExecutablePath, FileNames.MaximumPathLength);
        else
            text->Write(name);
    }
}
