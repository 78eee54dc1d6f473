// Opening files. Source: open(2), openat2(2), creat(2), memfd_create(2).
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Syscalls;

/// <summary>open(2) and its relatives.</summary>
internal static unsafe class FileOpenCalls
{
    private const uint MemoryCloseOnExec = 1, MemoryAllowSealing = 2, MemoryNoExecuteSeal = 8, MemoryExecute = 0x10;
    private const int MaximumMemoryName = 249;
    private const uint SealSeal = 1;
    private const uint SealExecute = 0x20;
    private const uint ExecutablePermissions = 0x1ff;
    private const uint PlainPermissions = 0x1b6;

    [Syscall(2, "open"), MayBlock]
    internal static Result Open(UserString path, OpenFlags flags, uint mode) => OpenAt(Fd.CurrentDirectory, path, flags, mode);

    [Syscall(85, "creat"), MayBlock]
    internal static Result Create(UserString path, uint mode) =>
        OpenAt(Fd.CurrentDirectory, path, OpenFlags.Create | OpenFlags.WriteOnly | OpenFlags.Truncate, mode);

    [Syscall(257, "openat"), MayBlock]
    internal static Result OpenAt(int directory, UserString path, OpenFlags flags, uint mode) =>
        OpenFrom(directory, path, flags, mode & ModeBits.PermissionMask, ResolveFlags.None);

    [Syscall(437, "openat2"), MayBlock]
    internal static Result OpenAt2(int directory, UserString path, UserPtr<OpenHow> how, ulong size)
    {
        if (size < (ulong)sizeof(OpenHow))
            return Errno.EINVAL;
        if (size > PageAllocator.PageSize)
            return Errno.E2BIG;
        if (!how.TryRead(out OpenHow wanted))
            return Errno.EFAULT;
        // A longer structure of a later Linux is fine as long as it asks for nothing new.
        for (ulong at = (ulong)sizeof(OpenHow); at < size; at++)
        {
            if (!new UserPtr<byte>(how.Address + at).TryRead(out byte extra))
                return Errno.EFAULT;
            if (extra != 0)
                return Errno.E2BIG;
        }
        var flags = (OpenFlags)wanted.Flags;
        if ((wanted.Flags & ~(ulong)OpenFlags.Known) != 0 || (wanted.Mode & ~(ulong)ModeBits.PermissionMask) != 0 || (wanted.Resolve & ~(ulong)ResolveFlags.Known) != 0)
            return Errno.EINVAL;
        if (wanted.Mode != 0 && (flags & (OpenFlags.Create | OpenFlags.TemporaryFileBit)) == 0)
            return Errno.EINVAL;
        if ((flags & OpenFlags.Path) != 0 && (flags & ~(OpenFlags.Path | OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.CloseOnExec)) != 0)
            return Errno.EINVAL;
        const ResolveFlags confined = ResolveFlags.Beneath | ResolveFlags.InRoot;
        var resolve = (ResolveFlags)wanted.Resolve;
        if ((resolve & confined) == confined)
            return Errno.EINVAL;
        return OpenFrom(directory, path, flags, (uint)wanted.Mode, resolve);
    }

    [Syscall(319, "memfd_create", Limits = "no huge pages")]
    internal static Result MemoryFileCreate(UserString name, uint flags)
    {
        if ((flags & ~(MemoryCloseOnExec | MemoryAllowSealing | MemoryNoExecuteSeal | MemoryExecute)) != 0)
            return Errno.EINVAL;
        if ((flags & (MemoryNoExecuteSeal | MemoryExecute)) == (MemoryNoExecuteSeal | MemoryExecute))
            return Errno.EINVAL;
        ReadOnlySpan<byte> prefix = "memfd:"u8;
        byte* label = stackalloc byte[FileNames.MaximumLength];
        prefix.CopyTo(new Span<byte>(label, prefix.Length));
        nint length = name.CopyTo(label + prefix.Length, MaximumMemoryName);
        if (length is < 0 or MaximumMemoryName)
            return length < 0 ? Errno.EFAULT : Errno.EINVAL;
        FileTable* files = FileTable.Current;
        Result fd = files->Reserve();
        if (fd.IsError)
            return fd;
        bool isExecutable = (flags & MemoryNoExecuteSeal) == 0;
        OpenFile* file = Vfs.OpenMemory(new ReadOnlySpan<byte>(label, prefix.Length + (int)length), isExecutable ? ExecutablePermissions : PlainPermissions);
        if (file == null)
        {
            files->Unreserve((int)fd.Value);
            return Errno.ENOMEM;
        }
        file->Inode->Seals = (flags & (MemoryAllowSealing | MemoryNoExecuteSeal)) == 0 ? SealSeal : isExecutable ? 0 : SealExecute;
        files->Install((int)fd.Value, file, (flags & MemoryCloseOnExec) != 0);
        return fd;
    }

    private static Result OpenFrom(int directory, UserString path, OpenFlags flags, uint mode, ResolveFlags resolve)
    {
        PathText text;
        Errno error = PathText.Load(path, &text);
        if (error != Errno.None)
            return error;
        VfsCaller caller = VfsCaller.Current;
        Result fd = caller.Files->Reserve();
        if (!fd.IsError)
        {
            // 64-bit programs always have large files, and F_GETFL shows it.
            if ((flags & OpenFlags.Path) == 0)
                flags |= OpenFlags.LargeFile;
            error = Vfs.Open(caller, directory, &text, flags, mode, resolve, out OpenFile* file);
            if (error == Errno.None)
            {
                caller.Files->Install((int)fd.Value, file, (flags & OpenFlags.CloseOnExec) != 0);
            }
            else
            {
                caller.Files->Unreserve((int)fd.Value);
                fd = error;
            }
        }
        text.Free();
        return fd;
    }
}
