// Sending and receiving messages with several ranges, addresses and control messages. Source: sendmsg(2), recvmsg(2), sendmmsg(2), recvmmsg(2).
using System.Runtime.InteropServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Files.Events;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net.Sockets;

namespace Ukl.Kernel.Syscalls;

/// <summary>struct msghdr.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MessageHeader
{
    public ulong Name;
    public int NameLength;
    public int Padding;
    public ulong Ranges;
    public ulong RangeCount;
    public ulong Control;
    public ulong ControlLength;
    public MessageFlags Flags;
    public int Padding2;
}

/// <summary>struct mmsghdr.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MultipleMessageHeader
{
    public MessageHeader Header;
    public uint Length;
    public int Padding;
}

/// <summary>sendmsg(2), recvmsg(2), sendmmsg(2) and recvmmsg(2).</summary>
internal static unsafe class SocketMessageCalls
{
    // Enough for most callers; longer vectors and control messages take kernel heap.
    private const int LocalRanges = 8, LocalControl = 128;

    // net.core.optmem_max: the most that control messages may take.
    private const ulong LargestControl = 131_072;

    // Where the fields lie that recvmsg changes.
    private const ulong NameLengthOffset = 8, ControlLengthOffset = 40, FlagsOffset = 48, MultipleLengthOffset = 56;

    [Syscall(46, "sendmsg", Limits = "as sendto"), MayBlock]
    internal static Result Send(Fd fd, UserPtr<MessageHeader> message, MessageFlags flags)
    {
        Errno error = Find(fd, flags, out OpenFile* file, out Socket* socket);
        if (error != Errno.None)
            return error;
        file->AddReference();
        Result result = SendOne(socket, message, SocketArguments.FlagsFor(file, flags));
        OpenFile.Release(file);
        return result;
    }

    [Syscall(47, "recvmsg"), MayBlock]
    internal static Result Receive(Fd fd, UserPtr<MessageHeader> message, MessageFlags flags)
    {
        Errno error = Find(fd, flags, out OpenFile* file, out Socket* socket);
        if (error != Errno.None)
            return error;
        file->AddReference();
        Result result = ReceiveOne(socket, message, SocketArguments.FlagsFor(file, flags), out _);
        OpenFile.Release(file);
        return result;
    }

    [Syscall(307, "sendmmsg", Limits = "as sendto"), MayBlock]
    internal static Result SendMany(Fd fd, UserPtr<MultipleMessageHeader> messages, uint count, MessageFlags flags)
    {
        Errno error = Find(fd, flags, out OpenFile* file, out Socket* socket);
        if (error != Errno.None)
            return error;
        if (count > UserVector.MaxCount)
            count = UserVector.MaxCount;
        file->AddReference();
        Result result = 0;
        uint done = 0;
        for (; done < count; done++)
        {
            ulong header = messages.At(done).Address;
            result = SendOne(socket, new UserPtr<MessageHeader>(header), SocketArguments.FlagsFor(file, flags));
            if (!result.IsError && !new UserPtr<uint>(header + MultipleLengthOffset).TryWrite((uint)result.Value))
                result = Errno.EFAULT;
            if (result.IsError)
                break;
        }
        OpenFile.Release(file);
        return done != 0 ? (long)done : result;
    }

    [Syscall(299, "recvmmsg"), MayBlock]
    internal static Result ReceiveMany(Fd fd, UserPtr<MultipleMessageHeader> messages, uint count, MessageFlags flags, UserPtr<TimeSpec> timeout)
    {
        if ((flags & MessageFlags.ControlCompatible) != 0)
            return Errno.EINVAL;
        ulong deadline = 0;
        if (!timeout.IsNull)
        {
            if (!timeout.TryRead(out TimeSpec span))
                return Errno.EFAULT;
            if (!Timeouts.TryAfter(span, out deadline))
                return Errno.EINVAL;
        }
        Errno error = SocketArguments.Find(fd, out OpenFile* file, out Socket* socket);
        if (error != Errno.None)
            return error;
        if (count > UserVector.MaxCount)
            count = UserVector.MaxCount;
        error = socket->Operations->TakeError(socket);
        if (error != Errno.None)
            return error;
        file->AddReference();
        Result result = ReceiveUntil(file, socket, messages, count, flags, timeout.IsNull, deadline);
        OpenFile.Release(file);
        if (result.Value > 0 && !timeout.IsNull && !timeout.TryWrite(Timeouts.Remaining(deadline)))
            return Errno.EFAULT;
        return result;
    }

