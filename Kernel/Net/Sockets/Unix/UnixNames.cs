// Names of sockets: in the tree of files, where they are inodes of type S_IFSOCK, and in the abstract name space. Source: unix(7), "Address format".
using System;
using System.Runtime.CompilerServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;

namespace Ukl.Kernel.Net.Sockets.Unix;

/// <summary>Binds sockets to names and finds them again.</summary>
internal static unsafe class UnixNames
{
    private const int BucketCount = 64;
    private const int AutomaticLength = 6;
    private const uint AutomaticNames = 1 << 20;

    [FixedAddressValueType]
    private static BucketArray s_buckets;
    private static uint s_lastAutomatic;

    /// <summary>Whether an address can name a socket. EINVAL.</summary>
    internal static Errno Check(SocketAddress* address) =>
        address->Length is > UnixAddress.PathOffset and <= UnixAddress.Size && address->Family == AddressFamily.Unix ? Errno.None : Errno.EINVAL;

    /// <summary>Gives a socket a name. EINVAL: it has one; EADDRINUSE, or what making the inode says.</summary>
    internal static Errno Bind(UnixSocket* socket, SocketAddress* address)
    {
        if (address->Length == UnixAddress.PathOffset && address->Family == AddressFamily.Unix)
            return BindAutomatic(socket);
        Errno error = Check(address);
        if (error != Errno.None)
            return error;
        ReadOnlySpan<byte> name = NameOf(address);
        if (name[0] != 0)
            return BindPath(socket, name);
        if (socket->Address != null)
            return Errno.EINVAL;
        return FindAbstract(name, socket->Base.Type) != null ? Errno.EADDRINUSE : AddAbstract(socket, name);
    }

    /// <summary>Gives a socket that has no name a free abstract one of five digits; does nothing for others. ENOMEM, ENOSPC.</summary>
    internal static Errno BindAutomatic(UnixSocket* socket)
    {
        if (socket->Address != null)
            return Errno.None;
        Span<byte> name = stackalloc byte[AutomaticLength];
        name[0] = 0;
        for (uint tries = 0; tries < AutomaticNames; tries++)
        {
            uint number = ++s_lastAutomatic % AutomaticNames;
            for (int at = AutomaticLength - 1; at > 0; at--)
            {
                name[at] = "0123456789abcdef"u8[(int)(number & 0xf)];
                number >>= 4;
            }
            if (FindAbstract(name, socket->Base.Type) == null)
                return AddAbstract(socket, name);
        }
        return Errno.ENOSPC;
    }

    /// <summary>
    /// Finds the socket that an address, checked before, names. ECONNREFUSED: nobody has that name; EPROTOTYPE: a socket of another type; EACCES and what the way to a path says.
    /// </summary>
    internal static Errno Find(SocketAddress* address, SocketType type, out UnixSocket* found)
    {
        ReadOnlySpan<byte> name = NameOf(address);
        Errno error = Errno.None;
        if (name[0] == 0)
            found = FindAbstract(name, type);
        else
            error = FindPath(name, out found);
        if (error != Errno.None)
            return error;
        if (found == null)
            return Errno.ECONNREFUSED;
        return found->Base.Type == type ? Errno.None : Errno.EPROTOTYPE;
    }

    /// <summary>Takes a socket's name out of the name space; the socket itself still knows it.</summary>
    internal static void Remove(UnixSocket* socket)
    {
        if (!socket->Path.IsEmpty && socket->Path.Inode->Attachment == socket)
            socket->Path.Inode->Attachment = null;
        UnixAddress* address = socket->Address;
        if (address == null || address->Owner != socket)
            return;
        address->Owner = null;
        UnixAddress** link = BucketOf(address->Name);
        while (*link != address)
            link = &(*link)->NextInBucket;
        *link = address->NextInBucket;
        UnixAddress.Release(address);
    }

