using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Net.Sockets;

namespace Ukl.Kernel.Syscalls;

/// <summary>What socket calls do with their arguments before the work begins.</summary>
internal static unsafe class SocketArguments
{
    /// <summary>The socket behind a descriptor, and its file without reference. EBADF, ENOTSOCK.</summary>
    internal static Errno Find(Fd fd, out OpenFile* file, out Socket* socket)
    {
        socket = null;
        if (!FileArguments.TryGet(fd, out file))
            return Errno.EBADF;
        socket = Socket.TryGet(file);
        return socket != null ? Errno.None : Errno.ENOTSOCK;
    }

    /// <summary>The flags of a call, with MSG_DONTWAIT when the file does not block.</summary>
    internal static MessageFlags FlagsFor(OpenFile* file, MessageFlags flags) => file->IsNonBlocking ? flags | MessageFlags.DoNotWait : flags;
}
