using System.Runtime.CompilerServices;
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Net.Ip;

/// <summary>A group that an interface listens to.</summary>
public struct MulticastGroup
{
    /// <summary>The group; all zero is a free entry.</summary>
    public IpAddress Address;

    /// <summary>How many sockets and addresses want it.</summary>
    public uint References;
}

/// <summary>The groups of one interface, besides "all hosts", which everybody listens to.</summary>
[InlineArray(Capacity)]
public struct MulticastGroupArray
{
    /// <summary>How many there may be.</summary>
    public const int Capacity = 48;

    private MulticastGroup _first;
}

/// <summary>Joins and leaves groups.</summary>
public static unsafe class MulticastGroups
{
    /// <summary>224.0.0.1, and the last bytes of ff01::1 and ff02::1.</summary>
    internal const uint AllHosts4 = 0xe000_0001;
    private const ulong AllNodes6 = 1;

    /// <summary>Listens to a group. EINVAL when it is none, ENOBUFS when there are too many.</summary>
    public static Errno Join(NetworkInterface* on, in IpAddress group)
    {
        if (!group.IsMulticast)
            return Errno.EINVAL;
        int free = -1;
        for (int i = MulticastGroupArray.Capacity - 1; i >= 0; i--)
        {
            if (on->Groups[i].References == 0)
            {
                free = i;
            }
            else if (on->Groups[i].Address == group)
            {
                on->Groups[i].References++;
                return Errno.None;
            }
        }
        if (free < 0)
            return Errno.ENOBUFS;
        on->Groups[free] = new MulticastGroup { Address = group, References = 1 };
        GroupReports.Changed(on, group, isJoined: true);
        return Errno.None;
    }

    /// <summary>Gives up one reason to listen. EADDRNOTAVAIL when nobody listens.</summary>
    public static Errno Leave(NetworkInterface* on, in IpAddress group)
    {
        for (int i = 0; i < MulticastGroupArray.Capacity; i++)
        {
            if (on->Groups[i].References == 0 || on->Groups[i].Address != group)
                continue;
            if (--on->Groups[i].References == 0)
            {
                on->Groups[i] = default;
                GroupReports.Changed(on, group, isJoined: false);
            }
            return Errno.None;
        }
        return Errno.EADDRNOTAVAIL;
    }

    /// <summary>Whether a group is that of all nodes of a host or a link.</summary>
    internal static bool IsAllNodes(in IpAddress group) => group.Low == AllNodes6 && group.High is 0xff01_0000_0000_0000 or 0xff02_0000_0000_0000;

    /// <summary>Whether an interface listens to a group.</summary>
    public static bool IsMember(NetworkInterface* on, in IpAddress group)
    {
        if (group.IsV4 ? group.V4 == AllHosts4 : IsAllNodes(group))
            return true;
        for (int i = 0; i < MulticastGroupArray.Capacity; i++)
        {
            if (on->Groups[i].References != 0 && on->Groups[i].Address == group)
                return true;
        }
        return false;
    }
}
