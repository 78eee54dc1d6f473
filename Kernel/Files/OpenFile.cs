// An open file description (open(2)): what descriptors refer to. Shared by dup, fork and SCM_RIGHTS through its reference count.
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Files;

/// <summary>What an open file may be used for; tested before its kind is called.</summary>
[Flags]
public enum FileAccess : uint
{
    None = 0,
    Read = 1,
    Write = 2,

    /// <summary>pread, pwrite and lseek are allowed.</summary>
    Seek = 4,

    /// <summary>Opened with O_PATH: only a place in the tree.</summary>
    PathOnly = 8,
}

/// <summary>Something to be told when an open file ends (epoll's registrations). It lives in its owner's object.</summary>
public unsafe struct CloseWatcher
{
    public CloseWatcher* Next;

    /// <summary>Called once, when the last reference goes; the watcher is off the list then. Must not sleep.</summary>
    public delegate*<CloseWatcher*, OpenFile*, void> Callback;
}

/// <summary>
/// An open file. A call takes a reference only while it may sleep or run other code of the process (every read, write and ioctl does), so a close by another
/// thread never frees it underfoot. One CPU runs the kernel unpreempted, so counting is not atomic.
/// </summary>
public unsafe struct OpenFile
{
    /// <summary>Most bytes one read or write moves (MAX_RW_COUNT): 2 GiB less a page.</summary>
    public const nuint MaxTransfer = 0x7fff_f000;

    /// <summary>What its kind does.</summary>
    public FileOperations* Operations;

    /// <summary>The kind's own data.</summary>
    public void* Object;

    /// <summary>Where the next read or write begins, in bytes.</summary>
    public ulong Position;

    /// <summary>What it may be used for.</summary>
    public FileAccess Access;

    /// <summary>Access mode and status flags, as F_GETFL shows them.</summary>
    public OpenFlags Flags;

    /// <summary>References: descriptors, running calls, kinds that keep it.</summary>
    public int References;

    /// <summary>F_SETOWN and F_SETSIG: who gets SIGIO, and which signal instead.</summary>
    public int Owner, OwnerSignal;

    /// <summary>The inode; null for anonymous files (pipes, eventfd, sockets…). The reference is held through <see cref="Path"/> when that is set.</summary>
    public Inode* Inode;

    /// <summary>Where it was opened; empty for anonymous files.</summary>
    public Path Path;

    /// <summary>Who wants to know of its end.</summary>
    public CloseWatcher* CloseWatchers;

    /// <summary>st_ino of an anonymous file; both ends of a pipe may share it.</summary>
    public ulong AnonymousNumber;

    private static ulong s_lastAnonymousNumber;
    private static ulong s_count;

    /// <summary>How many open files there are.</summary>
    public static ulong Count => s_count;

    /// <summary>Whether a call must return EAGAIN instead of sleeping.</summary>
    public readonly bool IsNonBlocking => (Flags & OpenFlags.NonBlock) != 0;

    /// <summary>Whether read(2) is allowed.</summary>
    public readonly bool CanRead => (Access & FileAccess.Read) != 0;

    /// <summary>Whether write(2) is allowed.</summary>
    public readonly bool CanWrite => (Access & FileAccess.Write) != 0;

    /// <summary>Whether it is a regular file in memory, which can be sealed (memfd_create(2)).</summary>
    public readonly bool IsMemoryFile => Inode != null && Inode->IsRegular && Inode->FileSystem->Magic == Tmpfs.Magic && Vfs.IsUnnamed(Path.Mount);

    /// <summary>
    /// Makes an anonymous open file of a kind, with one reference. <paramref name="flags"/>: access mode and status flags. Null when out of memory (ENFILE or ENOMEM); the
    /// caller then frees <paramref name="data"/> itself.
    /// </summary>
    public static OpenFile* Create<TKind>(void* data, OpenFlags flags)
        where TKind : unmanaged, IFileKind
    {
        OpenFile* file = Allocate(flags);
        if (file == null)
            return null;
        file->SetOperations(FileOperations.Of<TKind>());
        file->Object = data;
        file->AnonymousNumber = NextAnonymousNumber();
        return file;
    }

    /// <summary>A number for st_ino of anonymous files.</summary>
    public static ulong NextAnonymousNumber() => ++s_lastAnonymousNumber;

    /// <summary>Makes an open file that has neither kind nor path yet.</summary>
    internal static OpenFile* Allocate(OpenFlags flags)
    {
        OpenFile* file = Pool<OpenFile>.Allocate();
        if (file == null)
            return null;
        s_count++;
        file->References = 1;
        file->Flags = flags & ~(OpenFlags.CloseOnExec | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoControllingTerminal | OpenFlags.Truncate);
        file->Access = (flags & OpenFlags.Path) != 0 ? FileAccess.PathOnly : AccessOf(flags);
        return file;
    }

    /// <summary>Gives back an open file that never came to be; its kind is not told.</summary>
    internal static void Discard(OpenFile* file)
    {
        file->Path.Release();
        s_count--;
        Pool<OpenFile>.Free(file);
    }

    /// <summary>Decides what the file does.</summary>
    public void SetOperations(FileOperations* operations)
    {
        Operations = operations;
        Access &= ~FileAccess.Seek;
        if ((operations->Traits & FileTraits.Seekable) != 0)
            Access |= FileAccess.Seek;
    }

    /// <summary>One more reference.</summary>
    public void AddReference() => References++;

    /// <summary>One reference less; the last one ends the file. Must not be called by interrupt handlers.</summary>
    public static void Release(OpenFile* file)
    {
        if (--file->References == 0)
            End(file);
    }

    /// <summary>Registers a watcher of the file's end.</summary>
    public void AddCloseWatcher(CloseWatcher* watcher)
    {
        watcher->Next = CloseWatchers;
        CloseWatchers = watcher;
    }

    /// <summary>Takes a watcher off again; does nothing when it is not registered.</summary>
    public void RemoveCloseWatcher(CloseWatcher* watcher)
    {
        if (CloseWatchers == watcher)
        {
            CloseWatchers = watcher->Next;
            return;
        }
        for (CloseWatcher* at = CloseWatchers; at != null; at = at->Next)
        {
            if (at->Next == watcher)
            {
                at->Next = watcher->Next;
                return;
            }
        }
    }

    /// <summary>What fstat(2) shows when the kind has nothing of its own to say.</summary>
    public readonly Result FillStatus(Stat* status)
    {
        if (Inode != null)
            return Inode->Operations->GetAttributes(Inode, status);
        *status = default;
        status->Device = FileSystem.AnonymousDevice;
        status->Inode = AnonymousNumber;
        status->Mode = Operations->AnonymousMode;
        status->LinkCount = 1;
        status->BlockSize = 4096;
        return Result.Ok;
    }

    private static void End(OpenFile* file)
    {
        while (file->CloseWatchers != null)
        {
            CloseWatcher* watcher = file->CloseWatchers;
            file->CloseWatchers = watcher->Next;
            watcher->Callback(watcher, file);
        }
        if (file->Inode != null)
            FileLocks.ReleaseFile(file);
        file->Operations->Release(file);
        Discard(file);
    }

    // O_RDONLY, O_WRONLY and O_RDWR are 0, 1 and 2; one more makes bits of them. 3 is "neither" (only ioctl), as on Linux.
    private static FileAccess AccessOf(OpenFlags flags) => (FileAccess)(((uint)flags + 1) & 3);
}
