// What sockets are called in the ABI. Source: socket(2), include/linux/socket.h, include/linux/net.h.
using System;

namespace Ukl.Kernel.Net.Sockets;

/// <summary>AF_*.</summary>
public enum AddressFamily : uint
{
    Unspecified = 0,
    Unix = 1,
    Inet = 2,
    Inet6 = 10,
    Netlink = 16,
}

/// <summary>SOCK_*: the kind in the low bits, two flags of descriptors above.</summary>
[Flags]
public enum SocketType : uint
{
    Stream = 1,
    Datagram = 2,
    Raw = 3,
    SeqPacket = 5,

    /// <summary>The bits of the kind.</summary>
    Mask = 0xf,

    /// <summary>SOCK_NONBLOCK.</summary>
    NonBlock = 0x800,

    /// <summary>SOCK_CLOEXEC.</summary>
    CloseOnExec = 0x8_0000,
}

/// <summary>MSG_*: how to send or receive, and what recvmsg(2) says of a message.</summary>
[Flags]
public enum MessageFlags : uint
{
    None = 0,
    OutOfBand = 1,
    Peek = 2,
    DoNotRoute = 4,
    ControlTruncated = 8,
    Truncated = 0x20,
    DoNotWait = 0x40,
    EndOfRecord = 0x80,
    WaitAll = 0x100,
    Confirm = 0x800,
    ErrorQueue = 0x2000,
    NoSignal = 0x4000,
    More = 0x8000,
    WaitForOne = 0x1_0000,
    ZeroCopy = 0x400_0000,
    FastOpen = 0x2000_0000,
    ControlCloseOnExec = 0x4000_0000,

    /// <summary>MSG_CMSG_COMPAT, which 64-bit programs may not pass.</summary>
    ControlCompatible = 0x8000_0000,
}

/// <summary>Which directions of a connection are shut (shutdown(2)'s argument plus one).</summary>
[Flags]
public enum ShutdownDirections : byte
{
    None = 0,
    Receive = 1,
    Send = 2,
    Both = 3,
}

/// <summary>Levels of setsockopt(2).</summary>
public static class OptionLevel
{
    public const int Ip = 0, Socket = 1, Tcp = 6, Udp = 17, Ipv6 = 41, Raw = 255, Netlink = 270;
}
