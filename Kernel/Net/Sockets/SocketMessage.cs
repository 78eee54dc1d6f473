using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Net.Sockets;

/// <summary>What one call of send(2)'s or recv(2)'s family moves. It lives on the caller's stack.</summary>
public unsafe struct SocketMessage
{
    /// <summary>Where the bytes come from or go to.</summary>
    public UserCursor Data;

    /// <summary>How many bytes there are, or how many fit.</summary>
    public nuint Length;

    /// <summary>As the program asked; with <see cref="MessageFlags.DoNotWait"/> when the file does not block.</summary>
    public MessageFlags Flags;

    /// <summary>Of a message received: what msg_flags says.</summary>
    public MessageFlags Returned;

    /// <summary>To send to; null: the peer. Of a message received: takes the sender's address (length 0: none); null: it is not asked for.</summary>
    public SocketAddress* Address;

    /// <summary>To send: control messages, in kernel memory.</summary>
    public byte* Control;

    /// <summary>Bytes of <see cref="Control"/>.</summary>
    public nuint ControlLength;

    /// <summary>Of a message received: takes control messages.</summary>
    public ControlWriter ControlOut;

    /// <summary>Whether the call must not sleep.</summary>
    public readonly bool IsNonBlocking => (Flags & MessageFlags.DoNotWait) != 0;

    /// <summary>Tells a received message's time (nanoseconds since 1970) when the socket asks for it (SO_TIMESTAMP, SO_TIMESTAMPNS).</summary>
    public void PutTimestamp(SocketSwitches switches, ulong time)
    {
        if ((switches & SocketSwitches.Timestamp) != 0)
        {
            TimeValue value = TimeValue.FromNanoseconds(time);
            ControlOut.Put(OptionLevel.Socket, ControlType.Timestamp, &value, (nuint)sizeof(TimeValue), ref Returned);
        }
        else if ((switches & SocketSwitches.TimestampNanoseconds) != 0)
        {
            TimeSpec value = TimeSpec.FromNanoseconds(time);
            ControlOut.Put(OptionLevel.Socket, ControlType.TimestampNanoseconds, &value, (nuint)sizeof(TimeSpec), ref Returned);
        }
    }

    /// <summary>A message of one range without address and control messages.</summary>
    public static SocketMessage Of(UserSpan range, MessageFlags flags) => new() { Data = new UserCursor(range), Length = range.Length, Flags = flags };
}
