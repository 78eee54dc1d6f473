// Which local ports are taken, and by whom: one table for TCP and one for UDP of each stack. Source of truth for conflicts: ip(7), ipv6(7) and socket(7)
// (SO_REUSEADDR, SO_REUSEPORT, IPV6_V6ONLY); for the choice of a port: RFC 6056.
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Net;

/// <summary>What decides whether two sockets may have the same port.</summary>
[Flags]
public enum PortFlags : byte
{
    None = 0,

    /// <summary>SO_REUSEADDR.</summary>
    ReuseAddress = 1,

    /// <summary>SO_REUSEPORT.</summary>
    ReusePort = 2,

    /// <summary>IPV6_V6ONLY: the address :: means no address of IPv4.</summary>
    IsV6Only = 4,

    /// <summary>It accepts connections: shares its port through SO_REUSEPORT only.</summary>
    IsListening = 8,

    /// <summary>The port was chosen by connect: other connections may have it as long as their other end differs.</summary>
    IsAutomatic = 16,
}

/// <summary>One socket's, connection's or TIME_WAIT's hold on a port; part of its owner's object.</summary>
public unsafe struct PortBinding
{
    /// <summary>The next holder of the same port.</summary>
    public PortBinding* Next;

    internal PortBinding* Previous;
    internal PortEntry* Entry;

    /// <summary>For whoever looks the port up.</summary>
    public void* Owner;

    /// <summary>The local address, or any.</summary>
    public IpAddress Address;

    /// <summary>The interface the socket is bound to (SO_BINDTODEVICE); 0 is any.</summary>
    public uint Interface;

    /// <summary>May change while the port is held, but for <see cref="PortFlags.IsAutomatic"/>.</summary>
    public PortFlags Flags;

    /// <summary>The port; 0 when none is held.</summary>
    public readonly ushort Port => Entry == null ? (ushort)0 : Entry->Port;
}

/// <summary>A port that somebody holds.</summary>
public unsafe struct PortEntry
{
    internal PortEntry* Next;

    /// <summary>The holders, the last one first.</summary>
    public PortBinding* First;

    /// <summary>How many of the holders took the port by <see cref="PortTable.Bind"/>, on their own account.</summary>
    internal uint ExplicitCount;

    /// <summary>The port's number.</summary>
    public ushort Port;
}

/// <summary>The ports of one protocol of one stack. Nothing here sleeps; interrupts are off.</summary>
public unsafe struct PortTable
{
    private const int BucketCount = 512;

    /// <summary>The ports that are given to sockets that ask for none: net.ipv4.ip_local_port_range, as Linux sets it.</summary>
    public const ushort FirstEphemeral = 32768;

    /// <inheritdoc cref="FirstEphemeral"/>
    public const ushort LastEphemeral = 60999;

    /// <summary>How many ephemeral ports there are.</summary>
    public const uint EphemeralCount = LastEphemeral - FirstEphemeral + 1;

    private PortEntry** _buckets;

    /// <summary>How many ports are taken.</summary>
    public uint Count { get; private set; }

    /// <summary>Prepares an empty table. False when out of memory.</summary>
    public bool Initialize()
    {
        _buckets = (PortEntry**)KernelHeap.Allocate((nuint)(BucketCount * sizeof(PortEntry*)));
        Count = 0;
        return _buckets != null;
    }

    /// <summary>Gives the table's memory back. No port may be held.</summary>
    public void Clear()
    {
        KernelHeap.Free(_buckets);
        _buckets = null;
    }

    /// <summary>The holders of a port; null when it is free.</summary>
    public readonly PortEntry* Find(ushort port)
    {
        PortEntry* entry = _buckets[port % BucketCount];
        while (entry != null && entry->Port != port)
            entry = entry->Next;
        return entry;
    }

    /// <summary>The first port in or after a bucket, which becomes the bucket behind it: a walk over everything, in no order. Null at the end.</summary>
    public readonly PortEntry* Walk(ref uint bucket)
    {
        while (bucket < BucketCount)
        {
            PortEntry* first = _buckets[bucket++];
            if (first != null)
                return first;
        }
        return null;
    }

    /// <summary>Takes a port for <paramref name="binding"/>, whose address, interface and flags are set. Errors: EADDRINUSE, ENOMEM.</summary>
    public Errno Bind(PortBinding* binding, ushort port)
    {
        PortEntry* entry = Find(port);
        if (entry != null && HasConflict(entry, binding, false))
            return Errno.EADDRINUSE;
        return Add(binding, entry, port);
    }

