// Moves bytes between a pipe and another file without the program's memory. Source: splice(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Files.Pipes;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net.Sockets;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Syscalls;

/// <summary>splice(2). Bytes go from the pipe's pages into the other file and from there into the pipe's pages by one copy.</summary>
internal static unsafe class SpliceCalls
{
    private const uint NonBlocking = 2, More = 4, Known = 15;

    [Syscall(275, "splice", Limits = "between a pipe and a socket or a regular file; pages are copied, not moved"), MayBlock]
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
        Result result = input != null
            ? WithOffset(from, to, input, null, to, targetOffset, count, flags)
            : WithOffset(from, to, null, output, from, sourceOffset, count, flags);
        OpenFile.Release(to);
        OpenFile.Release(from);
        return result;
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
            pipe->Peek(count - done, out byte* run, out uint length);
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
