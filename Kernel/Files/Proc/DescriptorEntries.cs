// /proc/<pid>/fd and fdinfo. Source: proc(5).
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files.Proc;

/// <summary>A process's descriptors as directory entries.</summary>
internal static unsafe class DescriptorEntries
{
    private const int MaxDescription = 128;
    private const uint OwnerReads = 0x100, OwnerWrites = 0x80, OwnerSearches = 0x40;

    internal static void ShowLinks(ProcKey key, ref ProcVisitor visitor)
    {
        FileTable* files = TableOf(key);
        if (files == null)
            return;
        for (uint fd = visitor.FirstNumber; fd < files->Capacity && !visitor.IsDone; fd++)
        {
            if (!files->TryGet(new Fd((int)fd), out OpenFile* file))
                continue;
            // The link's permissions show what the file is open for.
            uint mode = ModeBits.SymbolicLink | OwnerSearches | (file->CanRead ? OwnerReads : 0) | (file->CanWrite ? OwnerWrites : 0);
            visitor.AddNumbered(fd, new ProcNode
            {
                Mode = mode,
                Key = new ProcKey(key.Process, key.Thread, (int)fd),
                Target = &WriteTarget,
                Follow = &Follow,
                Open = &Open,
            });
        }
    }

    internal static void ShowInformation(ProcKey key, ref ProcVisitor visitor)
    {
        FileTable* files = TableOf(key);
        if (files == null)
            return;
        for (uint fd = visitor.FirstNumber; fd < files->Capacity && !visitor.IsDone; fd++)
        {
            if (files->TryGet(new Fd((int)fd), out _))
                visitor.AddNumbered(fd, new ProcNode { Mode = ModeBits.Regular | OwnerReads, Key = new ProcKey(key.Process, key.Thread, (int)fd), Content = &WriteInformation });
        }
    }

    private static FileTable* TableOf(ProcKey key)
    {
        Process* process = ThreadTable.FindProcess(key.Process);
        return process == null ? null : process->Files;
    }

    private static bool TryGet(ProcKey key, out OpenFile* file)
    {
        file = null;
        FileTable* files = TableOf(key);
        return files != null && files->TryGet(new Fd(key.Number), out file);
    }

    private static Errno WriteTarget(ProcKey key, TextBuffer* text)
    {
        if (!TryGet(key, out OpenFile* file))
            return Errno.ENOENT;
        if (!file->Path.IsEmpty)
            return PathWriter.Write(file->Path, text);
        Span<byte> description = stackalloc byte[MaxDescription];
        text->Write(description[..file->Operations->Describe(file, description)]);
        return Errno.None;
    }

    private static Result Follow(ProcKey key, Path* target)
    {
        if (!TryGet(key, out OpenFile* file))
            return Errno.ENOENT;
        if (file->Path.IsEmpty)
            return Errno.ENOSYS;
        *target = file->Path.Share();
        return Result.Ok;
    }

    // A file without path is opened as the same open file; on Linux this works for pipes and memory files, and gives ENXIO for sockets.
    private static Result Open(ProcKey key, OpenFlags flags, OpenFile** opened)
    {
        if (!TryGet(key, out OpenFile* file))
            return Errno.ENOENT;
        if (!file->Path.IsEmpty)
            return Errno.ENOSYS;
        uint type = file->Operations->AnonymousMode & ModeBits.TypeMask;
        if (type is ModeBits.Socket or 0)
            return Errno.ENXIO;
        file->AddReference();
        *opened = file;
        return Result.Ok;
    }

    private static Errno WriteInformation(ProcKey key, TextBuffer* text)
    {
        if (!TryGet(key, out OpenFile* file))
            return Errno.ENOENT;
        uint flags = (uint)file->Flags;
        if (TableOf(key)->IsCloseOnExec(key.Number))
            flags |= (uint)OpenFlags.CloseOnExec;
        text->Write("pos:\t"u8);
        text->WriteDecimal(file->Position);
        text->Write("\nflags:\t0"u8);
        text->WriteOctal(flags);
        text->Write("\nmnt_id:\t"u8);
        text->WriteDecimal(file->Path.IsEmpty ? 0 : file->Path.Mount->Id);
        text->Write("\nino:\t"u8);
        text->WriteDecimal(file->Inode == null ? file->AnonymousNumber : file->Inode->Number);
        text->WriteByte((byte)'\n');
        return Errno.None;
    }
}