    // A path ends at its NUL, or fills the address; an abstract name has the length of its address.
    private static ReadOnlySpan<byte> NameOf(SocketAddress* address)
    {
        ReadOnlySpan<byte> name = new(address->Bytes + UnixAddress.PathOffset, address->Length - UnixAddress.PathOffset);
        if (name[0] == 0)
            return name;
        int length = 0;
        while (length < name.Length && name[length] != 0)
            length++;
        return name[..length];
    }

    private static Errno BindPath(UnixSocket* socket, ReadOnlySpan<byte> path)
    {
        PathText text;
        Errno error = PathText.Load(path, &text);
        if (error != Errno.None)
            return error;
        // The name with its NUL.
        Span<byte> terminated = stackalloc byte[UnixAddress.Size];
        path.CopyTo(terminated);
        terminated[path.Length] = 0;
        error = Errno.ENOMEM;
        UnixAddress* address = UnixAddress.Create(terminated[..(path.Length + 1)]);
        if (address != null)
        {
            error = MakeInode(socket, &text);
            if (error == Errno.None)
                socket->Address = address;
            else
                UnixAddress.Release(address);
        }
        text.Free();
        return error;
    }

    private static Errno MakeInode(UnixSocket* socket, PathText* text)
    {
        VfsCaller caller = VfsCaller.Current;
        Result made = Vfs.MakeNode(caller, Fd.CurrentDirectory, text, ModeBits.Socket | ModeBits.AccessMask, 0);
        if (made.IsError)
            return made.Error == Errno.EEXIST ? Errno.EADDRINUSE : made.Error;
        Errno error = Errno.EINVAL;
        if (socket->Address == null)
            error = Vfs.Find(caller, Fd.CurrentDirectory, text, false, out socket->Path);
        if (error != Errno.None)
        {
            Vfs.Unlink(caller, Fd.CurrentDirectory, text);
            return error;
        }
        socket->Path.Inode->Attachment = socket;
        return Errno.None;
    }

    private static Errno FindPath(ReadOnlySpan<byte> path, out UnixSocket* found)
    {
        found = null;
        PathText text;
        Errno error = PathText.Load(path, &text);
        if (error != Errno.None)
            return error;
        VfsCaller caller = VfsCaller.Current;
        error = Vfs.Find(caller, Fd.CurrentDirectory, &text, true, out Path place);
        text.Free();
        if (error != Errno.None)
            return error;
        error = Permissions.Check(caller.Context, place.Inode, Permission.Write);
        if (error == Errno.None && place.Inode->Type == ModeBits.Socket)
            found = (UnixSocket*)place.Inode->Attachment;
        place.Release();
        return error;
    }

    private static Errno AddAbstract(UnixSocket* socket, ReadOnlySpan<byte> name)
    {
        UnixAddress* address = UnixAddress.Create(name);
        if (address == null)
            return Errno.ENOMEM;
        // One reference is the table's.
        address->References++;
        address->Owner = socket;
        UnixAddress** bucket = BucketOf(name);
        address->NextInBucket = *bucket;
        *bucket = address;
        socket->Address = address;
        return Errno.None;
    }

    // Sockets of different types may have the same abstract name.
    private static UnixSocket* FindAbstract(ReadOnlySpan<byte> name, SocketType type)
    {
        UnixAddress* address = *BucketOf(name);
        while (address != null && (address->Owner->Base.Type != type || !FileNames.AreEqual(address->Name, name)))
            address = address->NextInBucket;
        return address == null ? null : address->Owner;
    }

    private static UnixAddress** BucketOf(ReadOnlySpan<byte> name)
    {
        uint hash = 2_166_136_261;
        for (int i = 0; i < name.Length; i++)
            hash = (hash ^ name[i]) * 16_777_619;
        return (UnixAddress**)((nint*)Unsafe.AsPointer(ref s_buckets) + (hash % BucketCount));
    }

    [InlineArray(BucketCount)]
    private struct BucketArray
    {
        private nint _first;
    }
}
