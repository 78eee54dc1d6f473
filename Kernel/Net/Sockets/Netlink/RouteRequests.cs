// What NETLINK_ROUTE answers. Source: rtnetlink(7).
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Net.Sockets.Netlink;

/// <summary>Answers requests of NETLINK_ROUTE: links, addresses and routes can be listed; nothing can be changed.</summary>
internal static unsafe class RouteRequests
{
    // RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETNEIGH.
    private const ushort GetLink = 18, GetAddress = 22, GetRoute = 26, GetNeighbor = 30;

    /// <summary>Looks at each message of a datagram; the answers wait in the socket's queue afterwards.</summary>
    internal static void Answer(NetlinkSocket* socket, byte* request, uint length)
    {
        NetworkStack* stack = KernelNetwork.GetStack();
        while (length >= (uint)sizeof(NetlinkHeader))
        {
            var header = (NetlinkHeader*)request;
            if (header->Length < (uint)sizeof(NetlinkHeader) || header->Length > length)
                return;
            if ((header->Flags & NetlinkHeader.Request) != 0 && header->Type >= NetlinkHeader.FirstOwn)
                AnswerOne(socket, stack, header);
            uint step = (header->Length + 3) & ~3u;
            if (step > length)
                return;
            request += step;
            length -= step;
        }
    }

    private static void AnswerOne(NetlinkSocket* socket, NetworkStack* stack, NetlinkHeader* header)
    {
        var writer = new NetlinkWriter(socket, header->Sequence);
        Errno error = stack == null ? Errno.ENOBUFS : Errno.None;
        bool isDump = (header->Flags & NetlinkHeader.Dump) == NetlinkHeader.Dump;
        if (error == Errno.None && isDump)
            error = Dump(ref writer, stack, header);
        else if (error == Errno.None)
            error = header->Type == GetLink ? LinkMessages.WriteOne(ref writer, stack, header) : Errno.EOPNOTSUPP;
        if (error == Errno.None && isDump)
        {
            byte* status = writer.Begin(NetlinkHeader.Done, NetlinkHeader.Multiple, sizeof(int));
            if (status != null)
                writer.End();
        }
        if (error != Errno.None || (!isDump && (header->Flags & NetlinkHeader.Acknowledge) != 0))
            WriteStatus(ref writer, header, error);
        writer.Send();
        if (writer.IsIncomplete)
            socket->Base.PendingError = Errno.ENOBUFS;
    }

    private static Errno Dump(ref NetlinkWriter writer, NetworkStack* stack, NetlinkHeader* header)
    {
        // The first byte of every request's body is the family that is asked for; 0: all.
        byte family = header->Length > (uint)sizeof(NetlinkHeader) ? *(byte*)(header + 1) : (byte)0;
        switch (header->Type)
        {
            case GetLink:
                LinkMessages.WriteAll(ref writer, stack);
                return Errno.None;
            case GetAddress:
                AddressMessages.WriteAll(ref writer, stack, family);
                return Errno.None;
            case GetRoute:
                RouteMessages.WriteAll(ref writer, stack, family);
                return Errno.None;
            case GetNeighbor:
                return Errno.None;
            default:
                return Errno.EOPNOTSUPP;
        }
    }

    // struct nlmsgerr: the error and the header of the request.
    private static void WriteStatus(ref NetlinkWriter writer, NetlinkHeader* header, Errno error)
    {
        byte* body = writer.Begin(NetlinkHeader.Error, 0, sizeof(int) + (uint)sizeof(NetlinkHeader));
        if (body == null)
            return;
        *(int*)body = -(int)error;
        *(NetlinkHeader*)(body + sizeof(int)) = *header;
        writer.End();
    }
}
