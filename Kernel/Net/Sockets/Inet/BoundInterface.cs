// SO_BINDTODEVICE and SO_BINDTOIFINDEX. Source: socket(7).
using System;
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Net.Sockets.Inet;

/// <summary>Ties a socket to an interface.</summary>
internal static unsafe class BoundInterface
{
    /// <summary>ENOPROTOOPT: another option. ENODEV: no such interface. EINVAL, EFAULT.</summary>
    internal static Result Set(Socket* socket, NetworkStack* stack, SocketOption option, OptionInput value)
    {
        uint index = 0;
        Errno error;
        if (option == SocketOption.BindToDevice)
        {
            byte* name = stackalloc byte[InterfaceName.Size];
            error = value.Copy(name, InterfaceName.Size - 1, out int length);
            if (error == Errno.None && !TryFind(stack, name, length, out index))
                error = Errno.ENODEV;
        }
        else if (option == SocketOption.BindToInterface)
        {
            error = value.Read(out int number);
            if (error == Errno.None && number < 0)
                error = Errno.EINVAL;
            index = (uint)number;
            if (error == Errno.None && index != 0 && stack->FindInterface(index) == null)
                error = Errno.ENODEV;
        }
        else
        {
            return Errno.ENOPROTOOPT;
        }
        if (error != Errno.None)
            return error;
        socket->Settings.BoundInterface = index;
        socket->Operations->SettingChanged(socket, SocketOption.BindToInterface);
        return Result.Ok;
    }

    /// <summary>ENOPROTOOPT: another option.</summary>
    internal static Result Get(Socket* socket, NetworkStack* stack, SocketOption option, OptionOutput* value)
    {
        if (option == SocketOption.IncomingCpu)
            return value->Set(0);
        if (option != SocketOption.BindToDevice)
            return Errno.ENOPROTOOPT;
        NetworkInterface* bound = stack->FindInterface(socket->Settings.BoundInterface);
        if (bound == null)
            return value->Set(ReadOnlySpan<byte>.Empty);
        if (value->Requested < InterfaceName.Size)
            return Errno.EINVAL;
        // The name with its NUL.
        ReadOnlySpan<byte> whole = bound->Name;
        return value->Set(whole[..(bound->Name.Text.Length + 1)]);
    }

    // An empty name unties.
    private static bool TryFind(NetworkStack* stack, byte* name, int capacity, out uint index)
    {
        index = 0;
        int length = 0;
        while (length < capacity && name[length] != 0)
            length++;
        if (length == 0)
            return true;
        for (NetworkInterface* each = stack->Loopback; each != null; each = each->Next)
        {
            if (!each->Name.Is(new ReadOnlySpan<byte>(name, length)))
                continue;
            index = each->Index;
            return true;
        }
        return false;
    }
}
