// Moves bytes between a pipe and another file without the program's memory, and between a pipe and the program's memory. Source: splice(2), tee(2), vmsplice(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Files.Pipes;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net.Sockets;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Syscalls;

/// <summary>splice(2), tee(2) and vmsplice(2). Bytes go from the pipe's pages into the other file and from there into the pipe's pages by one copy.</summary>
internal static unsafe class SpliceCalls
{
    private const uint NonBlocking = 2, More = 4, Known = 15;

    /// <summary>So many ranges need no memory of the kernel heap.</summary>
    private const int LocalRanges = 8;

    [Syscall(275, "splice", Limits = "pages are copied, not moved; from devices EINVAL"), MayBlock]
    internal static Result Splice(Fd source, UserPtr<long> sourceOffset, Fd target, UserPtr<long> targetOffset, nuint count, uint flags)
    {
        if (count == 0)
            return 0;
        if ((flags & ~Known) != 0)
            return Errno.EINVAL;
        if (!FileTable.Current->TryGet(source, out OpenFile* from) || !from->CanRead || !FileTable.Current->TryGet(target, out OpenFile* to) || !to->CanWrite)
            return Errno.EBADF;
        Pipe* input = PipeFile.TryGet(from);
        Pipe* output = PipeFile.TryGet(to);
        if ((input == null && output == null) || input == output || (to->Flags & OpenFlags.Append) != 0)
            return Errno.EINVAL;
        if ((input != null && !sourceOffset.IsNull) || (output != null && !targetOffset.IsNull))
            return Errno.ESPIPE;
        if (count > OpenFile.MaxTransfer)
            count = OpenFile.MaxTransfer;
        from->AddReference();
        to->AddReference();
        Result result = input != null && output != null
            ? PipeTransfer.Transfer(input, output, count, (flags & NonBlocking) != 0 || from->IsNonBlocking || to->IsNonBlocking, keeps: false)
            : input != null
            ? WithOffset(from, to, input, null, to, targetOffset, count, flags)
            : WithOffset(from, to, null, output, from, sourceOffset, count, flags);
        OpenFile.Release(to);
        OpenFile.Release(from);
        return result;
    }

    [Syscall(276, "tee"), MayBlock]
    internal static Result Tee(Fd source, Fd target, nuint count, uint flags)
    {
        if ((flags & ~Known) != 0)
            return Errno.EINVAL;
        if (count == 0)
            return 0;
        if (!FileTable.Current->TryGet(source, out OpenFile* from) || !from->CanRead || !FileTable.Current->TryGet(target, out OpenFile* to) || !to->CanWrite)
            return Errno.EBADF;
        Pipe* input = PipeFile.TryGet(from);
        Pipe* output = PipeFile.TryGet(to);
        if (input == null || output == null || input == output)
            return Errno.EINVAL;
        from->AddReference();
        to->AddReference();
        Result result = PipeTransfer.Transfer(input, output, count, (flags & NonBlocking) != 0 || from->IsNonBlocking || to->IsNonBlocking, keeps: true);
        OpenFile.Release(to);
        OpenFile.Release(from);
        return result;
    }

    [Syscall(278, "vmsplice", Limits = "SPLICE_F_GIFT is ignored: bytes are copied"), MayBlock]
    internal static Result VmSplice(Fd descriptor, ulong ranges, ulong count, uint flags)
    {
        if ((flags & ~Known) != 0)
            return Errno.EINVAL;
        if (!FileTable.Current->TryGet(descriptor, out OpenFile* file))
            return Errno.EBADF;
        Pipe* pipe = PipeFile.TryGet(file);
        if (pipe == null)
            return Errno.EBADF;
        UserSpan* local = stackalloc UserSpan[LocalRanges];
        Errno error = UserVector.Load(ranges, count, local, LocalRanges, out UserVector vector);
        if (error != Errno.None)
            return error;
        bool isNonBlocking = (flags & NonBlocking) != 0 || file->IsNonBlocking;
        file->AddReference();
        Result result = file->CanWrite ? pipe->WriteWhatFits(&vector, isNonBlocking) : ReadRanges(pipe, vector, isNonBlocking);
        vector.Free(local);
        OpenFile.Release(file);
        return result;
    }

    // Waits for the first bytes only.
    private static Result ReadRanges(Pipe* pipe, in UserVector to, bool isNonBlocking)
    {
        long done = 0;
        for (int i = 0; i < to.Count; i++)
        {
            if (to.Ranges[i].Length == 0)
                continue;
            if (done != 0 && pipe->Count == 0)
                break;
            Result result = pipe->Read(to.Ranges[i], isNonBlocking);
            if (result.Value <= 0)
                return done != 0 ? done : result;
            done += result.Value;
        }
        return done;
    }

