// The options of SOL_SOCKET. Source: socket(7).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Sockets;

/// <summary>setsockopt(2) and getsockopt(2) at the level SOL_SOCKET; what is not here the kind is asked for.</summary>
internal static unsafe class SocketLevelOptions
{
    private const long MicrosecondsPerSecond = 1_000_000;
    private const uint HighestPriority = 6;

    private struct Linger
    {
        public int IsOn;
        public int Seconds;
    }

    internal static Result Set(Socket* socket, SocketOption option, OptionInput value)
    {
        if (option is SocketOption.BindToDevice or SocketOption.BindToInterface)
            return socket->Operations->SetOption(socket, OptionLevel.Socket, (int)option, value);
        Errno error = value.Read(out int number);
        if (error != Errno.None)
            return error;
        SocketSwitches switched = SwitchOf(option);
        error = switched != SocketSwitches.None ? Switch(socket, switched, number != 0) : Set(socket, option, value, number);
        if (error == Errno.ENOPROTOOPT)
            return socket->Operations->SetOption(socket, OptionLevel.Socket, (int)option, value);
        if (error == Errno.None)
            socket->Operations->SettingChanged(socket, option);
        return error;
    }

    internal static Result Get(Socket* socket, SocketOption option, OptionOutput* value)
    {
        SocketSettings* settings = &socket->Settings;
        SocketSwitches switched = SwitchOf(option);
        if (switched != SocketSwitches.None)
            return value->Set(settings->Has(switched));
        switch (option)
        {
            case SocketOption.Type:
                return value->Set((int)socket->Type);
            case SocketOption.Domain:
                return value->Set((int)socket->Family);
            case SocketOption.Protocol:
                return value->Set(socket->Protocol);
            case SocketOption.Error:
                return value->Set((int)socket->Operations->TakeError(socket));
            case SocketOption.AcceptsConnections:
                return value->Set(socket->Operations->IsListening(socket));
            case SocketOption.SendBuffer:
            case SocketOption.ReceiveBuffer:
                return value->Set(socket->Operations->BufferSize(socket, option == SocketOption.SendBuffer));
            case SocketOption.Priority:
                return value->Set(settings->Priority);
            case SocketOption.Mark:
                return value->Set(settings->Mark);
            case SocketOption.Linger:
                return value->Set(new Linger { IsOn = settings->Has(SocketSwitches.Linger) ? 1 : 0, Seconds = (int)settings->LingerSeconds });
            case SocketOption.ReceiveLowWater:
                return value->Set(settings->ReceiveLowWater);
            case SocketOption.SendLowWater:
                return value->Set(1);
            case SocketOption.ReceiveTimeoutOld:
            case SocketOption.ReceiveTimeoutNew:
                return value->Set(TimeOf(settings->ReceiveTimeout));
            case SocketOption.SendTimeoutOld:
            case SocketOption.SendTimeoutNew:
                return value->Set(TimeOf(settings->SendTimeout));
            case SocketOption.BsdCompatible:
            case SocketOption.LockFilter:
            case SocketOption.IncomingNapi:
                return value->Set(0);
            case SocketOption.BusyPoll:
                return value->Set(settings->BusyPoll);
            case SocketOption.PacingRate:
                return value->Requested >= sizeof(ulong) ? value->Set(settings->PacingRate) : value->Set((uint)settings->PacingRate);
            case SocketOption.BindToInterface:
                return value->Set(settings->BoundInterface);
            case SocketOption.Cookie:
                return value->Requested < sizeof(ulong) ? Errno.EINVAL : value->Set(socket->Number);
            case SocketOption.PeerCredentials:
                return socket->Family == AddressFamily.Unix
                    ? socket->Operations->GetOption(socket, OptionLevel.Socket, (int)option, value)
                    : value->Set(PeerCredentials.None);
            case SocketOption.PeerName:
                return GetPeerName(socket, value);
            default:
                return socket->Operations->GetOption(socket, OptionLevel.Socket, (int)option, value);
        }
    }

    private static Errno Set(Socket* socket, SocketOption option, OptionInput value, int number)
    {
        SocketSettings* settings = &socket->Settings;
        switch (option)
        {
            case SocketOption.SendBuffer:
            case SocketOption.ReceiveBuffer:
                return SetBuffer(settings, option == SocketOption.SendBuffer, (uint)number < SocketSettings.MaximumBufferSize ? (uint)number : SocketSettings.MaximumBufferSize);
            case SocketOption.SendBufferForce:
            case SocketOption.ReceiveBufferForce:
                if (!IsPrivileged)
                    return Errno.EPERM;
                return SetBuffer(settings, option == SocketOption.SendBufferForce, number < 0 ? 0 : (uint)number < int.MaxValue / 2 ? (uint)number : int.MaxValue / 2);
            case SocketOption.Priority:
                if ((uint)number > HighestPriority && !IsPrivileged)
                    return Errno.EPERM;
                settings->Priority = (uint)number;
                return Errno.None;
            case SocketOption.Mark:
                if (!IsPrivileged)
                    return Errno.EPERM;
                settings->Mark = (uint)number;
                return Errno.None;
            case SocketOption.Linger:
                return SetLinger(settings, value);
            case SocketOption.ReceiveLowWater:
                settings->ReceiveLowWater = number < 0 ? int.MaxValue : number == 0 ? 1 : (uint)number;
                return Errno.None;
            case SocketOption.ReceiveTimeoutOld:
            case SocketOption.ReceiveTimeoutNew:
                return SetTimeout(value, ref settings->ReceiveTimeout);
            case SocketOption.SendTimeoutOld:
            case SocketOption.SendTimeoutNew:
                return SetTimeout(value, ref settings->SendTimeout);
            case SocketOption.BsdCompatible:
                return Errno.None;
            case SocketOption.BusyPoll:
                if (number < 0)
                    return Errno.EINVAL;
                settings->BusyPoll = (uint)number;
                return Errno.None;
            case SocketOption.PacingRate:
                if (value.Read(out ulong rate) != Errno.None)
                    rate = (uint)number == uint.MaxValue ? ulong.MaxValue : (uint)number;
                settings->PacingRate = rate;
                return Errno.None;
            case SocketOption.DetachFilter:
                return Errno.ENOENT;
            default:
                return Errno.ENOPROTOOPT;
        }
    }

