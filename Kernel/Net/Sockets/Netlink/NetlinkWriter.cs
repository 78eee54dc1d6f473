// Builds the messages of netlink. Source: netlink(7), rtnetlink(7).
using System;
using System.Runtime.InteropServices;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Net.Sockets.Netlink;

/// <summary>struct nlmsghdr.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NetlinkHeader
{
    /// <summary>NLMSG_ERROR, NLMSG_DONE, and the first type that a protocol defines.</summary>
    internal const ushort Error = 2, Done = 3, FirstOwn = 16;

    /// <summary>NLM_F_REQUEST, NLM_F_MULTI, NLM_F_ACK, NLM_F_DUMP.</summary>
    internal const ushort Request = 1, Multiple = 2, Acknowledge = 4, Dump = 0x300;

    internal uint Length;
    internal ushort Type;
    internal ushort Flags;
    internal uint Sequence;
    internal uint PortId;
}

/// <summary>What waits to be received: one datagram of one or more messages, its bytes behind this.</summary>
internal unsafe struct NetlinkDatagram
{
    /// <summary>Bytes of a datagram: what getifaddrs(3) of every libc has room for.</summary>
    internal const uint Capacity = PageAllocator.PageSize - 16;

    internal NetlinkDatagram* Next;
    internal uint Length;

    /// <summary>Where its bytes are.</summary>
    internal static byte* Bytes(NetlinkDatagram* datagram) => (byte*)datagram + 16;
}

/// <summary>Writes messages into a socket's queue, as many to a datagram as fit.</summary>
internal unsafe struct NetlinkWriter(NetlinkSocket* socket, uint sequence)
{
    // No message of ours is longer.
    private const uint LongestMessage = 1024;

    private NetlinkDatagram* _datagram;
    private NetlinkHeader* _header;

    /// <summary>Memory ran out: the answer is not whole (ENOBUFS).</summary>
    internal bool IsIncomplete { get; private set; }

    /// <summary>Begins a message with a cleared body of <paramref name="size"/> bytes. Null when out of memory.</summary>
    internal byte* Begin(ushort type, ushort flags, uint size)
    {
        if (_datagram != null && NetlinkDatagram.Capacity - _datagram->Length < LongestMessage)
            Send();
        if (_datagram == null)
        {
            _datagram = (NetlinkDatagram*)KernelHeap.Allocate(PageAllocator.PageSize);
            IsIncomplete |= _datagram == null;
            if (_datagram == null)
                return null;
        }
        _header = (NetlinkHeader*)(NetlinkDatagram.Bytes(_datagram) + _datagram->Length);
        *_header = new NetlinkHeader { Length = (uint)sizeof(NetlinkHeader), Type = type, Flags = flags, Sequence = sequence, PortId = socket->PortId };
        return Extend(size);
    }

    /// <summary>Adds an attribute to the message that was begun.</summary>
    internal void Add(ushort type, ReadOnlySpan<byte> value)
    {
        var attribute = (ushort*)Extend(2 * sizeof(ushort) + (uint)value.Length);
        attribute[0] = (ushort)(2 * sizeof(ushort) + value.Length);
        attribute[1] = type;
        value.CopyTo(new Span<byte>(attribute + 2, value.Length));
    }

    /// <summary>Adds an attribute that is a number.</summary>
    internal void Add<T>(ushort type, T value)
        where T : unmanaged
        => Add(type, new ReadOnlySpan<byte>(&value, sizeof(T)));

    /// <summary>Adds an attribute that is an address, of 4 or 16 bytes.</summary>
    internal void Add(ushort type, in IpAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (address.IsV4)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes, address.V4);
            bytes = bytes[..4];
        }
        else
        {
            address.WriteV6(bytes);
        }
        Add(type, bytes);
    }

    /// <summary>Adds an attribute that is a text with its NUL.</summary>
    internal void AddText(ushort type, ReadOnlySpan<byte> text)
    {
        Span<byte> bytes = stackalloc byte[InterfaceName.Size + 1];
        text.CopyTo(bytes);
        bytes[text.Length] = 0;
        Add(type, bytes[..(text.Length + 1)]);
    }

    /// <summary>The message that was begun is complete.</summary>
    internal void End() => _datagram->Length += Align(_header->Length);

    /// <summary>Puts what was written into the socket's queue.</summary>
    internal void Send()
    {
        if (_datagram != null)
            socket->Deliver(_datagram);
        _datagram = null;
    }

    private static uint Align(uint length) => (length + 3) & ~3u;

    // Pieces of a message begin at multiples of four.
    private readonly byte* Extend(uint size)
    {
        byte* place = (byte*)_header + Align(_header->Length);
        _header->Length = Align(_header->Length) + size;
        new Span<byte>(place, (int)Align(size)).Clear();
        return place;
    }
}
