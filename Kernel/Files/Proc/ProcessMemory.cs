// /proc/<pid>/maps and what the start of a program left in its memory: cmdline, environ, auxv. Source: proc(5).
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Arch;
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
        Errno error = Errno.None;
        for (VirtualMemoryArea* area = process->Memory->FirstArea; area != null && error == Errno.None; area = area->Next)
            error = WriteArea(text, process, area);
        if (error == Errno.None && !process->IsUserMode && Image.HasLinkedProgram)
            WriteImage(text, process);
        return error;
    }

    // A linked program's code, constants and variables lie in the image, which is no area of its address space.
    private static void WriteImage(TextBuffer* text, Process* process)
    {
        WriteImagePart(text, process, Image.Start, Image.TextStart, " r--p "u8);
        WriteImagePart(text, process, Image.TextStart, Image.TextEnd, " r-xp "u8);
        WriteImagePart(text, process, Image.TextEnd, Image.DataEnd, " rw-p "u8);
    }

    private static void WriteImagePart(TextBuffer* text, Process* process, ulong start, ulong end, ReadOnlySpan<byte> protection)
    {
        nuint lineStart = text->Length;
        text->WriteHex(start, 8);
        text->WriteByte((byte)'-');
        text->WriteHex(end, 8);
        text->Write(protection);
        text->WriteHex(start - Image.Start, 8);
        text->Write(" 00:00 0 "u8);
        text->PadLine(lineStart, NameColumn);
        int length = 0;
        while (process->ExecutablePath[length] != 0)
            length++;
        text->Write(new ReadOnlySpan<byte>(process->ExecutablePath, length));
        text->WriteByte((byte)'\n');
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

    private static Errno WriteArea(TextBuffer* text, Process* process, VirtualMemoryArea* area)
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
        Inode* inode = FileOf(area) == null ? null : FileOf(area)->Inode;
        ulong device = inode == null ? 0 : inode->FileSystem->DeviceNumber;
        text->WriteHex(DeviceNumber.Major(device), 2);
        text->WriteByte((byte)':');
        text->WriteHex(DeviceNumber.Minor(device), 2);
        text->WriteByte((byte)' ');
        text->WriteDecimal(inode == null ? 0 : inode->Number);
        text->WriteByte((byte)' ');
        Errno error = WriteName(text, process, area, lineStart);
        text->WriteByte((byte)'\n');
        return error;
    }

    private static OpenFile* FileOf(VirtualMemoryArea* area) => area->File.IsOpenFile ? (OpenFile*)area->File.Object : null;

    private static Errno WriteName(TextBuffer* text, Process* process, VirtualMemoryArea* area, nuint lineStart)
    {
        AddressSpace* memory = process->Memory;
        OpenFile* file = FileOf(area);
        if (file != null)
        {
            text->PadLine(lineStart, NameColumn);
            return PathWriter.Write(file->Path, text);
        }
        ReadOnlySpan<byte> name = default;
        if ((area->Flags & AreaFlags.SharedMemory) != 0)
            name = "/dev/zero (deleted)"u8;
        else if (memory->IsHeap(area))
            name = "[heap]"u8;
        else if (memory->IsStack(area))
            name = "[stack]"u8;
        else if (area->File.IsPresent && area->Start == process->Areas.VdsoStart)
            name = "[vdso]"u8;
        else if (area->File.IsPresent && area->Start + PageAllocator.PageSize == process->Areas.VdsoStart)
            name = "[vvar]"u8;
        if (name.Length != 0)
        {
            text->PadLine(lineStart, NameColumn);
            text->Write(name);
        }
        return Errno.None;
    }
}