    private static bool IsPrivileged => Process.Current->Credentials.EffectiveUserId == 0;

    private static SocketSwitches SwitchOf(SocketOption option) => option switch
    {
        SocketOption.Debug => SocketSwitches.Debug,
        SocketOption.ReuseAddress => SocketSwitches.ReuseAddress,
        SocketOption.ReusePort => SocketSwitches.ReusePort,
        SocketOption.DoNotRoute => SocketSwitches.DoNotRoute,
        SocketOption.Broadcast => SocketSwitches.Broadcast,
        SocketOption.KeepAlive => SocketSwitches.KeepAlive,
        SocketOption.OutOfBandInline => SocketSwitches.OutOfBandInline,
        SocketOption.NoCheck => SocketSwitches.NoCheck,
        SocketOption.PassCredentials => SocketSwitches.PassCredentials,
        SocketOption.PassSecurity => SocketSwitches.PassSecurity,
        SocketOption.Timestamp or SocketOption.TimestampNew => SocketSwitches.Timestamp,
        SocketOption.TimestampNanoseconds or SocketOption.TimestampNanosecondsNew => SocketSwitches.TimestampNanoseconds,
        SocketOption.ReceiveOverflow => SocketSwitches.ReceiveOverflow,
        SocketOption.ZeroCopy => SocketSwitches.ZeroCopy,
        _ => SocketSwitches.None,
    };

    private static Errno Switch(Socket* socket, SocketSwitches switched, bool isOn)
    {
        const SocketSwitches timestamps = SocketSwitches.Timestamp | SocketSwitches.TimestampNanoseconds;
        bool isInternet = socket->Family is AddressFamily.Inet or AddressFamily.Inet6;
        if (switched == SocketSwitches.ReusePort && isOn && !isInternet)
            return Errno.EOPNOTSUPP;
        if (switched is SocketSwitches.PassCredentials or SocketSwitches.PassSecurity && isInternet)
            return Errno.EOPNOTSUPP;
        if (switched == SocketSwitches.ZeroCopy && !isInternet)
            return Errno.EOPNOTSUPP;
        SocketSwitches* switches = &socket->Settings.Switches;
        // The two kinds of timestamp exclude each other.
        if ((switched & timestamps) != 0)
            *switches &= ~timestamps;
        *switches = isOn ? *switches | switched : *switches & ~switched;
        return Errno.None;
    }

    private static Errno SetBuffer(SocketSettings* settings, bool isSend, uint size)
    {
        uint least = isSend ? SocketSettings.MinimumSendBuffer : SocketSettings.MinimumReceiveBuffer;
        size = size * 2 < least ? least : size * 2;
        if (isSend)
            settings->SendBuffer = size;
        else
            settings->ReceiveBuffer = size;
        settings->Switches |= isSend ? SocketSwitches.SendBufferLocked : SocketSwitches.ReceiveBufferLocked;
        return Errno.None;
    }

    private static Errno SetLinger(SocketSettings* settings, OptionInput value)
    {
        Errno error = value.Read(out Linger linger);
        if (error != Errno.None)
            return error;
        settings->Switches &= ~SocketSwitches.Linger;
        if (linger.IsOn == 0)
            return Errno.None;
        settings->LingerSeconds = (uint)linger.Seconds;
        settings->Switches |= SocketSwitches.Linger;
        return Errno.None;
    }

    private static Errno SetTimeout(OptionInput value, ref ulong timeout)
    {
        Errno error = value.Read(out TimeValue time);
        if (error != Errno.None)
            return error;
        if ((ulong)time.Microseconds >= MicrosecondsPerSecond)
            return Errno.EDOM;
        if (time.Seconds < 0)
            timeout = 0;
        else if (time.Seconds == 0 && time.Microseconds == 0)
            timeout = SocketSettings.NoTimeout;
        else
            timeout = time.ToNanoseconds();
        return Errno.None;
    }

    private static TimeValue TimeOf(ulong timeout) => timeout == SocketSettings.NoTimeout ? default : TimeValue.FromNanoseconds(timeout);

    private static Result GetPeerName(Socket* socket, OptionOutput* value)
    {
        SocketAddress address;
        Result result = socket->Operations->GetName(socket, true, &address);
        if (result.IsError)
            return Errno.ENOTCONN;
        if (address.Length < value->Requested)
            return Errno.EINVAL;
        return value->Set(address.Span);
    }
}
