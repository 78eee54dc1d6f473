// Directories: their entries, and where a process is. Source: getdents(2), getcwd(2), chdir(2), chroot(2).
using System;
using System.Buffers.Binary;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Syscalls;

/// <summary>getdents(2), getcwd(2), chdir(2) and their relatives.</summary>
internal static unsafe class DirectoryCalls
{
    private const int RecordAlignment = 8;

    // d_ino, d_off and d_reclen; then in the new form d_type, and the name with its NUL. The old form has the type in the record's last byte.
    private const int OldHeader = 18, NewHeader = 19;

    private struct Listing
    {
        public ulong Address;
        public nuint Left;
        public nuint Done;
        public Errno Error;
        public bool IsOld;
    }

    [Syscall(78, "getdents"), MayBlock]
    internal static Result GetEntriesOld(Fd fd, ulong buffer, uint length) => GetEntries(fd, buffer, length, true);

    [Syscall(217, "getdents64"), MayBlock]
    internal static Result GetEntries64(Fd fd, ulong buffer, uint length) => GetEntries(fd, buffer, length, false);

    [Syscall(79, "getcwd")]
    internal static Result GetWorkingDirectory(UserSpan buffer)
    {
        FileSystemContext* context = FileSystemContext.Current;
        if (context->WorkingDirectory.Dentry->IsDeleted)
            return Errno.ENOENT;
        var text = (byte*)KernelHeap.Allocate(FileNames.MaximumPathLength);
        if (text == null)
            return Errno.ENOMEM;
        Result length = PathDescription.Write(context->WorkingDirectory, context->Root, new Span<byte>(text, FileNames.MaximumPathLength - 1));
        Result result = length;
        if (!length.IsError)
        {
            var count = (nuint)length.Value + 1;
            text[length.Value] = 0;
            result = count > buffer.Length ? Errno.ERANGE : buffer.CopyFrom(text, count) ? count : Errno.EFAULT;
        }
        KernelHeap.Free(text);
        return result;
    }

    [Syscall(80, "chdir")]
    internal static Result ChangeDirectory(UserString path)
    {
        Errno error = FindDirectory(path, out Path found);
        if (error == Errno.None)
            Replace(ref FileSystemContext.Current->WorkingDirectory, found);
        return error;
    }

    [Syscall(81, "fchdir")]
    internal static Result ChangeDirectoryTo(Fd fd)
    {
        if (!FileTable.Current->TryGet(fd, out OpenFile* file))
            return Errno.EBADF;
        if (file->Path.IsEmpty || !file->Inode->IsDirectory)
            return Errno.ENOTDIR;
        FileSystemContext* context = FileSystemContext.Current;
        Errno error = Permissions.Check(context, file->Inode, Permission.Execute);
        if (error == Errno.None)
            Replace(ref context->WorkingDirectory, file->Path.Share());
        return error;
    }

    [Syscall(161, "chroot")]
    internal static Result ChangeRoot(UserString path)
    {
        Errno error = FindDirectory(path, out Path found);
        if (error != Errno.None)
            return error;
        FileSystemContext* context = FileSystemContext.Current;
        if (context->UserId != 0)
        {
            found.Release();
            return Errno.EPERM;
        }
        Replace(ref context->Root, found);
        return Result.Ok;
    }

    private static Errno FindDirectory(UserString path, out Path found)
    {
        Errno error = FileArguments.Find(Fd.CurrentDirectory, path, AtFlags.None, true, out found);
        if (error != Errno.None)
            return error;
        error = found.Inode->IsDirectory ? Permissions.Check(FileSystemContext.Current, found.Inode, Permission.Execute) : Errno.ENOTDIR;
        if (error != Errno.None)
            found.Release();
        return error;
    }

    private static void Replace(ref Path place, Path with)
    {
        Path old = place;
        place = with;
        old.Release();
    }

    private static Result GetEntries(Fd fd, ulong buffer, uint length, bool isOld)
    {
        if (!FileArguments.TryGet(fd, out OpenFile* file))
            return Errno.EBADF;
        if (!file->CanRead)
            return Errno.EBADF;
        if (file->Inode != null && file->Inode->IsDirectory && file->Path.Dentry->IsDeleted)
            return Errno.ENOENT;
        var listing = new Listing { Address = buffer, Left = length, IsOld = isOld };
        var sink = new DirectorySink { Take = &Take, Context = &listing };
        file->AddReference();
        Result result = file->Operations->Iterate(file, &sink);
        OpenFile.Release(file);
        if (listing.Done != 0)
            return listing.Done;
        return result.IsError ? result : listing.Error;
    }

    private static bool Take(DirectorySink* sink, ReadOnlySpan<byte> name, ulong number, byte type, ulong nextPosition)
    {
        var listing = (Listing*)sink->Context;
        int header = listing->IsOld ? OldHeader : NewHeader;
        // The name's NUL, and in the old form the type behind it.
        int size = header + name.Length + (listing->IsOld ? 2 : 1);
        size = (size + RecordAlignment - 1) & -RecordAlignment;
        if ((nuint)size > listing->Left)
        {
            listing->Error = Errno.EINVAL;
            return false;
        }
        byte* bytes = stackalloc byte[NewHeader + FileNames.MaximumLength + 2 + RecordAlignment];
        var record = new Span<byte>(bytes, size);
        record.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(record, number);
        BinaryPrimitives.WriteUInt64LittleEndian(record[8..], nextPosition);
        BinaryPrimitives.WriteUInt16LittleEndian(record[16..], (ushort)size);
        record[listing->IsOld ? size - 1 : OldHeader] = type;
        name.CopyTo(record[header..]);
        if (!UserMemory.CopyOut(listing->Address + listing->Done, bytes, (nuint)size))
        {
            listing->Error = Errno.EFAULT;
            return false;
        }
        listing->Done += (nuint)size;
        listing->Left -= (nuint)size;
        return true;
    }
}
