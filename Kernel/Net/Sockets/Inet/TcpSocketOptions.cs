// Options and ioctls of TCP's sockets. Source: tcp(7), ip(7), ipv6(7), socket(7).
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Tcp;

namespace Ukl.Kernel.Net.Sockets.Inet;

/// <summary>setsockopt(2), getsockopt(2) and ioctl(2) of TCP's sockets.</summary>
internal static unsafe class TcpSocketOptions
{
    private const int NoDelay = 1, MaximumSegment = 2, Cork = 3, KeepIdle = 4, KeepInterval = 5, KeepCount = 6, SynCount = 7, Linger2 = 8, DeferAccept = 9;
    private const int Information = 11, QuickAck = 12, Congestion = 13, UserTimeout = 18, FastOpen = 23, NotSentLowWater = 25, UpperProtocol = 31;

    // TCP_CA_NAME_MAX.
    private const int CongestionNameSize = 16;

    private static ReadOnlySpan<byte> CongestionName => "cubic\0\0\0\0\0\0\0\0\0\0\0"u8;

    internal static void SettingChanged(TcpSocket* socket, SocketOption option)
    {
        TcpConnection* connection = socket->Connection;
        ref SocketSettings settings = ref socket->Base.Settings;
        connection->Stack->Enter();
        switch (option)
        {
            case SocketOption.ReuseAddress:
                TcpCalls.SetPortFlag(connection, PortFlags.ReuseAddress, settings.Has(SocketSwitches.ReuseAddress));
                break;
            case SocketOption.ReusePort:
                TcpCalls.SetPortFlag(connection, PortFlags.ReusePort, settings.Has(SocketSwitches.ReusePort));
                break;
            case SocketOption.KeepAlive:
                TcpCalls.SetKeepAlive(connection, settings.Has(SocketSwitches.KeepAlive));
                break;
            case SocketOption.OutOfBandInline:
                TcpCalls.SetUrgentInline(connection, settings.Has(SocketSwitches.OutOfBandInline));
                break;
            case SocketOption.SendBuffer:
            case SocketOption.SendBufferForce:
                TcpCalls.SetSendBuffer(connection, settings.SendBuffer);
                break;
            case SocketOption.ReceiveBuffer:
            case SocketOption.ReceiveBufferForce:
                TcpCalls.SetReceiveBuffer(connection, settings.ReceiveBuffer);
                break;
            case SocketOption.ReceiveLowWater:
                TcpCalls.SetLowWatermark(connection, (int)settings.ReceiveLowWater);
                break;
            case SocketOption.BindToInterface:
                TcpCalls.SetInterface(connection, settings.BoundInterface);
                break;
        }
        connection->Stack->Leave();
    }

    /// <summary>SO_SNDBUF and SO_RCVBUF, which follow the traffic until they are set.</summary>
    internal static uint BufferSize(TcpSocket* socket, bool isSend) =>
        isSend ? TcpCalls.GetSendBuffer(socket->Connection) : TcpCalls.GetReceiveBuffer(socket->Connection);

    internal static Result Set(TcpSocket* socket, int level, int name, OptionInput value)
    {
        TcpConnection* connection = socket->Connection;
        if (level == OptionLevel.Socket)
            return BoundInterface.Set(&socket->Base, connection->Stack, (SocketOption)name, value);
        if (level == OptionLevel.Tcp)
            return SetTcp(socket, name, value);
        Errno error = InetOptions.Set(&socket->Base, ref socket->Settings, connection->Port.Port != 0, level, name, value);
        if (error != Errno.None)
            return error == Errno.ENOPROTOOPT ? GroupOptions.RefuseStream(level, name) : error;
        connection->Stack->Enter();
        TcpCalls.SetHopLimit(connection, socket->Settings.HopLimitFor(socket->Base.Family));
        TcpCalls.SetTrafficClass(connection, socket->Settings.TrafficClassFor(socket->Base.Family));
        if (connection->Port.Port == 0)
            TcpCalls.SetPortFlag(connection, PortFlags.IsV6Only, socket->Settings.IsV6Only);
        connection->Stack->Leave();
        return Result.Ok;
    }

    internal static Result Get(TcpSocket* socket, int level, int name, OptionOutput* value)
    {
        TcpConnection* connection = socket->Connection;
        if (level == OptionLevel.Socket)
            return BoundInterface.Get(&socket->Base, connection->Stack, (SocketOption)name, value);
        if (level == OptionLevel.Tcp)
            return GetTcp(socket, name, value);
        if ((level == OptionLevel.Ip && name == InetOptions.Mtu4) || (level == OptionLevel.Ipv6 && name == InetOptions.Mtu6))
            return connection->State is ConnectionState.Closed or ConnectionState.Listen ? Errno.ENOTCONN : value->Set(connection->Route.Mtu);
        return InetOptions.Get(&socket->Base, socket->Settings, level, name, value);
    }

