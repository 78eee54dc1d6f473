// Groups of sockets: IP_ADD_MEMBERSHIP, IPV6_JOIN_GROUP and their opposites. Source: ip(7), ipv6(7).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Datagrams;

/// <summary>Joins and leaves groups for sockets.</summary>
public static unsafe class DatagramGroups
{
    /// <summary>Joins a group. Errors: EINVAL (no group), ENODEV (no such interface), EADDRINUSE (joined already), ENOBUFS (too many).</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="group">The group.</param>
    /// <param name="interfaceIndex">The interface; 0: where the route leads.</param>
    public static Errno Join(DatagramSocket* socket, in IpAddress group, uint interfaceIndex)
    {
        if (!group.IsMulticast)
            return Errno.EINVAL;
        NetworkInterface* on = Find(socket, group, interfaceIndex);
        if (on == null)
            return Errno.ENODEV;
        int free = -1;
        for (int i = DatagramMembershipArray.Capacity - 1; i >= 0; i--)
        {
            ref DatagramMembership membership = ref socket->Memberships[i];
            if (membership.Interface == 0)
                free = i;
            else if (membership.Group == group && membership.Interface == on->Index)
                return Errno.EADDRINUSE;
        }
        if (free < 0)
            return Errno.ENOBUFS;
        Errno error = MulticastGroups.Join(on, group);
        if (error == Errno.None)
            socket->Memberships[free] = new DatagramMembership { Group = group, Interface = on->Index };
        return error;
    }

    /// <summary>Leaves a group. Errors: ENODEV, EADDRNOTAVAIL (not joined).</summary>
    public static Errno Leave(DatagramSocket* socket, in IpAddress group, uint interfaceIndex)
    {
        for (int i = 0; i < DatagramMembershipArray.Capacity; i++)
        {
            ref DatagramMembership membership = ref socket->Memberships[i];
            if (membership.Interface == 0 || membership.Group != group || (interfaceIndex != 0 && membership.Interface != interfaceIndex))
                continue;
            NetworkInterface* on = socket->Stack->FindInterface(membership.Interface);
            membership = default;
            return on == null ? Errno.ENODEV : MulticastGroups.Leave(on, group);
        }
        return Errno.EADDRNOTAVAIL;
    }

    /// <summary>Leaves all groups.</summary>
    internal static void LeaveAll(DatagramSocket* socket)
    {
        for (int i = 0; i < DatagramMembershipArray.Capacity; i++)
        {
            DatagramMembership membership = socket->Memberships[i];
            if (membership.Interface != 0)
                Leave(socket, membership.Group, membership.Interface);
        }
    }

    private static NetworkInterface* Find(DatagramSocket* socket, in IpAddress group, uint interfaceIndex)
    {
        if (interfaceIndex != 0)
            return socket->Stack->FindInterface(interfaceIndex);
        return IpOutput.InterfaceForGroup(socket->Stack, group);
    }
}
