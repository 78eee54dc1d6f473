// Names in the tree. Source: mkdir(2), rmdir(2), mknod(2), link(2), unlink(2), symlink(2), readlink(2), rename(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Syscalls;

/// <summary>mkdir(2), link(2), unlink(2), rename(2) and their relatives.</summary>
internal static unsafe class FileNameCalls
{
    [Syscall(83, "mkdir")]
    internal static Result MakeDirectory(UserString path, uint mode) => MakeDirectoryAt(Fd.CurrentDirectory, path, mode);

    [Syscall(258, "mkdirat")]
    internal static Result MakeDirectoryAt(int directory, UserString path, uint mode)
    {
        PathText text;
        Errno error = PathText.Load(path, &text);
        if (error != Errno.None)
            return error;
        Result result = Vfs.MakeDirectory(VfsCaller.Current, directory, &text, mode);
        text.Free();
        return result;
    }

    [Syscall(133, "mknod")]
    internal static Result MakeNode(UserString path, uint mode, ulong device) => MakeNodeAt(Fd.CurrentDirectory, path, mode, device);

    [Syscall(259, "mknodat")]
    internal static Result MakeNodeAt(int directory, UserString path, uint mode, ulong device)
    {
        PathText text;
        Errno error = PathText.Load(path, &text);
        if (error != Errno.None)
            return error;
        Result result = Vfs.MakeNode(VfsCaller.Current, directory, &text, mode, device);
        text.Free();
        return result;
    }

    [Syscall(84, "rmdir")]
    internal static Result RemoveDirectory(UserString path) => UnlinkAt(Fd.CurrentDirectory, path, AtFlags.RemoveDirectory);

    [Syscall(87, "unlink")]
    internal static Result Unlink(UserString path) => UnlinkAt(Fd.CurrentDirectory, path, AtFlags.None);

    [Syscall(263, "unlinkat")]
    internal static Result UnlinkAt(int directory, UserString path, AtFlags flags)
    {
        if ((flags & ~AtFlags.RemoveDirectory) != 0)
            return Errno.EINVAL;
        PathText text;
        Errno error = PathText.Load(path, &text);
        if (error != Errno.None)
            return error;
        Result result = flags == AtFlags.RemoveDirectory
            ? Vfs.RemoveDirectory(VfsCaller.Current, directory, &text)
            : Vfs.Unlink(VfsCaller.Current, directory, &text);
        text.Free();
        return result;
    }

    [Syscall(86, "link")]
    internal static Result Link(UserString target, UserString path) => LinkAt(Fd.CurrentDirectory, target, Fd.CurrentDirectory, path, AtFlags.None);

    [Syscall(265, "linkat")]
    internal static Result LinkAt(int oldDirectory, UserString target, int newDirectory, UserString path, AtFlags flags)
    {
        if ((flags & ~(AtFlags.SymlinkFollow | AtFlags.EmptyPath)) != 0)
            return Errno.EINVAL;
        Errno error = FileArguments.Find(oldDirectory, target, flags, (flags & AtFlags.SymlinkFollow) != 0, out Path source);
        if (error != Errno.None)
            return error;
        PathText text;
        error = PathText.Load(path, &text);
        Result result = error;
        if (error == Errno.None)
        {
            result = Vfs.Link(VfsCaller.Current, source, newDirectory, &text);
            text.Free();
        }
        source.Release();
        return result;
    }

    [Syscall(88, "symlink")]
    internal static Result MakeSymbolicLink(UserString target, UserString path) => MakeSymbolicLinkAt(target, Fd.CurrentDirectory, path);

    [Syscall(266, "symlinkat")]
    internal static Result MakeSymbolicLinkAt(UserString target, int directory, UserString path)
    {
        PathText from;
        Errno error = PathText.Load(target, &from);
        if (error != Errno.None)
            return error;
        PathText text;
        error = PathText.Load(path, &text);
        Result result = error;
        if (error == Errno.None)
        {
            result = Vfs.MakeSymbolicLink(VfsCaller.Current, from.Span, directory, &text);
            text.Free();
        }
        from.Free();
        return result;
    }

    [Syscall(89, "readlink")]
    internal static Result ReadLink(UserString path, ulong buffer, int length) => ReadLinkAt(Fd.CurrentDirectory, path, buffer, length);

    [Syscall(267, "readlinkat")]
    internal static Result ReadLinkAt(int directory, UserString path, ulong buffer, int length)
    {
        if (length <= 0)
            return Errno.EINVAL;
        // The empty path means the descriptor's own place, without a flag to ask for it.
        Errno error = FileArguments.Find(directory, path, AtFlags.EmptyPath, false, out Path found, out OpenFile* file);
        if (error != Errno.None)
            return error;
        if (found.IsEmpty)
            return Errno.ENOENT;
        Result result = found.Inode->IsSymbolicLink ? CopyLink(found.Inode, new UserSpan(buffer, (nuint)length)) : NotALink(path);
        found.Release();
        return result;
    }

    [Syscall(82, "rename")]
    internal static Result Rename(UserString from, UserString to) => RenameAt2(Fd.CurrentDirectory, from, Fd.CurrentDirectory, to, RenameFlags.None);

    [Syscall(264, "renameat")]
    internal static Result RenameAt(int oldDirectory, UserString from, int newDirectory, UserString to) =>
        RenameAt2(oldDirectory, from, newDirectory, to, RenameFlags.None);

    [Syscall(316, "renameat2", Limits = "RENAME_WHITEOUT is refused with EINVAL")]
    internal static Result RenameAt2(int oldDirectory, UserString from, int newDirectory, UserString to, RenameFlags flags)
    {
        PathText fromText;
        Errno error = PathText.Load(from, &fromText);
        if (error != Errno.None)
            return error;
        PathText toText;
        error = PathText.Load(to, &toText);
        Result result = error;
        if (error == Errno.None)
        {
            result = Vfs.Rename(VfsCaller.Current, oldDirectory, &fromText, newDirectory, &toText, flags);
            toText.Free();
        }
        fromText.Free();
        return result;
    }

    private static Result NotALink(UserString path)
    {
        byte first;
        return path.CopyTo(&first, 1) == 0 ? Errno.ENOENT : Errno.EINVAL;
    }

    private static Result CopyLink(Inode* link, UserSpan buffer)
    {
        nuint capacity = buffer.Length < FileNames.MaximumPathLength ? buffer.Length : FileNames.MaximumPathLength;
        var text = (byte*)KernelHeap.Allocate(capacity);
        if (text == null)
            return Errno.ENOMEM;
        Result length = link->Operations->ReadLink(link, text, capacity);
        if (!length.IsError && !buffer.CopyFrom(text, (nuint)length.Value))
            length = Errno.EFAULT;
        KernelHeap.Free(text);
        return length;
    }
}
