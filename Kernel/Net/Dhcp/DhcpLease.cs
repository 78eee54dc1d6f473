// What a server gives, and which of it is believed: the server may be anybody on the link. Source: RFC 2131 section 4.3.1 table 3, section 4.4.5.
using System;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Net.Dhcp;

/// <summary>A domain name, with NULs behind it.</summary>
[InlineArray(Size)]
public struct DomainName
{
    /// <summary>Bytes of a name with at least one NUL (RFC 1035 section 2.3.4).</summary>
    public const int Size = 256;

    private byte _first;
}

/// <summary>An address for a time, and what goes with it.</summary>
public struct DhcpLease
{
    /// <summary>A lease that does not end.</summary>
    public const uint Infinite = 0xffff_ffff;

    /// <summary>Shorter leases are taken as this many seconds: nobody makes this host ask all the time.</summary>
    private const uint LeastTime = 60;

    /// <summary>The smallest MTU an option may set (RFC 2132 section 5.1 says 68; IPv4 hosts take 576 whole).</summary>
    private const uint LeastMtu = 576;

    /// <summary>The address.</summary>
    public IpAddress Address;

    /// <summary>Who gives it.</summary>
    public IpAddress Server;

    /// <summary>The router; all zero: none.</summary>
    public IpAddress Router;

    /// <summary>Name servers; all zero: none.</summary>
    public IpAddress NameServer0, NameServer1, NameServer2;

    /// <summary>The domain that names are looked up in.</summary>
    public DomainName Domain;

    /// <summary>The MTU; 0: not said.</summary>
    public uint Mtu;

    /// <summary>How long it is valid, in seconds from when it was asked for.</summary>
    public uint Time;

    /// <summary>When its server is asked to extend it, and when any server is, likewise.</summary>
    public uint RenewalTime, RebindingTime;

    /// <summary>Bits of the address that the link shares.</summary>
    public byte PrefixLength;

    /// <summary>Reads an offer or acknowledgement. False when something in it cannot be.</summary>
    internal static bool TryRead(in DhcpMessage message, out DhcpLease lease)
    {
        lease = default;
        lease.Address = message.YourAddress;
        lease.Server = message.GetAddress(DhcpOption.ServerIdentifier, 0);
        if (!IsHost(lease.Address) || lease.Server == default || !message.TryGetNumber(DhcpOption.LeaseTime, out lease.Time))
            return false;
        if (!TryReadPrefixLength(message, lease.Address, out lease.PrefixLength))
            return false;
        IpAddress router = message.GetAddress(DhcpOption.Router, 0);
        if (router != default && IsHost(router) && router != lease.Address)
            lease.Router = router;
        lease.NameServer0 = NameServer(message, 0);
        lease.NameServer1 = NameServer(message, 1);
        lease.NameServer2 = NameServer(message, 2);
        if (message.TryGet(DhcpOption.Mtu, out ReadOnlySpan<byte> mtu) && mtu.Length == 2)
        {
            uint value = ((uint)mtu[0] << 8) | mtu[1];
            lease.Mtu = value < LeastMtu ? 0 : value;
        }
        if (message.TryGet(DhcpOption.DomainName, out ReadOnlySpan<byte> domain))
            lease.SetDomain(domain);
        lease.SetTimes(message);
        return true;
    }

    /// <summary>Names are written into a file that programs read: letters of names only, or nothing.</summary>
    private void SetDomain(ReadOnlySpan<byte> name)
    {
        int length = name.Length;
        while (length != 0 && name[length - 1] == 0)
            length--;
        if (length >= DomainName.Size)
            return;
        for (int i = 0; i < length; i++)
        {
            byte letter = name[i];
            if (letter is not ((>= (byte)'a' and <= (byte)'z') or (>= (byte)'A' and <= (byte)'Z') or (>= (byte)'0' and <= (byte)'9') or (byte)'-' or (byte)'.'))
            {
                Domain = default;
                return;
            }
            Domain[i] = letter;
        }
    }

    /// <summary>Half and seven eighths of the time, unless the server says otherwise and it makes sense (section 4.4.5).</summary>
    private void SetTimes(in DhcpMessage message)
    {
        if (Time < LeastTime)
            Time = LeastTime;
        RebindingTime = Time == Infinite ? Infinite : (uint)(Time * 7UL / 8);
        RenewalTime = Time == Infinite ? Infinite : Time / 2;
        if (Time == Infinite)
            return;
        if (message.TryGetNumber(DhcpOption.RebindingTime, out uint rebinding) && rebinding >= LeastTime / 2 && rebinding < Time)
            RebindingTime = rebinding;
        if (message.TryGetNumber(DhcpOption.RenewalTime, out uint renewal) && renewal >= LeastTime / 4 && renewal < RebindingTime)
            RenewalTime = renewal;
        if (RenewalTime >= RebindingTime)
            RenewalTime = RebindingTime / 2;
    }

    private static IpAddress NameServer(in DhcpMessage message, int number)
    {
        IpAddress server = message.GetAddress(DhcpOption.NameServers, number);
        return server != default && (IsHost(server) || server.IsLoopback) ? server : default;
    }

    private static bool TryReadPrefixLength(in DhcpMessage message, in IpAddress address, out byte length)
    {
        length = (byte)(address.V4 >> 31 == 0 ? 8 : address.V4 >> 30 == 2 ? 16 : 24);
        if (!message.TryGetNumber(DhcpOption.SubnetMask, out uint mask))
            return true;
        // Ones and then zeros; the address must not be one that means all or none of them.
        length = (byte)BitOperations.LeadingZeroCount(~mask);
        if (length < 32 && mask << length != 0)
            return false;
        uint host = address.V4 & ~mask;
        return length != 0 && (length >= 31 || (host != 0 && host != ~mask));
    }

    private static bool IsHost(in IpAddress address)
    {
        uint network = address.V4 >> 24;
        return network is not (0 or 127 or >= 224);
    }
}
