// Addresses as programs write them: struct sockaddr and its families. Source: sockaddr(3type), ip(7), ipv6(7).
using System;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Net.Sockets;

/// <summary>A struct sockaddr_storage in kernel memory and how much of it is meant. It is not cleared when made.</summary>
public unsafe struct SocketAddress
{
    /// <summary>Bytes of struct sockaddr_storage: no address is longer.</summary>
    public const int Capacity = 128;

    /// <summary>Bytes of struct sockaddr_in, and of sockaddr_in6 with and without its scope id.</summary>
    public const int InetSize = 16, Inet6Size = 28, Inet6SizeWithoutScope = 24;

    /// <summary>How many bytes are meant; 0: no address.</summary>
    public int Length;

    private fixed byte _bytes[Capacity];

    /// <summary>The first byte. The struct must not move while it is used.</summary>
    public byte* Bytes => (byte*)Unsafe.AsPointer(ref _bytes[0]);

    /// <summary>The bytes that are meant.</summary>
    public Span<byte> Span => new(Bytes, Length);

    /// <summary>sa_family; unspecified when there is none.</summary>
    public readonly AddressFamily Family => Length >= sizeof(ushort) ? (AddressFamily)(_bytes[0] | (_bytes[1] << 8)) : AddressFamily.Unspecified;

    /// <summary>Whether the address has a family at all.</summary>
    public readonly bool HasFamily => Length >= sizeof(ushort);

    /// <summary>Copies an address from the program. EINVAL: negative or too long. EFAULT.</summary>
    public static Errno Load(SocketAddress* into, ulong address, int length)
    {
        if ((uint)length > Capacity)
            return Errno.EINVAL;
        into->Length = length;
        return length == 0 || UserMemory.CopyIn(into->_bytes, address, (nuint)length) ? Errno.None : Errno.EFAULT;
    }

    /// <summary>Gives the address to the program, cut to the length that stands at <paramref name="length"/>, and stores its true length there. EINVAL, EFAULT.</summary>
    public Errno Store(ulong address, UserPtr<int> length)
    {
        if (!length.TryRead(out int capacity))
            return Errno.EFAULT;
        if (capacity < 0)
            return Errno.EINVAL;
        int count = capacity < Length ? capacity : Length;
        if (count != 0 && !UserMemory.CopyOut(address, Bytes, (nuint)count))
            return Errno.EFAULT;
        return length.TryWrite(Length) ? Errno.None : Errno.EFAULT;
    }

    /// <summary>Makes it an address of no family but <paramref name="family"/>: what an unnamed socket has.</summary>
    public void SetFamilyOnly(AddressFamily family)
    {
        SetFamily(family);
        Length = sizeof(ushort);
    }

    /// <summary>Makes it a sockaddr_in.</summary>
    public void SetInet(IpAddress address, ushort port)
    {
        Length = InetSize;
        Span.Clear();
        SetFamily(AddressFamily.Inet);
        BinaryPrimitives.WriteUInt16BigEndian(Span[2..], port);
        BinaryPrimitives.WriteUInt32BigEndian(Span[4..], address.V4);
    }

    /// <summary>Makes it a sockaddr_in6; the scope id is stored as it is.</summary>
    public void SetInet6(IpAddress address, ushort port, uint scope)
    {
        Length = Inet6Size;
        Span.Clear();
        SetFamily(AddressFamily.Inet6);
        BinaryPrimitives.WriteUInt16BigEndian(Span[2..], port);
        address.WriteV6(Span[8..]);
        BinaryPrimitives.WriteUInt32LittleEndian(Span[24..], scope);
    }

    /// <summary>Reads a sockaddr_in whatever its family says. False: too short.</summary>
    public bool TryGetInet(out IpAddress address, out ushort port)
    {
        address = default;
        port = 0;
        if (Length < InetSize)
            return false;
        port = BinaryPrimitives.ReadUInt16BigEndian(Span[2..]);
        address = IpAddress.FromV4(BinaryPrimitives.ReadUInt32BigEndian(Span[4..]));
        return true;
    }

    /// <summary>Reads a sockaddr_in6. False: too short, or another family.</summary>
    public bool TryGetInet6(out IpAddress address, out ushort port, out uint scope)
    {
        address = default;
        port = 0;
        scope = 0;
        if (Length < Inet6SizeWithoutScope || Family != AddressFamily.Inet6)
            return false;
        port = BinaryPrimitives.ReadUInt16BigEndian(Span[2..]);
        address = IpAddress.ReadV6(Span[8..]);
        if (Length >= Inet6Size)
            scope = BinaryPrimitives.ReadUInt32LittleEndian(Span[24..]);
        return true;
    }

    private void SetFamily(AddressFamily family)
    {
        _bytes[0] = (byte)family;
        _bytes[1] = 0;
    }
}
