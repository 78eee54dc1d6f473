// RTM_NEWADDR: addresses of interfaces. Source: rtnetlink(7), include/uapi/linux/if_addr.h.
using System.Runtime.InteropServices;

namespace Ukl.Kernel.Net.Sockets.Netlink;

/// <summary>Describes addresses.</summary>
internal static unsafe class AddressMessages
{
    private const ushort NewAddress = 20;

    // IFA_*.
    private const ushort Address = 1, Local = 2, Label = 3, Broadcast = 4, CacheInformation = 6, FlagsAttribute = 8;

    // IFA_F_*.
    private const uint DuplicateFailed = 0x08, Deprecated = 0x20, Tentative = 0x40, Permanent = 0x80;

    // RT_SCOPE_*.
    private const byte ScopeLink = 253, ScopeHost = 254;

    private const ulong NanosecondsPerSecond = 1_000_000_000;

    /// <summary>struct ifaddrmsg.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct AddressBody
    {
        public byte Family;
        public byte PrefixLength;
        public byte Flags;
        public byte Scope;
        public uint Index;
    }

    /// <summary>struct ifa_cacheinfo; lifetimes in seconds.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Lifetimes
    {
        public uint Preferred;
        public uint Valid;
        public uint Created;
        public uint Updated;
    }

    /// <summary>All addresses of a family, or of both (0): of each family in the order of the interfaces, IPv4 first.</summary>
    internal static void WriteAll(ref NetlinkWriter writer, NetworkStack* stack, byte family)
    {
        if (family is 0 or (byte)AddressFamily.Inet)
            WriteFamily(ref writer, stack, true);
        if (family is 0 or (byte)AddressFamily.Inet6)
            WriteFamily(ref writer, stack, false);
    }

    private static void WriteFamily(ref NetlinkWriter writer, NetworkStack* stack, bool isV4)
    {
        for (NetworkInterface* each = stack->Loopback; each != null; each = each->Next)
        {
            for (int i = 0; i < each->AddressEnd; i++)
            {
                InterfaceAddress entry = each->Addresses[i];
                if (entry.State != AddressState.None && entry.Address.IsV4 == isV4)
                    Write(ref writer, each, entry, stack->Now);
            }
        }
    }

    private static void Write(ref NetlinkWriter writer, NetworkInterface* link, in InterfaceAddress entry, ulong now)
    {
        var body = (AddressBody*)writer.Begin(NewAddress, NetlinkHeader.Multiple, (uint)sizeof(AddressBody));
        if (body == null)
            return;
        IpAddress address = entry.Address;
        uint flags = FlagsOf(entry);
        body->Family = (byte)(address.IsV4 ? AddressFamily.Inet : AddressFamily.Inet6);
        body->PrefixLength = entry.PrefixLength;
        body->Flags = (byte)flags;
        body->Scope = address.IsLoopback ? ScopeHost : address.IsLinkLocal6 ? ScopeLink : (byte)0;
        body->Index = link->Index;
        writer.Add(Address, address);
        if (address.IsV4)
        {
            writer.Add(Local, address);
            if (entry.Broadcast != 0)
                writer.Add(Broadcast, IpAddress.FromV4(entry.Broadcast));
            writer.AddText(Label, link->Name.Text);
        }
        writer.Add(FlagsAttribute, flags);
        writer.Add(CacheInformation, new Lifetimes { Preferred = SecondsLeft(entry.PreferredUntil, now), Valid = SecondsLeft(entry.ValidUntil, now) });
        writer.End();
    }

    private static uint FlagsOf(in InterfaceAddress entry)
    {
        uint flags = entry.State switch
        {
            AddressState.Tentative => Tentative,
            AddressState.Duplicate => Tentative | DuplicateFailed,
            AddressState.Deprecated => Deprecated,
            _ => 0,
        };
        return entry.ValidUntil == ulong.MaxValue ? flags | Permanent : flags;
    }

    // For ever is all ones.
    private static uint SecondsLeft(ulong until, ulong now) =>
        until == ulong.MaxValue ? uint.MaxValue : until <= now ? 0 : (uint)((until - now) / NanosecondsPerSecond);
}
