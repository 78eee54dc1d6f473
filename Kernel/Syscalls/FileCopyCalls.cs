// Copies from one open file to another without the program's memory. Source: sendfile(2), copy_file_range(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net.Sockets;

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
        from->AddReference();
        to->AddReference();
        long done = 0;
        Result result = Result.Ok;
        while ((nuint)done < count)
        {
            nuint part = count - (nuint)done;
            result = CopyPiece(from, to, source, ref target, ref part);
            if (result.Value <= 0)
                break;
            source += (ulong)result.Value;
            done += result.Value;
            if ((nuint)result.Value < part)
                break;
        }
        if (done != 0)
        {
            FileEvents.Raise(from, FileEvent.Access);
            FileEvents.Raise(to, FileEvent.Modify);
        }
        OpenFile.Release(to);
        OpenFile.Release(from);
        return done != 0 ? done : result;
    }

    // Copies what lies together from where it lies; count becomes that much.
    private static Result CopyPiece(OpenFile* from, OpenFile* to, ulong source, ref ulong target, ref nuint count)
    {
        // Files that are made up as they are read have no size.
        ulong left = source < from->Inode->Size ? from->Inode->Size - source : 0;
        if (left != 0 && left < count)
            count = (nuint)left;
        FileLoan loan;
        if (left == 0 || !from->Inode->Operations->Lend(from->Inode, source, count, &loan))
            return CopyThroughBuffer(from, to, source, ref target, ref count);
        bool hasMore = loan.Length < count;
        count = loan.Length;
        Result result = Write(to, loan.Bytes, count, ref target, hasMore);
        loan.Release();
        return result;
    }

    private static Result CopyThroughBuffer(OpenFile* from, OpenFile* to, ulong source, ref ulong target, ref nuint count)
    {
        PhysicalAddress buffer = PageAllocator.Allocate(BufferOrder);
        if (buffer.IsNone)
            return Errno.ENOMEM;
        nuint wanted = count;
        if (count > (nuint)PageAllocator.PageSize << BufferOrder)
            count = (nuint)PageAllocator.PageSize << BufferOrder;
        Result result = Vfs.ReadInode(from->Inode, source, buffer.Pointer, count);
        if (result.Value > 0)
        {
            count = (nuint)result.Value;
            result = Write(to, (byte*)buffer.Pointer, count, ref target, count < wanted);
        }
        PageAllocator.Free(buffer, BufferOrder);
        return result;
    }

    // A socket is told that more comes, so that pieces make no small packets.
    private static Result Write(OpenFile* to, byte* bytes, nuint count, ref ulong position, bool hasMore)
    {
        Socket* socket = hasMore ? Socket.TryGet(to) : null;
        return socket == null
            ? to->Operations->WriteKernel(to, bytes, count, ref position)
            : socket->Operations->SendKernel(socket, bytes, count, SocketArguments.FlagsFor(to, MessageFlags.More));
    }
}
