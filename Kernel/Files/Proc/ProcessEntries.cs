// What /proc/<pid> and /proc/<pid>/task/<tid> contain. Source: proc(5).
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files.Proc;

/// <summary>The directories of a process and of its threads.</summary>
internal static unsafe class ProcessEntries
{
    private const uint DirectoryMode = ModeBits.Directory | 0x16d;
    private const uint OwnerReads = 0x100, OwnerWrites = 0x1a4;

    /// <summary>The directory of a process.</summary>
    internal static ProcNode NodeOf(Process* process) =>
        new() { Mode = DirectoryMode, UserId = process->Credentials.EffectiveUserId, Key = new ProcKey(process->Id), Entries = &ShowProcess };

    private static void ShowProcess(ProcKey key, ref ProcVisitor visitor)
    {
        if (ThreadTable.FindProcess(key.Process) == null)
            return;
        visitor.Directory("task"u8, &ShowThreads, key);
        ShowCommon(key, ref visitor);
    }

    private static void ShowThreads(ProcKey key, ref ProcVisitor visitor)
    {
        Process* process = ThreadTable.FindProcess(key.Process);
        uint first = visitor.FirstNumber;
        if (process == null || first > int.MaxValue)
            return;
        int id = (int)first - 1;
        while (!visitor.IsDone && (id = ProcessList.NextThread(process, id)) != 0)
        {
            visitor.AddNumbered((uint)id, new ProcNode
            {
                Mode = DirectoryMode,
                UserId = process->Credentials.EffectiveUserId,
                Key = new ProcKey(key.Process, id),
                Entries = &ShowThread,
            });
        }
    }

    private static void ShowThread(ProcKey key, ref ProcVisitor visitor)
    {
        Process* process = ThreadTable.FindProcess(key.Process);
        if (process != null && ProcessList.FindThread(process, key.Thread) != null)
            ShowCommon(key, ref visitor);
    }

    private static void ShowCommon(ProcKey key, ref ProcVisitor visitor)
    {
        visitor.File("auxv"u8, OwnerReads, &ProcessMemory.WriteAuxiliaryVector, null, key);
        visitor.File("cgroup"u8, &WriteCgroup, key);
        visitor.File("cmdline"u8, &ProcessMemory.WriteArguments, key);
        visitor.File("comm"u8, OwnerWrites, &WriteName, &StoreName, key);
        visitor.Link("cwd"u8, &WriteWorkingDirectory, &FollowWorkingDirectory, key);
        visitor.File("environ"u8, OwnerReads, &ProcessMemory.WriteEnvironment, null, key);
        visitor.Link("exe"u8, &WriteExecutable, null, key);
        visitor.Directory("fd"u8, &DescriptorEntries.ShowLinks, key);
        visitor.Directory("fdinfo"u8, &DescriptorEntries.ShowInformation, key);
        visitor.File("limits"u8, &ProcessLimits.Write, key);
        visitor.File("maps"u8, &ProcessMemory.WriteMaps, key);
        visitor.File("mountinfo"u8, &MountTables.WriteInformation, key);
        visitor.File("mounts"u8, &MountTables.WriteMounts, key);
        visitor.File("oom_score"u8, &WriteZero, key);
        visitor.File("oom_score_adj"u8, &WriteZero, key);
        visitor.Link("root"u8, &WriteRoot, &FollowRoot, key);
        visitor.File("stat"u8, &ProcessStatus.WriteStat, key);
        visitor.File("statm"u8, &ProcessStatus.WriteStatm, key);
        visitor.File("status"u8, &ProcessStatus.WriteStatus, key);
    }

    private static Errno WriteZero(ProcKey key, TextBuffer* text)
    {
        text->Write("0\n"u8);
        return Errno.None;
    }

    private static Errno WriteCgroup(ProcKey key, TextBuffer* text)
    {
        text->Write("0::/\n"u8);
        return Errno.None;
    }

    /// <summary>The thread an entry is about; a process's entry is about its first thread.</summary>
    internal static Errno Find(ProcKey key, out Process* process, out Thread* thread)
    {
        thread = null;
        process = ThreadTable.FindProcess(key.Process);
        if (process == null)
            return Errno.ESRCH;
        thread = key.Thread == 0 ? ProcessList.LeaderOf(process) : ProcessList.FindThread(process, key.Thread);
        return thread == null ? Errno.ESRCH : Errno.None;
    }

    private static Errno WriteName(ProcKey key, TextBuffer* text)
    {
        Errno error = Find(key, out _, out Thread* thread);
        if (error != Errno.None)
            return error;
        text->WriteString((byte*)&thread->Name, ThreadName.Length);
        text->WriteByte((byte)'\n');
        return Errno.None;
    }

    // Only a thread of the same process may be renamed; a longer name is cut.
    private static Errno StoreName(ProcKey key, ReadOnlySpan<byte> name)
    {
        Errno error = Find(key, out Process* process, out Thread* thread);
        if (error != Errno.None)
            return error;
        if (process != Process.Current)
            return Errno.EINVAL;
        if (name.Length > ThreadName.Length - 1)
            name = name[..(ThreadName.Length - 1)];
        Span<byte> to = thread->Name;
        to.Clear();
        name.CopyTo(to);
        return Errno.None;
    }

    private static Errno WriteExecutable(ProcKey key, TextBuffer* text)
    {
        Process* process = ThreadTable.FindProcess(key.Process);
        if (process == null || process->ExecutablePath == null)
            return Errno.ENOENT;
        text->WriteString(process->ExecutablePath, FileNames.MaximumPathLength);
        return Errno.None;
    }

    private static Errno WriteWorkingDirectory(ProcKey key, TextBuffer* text)
    {
        Process* process = ThreadTable.FindProcess(key.Process);
        return process == null || process->FileSystem == null ? Errno.ENOENT : PathWriter.Write(process->FileSystem->WorkingDirectory, text);
    }

    private static Errno WriteRoot(ProcKey key, TextBuffer* text)
    {
        Process* process = ThreadTable.FindProcess(key.Process);
        return process == null || process->FileSystem == null ? Errno.ENOENT : PathWriter.Write(process->FileSystem->Root, text);
    }

    private static Result FollowWorkingDirectory(ProcKey key, Path* target)
    {
        Process* process = ThreadTable.FindProcess(key.Process);
        if (process == null || process->FileSystem == null)
            return Errno.ENOENT;
        *target = process->FileSystem->WorkingDirectory.Share();
        return Result.Ok;
    }

    private static Result FollowRoot(ProcKey key, Path* target)
    {
        Process* process = ThreadTable.FindProcess(key.Process);
        if (process == null || process->FileSystem == null)
            return Errno.ENOENT;
        *target = process->FileSystem->Root.Share();
        return Result.Ok;
    }
}