    internal static Result Control(TcpSocket* socket, uint command, ulong argument)
    {
        TcpConnection* connection = socket->Connection;
        switch (command)
        {
            case SocketControl.BytesReadable:
                return connection->State == ConnectionState.Listen ? Errno.EINVAL : SocketControl.Give(argument, TcpCalls.Unread(connection));
            case SocketControl.BytesUnsent:
                return connection->State == ConnectionState.Listen ? Errno.EINVAL : SocketControl.Give(argument, TcpCalls.Unsent(connection));
            case SocketControl.IsAtMark:
                return SocketControl.Give(argument, TcpCalls.IsAtMark(connection) ? 1 : 0);
            default:
                return Errno.ENOTTY;
        }
    }

    private static Result SetTcp(TcpSocket* socket, int name, OptionInput value)
    {
        if (name == Congestion)
            return SetCongestion(value);
        // TLS inside the kernel and its like: none is there.
        if (name == UpperProtocol)
            return Errno.ENOENT;
        Errno error = value.Read(out int number);
        if (error != Errno.None)
            return error;
        TcpConnection* connection = socket->Connection;
        connection->Stack->Enter();
        error = SetNumber(socket, connection, name, number);
        connection->Stack->Leave();
        return error;
    }

    private static Errno SetNumber(TcpSocket* socket, TcpConnection* connection, int name, int number)
    {
        switch (name)
        {
            case NoDelay:
                TcpCalls.SetNoDelay(connection, number != 0);
                return Errno.None;
            case MaximumSegment:
                return TcpCalls.SetMaximumSegment(connection, number);
            case Cork:
                TcpCalls.SetCork(connection, number != 0);
                return Errno.None;
            case KeepIdle:
                return TcpCalls.SetKeepIdle(connection, number);
            case KeepInterval:
                return TcpCalls.SetKeepInterval(connection, number);
            case KeepCount:
                return TcpCalls.SetKeepCount(connection, number);
            case SynCount:
                return TcpCalls.SetSynRetries(connection, number);
            case Linger2:
                TcpCalls.SetFinTimeout(connection, number);
                return Errno.None;
            case DeferAccept:
                TcpCalls.SetDeferAccept(connection, number);
                return Errno.None;
            case QuickAck:
                TcpCalls.SetQuickAck(connection, number != 0);
                return Errno.None;
            case UserTimeout:
                return TcpCalls.SetUserTimeout(connection, number);
            case NotSentLowWater:
                socket->NotSentLowWater = (uint)number;
                return Errno.None;
            case FastOpen:
                return number == 0 ? Errno.None : Errno.EOPNOTSUPP;
            default:
                return Errno.ENOPROTOOPT;
        }
    }

    private static Result GetTcp(TcpSocket* socket, int name, OptionOutput* value)
    {
        TcpConnection* connection = socket->Connection;
        switch (name)
        {
            case NoDelay:
                return value->Set(TcpCalls.IsNoDelay(connection));
            case MaximumSegment:
                return value->Set(TcpCalls.GetMaximumSegment(connection));
            case Cork:
                return value->Set(TcpCalls.IsCorked(connection));
            case KeepIdle:
                return value->Set(TcpCalls.GetKeepIdle(connection));
            case KeepInterval:
                return value->Set(TcpCalls.GetKeepInterval(connection));
            case KeepCount:
                return value->Set(TcpCalls.GetKeepCount(connection));
            case SynCount:
                return value->Set(TcpCalls.GetSynRetries(connection));
            case Linger2:
                return value->Set(TcpCalls.GetFinTimeout(connection));
            case DeferAccept:
                return value->Set(TcpCalls.GetDeferAccept(connection));
            case QuickAck:
                return value->Set(TcpCalls.IsQuickAck(connection));
            case UserTimeout:
                return value->Set(TcpCalls.GetUserTimeout(connection));
            case NotSentLowWater:
                return value->Set(socket->NotSentLowWater);
            case FastOpen:
                return value->Set(0);
            case Congestion:
                return value->Set(CongestionName);
            case Information:
                connection->Stack->Enter();
                TcpInformation information = TcpInformation.Of(connection);
                connection->Stack->Leave();
                return value->Set(information);
            default:
                return Errno.ENOPROTOOPT;
        }
    }

    // There is one way to control congestion.
    private static Result SetCongestion(OptionInput value)
    {
        if (value.Length < 1)
            return Errno.EINVAL;
        byte* name = stackalloc byte[CongestionNameSize];
        Errno error = value.Copy(name, CongestionNameSize - 1, out int length);
        if (error != Errno.None)
            return error;
        name[length] = 0;
        for (int i = 0; ; i++)
        {
            if (name[i] != CongestionName[i])
                return Errno.ENOENT;
            if (name[i] == 0)
                return Result.Ok;
        }
    }
}
