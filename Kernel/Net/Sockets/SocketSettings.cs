using System;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Sockets;

/// <summary>Options that are on or off.</summary>
[Flags]
public enum SocketSwitches : uint
{
    None = 0,
    ReuseAddress = 1,
    ReusePort = 2,
    KeepAlive = 4,
    Broadcast = 8,
    OutOfBandInline = 0x10,
    DoNotRoute = 0x20,
    PassCredentials = 0x40,
    Timestamp = 0x80,
    TimestampNanoseconds = 0x100,
    Linger = 0x200,
    NoCheck = 0x400,
    Debug = 0x800,
    ReceiveOverflow = 0x1000,
    ZeroCopy = 0x2000,
    PassSecurity = 0x4000,

    /// <summary>SO_RCVBUF and SO_SNDBUF were set by the program: the kind must not tune them any more.</summary>
    ReceiveBufferLocked = 0x1_0000,
    SendBufferLocked = 0x2_0000,
}

/// <summary>The options of SOL_SOCKET.</summary>
public struct SocketSettings
{
    /// <summary>No limit on waiting.</summary>
    public const ulong NoTimeout = Scheduler.Forever;

    /// <summary>What rmem_default and wmem_default are: 208 KiB.</summary>
    public const uint DefaultBufferSize = 212_992;

    /// <summary>What rmem_max and wmem_max are: what a program may ask for, before it is doubled.</summary>
    public const uint MaximumBufferSize = 4 << 20;

    /// <summary>The least that SO_SNDBUF and SO_RCVBUF become.</summary>
    public const uint MinimumSendBuffer = 4608, MinimumReceiveBuffer = 2304;

    /// <summary>What is on.</summary>
    public SocketSwitches Switches;

    /// <summary>SO_RCVTIMEO and SO_SNDTIMEO in nanoseconds; <see cref="NoTimeout"/>: none.</summary>
    public ulong ReceiveTimeout, SendTimeout;

    /// <summary>SO_RCVBUF and SO_SNDBUF as they are counted, in bytes: twice what was asked for.</summary>
    public uint ReceiveBuffer, SendBuffer;

    /// <summary>SO_RCVLOWAT in bytes.</summary>
    public uint ReceiveLowWater;

    /// <summary>SO_LINGER's time in seconds.</summary>
    public uint LingerSeconds;

    /// <summary>SO_PRIORITY, SO_MARK.</summary>
    public uint Priority, Mark;

    /// <summary>SO_BINDTODEVICE: the interface's index; 0: any.</summary>
    public uint BoundInterface;

    /// <summary>SO_MAX_PACING_RATE and SO_BUSY_POLL: kept and shown, without effect.</summary>
    public ulong PacingRate;

    /// <summary>See <see cref="PacingRate"/>.</summary>
    public uint BusyPoll;

    /// <summary>What a new socket has.</summary>
    public static SocketSettings Default => new()
    {
        ReceiveTimeout = NoTimeout,
        SendTimeout = NoTimeout,
        ReceiveBuffer = DefaultBufferSize,
        SendBuffer = DefaultBufferSize,
        ReceiveLowWater = 1,
        PacingRate = ulong.MaxValue,
    };

    /// <summary>Whether all of these are on.</summary>
    public readonly bool Has(SocketSwitches switches) => (Switches & switches) == switches;

    /// <summary>How many bytes a receiving call waits for, of the <paramref name="length"/> it asked for.</summary>
    public readonly nuint ReceiveTarget(MessageFlags flags, nuint length)
    {
        if ((flags & MessageFlags.WaitAll) == 0 && ReceiveLowWater < length)
            length = ReceiveLowWater;
        return length == 0 ? 1 : length;
    }
}