    private static Result ReceiveUntil(OpenFile* file, Socket* socket, UserPtr<MultipleMessageHeader> messages, uint count, MessageFlags flags, bool isEndless, ulong deadline)
    {
        Result result = 0;
        uint done = 0;
        while (done < count)
        {
            ulong header = messages.At(done).Address;
            result = ReceiveOne(socket, new UserPtr<MessageHeader>(header), SocketArguments.FlagsFor(file, flags & ~MessageFlags.WaitForOne), out MessageFlags returned);
            if (!result.IsError && !new UserPtr<uint>(header + MultipleLengthOffset).TryWrite((uint)result.Value))
                result = Errno.EFAULT;
            if (result.IsError)
                break;
            done++;
            if ((flags & MessageFlags.WaitForOne) != 0)
                flags |= MessageFlags.DoNotWait;
            // Urgent data is told at once.
            if ((returned & MessageFlags.OutOfBand) != 0 || (!isEndless && Time.Clock.MonotonicNanoseconds >= deadline))
                break;
        }
        if (done == 0)
            return result;
        // An error after messages were received is told by the next call.
        if (result.IsError && result.Error != Errno.EAGAIN)
            socket->PendingError = result.Error;
        return (long)done;
    }

    private static Errno Find(Fd fd, MessageFlags flags, out OpenFile* file, out Socket* socket)
    {
        file = null;
        socket = null;
        return (flags & MessageFlags.ControlCompatible) != 0 ? Errno.EINVAL : SocketArguments.Find(fd, out file, out socket);
    }

    private static Result SendOne(Socket* socket, UserPtr<MessageHeader> address, MessageFlags flags)
    {
        Errno error = LoadHeader(address, out MessageHeader header);
        if (error != Errno.None)
            return error;
        SocketAddress name;
        error = SocketAddress.Load(&name, header.Name, header.NameLength);
        if (error != Errno.None)
            return error;
        UserSpan* local = stackalloc UserSpan[LocalRanges];
        error = UserVector.Load(header.Ranges, header.RangeCount, local, LocalRanges, out UserVector ranges);
        if (error != Errno.None)
            return error;
        SocketMessage message = new() { Data = new UserCursor(&ranges), Length = ranges.Total, Flags = flags };
        if (name.Length != 0)
            message.Address = &name;
        Result result = SendWithControl(socket, &message, header);
        ranges.Free(local);
        return result;
    }

    private static Result SendWithControl(Socket* socket, SocketMessage* message, in MessageHeader header)
    {
        if (header.ControlLength == 0)
            return socket->Operations->Send(socket, message);
        if (header.ControlLength > LargestControl)
            return Errno.ENOBUFS;
        // Control messages are read as 8-byte words.
        ulong* words = stackalloc ulong[LocalControl / sizeof(ulong)];
        var local = (byte*)words;
        byte* control = header.ControlLength <= LocalControl ? local : (byte*)KernelHeap.Allocate((nuint)header.ControlLength);
        if (control == null)
            return Errno.ENOBUFS;
        message->Control = control;
        message->ControlLength = (nuint)header.ControlLength;
        Result result = UserMemory.CopyIn(control, header.Control, (nuint)header.ControlLength) ? socket->Operations->Send(socket, message) : Errno.EFAULT;
        if (control != local)
            KernelHeap.Free(control);
        return result;
    }

    private static Result ReceiveOne(Socket* socket, UserPtr<MessageHeader> address, MessageFlags flags, out MessageFlags returned)
    {
        returned = MessageFlags.None;
        Errno error = LoadHeader(address, out MessageHeader header);
        if (error != Errno.None)
            return error;
        UserSpan* local = stackalloc UserSpan[LocalRanges];
        error = UserVector.Load(header.Ranges, header.RangeCount, local, LocalRanges, out UserVector ranges);
        if (error != Errno.None)
            return error;
        SocketAddress name;
        SocketAddress* sender = &name;
        sender->Length = 0;
        SocketMessage message = new()
        {
            Data = new UserCursor(&ranges),
            Length = ranges.Total,
            Flags = flags,
            Returned = flags & MessageFlags.ControlCloseOnExec,
            Address = header.Name == 0 ? null : sender,
            ControlOut = new ControlWriter { Address = header.Control, Left = header.Control == 0 ? 0 : (nuint)header.ControlLength },
        };
        Result result = socket->Operations->Receive(socket, &message);
        ranges.Free(local);
        if (result.IsError)
            return result;
        returned = message.Returned;
        if (header.Name != 0)
        {
            error = name.Store(header.Name, new UserPtr<int>(address.Address + NameLengthOffset));
            if (error != Errno.None)
                return error;
        }
        bool isStored = new UserPtr<uint>(address.Address + FlagsOffset).TryWrite((uint)returned);
        isStored &= new UserPtr<ulong>(address.Address + ControlLengthOffset).TryWrite(message.ControlOut.Address - header.Control);
        return isStored ? result : Errno.EFAULT;
    }

    private static Errno LoadHeader(UserPtr<MessageHeader> address, out MessageHeader header)
    {
        if (!address.TryRead(out header))
            return Errno.EFAULT;
        if (header.RangeCount > UserVector.MaxCount)
            return Errno.EMSGSIZE;
        if (header.Name == 0)
            header.NameLength = 0;
        if (header.NameLength < 0)
            return Errno.EINVAL;
        if (header.NameLength > SocketAddress.Capacity)
            header.NameLength = SocketAddress.Capacity;
        return Errno.None;
    }
}
