// What happens to files, for inotify(7). The VFS raises; inotify listens once anyone watches anything.
using System;

namespace Ukl.Kernel.Files;

/// <summary>Events, with inotify's values.</summary>
[Flags]
public enum FileEvent : uint
{
    Access = 0x1,
    Modify = 0x2,
    Attributes = 0x4,
    CloseWrite = 0x8,
    CloseNoWrite = 0x10,
    Open = 0x20,
    MovedFrom = 0x40,
    MovedTo = 0x80,
    Create = 0x100,
    Delete = 0x200,
    DeleteSelf = 0x400,
    MoveSelf = 0x800,
    Unmount = 0x2000,

    /// <summary>The subject is a directory.</summary>
    IsDirectory = 0x4000_0000,
}

/// <summary>The one place events are raised. While <see cref="Listener"/> is null each costs a load and a branch.</summary>
public static unsafe class FileEvents
{
    private static uint s_lastCookie;

    /// <summary>
    /// Called for an inode whose <see cref="Inode.Watches"/> is not null: the event, a cookie that joins MovedFrom and MovedTo, and for events of a directory's entry the
    /// entry's name. Must not sleep.
    /// </summary>
    public static delegate*<Inode*, FileEvent, uint, ReadOnlySpan<byte>, void> Listener;

    /// <summary>Called when an inode with watches ends.</summary>
    public static delegate*<Inode*, void> Forgetter;

    /// <summary>A number that joins the two halves of a move.</summary>
    public static uint NextCookie() => ++s_lastCookie;

    /// <summary>Something happened to an open file.</summary>
    public static void Raise(OpenFile* file, FileEvent what)
    {
        if (Listener != null && !file->Path.IsEmpty)
            RaiseOn(file->Path.Dentry, what);
    }

    /// <summary>Something happened to a file known by name.</summary>
    public static void Raise(Dentry* dentry, FileEvent what)
    {
        if (Listener != null)
            RaiseOn(dentry, what);
    }

    /// <summary>Something happened to an entry of a directory.</summary>
    public static void RaiseEntry(Inode* directory, ReadOnlySpan<byte> name, FileEvent what, uint cookie = 0)
    {
        if (Listener != null && directory->Watches != null)
            Listener(directory, what, cookie, name);
    }

    /// <summary>Something happened to an inode itself.</summary>
    public static void RaiseSelf(Inode* inode, FileEvent what)
    {
        if (Listener != null && inode->Watches != null)
            Listener(inode, what, 0, default);
    }

    internal static void Forget(Inode* inode)
    {
        if (inode->Watches != null)
            Forgetter(inode);
    }

    private static void RaiseOn(Dentry* dentry, FileEvent what)
    {
        Inode* inode = dentry->Inode;
        if (inode->IsDirectory)
            what |= FileEvent.IsDirectory;
        if (dentry->Parent != null)
            RaiseEntry(dentry->Parent->Inode, dentry->Name, what);
        RaiseSelf(inode, what);
    }
}