    /// <summary>
    /// Takes a free ephemeral port, the search beginning anywhere (<paramref name="random"/>). Like Linux it prefers odd ports here and leaves the even ones to
    /// connect. Errors: EADDRINUSE when all are taken, ENOMEM.
    /// </summary>
    public Errno BindAny(PortBinding* binding, ulong random)
    {
        for (uint parity = 1; parity < 3; parity++)
        {
            uint start = (uint)(random % (EphemeralCount / 2)) * 2;
            for (uint i = 0; i < EphemeralCount; i += 2)
            {
                var port = (ushort)(FirstEphemeral + ((start + i) % EphemeralCount) + (parity & 1));
                PortEntry* entry = Find(port);
                if (entry == null || !HasConflict(entry, binding, true))
                    return Add(binding, entry, port);
            }
        }
        return Errno.EADDRINUSE;
    }

    /// <summary>Joins the holders of a port without a question: an accepted connection, or one that connect found a port for. Errors: ENOMEM.</summary>
    public Errno Join(PortBinding* binding, ushort port)
    {
        PortEntry* entry = Find(port);
        return Add(binding, entry, port);
    }

    /// <summary>Whether connect may use a port: nobody bound it, and it is the caller's matter that the connection is unique.</summary>
    public readonly bool IsOpenToConnections(ushort port)
    {
        PortEntry* entry = Find(port);
        return entry == null || entry->ExplicitCount == 0;
    }

    /// <summary>Whether a holder that is about to listen would get into another listener's way.</summary>
    public static bool MayListen(PortBinding* binding) => !HasConflict(binding->Entry, binding, false);

    /// <summary>Gives the port back; does nothing when none is held.</summary>
    public void Release(PortBinding* binding)
    {
        PortEntry* entry = binding->Entry;
        if (entry == null)
            return;
        if (binding->Next != null)
            binding->Next->Previous = binding->Previous;
        if (binding->Previous != null)
            binding->Previous->Next = binding->Next;
        else
            entry->First = binding->Next;
        if ((binding->Flags & PortFlags.IsAutomatic) == 0)
            entry->ExplicitCount--;
        binding->Entry = null;
        binding->Next = null;
        binding->Previous = null;
        if (entry->First == null)
            Remove(entry);
    }

    /// <summary>Whether two addresses may both receive what is sent to one of them; a "any" of IPv6 means IPv4 too unless the socket is for IPv6 only.</summary>
    public static bool Overlap(PortBinding* one, PortBinding* other)
    {
        bool isOneWild = one->Address.IsAny, isOtherWild = other->Address.IsAny;
        if (!isOneWild && !isOtherWild)
            return one->Address == other->Address;
        return (Families(one) & Families(other)) != 0;
    }

    /// <summary>Bit 0: receives packets of IPv4; bit 1: of IPv6.</summary>
    private static int Families(PortBinding* binding) =>
        binding->Address.IsV4 ? 1 : binding->Address.IsAny && (binding->Flags & PortFlags.IsV6Only) == 0 ? 3 : 2;

    private static bool HasConflict(PortEntry* entry, PortBinding* binding, bool isStrict)
    {
        for (PortBinding* other = entry->First; other != null; other = other->Next)
        {
            if (other == binding || (other->Interface != 0 && binding->Interface != 0 && other->Interface != binding->Interface))
                continue;
            if (!Overlap(other, binding))
                continue;
            PortFlags both = other->Flags & binding->Flags;
            if (isStrict)
                return true;
            bool isShared = (both & PortFlags.ReusePort) != 0
                || ((both & PortFlags.ReuseAddress) != 0 && (other->Flags & PortFlags.IsListening) == 0);
            if (!isShared)
                return true;
        }
        return false;
    }

    private Errno Add(PortBinding* binding, PortEntry* entry, ushort port)
    {
        if (entry == null)
        {
            entry = Pool<PortEntry>.Allocate();
            if (entry == null)
                return Errno.ENOMEM;
            entry->Port = port;
            entry->Next = _buckets[port % BucketCount];
            _buckets[port % BucketCount] = entry;
            Count++;
        }
        binding->Entry = entry;
        binding->Previous = null;
        binding->Next = entry->First;
        if (entry->First != null)
            entry->First->Previous = binding;
        entry->First = binding;
        if ((binding->Flags & PortFlags.IsAutomatic) == 0)
            entry->ExplicitCount++;
        return Errno.None;
    }

    private void Remove(PortEntry* entry)
    {
        PortEntry** link = &_buckets[entry->Port % BucketCount];
        while (*link != entry)
            link = &(*link)->Next;
        *link = entry->Next;
        Pool<PortEntry>.Free(entry);
        Count--;
    }
}
