// A socket as an open file: read(2), write(2), poll(2) and ioctl(2) of sockets. Source: socket(7).
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Sockets;

/// <summary>The kind of open file that sockets of <typeparamref name="TKind"/> are: a read reaches the protocol by one call. <see cref="OpenFile.Object"/> is the <see cref="Socket"/>.</summary>
public unsafe struct SocketFile<TKind> : IFileKind
    where TKind : unmanaged, ISocketKind
{
    /// <inheritdoc/>
    public static FileTraits Traits => FileTraits.Socket;

    /// <inheritdoc/>
    public static uint AnonymousMode => ModeBits.Socket | ModeBits.AccessMask;

    /// <summary>Makes an open file with one reference. Null when out of memory.</summary>
    public static OpenFile* Create(Socket* socket, OpenFlags flags)
    {
        OpenFile* file = OpenFile.Create<SocketFile<TKind>>(socket, OpenFlags.ReadWrite | flags);
        if (file == null)
            return null;
        socket->File = file;
        socket->Number = file->AnonymousNumber;
        return file;
    }

    /// <inheritdoc/>
    public static Result Read(OpenFile* file, UserSpan to, ref ulong position) =>
        to.Length == 0 ? 0 : TKind.ReceiveBytes((Socket*)file->Object, to, WaitFlag(file));

    /// <inheritdoc/>
    public static Result Write(OpenFile* file, UserSpan from, ref ulong position) => TKind.SendBytes((Socket*)file->Object, from, WaitFlag(file));

    /// <inheritdoc/>
    public static Result ReadVector(OpenFile* file, UserVector* to, ref ulong position)
    {
        if (to->Total == 0)
            return 0;
        SocketMessage message = new() { Data = new UserCursor(to), Length = to->Total, Flags = WaitFlag(file) };
        return TKind.Receive((Socket*)file->Object, &message);
    }

    /// <inheritdoc/>
    public static Result WriteVector(OpenFile* file, UserVector* from, ref ulong position)
    {
        SocketMessage message = new() { Data = new UserCursor(from), Length = from->Total, Flags = WaitFlag(file) };
        return TKind.Send((Socket*)file->Object, &message);
    }

    /// <inheritdoc/>
    public static Result WriteKernel(OpenFile* file, byte* from, nuint count, ref ulong position) =>
        TKind.SendKernel((Socket*)file->Object, from, count, WaitFlag(file));

    /// <inheritdoc/>
    public static PollEvents Poll(OpenFile* file) => TKind.Poll((Socket*)file->Object);

    /// <inheritdoc/>
    public static WaitQueue* WaitersOf(OpenFile* file) => &((Socket*)file->Object)->Waiters;

    /// <inheritdoc/>
    public static Result Control(OpenFile* file, uint command, ulong argument)
    {
        Result result = SocketControl.Control(file, command, argument);
        return result.Error == Errno.ENOTTY ? TKind.Control((Socket*)file->Object, command, argument) : result;
    }

    /// <inheritdoc/>
    public static int Describe(OpenFile* file, Span<byte> to) => AnonymousNames.WriteNumbered(to, "socket:["u8, file->AnonymousNumber);

    /// <inheritdoc/>
    public static Result Flush(OpenFile* file)
    {
        TKind.DescriptorClosed((Socket*)file->Object);
        return Result.Ok;
    }

    /// <inheritdoc/>
    public static void Release(OpenFile* file)
    {
        var socket = (Socket*)file->Object;
        socket->File = null;
        TKind.Close(socket);
    }

    private static MessageFlags WaitFlag(OpenFile* file) => file->IsNonBlocking ? MessageFlags.DoNotWait : MessageFlags.None;
}