    // The file that is no pipe has a position: its own, or the one the program gives.
    private static Result WithOffset(OpenFile* from, OpenFile* to, Pipe* input, Pipe* output, OpenFile* positioned, UserPtr<long> offset, nuint count, uint flags)
    {
        if (offset.IsNull)
            return Move(from, to, input, output, ref positioned->Position, count, flags);
        if ((positioned->Access & FileAccess.Seek) == 0)
            return Errno.EINVAL;
        if (!offset.TryRead(out long start))
            return Errno.EFAULT;
        if (start < 0)
            return Errno.EINVAL;
        var position = (ulong)start;
        Result result = Move(from, to, input, output, ref position, count, flags);
        return offset.TryWrite((long)position) ? result : Errno.EFAULT;
    }

    private static Result Move(OpenFile* from, OpenFile* to, Pipe* input, Pipe* output, ref ulong position, nuint count, uint flags)
    {
        bool isNonBlocking = (flags & NonBlocking) != 0;
        if (input == null)
            return Fill(from, output, ref position, count, isNonBlocking || to->IsNonBlocking, isNonBlocking || from->IsNonBlocking);
        return Drain(input, to, ref position, count, isNonBlocking || from->IsNonBlocking, (flags & More) != 0);
    }

    // Pipe to file: waits for the first bytes only.
    private static Result Drain(Pipe* pipe, OpenFile* to, ref ulong position, nuint count, bool isNonBlocking, bool hasMore)
    {
        Errno error = pipe->WaitForBytes(isNonBlocking);
        if (error != Errno.None)
            return error;
        nuint done = 0;
        Result result = Result.Ok;
        while (done < count)
        {
            pipe->Peek(0, count - done, out byte* run, out uint length);
            if (length == 0)
                break;
            result = Write(to, run, length, ref position, hasMore || done + length < count);
            if (result.Error == Errno.EAGAIN && !isNonBlocking && !to->IsNonBlocking)
            {
                // Not from the pipe's page while asleep: others may read it meanwhile.
                result = WaitForSocket(to, Socket.WritableEvents);
                if (!result.IsError)
                    continue;
            }
            if (result.Value <= 0)
                break;
            pipe->Skip((uint)result.Value);
            done += (nuint)result.Value;
        }
        return done != 0 ? (Result)(ulong)done : result;
    }

    // Never sleeps.
    private static Result Write(OpenFile* to, byte* bytes, uint count, ref ulong position, bool hasMore)
    {
        Socket* socket = Socket.TryGet(to);
        if (socket == null)
            return to->Operations->WriteKernel(to, bytes, count, ref position);
        MessageFlags flags = hasMore ? MessageFlags.DoNotWait | MessageFlags.More : MessageFlags.DoNotWait;
        return socket->Operations->SendKernel(socket, bytes, count, flags);
    }

    // File to pipe: ends with what is there and fits.
    private static Result Fill(OpenFile* from, Pipe* pipe, ref ulong position, nuint count, bool isPipeNonBlocking, bool isNonBlocking)
    {
        nuint done = 0;
        Result result = Result.Ok;
        while (done < count)
        {
            Errno error = pipe->WaitForRoom(1, isPipeNonBlocking || done != 0);
            uint room = 0;
            byte* place = null;
            if (error == Errno.None)
                error = pipe->Reserve(count - done, out place, out room);
            result = error;
            if (error != Errno.None)
                break;
            result = Read(from, place, room, ref position);
            if (result.Error == Errno.EAGAIN && done == 0 && !isNonBlocking)
            {
                // Not into the pipe's page while asleep: others may write there.
                result = WaitForSocket(from, Socket.ReadableEvents);
                if (!result.IsError)
                    continue;
            }
            if (result.Value <= 0)
                break;
            pipe->Commit((uint)result.Value);
            done += (nuint)result.Value;
            if ((uint)result.Value < room)
                break;
        }
        return done != 0 ? (Result)(ulong)done : result;
    }

    // Never sleeps.
    private static Result Read(OpenFile* from, byte* to, uint count, ref ulong position)
    {
        Socket* socket = Socket.TryGet(from);
        if (socket != null)
            return socket->Operations->ReceiveKernel(socket, to, count, MessageFlags.DoNotWait);
        if (from->Inode == null || !from->Inode->IsRegular)
            return Errno.EINVAL;
        Result result = Vfs.ReadInode(from->Inode, position, to, count);
        if (result.Value > 0)
            position += (ulong)result.Value;
        return result;
    }

    private static Errno WaitForSocket(OpenFile* file, PollEvents events)
    {
        Socket* socket = Socket.TryGet(file);
        if (socket == null)
            return Errno.EAGAIN;
        ulong deadline = 0;
        return socket->Sleep(events, events == Socket.ReadableEvents ? socket->Settings.ReceiveTimeout : socket->Settings.SendTimeout, ref deadline);
    }
}
