// Sockets and their connections. Source: socket(2), socketpair(2), bind(2), connect(2), listen(2), accept(2), getsockname(2), getpeername(2), shutdown(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net.Sockets;
using Ukl.Kernel.Net.Tcp;

namespace Ukl.Kernel.Syscalls;

/// <summary>The two descriptors socketpair(2) gives back.</summary>
internal struct SocketPairDescriptors
{
    public int First;
    public int Second;
}

/// <summary>socket(2), bind(2), connect(2), accept(2) and their relatives.</summary>
internal static unsafe class SocketCalls
{
    private const SocketType Flags = SocketType.NonBlock | SocketType.CloseOnExec;

    [Syscall(41, "socket", Limits = "AF_UNIX, AF_INET, AF_INET6 and AF_NETLINK (NETLINK_ROUTE)")]
    internal static Result Create(AddressFamily domain, SocketType type, int protocol)
    {
        if ((type & ~(SocketType.Mask | Flags)) != 0)
            return Errno.EINVAL;
        Errno error = SocketFactory.Create(domain, type & SocketType.Mask, protocol, out Socket* socket);
        if (error != Errno.None)
            return error;
        OpenFile* file = MakeFile(socket, type);
        return file == null ? Errno.ENFILE : FileTable.Current->Add(file, (type & SocketType.CloseOnExec) != 0);
    }

    [Syscall(53, "socketpair", Limits = "AF_UNIX only, as on Linux")]
    internal static Result CreatePair(AddressFamily domain, SocketType type, int protocol, UserPtr<SocketPairDescriptors> descriptors)
    {
        if ((type & ~(SocketType.Mask | Flags)) != 0)
            return Errno.EINVAL;
        FileTable* files = FileTable.Current;
        Result first = files->Reserve();
        if (first.IsError)
            return first;
        Result second = files->Reserve();
        Errno error = second.Error;
        if (error == Errno.None)
        {
            var pair = new SocketPairDescriptors { First = (int)first.Value, Second = (int)second.Value };
            error = descriptors.TryWrite(pair) ? InstallPair(files, pair, domain, type, protocol) : Errno.EFAULT;
            if (error == Errno.None)
                return Result.Ok;
            files->Unreserve((int)second.Value);
        }
        files->Unreserve((int)first.Value);
        return error;
    }

    [Syscall(49, "bind")]
    internal static Result Bind(Fd fd, ulong address, int length)
    {
        Errno error = SocketArguments.Find(fd, out OpenFile* file, out Socket* socket);
        if (error != Errno.None)
            return error;
        SocketAddress name;
        error = SocketAddress.Load(&name, address, length);
        return error != Errno.None ? error : socket->Operations->Bind(socket, &name);
    }

    [Syscall(42, "connect"), MayBlock]
    internal static Result Connect(Fd fd, ulong address, int length)
    {
        Errno error = SocketArguments.Find(fd, out OpenFile* file, out Socket* socket);
        if (error != Errno.None)
            return error;
        SocketAddress name;
        error = SocketAddress.Load(&name, address, length);
        if (error != Errno.None)
            return error;
        file->AddReference();
        Result result = socket->Operations->Connect(socket, &name, file->IsNonBlocking);
        OpenFile.Release(file);
        return result;
    }

    [Syscall(50, "listen")]
    internal static Result Listen(Fd fd, int backlog)
    {
        Errno error = SocketArguments.Find(fd, out OpenFile* file, out Socket* socket);
        if (error != Errno.None)
            return error;
        return socket->Operations->Listen(socket, (uint)backlog < TcpCalls.LargestBacklog ? (uint)backlog : TcpCalls.LargestBacklog);
    }

    [Syscall(43, "accept"), MayBlock]
    internal static Result Accept(Fd fd, ulong address, UserPtr<int> length) => Accept4(fd, address, length, 0);

