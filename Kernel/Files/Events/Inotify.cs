// inotify: tells what happens to watched files and directories. Source: inotify(7), inotify_add_watch(2).
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files.Events;

/// <summary>Bits of a watch's mask that are not <see cref="FileEvent"/>s.</summary>
[Flags]
public enum InotifyFlags : uint
{
    None = 0,
    AllEvents = 0xfff,

    /// <summary>The watch is gone.</summary>
    Ignored = 0x8000,
    OnlyDirectory = 0x0100_0000,
    DontFollow = 0x0200_0000,
    ExcludeUnlinked = 0x0400_0000,
    MaskCreate = 0x1000_0000,
    MaskAdd = 0x2000_0000,
    OneShot = 0x8000_0000,

    /// <summary>Every bit inotify_add_watch knows.</summary>
    Known = 0xf700_efff,
}

/// <summary>
/// The kind of inotify descriptors. <see cref="OpenFile.Object"/> is one of these. An inode's watches are linked from <see cref="Inode.Watches"/>; each holds a reference of the inode.
/// </summary>
public unsafe struct Inotify : IFileKind
{
    private const PollEvents Readable = PollEvents.In | PollEvents.ReadNormal;
    private const uint BytesReadable = 0x541b;

    private WaitQueue _waiters;
    private InotifyQueue _queue;
    private Watch* _first;
    private int _lastWatch;

    private struct Watch
    {
        public Inotify* Owner;
        public Inode* Inode;
        public Watch* NextOfInode;
        public Watch* NextOfOwner;
        public int Number;
        public uint Mask;
    }

    /// <summary>Makes a descriptor without watches, with one reference; null when out of memory.</summary>
    public static OpenFile* Create(OpenFlags flags)
    {
        Inotify* inotify = Pool<Inotify>.Allocate();
        if (inotify == null)
            return null;
        OpenFile* file = OpenFile.Create<Inotify>(inotify, OpenFlags.ReadOnly | flags);
        if (file == null)
            Pool<Inotify>.Free(inotify);
        else
            FileEvents.Listener = &OnEvent;
        return file;
    }

    /// <summary>The inotify behind a file, or null when it is something else.</summary>
    public static Inotify* TryGet(OpenFile* file) => file->Operations == FileOperations.Of<Inotify>() ? (Inotify*)file->Object : null;

    /// <summary>Watches an inode, or changes its watch. Returns the watch's number. EEXIST (IN_MASK_CREATE), ENOMEM.</summary>
    public Result AddWatch(Inode* inode, InotifyFlags mask)
    {
        uint kept = (uint)(mask & (InotifyFlags.AllEvents | InotifyFlags.OneShot | InotifyFlags.ExcludeUnlinked));
        for (Watch* watch = (Watch*)inode->Watches; watch != null; watch = watch->NextOfInode)
        {
            if (watch->Owner != Self)
                continue;
            if ((mask & InotifyFlags.MaskCreate) != 0)
                return Errno.EEXIST;
            watch->Mask = (mask & InotifyFlags.MaskAdd) != 0 ? watch->Mask | kept : kept;
            return watch->Number;
        }
        Watch* added = Pool<Watch>.Allocate();
        if (added == null)
            return Errno.ENOMEM;
        inode->AddReference();
        *added = new Watch
        {
            Owner = Self,
            Inode = inode,
            NextOfInode = (Watch*)inode->Watches,
            NextOfOwner = _first,
            Number = ++_lastWatch,
            Mask = kept,
        };
        inode->Watches = added;
        _first = added;
        return added->Number;
    }

    /// <summary>Ends a watch. EINVAL when there is none of that number.</summary>
    public Errno RemoveWatch(int number)
    {
        for (Watch* watch = _first; watch != null; watch = watch->NextOfOwner)
        {
            if (watch->Number != number)
                continue;
            Remove(watch);
            return Errno.None;
        }
        return Errno.EINVAL;
    }

    /// <inheritdoc/>
    public static Result Read(OpenFile* file, UserSpan to, ref ulong position)
    {
        Inotify* self = Of(file);
        while (self->_queue.IsEmpty)
        {
            if (file->IsNonBlocking)
                return Errno.EAGAIN;
            Errno interruption = self->_waiters.Sleep(Readable);
            if (interruption != Errno.None)
                return interruption;
        }
        return self->_queue.Read(to);
    }

    /// <inheritdoc/>
    public static PollEvents Poll(OpenFile* file) => Of(file)->_queue.IsEmpty ? PollEvents.None : Readable;

    /// <inheritdoc/>
    public static WaitQueue* WaitersOf(OpenFile* file) => &Of(file)->_waiters;

    /// <inheritdoc/>
    public static Result Control(OpenFile* file, uint command, ulong argument)
    {
        if (command != BytesReadable)
            return Errno.ENOTTY;
        return new UserPtr<int>(argument).TryWrite((int)Of(file)->_queue.ByteCount) ? Result.Ok : Errno.EFAULT;
    }

    /// <inheritdoc/>
    public static int Describe(OpenFile* file, Span<byte> to) => AnonymousNames.Write(to, "anon_inode:inotify"u8);

    /// <inheritdoc/>
    public static void Release(OpenFile* file)
    {
        Inotify* self = Of(file);
        while (self->_first != null)
            Forget(self->_first);
        self->_queue.Clear();
        Pool<Inotify>.Free(self);
    }

    private static Inotify* Of(OpenFile* file) => (Inotify*)file->Object;

    // FileEvents.Listener.
    private static void OnEvent(Inode* inode, FileEvent what, uint cookie, ReadOnlySpan<byte> name)
    {
        Watch* next;
        for (Watch* watch = (Watch*)inode->Watches; watch != null; watch = next)
        {
            next = watch->NextOfInode;
            bool isEnd = name.Length == 0 && (what & FileEvent.DeleteSelf) != 0;
            if (((uint)what & watch->Mask & (uint)InotifyFlags.AllEvents) != 0)
            {
                watch->Owner->Tell(watch->Number, (uint)what, cookie, name);
                isEnd |= (watch->Mask & (uint)InotifyFlags.OneShot) != 0;
            }
            if (isEnd)
                Remove(watch);
        }
    }

    private void Tell(int watch, uint mask, uint cookie, ReadOnlySpan<byte> name)
    {
        _queue.Add(watch, mask, cookie, name);
        _waiters.Wake(Readable);
    }

    // Ends a watch and tells so.
    private static void Remove(Watch* watch)
    {
        Inotify* owner = watch->Owner;
        int number = watch->Number;
        Forget(watch);
        owner->Tell(number, (uint)InotifyFlags.Ignored, 0, default);
    }

    private static void Forget(Watch* watch)
    {
        Watch* first = (Watch*)watch->Inode->Watches;
        if (first == watch)
        {
            watch->Inode->Watches = watch->NextOfInode;
        }
        else
        {
            while (first->NextOfInode != watch)
                first = first->NextOfInode;
            first->NextOfInode = watch->NextOfInode;
        }
        Watch** link = &watch->Owner->_first;
        while (*link != watch)
            link = &(*link)->NextOfOwner;
        *link = watch->NextOfOwner;
        Inode* inode = watch->Inode;
        Pool<Watch>.Free(watch);
        Inode.Release(inode);
    }

    private Inotify* Self => (Inotify*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref this);
}
