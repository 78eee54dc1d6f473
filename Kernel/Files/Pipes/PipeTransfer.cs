// From one pipe to another. Source: splice(2), tee(2).
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Files.Pipes;

/// <summary>Moves or copies bytes between two pipes, page by page, without the program's memory.</summary>
internal static unsafe class PipeTransfer
{
    /// <summary>
    /// Transfers up to <paramref name="count"/> bytes: waits for the first of them and for room, then takes what is there and fits. With <paramref name="keeps"/> they stay
    /// in the source too (tee). 0 when nobody writes to the source; EAGAIN, EPIPE with SIGPIPE, ERESTARTSYS, ENOMEM. The pipes are two.
    /// </summary>
    internal static Result Transfer(Pipe* from, Pipe* to, nuint count, bool isNonBlocking, bool keeps)
    {
        Errno error;
        do
        {
            error = from->WaitForBytes(isNonBlocking);
            if (error == Errno.None && from->Count == 0)
                return 0;
            if (error == Errno.None)
                error = to->WaitForRoom(1, isNonBlocking);
            if (error != Errno.None)
                return error;
            // Who waited for room may find that others took the bytes.
        }
        while (from->Count == 0);

        nuint done = 0;
        while (done < count)
        {
            from->Peek(keeps ? done : 0, count - done, out byte* source, out uint run);
            if (run == 0 || to->Room == 0)
                break;
            error = to->Reserve(run, out byte* target, out uint room);
            if (error != Errno.None)
                return done != 0 ? (Result)(ulong)done : error;
            System.Runtime.CompilerServices.Unsafe.CopyBlockUnaligned(target, source, room);
            to->Commit(room);
            if (!keeps)
                from->Skip(room);
            done += room;
        }
        return (ulong)done;
    }
}
