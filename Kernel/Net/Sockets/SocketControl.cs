// ioctl(2) that every socket knows. Source: socket(7), "Ioctls"; netdevice(7).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Net.Sockets;

/// <summary>ioctl(2) of sockets, whatever their kind.</summary>
internal static unsafe class SocketControl
{
    /// <summary>SIOCINQ (FIONREAD) and SIOCOUTQ (TIOCOUTQ): bytes that wait to be read and to be sent. Kinds answer these.</summary>
    internal const uint BytesReadable = 0x541b, BytesUnsent = 0x5411;

    /// <summary>SIOCATMARK.</summary>
    internal const uint IsAtMark = 0x8905;

    private const uint SetOwner = 0x8901, SetGroup = 0x8902, GetOwner = 0x8903, GetGroup = 0x8904;

    /// <summary>ENOTTY: the kind is to be asked.</summary>
    internal static Result Control(OpenFile* file, uint command, ulong argument)
    {
        switch (command)
        {
            case SetOwner:
            case SetGroup:
                return new UserPtr<int>(argument).TryRead(out file->Owner) ? Result.Ok : Errno.EFAULT;
            case GetOwner:
            case GetGroup:
                return new UserPtr<int>(argument).TryWrite(file->Owner) ? Result.Ok : Errno.EFAULT;
            default:
                return InterfaceControl.Control(command, argument);
        }
    }

    /// <summary>Gives an int to the program. EFAULT.</summary>
    internal static Result Give(ulong argument, long value) =>
        new UserPtr<int>(argument).TryWrite(value > int.MaxValue ? int.MaxValue : (int)value) ? Result.Ok : Errno.EFAULT;
}
