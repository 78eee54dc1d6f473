using System;
using System.Runtime.CompilerServices;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Net.Sockets.Unix;

/// <summary>A name of a socket: a path, or bytes of the abstract name space. A listening socket shares it with the connections it accepts.</summary>
internal unsafe struct UnixAddress
{
    /// <summary>Bytes of a struct sockaddr_un before its path, and of all of it.</summary>
    internal const int PathOffset = 2, Size = 110;

    // A path that fills sun_path has its NUL behind it.
    private const int Capacity = Size + 2;

    internal int References;

    /// <summary>Bytes of the address, family included.</summary>
    internal int Length;

    /// <summary>Who holds the abstract name; null: nobody any more.</summary>
    internal UnixSocket* Owner;

    /// <summary>Link of the table of abstract names.</summary>
    internal UnixAddress* NextInBucket;

    internal fixed byte Bytes[Capacity];

    /// <summary>Whether it is a name of the abstract name space.</summary>
    internal readonly bool IsAbstract => Bytes[PathOffset] == 0;

    /// <summary>What comes after the family.</summary>
    internal readonly ReadOnlySpan<byte> Name => new((byte*)Unsafe.AsPointer(ref Unsafe.AsRef(in Bytes[PathOffset])), Length - PathOffset);

    /// <summary>Makes an address with one reference; null when out of memory. <paramref name="name"/>: without the family, at most 109 bytes.</summary>
    internal static UnixAddress* Create(ReadOnlySpan<byte> name)
    {
        UnixAddress* address = Pool<UnixAddress>.Allocate();
        if (address == null)
            return null;
        address->References = 1;
        address->Length = PathOffset + name.Length;
        address->Bytes[0] = (byte)AddressFamily.Unix;
        name.CopyTo(new Span<byte>(address->Bytes + PathOffset, Capacity - PathOffset));
        return address;
    }

    /// <summary>One reference less.</summary>
    internal static void Release(UnixAddress* address)
    {
        if (--address->References == 0)
            Pool<UnixAddress>.Free(address);
    }

    /// <summary>Gives the name to a program; null is no name.</summary>
    internal static void CopyTo(UnixAddress* address, SocketAddress* to)
    {
        if (address == null)
        {
            to->SetFamilyOnly(AddressFamily.Unix);
            return;
        }
        to->Length = address->Length;
        new ReadOnlySpan<byte>(address->Bytes, address->Length).CopyTo(to->Span);
    }
}
