// What a kind of socket (TCP, UDP, AF_UNIX streams …) does. Each is a struct without state that implements this interface over its own socket structure;
// members it leaves out answer as Linux does for a protocol that lacks the operation.
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Sockets;

/// <summary>
/// The behaviour of one kind of socket. Callers hold a reference on the file and have copied addresses and control messages into kernel memory. Only members with
/// a flag or argument that says whether they may wait do so.
/// </summary>
public unsafe interface ISocketKind
{
    /// <summary>bind(2).</summary>
    static virtual Result Bind(Socket* socket, SocketAddress* address) => Errno.EOPNOTSUPP;

    /// <summary>connect(2). May sleep.</summary>
    static virtual Result Connect(Socket* socket, SocketAddress* address, bool isNonBlocking) => Errno.EOPNOTSUPP;

    /// <summary>socketpair(2): connects two new sockets.</summary>
    static virtual Result Pair(Socket* first, Socket* second) => Errno.EOPNOTSUPP;

    /// <summary>listen(2); the backlog is cut to somaxconn already.</summary>
    static virtual Result Listen(Socket* socket, uint backlog) => Errno.EOPNOTSUPP;

    /// <summary>accept(2): gives the next connection's socket, which has no file yet. May sleep.</summary>
    static virtual Result Accept(Socket* socket, bool isNonBlocking, Socket** accepted) => Errno.EOPNOTSUPP;

    /// <summary>getsockname(2), and getpeername(2) with <paramref name="isPeer"/> (ENOTCONN).</summary>
    static virtual Result GetName(Socket* socket, bool isPeer, SocketAddress* address) => Errno.EOPNOTSUPP;

    /// <summary>shutdown(2).</summary>
    static virtual Result Shutdown(Socket* socket, ShutdownDirections directions) => Errno.EOPNOTSUPP;

    /// <summary>sendmsg(2). Returns the bytes taken. May sleep.</summary>
    static virtual Result Send(Socket* socket, SocketMessage* message) => Errno.EOPNOTSUPP;

    /// <summary>recvmsg(2). Returns the bytes given, or the message's length with MSG_TRUNC. May sleep.</summary>
    static virtual Result Receive(Socket* socket, SocketMessage* message) => Errno.EOPNOTSUPP;

    /// <summary>send(2) of one range to the peer. May sleep.</summary>
    static abstract Result SendBytes(Socket* socket, UserSpan from, MessageFlags flags);

    /// <summary>recv(2) into one range. May sleep.</summary>
    static abstract Result ReceiveBytes(Socket* socket, UserSpan to, MessageFlags flags);

    /// <summary>Sends bytes of the kernel (sendfile, splice). May sleep.</summary>
    static virtual Result SendKernel(Socket* socket, byte* from, nuint count, MessageFlags flags) => Errno.EINVAL;

    /// <summary>Takes received bytes into kernel memory (splice). May sleep.</summary>
    static virtual Result ReceiveKernel(Socket* socket, byte* to, nuint count, MessageFlags flags) => Errno.EINVAL;

    /// <summary>What is ready now; never sleeps.</summary>
    static abstract PollEvents Poll(Socket* socket);

    /// <summary>SO_ERROR: gives the pending error and forgets it.</summary>
    static virtual Errno TakeError(Socket* socket) => socket->TakeError();

    /// <summary>SO_ACCEPTCONN.</summary>
    static virtual bool IsListening(Socket* socket) => false;

    /// <summary>SO_SNDBUF, or SO_RCVBUF.</summary>
    static virtual uint BufferSize(Socket* socket, bool isSend) => isSend ? socket->Settings.SendBuffer : socket->Settings.ReceiveBuffer;

    /// <summary>An option of SOL_SOCKET in <see cref="Socket.Settings"/> was changed.</summary>
    static virtual void SettingChanged(Socket* socket, SocketOption option)
    {
    }

    /// <summary>setsockopt(2) of the kind's own levels, and of SOL_SOCKET's options that not every kind has.</summary>
    static virtual Result SetOption(Socket* socket, int level, int name, OptionInput value) => Errno.ENOPROTOOPT;

    /// <summary>getsockopt(2), as <see cref="SetOption"/>.</summary>
    static virtual Result GetOption(Socket* socket, int level, int name, OptionOutput* value) => Errno.ENOPROTOOPT;

    /// <summary>ioctl(2), but for what every socket knows.</summary>
    static virtual Result Control(Socket* socket, uint command, ulong argument) => Errno.ENOTTY;

    /// <summary>
    /// A descriptor of the file is being closed; the file's count of references still has it. With the last one, waits until what was sent has arrived when SO_LINGER asks for that.
    /// May sleep.
    /// </summary>
    static virtual void DescriptorClosed(Socket* socket)
    {
    }

    /// <summary>The file is gone: ends the connection as the protocol wants and frees the socket when nothing needs it any more. Must not sleep.</summary>
    static abstract void Close(Socket* socket);
}
