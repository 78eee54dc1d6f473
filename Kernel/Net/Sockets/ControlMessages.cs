// Control messages: what sendmsg(2) and recvmsg(2) carry beside bytes. Source: cmsg(3), unix(7), ip(7).
using System.Runtime.InteropServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Net.Sockets;

/// <summary>struct cmsghdr.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ControlHeader
{
    /// <summary>Bytes of header and data.</summary>
    public ulong Length;

    public int Level;
    public int Type;
}

/// <summary>Types of control messages at <see cref="OptionLevel.Socket"/>.</summary>
public static class ControlType
{
    public const int Rights = 1, Credentials = 2, Timestamp = 29, TimestampNanoseconds = 35, Mark = 36;
}

/// <summary>Walks over the control messages of a message to be sent, in kernel memory.</summary>
public unsafe struct ControlReader(byte* start, nuint length)
{
    private readonly byte* _end = start + length;
    private byte* _next = start;

    /// <summary>The message found last.</summary>
    public ControlHeader* Current { get; private set; }

    /// <summary>Its data.</summary>
    public readonly byte* Data => (byte*)(Current + 1);

    /// <summary>Bytes of its data.</summary>
    public readonly nuint DataLength => (nuint)Current->Length - (nuint)sizeof(ControlHeader);

    /// <summary>Goes to the next message. False at the end, and with <paramref name="error"/> EINVAL when a length makes no sense.</summary>
    public bool MoveNext(out Errno error)
    {
        error = Errno.None;
        nuint left = (nuint)(_end - _next);
        if (_next > _end || left < (nuint)sizeof(ControlHeader))
            return false;
        Current = (ControlHeader*)_next;
        if (Current->Length < (ulong)sizeof(ControlHeader) || Current->Length > left)
        {
            error = Errno.EINVAL;
            return false;
        }
        _next += ControlWriter.Align((nuint)Current->Length);
        return true;
    }
}

/// <summary>Writes control messages into the program's memory.</summary>
public unsafe struct ControlWriter
{
    /// <summary>Where the next one goes.</summary>
    public ulong Address;

    /// <summary>Bytes left.</summary>
    public nuint Left;

    /// <summary>Rounds up to where the next control message begins.</summary>
    public static nuint Align(nuint length) => (length + 7) & ~(nuint)7;

    /// <summary>Whether there is room for a message with <paramref name="length"/> bytes of data.</summary>
    public readonly bool Fits(nuint length) => Left >= (nuint)sizeof(ControlHeader) + length;

    /// <summary>
    /// Adds a message. Without room for all of it, it is cut (or left out when not even the header fits) and <paramref name="returned"/> says MSG_CTRUNC.
    /// </summary>
    public void Put(int level, int type, void* data, nuint length, ref MessageFlags returned)
    {
        nuint total = (nuint)sizeof(ControlHeader) + length;
        if (Left < (nuint)sizeof(ControlHeader))
        {
            returned |= MessageFlags.ControlTruncated;
            return;
        }
        if (Left < total)
        {
            returned |= MessageFlags.ControlTruncated;
            total = Left;
        }
        if (!UserMemory.CopyOut(Address + (ulong)sizeof(ControlHeader), data, total - (nuint)sizeof(ControlHeader)) || !PutHeader(level, type, total))
            return;
        Advance(total);
    }

    /// <summary>Writes the header of a message whose data the caller wrote behind it. False is EFAULT.</summary>
    public readonly bool PutHeader(int level, int type, nuint total) =>
        new UserPtr<ControlHeader>(Address).TryWrite(new ControlHeader { Length = total, Level = level, Type = type });

    /// <summary>Goes behind a message of <paramref name="total"/> bytes.</summary>
    public void Advance(nuint total)
    {
        nuint space = Align(total);
        if (space > Left)
            space = Left;
        Address += space;
        Left -= space;
    }
}
