// Options of sockets. Source: getsockopt(2), socket(7).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net.Sockets;

namespace Ukl.Kernel.Syscalls;

/// <summary>setsockopt(2) and getsockopt(2).</summary>
internal static unsafe class SocketOptionCalls
{
    [Syscall(54, "setsockopt", Limits = "no packet filters, no MPTCP; options that only tune Linux's own machinery are kept and change nothing"), MayBlock]
    internal static Result Set(Fd fd, int level, int name, ulong value, int length)
    {
        Errno error = SocketArguments.Find(fd, out OpenFile* file, out Socket* socket);
        if (error != Errno.None)
            return error;
        if (length < 0)
            return Errno.EINVAL;
        var input = new OptionInput(new UserSpan(value, (nuint)length));
        file->AddReference();
        Result result = level == OptionLevel.Socket
            ? SocketLevelOptions.Set(socket, (SocketOption)name, input)
            : socket->Operations->SetOption(socket, level, name, input);
        OpenFile.Release(file);
        return result;
    }

    [Syscall(55, "getsockopt", Limits = "as setsockopt")]
    internal static Result Get(Fd fd, int level, int name, ulong value, UserPtr<int> length)
    {
        Errno error = SocketArguments.Find(fd, out OpenFile* file, out Socket* socket);
        if (error != Errno.None)
            return error;
        if (!length.TryRead(out int requested))
            return Errno.EFAULT;
        if (requested < 0)
            return Errno.EINVAL;
        OptionOutput output;
        output.Requested = requested;
        output.Length = 0;
        Result result = level == OptionLevel.Socket
            ? SocketLevelOptions.Get(socket, (SocketOption)name, &output)
            : socket->Operations->GetOption(socket, level, name, &output);
        if (result.IsError)
            return result;
        int count = output.Length < requested ? output.Length : requested;
        if (!UserMemory.CopyOut(value, output.Bytes, (nuint)count))
            return Errno.EFAULT;
        return length.TryWrite(count) ? Result.Ok : Errno.EFAULT;
    }
}
