using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Net;

/// <summary>Where an address of this host comes from.</summary>
public enum AddressOrigin : byte
{
    /// <summary>It was set: by the command line, by a program.</summary>
    Static,

    /// <summary>The interface made it: ::1, 127.0.0.1, fe80::….</summary>
    Automatic,

    /// <summary>DHCP gave it.</summary>
    Dhcp,

    /// <summary>Made of a prefix that a router announced (RFC 4862).</summary>
    Slaac,
}

/// <summary>How far an address can be used (RFC 4862 section 5.5.4).</summary>
public enum AddressState : byte
{
    /// <summary>The entry is free.</summary>
    None,

    /// <summary>Somebody else may have it: not used until that is clear.</summary>
    Tentative,

    /// <summary>Somebody else has it: never used.</summary>
    Duplicate,

    /// <summary>Used by what uses it, not taken for anything new.</summary>
    Deprecated,

    /// <summary>Used for everything.</summary>
    Preferred,
}

/// <summary>An address of this host.</summary>
public struct InterfaceAddress
{
    /// <summary>The address.</summary>
    public IpAddress Address;

    /// <summary>Bits of it that the link shares: to 32 for IPv4, to 128 for IPv6.</summary>
    public byte PrefixLength;

    /// <summary>Whether and how it is used.</summary>
    public AddressState State;

    /// <summary>Where it comes from.</summary>
    public AddressOrigin Origin;

    /// <summary>How many times it was asked whether somebody has it already.</summary>
    public byte ProbesSent;

    /// <summary>When that is asked next, or decided, in the stack's time.</summary>
    public ulong NextProbe;

    /// <summary>When it is deprecated, in the stack's time; ulong.MaxValue: never.</summary>
    public ulong PreferredUntil;

    /// <summary>When it goes away, in the stack's time; ulong.MaxValue: never.</summary>
    public ulong ValidUntil;

    /// <summary>Whether packets for it are taken.</summary>
    public readonly bool IsUsable => State >= AddressState.Deprecated;

    /// <summary>The length of the prefix in the 128 bits of <see cref="IpAddress"/>.</summary>
    public readonly byte FullPrefixLength => Address.IsV4 ? (byte)(PrefixLength + 96) : PrefixLength;

    /// <summary>IPv4: the address that means everybody on the link; 0 when there is none (RFC 3021: /31 and /32 have none).</summary>
    public readonly uint Broadcast => Address.IsV4 && PrefixLength < 31 ? Address.V4 | (uint)(0xffff_ffffUL >> PrefixLength) : 0;
}

/// <summary>The addresses of one interface.</summary>
[InlineArray(Capacity)]
public struct InterfaceAddressArray
{
    /// <summary>More than a program and its routers give an interface; further ones are refused.</summary>
    public const int Capacity = 16;

    private InterfaceAddress _first;
}