    [Syscall(288, "accept4"), MayBlock]
    internal static Result Accept4(Fd fd, ulong address, UserPtr<int> length, SocketType flags)
    {
        if (!FileArguments.TryGet(fd, out OpenFile* file))
            return Errno.EBADF;
        if ((flags & ~Flags) != 0)
            return Errno.EINVAL;
        Socket* socket = Socket.TryGet(file);
        if (socket == null)
            return Errno.ENOTSOCK;
        FileTable* files = FileTable.Current;
        Result reserved = files->Reserve();
        if (reserved.IsError)
            return reserved;
        file->AddReference();
        Errno error = Accept(file, socket, flags, address, length, out OpenFile* accepted);
        OpenFile.Release(file);
        if (error != Errno.None)
        {
            files->Unreserve((int)reserved.Value);
            return error;
        }
        files->Install((int)reserved.Value, accepted, (flags & SocketType.CloseOnExec) != 0);
        return reserved;
    }

    [Syscall(51, "getsockname")]
    internal static Result GetName(Fd fd, ulong address, UserPtr<int> length) => GetName(fd, address, length, false);

    [Syscall(52, "getpeername")]
    internal static Result GetPeerName(Fd fd, ulong address, UserPtr<int> length) => GetName(fd, address, length, true);

    [Syscall(48, "shutdown")]
    internal static Result Shutdown(Fd fd, int how)
    {
        Errno error = SocketArguments.Find(fd, out OpenFile* file, out Socket* socket);
        if (error != Errno.None)
            return error;
        // SHUT_RD, SHUT_WR and SHUT_RDWR are 0, 1 and 2; one more makes bits of them.
        return (uint)how > 2 ? Errno.EINVAL : socket->Operations->Shutdown(socket, (ShutdownDirections)(how + 1));
    }

    private static Errno InstallPair(FileTable* files, in SocketPairDescriptors pair, AddressFamily domain, SocketType type, int protocol)
    {
        Errno error = SocketFactory.Create(domain, type & SocketType.Mask, protocol, out Socket* first);
        if (error != Errno.None)
            return error;
        OpenFile* firstFile = MakeFile(first, type);
        if (firstFile == null)
            return Errno.ENFILE;
        error = SocketFactory.Create(domain, type & SocketType.Mask, protocol, out Socket* second);
        OpenFile* secondFile = null;
        if (error == Errno.None)
        {
            secondFile = MakeFile(second, type);
            error = secondFile == null ? Errno.ENFILE : first->Operations->Pair(first, second).Error;
        }
        if (error != Errno.None)
        {
            OpenFile.Release(firstFile);
            if (secondFile != null)
                OpenFile.Release(secondFile);
            return error;
        }
        bool closeOnExec = (type & SocketType.CloseOnExec) != 0;
        files->Install(pair.First, firstFile, closeOnExec);
        files->Install(pair.Second, secondFile, closeOnExec);
        return Errno.None;
    }

    private static Errno Accept(OpenFile* file, Socket* socket, SocketType flags, ulong address, UserPtr<int> length, out OpenFile* accepted)
    {
        accepted = null;
        Socket* connection = null;
        Result result = socket->Operations->Accept(socket, file->IsNonBlocking, &connection);
        if (result.IsError)
            return result.Error;
        accepted = MakeFile(connection, flags);
        if (accepted == null)
            return Errno.ENFILE;
        if (address == 0)
            return Errno.None;
        SocketAddress name;
        Errno error = connection->Operations->GetName(connection, true, &name).Error;
        if (error != Errno.None)
            error = Errno.ECONNABORTED;
        else
            error = name.Store(address, length);
        if (error == Errno.None)
            return Errno.None;
        OpenFile.Release(accepted);
        accepted = null;
        return error;
    }

    private static Result GetName(Fd fd, ulong address, UserPtr<int> length, bool isPeer)
    {
        Errno error = SocketArguments.Find(fd, out OpenFile* file, out Socket* socket);
        if (error != Errno.None)
            return error;
        SocketAddress name;
        Result result = socket->Operations->GetName(socket, isPeer, &name);
        return result.IsError ? result : name.Store(address, length);
    }

    // Ends the socket when there is no memory for its file.
    private static OpenFile* MakeFile(Socket* socket, SocketType flags)
    {
        OpenFile* file = socket->Operations->CreateFile(socket, (flags & SocketType.NonBlock) != 0 ? OpenFlags.NonBlock : OpenFlags.ReadOnly);
        if (file == null)
            socket->Operations->Close(socket);
        return file;
    }
}
