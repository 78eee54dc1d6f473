// Sending and receiving one range of bytes. Source: send(2), recv(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net.Sockets;

namespace Ukl.Kernel.Syscalls;

/// <summary>sendto(2) and recvfrom(2), which send(2) and recv(2) are made of.</summary>
internal static unsafe class SocketTransferCalls
{
    [Syscall(44, "sendto", Limits = "MSG_ZEROCOPY copies; MSG_FASTOPEN, MSG_PROBE and MSG_SYN are not known"), MayBlock]
    internal static Result Send(Fd fd, UserSpan buffer, MessageFlags flags, ulong address, int length)
    {
        if (!UserMemory.IsValidRange(buffer.Address, buffer.Length))
            return Errno.EFAULT;
        Errno error = SocketArguments.Find(fd, out OpenFile* file, out Socket* socket);
        if (error != Errno.None)
            return error;
        if (buffer.Length > OpenFile.MaxTransfer)
            buffer = buffer.Slice(0, OpenFile.MaxTransfer);
        flags = SocketArguments.FlagsFor(file, flags);
        file->AddReference();
        Result result = address == 0 ? socket->Operations->SendBytes(socket, buffer, flags) : SendTo(socket, buffer, flags, address, length);
        OpenFile.Release(file);
        return result;
    }

    [Syscall(45, "recvfrom"), MayBlock]
    internal static Result Receive(Fd fd, UserSpan buffer, MessageFlags flags, ulong address, UserPtr<int> length)
    {
        if (!UserMemory.IsValidRange(buffer.Address, buffer.Length))
            return Errno.EFAULT;
        Errno error = SocketArguments.Find(fd, out OpenFile* file, out Socket* socket);
        if (error != Errno.None)
            return error;
        if (buffer.Length > OpenFile.MaxTransfer)
            buffer = buffer.Slice(0, OpenFile.MaxTransfer);
        flags = SocketArguments.FlagsFor(file, flags);
        file->AddReference();
        Result result = address == 0 ? socket->Operations->ReceiveBytes(socket, buffer, flags) : ReceiveFrom(socket, buffer, flags, address, length);
        OpenFile.Release(file);
        return result;
    }

    private static Result SendTo(Socket* socket, UserSpan buffer, MessageFlags flags, ulong address, int length)
    {
        SocketAddress name;
        Errno error = SocketAddress.Load(&name, address, length);
        if (error != Errno.None)
            return error;
        SocketMessage message = SocketMessage.Of(buffer, flags);
        message.Address = name.Length == 0 ? null : &name;
        return socket->Operations->Send(socket, &message);
    }

    private static Result ReceiveFrom(Socket* socket, UserSpan buffer, MessageFlags flags, ulong address, UserPtr<int> length)
    {
        SocketMessage message = SocketMessage.Of(buffer, flags);
        SocketAddress name;
        message.Address = &name;
        name.Length = 0;
        Result result = socket->Operations->Receive(socket, &message);
        if (result.IsError)
            return result;
        Errno error = name.Store(address, length);
        return error != Errno.None ? error : result;
    }
}
