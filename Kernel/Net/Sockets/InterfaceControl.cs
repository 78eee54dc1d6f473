// ioctl(2) about interfaces, on any socket. Source: netdevice(7).
using System;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Net.Sockets;

/// <summary>SIOCGIF*: what interfaces there are and what they have. Nothing can be changed this way.</summary>
internal static unsafe class InterfaceControl
{
    private const uint GetName = 0x8910, GetList = 0x8912, GetFlags = 0x8913, GetAddress = 0x8915, GetDestination = 0x8917, GetBroadcast = 0x8919, GetNetmask = 0x891b;
    private const uint GetMetric = 0x891d, GetMtu = 0x8921, GetHardware = 0x8927, GetIndex = 0x8933, GetQueueLength = 0x8942;

    // ARPHRD_*.
    private const ushort Ethernet = 1, Loopback = 772;

    private const int DefaultQueueLength = 1000;

    /// <summary>struct ifreq: a name and a value of 24 bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct InterfaceRequest
    {
        public fixed byte Name[InterfaceName.Size];
        public fixed byte Value[24];
    }

    /// <summary>struct ifconf.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct InterfaceList
    {
        public int Length;
        public int Padding;
        public ulong Requests;
    }

    /// <summary>ENOTTY: another command. ENODEV, EADDRNOTAVAIL, EFAULT, ENOMEM.</summary>
    internal static Result Control(uint command, ulong argument)
    {
        if (command is not (GetName or GetList or GetFlags or GetAddress or GetDestination or GetBroadcast or GetNetmask or GetMetric or GetMtu or GetHardware or GetIndex or GetQueueLength))
            return Errno.ENOTTY;
        NetworkStack* stack = KernelNetwork.GetStack();
        if (stack == null)
            return Errno.ENOMEM;
        if (command == GetList)
            return List(stack, new UserPtr<InterfaceList>(argument));
        InterfaceRequest request;
        if (!UserMemory.CopyIn(&request, argument, (nuint)sizeof(InterfaceRequest)))
            return Errno.EFAULT;
        NetworkInterface* link = command == GetName ? stack->FindInterface(*(uint*)request.Value) : Find(stack, request.Name);
        if (link == null)
            return Errno.ENODEV;
        Errno error = Answer(command, link, &request);
        if (error != Errno.None)
            return error;
        return UserMemory.CopyOut(argument, &request, (nuint)sizeof(InterfaceRequest)) ? Result.Ok : Errno.EFAULT;
    }

    private static Errno Answer(uint command, NetworkInterface* link, InterfaceRequest* request)
    {
        switch (command)
        {
            case GetName:
                SetName(request, link);
                return Errno.None;
            case GetFlags:
                *(ushort*)request->Value = (ushort)link->Flags;
                return Errno.None;
            case GetIndex:
                *(uint*)request->Value = link->Index;
                return Errno.None;
            case GetMtu:
                *(uint*)request->Value = link->Mtu;
                return Errno.None;
            case GetMetric:
                *(int*)request->Value = 0;
                return Errno.None;
            case GetQueueLength:
                *(int*)request->Value = DefaultQueueLength;
                return Errno.None;
            case GetHardware:
                new Span<byte>(request->Value, 16).Clear();
                *(ushort*)request->Value = link->IsLoopback ? Loopback : Ethernet;
                link->Mac.Write(new Span<byte>(request->Value + sizeof(ushort), MacAddress.Size));
                return Errno.None;
            default:
                return AnswerAddress(command, link, request);
        }
    }

    private static Errno AnswerAddress(uint command, NetworkInterface* link, InterfaceRequest* request)
    {
        for (int i = 0; i < link->AddressEnd; i++)
        {
            InterfaceAddress entry = link->Addresses[i];
            if (!entry.IsUsable || !entry.Address.IsV4)
                continue;
            uint netmask = entry.PrefixLength == 0 ? 0 : uint.MaxValue << (32 - entry.PrefixLength);
            SetAddress(request, command switch { GetNetmask => netmask, GetBroadcast => entry.Broadcast, _ => entry.Address.V4 });
            return Errno.None;
        }
        return Errno.EADDRNOTAVAIL;
    }

    // One entry for each address of IPv4; without room for any, how much there would be.
    private static Result List(NetworkStack* stack, UserPtr<InterfaceList> argument)
    {
        if (!argument.TryRead(out InterfaceList list))
            return Errno.EFAULT;
        int used = 0;
        for (NetworkInterface* each = stack->Loopback; each != null; each = each->Next)
        {
            for (int i = 0; i < each->AddressEnd; i++)
            {
                InterfaceAddress entry = each->Addresses[i];
                if (!entry.IsUsable || !entry.Address.IsV4)
                    continue;
                if (list.Requests != 0)
                {
                    if (list.Length - used < sizeof(InterfaceRequest))
                        break;
                    InterfaceRequest request = default;
                    SetName(&request, each);
                    SetAddress(&request, entry.Address.V4);
                    if (!UserMemory.CopyOut(list.Requests + (ulong)used, &request, (nuint)sizeof(InterfaceRequest)))
                        return Errno.EFAULT;
                }
                used += sizeof(InterfaceRequest);
            }
        }
        list.Length = used;
        return argument.TryWrite(list) ? Result.Ok : Errno.EFAULT;
    }

    private static NetworkInterface* Find(NetworkStack* stack, byte* name)
    {
        int length = 0;
        while (length < InterfaceName.Size - 1 && name[length] != 0)
            length++;
        NetworkInterface* each = stack->Loopback;
        while (each != null && !each->Name.Is(new ReadOnlySpan<byte>(name, length)))
            each = each->Next;
        return each;
    }

    private static void SetName(InterfaceRequest* request, NetworkInterface* link)
    {
        ReadOnlySpan<byte> whole = link->Name;
        whole.CopyTo(new Span<byte>(request->Name, InterfaceName.Size));
    }

    // A struct sockaddr_in without port.
    private static void SetAddress(InterfaceRequest* request, uint address)
    {
        new Span<byte>(request->Value, SocketAddress.InetSize).Clear();
        request->Value[0] = (byte)AddressFamily.Inet;
        BinaryPrimitives.WriteUInt32BigEndian(new Span<byte>(request->Value + 4, 4), address);
    }
}
