// Copies from one open file to another without the program's memory. Source: sendfile(2), copy_file_range(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Syscalls;

/// <summary>sendfile(2) and copy_file_range(2).</summary>
internal static unsafe class FileCopyCalls
{
    // 16 KiB at a time.
    private const int BufferOrder = 2;

    [Syscall(40, "sendfile", Limits = "from regular files"), MayBlock]
    internal static Result SendFile(Fd target, Fd source, UserPtr<long> offset, nuint count)
    {
        if (!FileTable.Current->TryGet(source, out OpenFile* from) || !from->CanRead)
            return Errno.EBADF;
        if (!FileTable.Current->TryGet(target, out OpenFile* to) || !to->CanWrite)
            return Errno.EBADF;
        if (from->Inode == null || !from->Inode->IsRegular || (to->Flags & OpenFlags.Append) != 0)
            return Errno.EINVAL;
        if (offset.IsNull)
            return Copy(from, to, ref from->Position, ref to->Position, count);
        if (!offset.TryRead(out long start))
            return Errno.EFAULT;
        if (start < 0)
            return Errno.EINVAL;
        var position = (ulong)start;
        Result result = Copy(from, to, ref position, ref to->Position, count);
        return offset.TryWrite((long)position) ? result : Errno.EFAULT;
    }

    [Syscall(326, "copy_file_range"), MayBlock]
    internal static Result CopyRange(Fd source, UserPtr<long> sourceOffset, Fd target, UserPtr<long> targetOffset, nuint count, uint flags)
    {
        if (!FileArguments.TryGet(source, out OpenFile* from) || !FileArguments.TryGet(target, out OpenFile* to))
            return Errno.EBADF;
        Errno error = CheckRange(from, to);
        if (error != Errno.None)
            return error;
        if (flags != 0)
            return Errno.EINVAL;
        var start = (long)from->Position;
        var end = (long)to->Position;
        if ((!sourceOffset.IsNull && !sourceOffset.TryRead(out start)) || (!targetOffset.IsNull && !targetOffset.TryRead(out end)))
            return Errno.EFAULT;
        if (start < 0 || end < 0)
            return Errno.EINVAL;
        var left = (ulong)start;
        var right = (ulong)end;
        if (left + count < left || right + count < right)
            return Errno.EOVERFLOW;
        if (from->Inode == to->Inode && left < right + count && right < left + count)
            return Errno.EINVAL;
        Result result = Copy(from, to, ref left, ref right, count);
        if (result.IsError)
            return result;
        bool isStored = sourceOffset.IsNull || sourceOffset.TryWrite((long)left);
        isStored &= targetOffset.IsNull || targetOffset.TryWrite((long)right);
        if (sourceOffset.IsNull)
            from->Position = left;
        if (targetOffset.IsNull)
            to->Position = right;
        return isStored ? result : Errno.EFAULT;
    }

    private static Errno CheckRange(OpenFile* from, OpenFile* to)
    {
        if (from->Inode == null || to->Inode == null)
            return Errno.EINVAL;
        if (from->Inode->IsDirectory || to->Inode->IsDirectory)
            return Errno.EISDIR;
        if (!from->Inode->IsRegular || !to->Inode->IsRegular)
            return Errno.EINVAL;
        return !from->CanRead || !to->CanWrite || (to->Flags & OpenFlags.Append) != 0 ? Errno.EBADF : Errno.None;
    }

    private static Result Copy(OpenFile* from, OpenFile* to, ref ulong source, ref ulong target, nuint count)
    {
        if (count > OpenFile.MaxTransfer)
            count = OpenFile.MaxTransfer;
        PhysicalAddress buffer = PageAllocator.Allocate(BufferOrder);
        if (buffer.IsNone)
            return Errno.ENOMEM;
        from->AddReference();
        to->AddReference();
        long done = 0;
        Result result = Result.Ok;
        while ((nuint)done < count)
        {
            nuint part = (nuint)PageAllocator.PageSize << BufferOrder;
            if (part > count - (nuint)done)
                part = count - (nuint)done;
            result = Vfs.ReadInode(from->Inode, source, buffer.Pointer, part);
            if (result.Value <= 0)
                break;
            var read = (nuint)result.Value;
            result = to->Operations->WriteKernel(to, (byte*)buffer.Pointer, read, ref target);
            if (result.Value <= 0)
                break;
            source += (ulong)result.Value;
            done += result.Value;
            if ((nuint)result.Value < read)
                break;
        }
        PageAllocator.Free(buffer, BufferOrder);
        if (done != 0)
        {
            FileEvents.Raise(from, FileEvent.Access);
            FileEvents.Raise(to, FileEvent.Modify);
        }
        OpenFile.Release(to);
        OpenFile.Release(from);
        return done != 0 ? done : result;
    }
}
