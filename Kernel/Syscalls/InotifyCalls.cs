using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Files.Events;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Syscalls;

/// <summary>inotify_init(2), inotify_add_watch(2) and inotify_rm_watch(2).</summary>
internal static unsafe class InotifyCalls
{
    [Syscall(253, "inotify_init")]
    internal static Result InotifyInit() => InotifyInit1(OpenFlags.ReadOnly);

    [Syscall(294, "inotify_init1")]
    internal static Result InotifyInit1(OpenFlags flags)
    {
        if ((flags & ~(OpenFlags.NonBlock | OpenFlags.CloseOnExec)) != 0)
            return Errno.EINVAL;
        OpenFile* file = Inotify.Create(flags & OpenFlags.NonBlock);
        return file == null ? Errno.ENOMEM : FileTable.Current->Add(file, (flags & OpenFlags.CloseOnExec) != 0);
    }

    [Syscall(254, "inotify_add_watch", Limits = "IN_EXCL_UNLINK is accepted and has no effect; IN_UNMOUNT is not reported; IN_DELETE_SELF comes with the last unlink, also while the file is open.")]
    internal static Result InotifyAddWatch(Fd descriptor, UserString path, InotifyFlags mask)
    {
        const InotifyFlags both = InotifyFlags.MaskAdd | InotifyFlags.MaskCreate;
        if ((mask & ~InotifyFlags.Known) != 0 || mask == 0 || (mask & both) == both)
            return Errno.EINVAL;
        Errno error = Find(descriptor, out Inotify* inotify);
        if (error != Errno.None)
            return error;
        PathText text;
        error = PathText.Load(path, &text);
        if (error != Errno.None)
            return error;
        error = Vfs.Find(VfsCaller.Current, Fd.CurrentDirectory, &text, (mask & InotifyFlags.DontFollow) == 0, out Path found);
        text.Free();
        if (error != Errno.None)
            return error;
        Result result;
        if ((mask & InotifyFlags.OnlyDirectory) != 0 && !found.Inode->IsDirectory)
            result = Errno.ENOTDIR;
        else if ((error = Permissions.Check(FileSystemContext.Current, found.Inode, Permission.Read)) != Errno.None)
            result = error;
        else
            result = inotify->AddWatch(found.Inode, mask);
        found.Release();
        return result;
    }

    [Syscall(255, "inotify_rm_watch")]
    internal static Result InotifyRemoveWatch(Fd descriptor, int watch)
    {
        Errno error = Find(descriptor, out Inotify* inotify);
        return error != Errno.None ? error : inotify->RemoveWatch(watch);
    }

    private static Errno Find(Fd descriptor, out Inotify* inotify)
    {
        inotify = null;
        if (!FileTable.Current->TryGet(descriptor, out OpenFile* file))
            return Errno.EBADF;
        inotify = Inotify.TryGet(file);
        return inotify == null ? Errno.EINVAL : Errno.None;
    }
}
