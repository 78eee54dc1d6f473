using Ukl.Kernel.Net.Datagrams;
using Ukl.Kernel.Net.Tcp;

namespace Ukl.Kernel.Net.Proc;

/// <summary>How many sockets there are of one version of IP. They are counted when somebody asks.</summary>
internal unsafe struct SocketCounts
{
    /// <summary>Listeners and connections, those of UDP, and raw sockets.</summary>
    public uint Tcp, Udp, Raw;

    /// <summary>Bytes in their queues.</summary>
    public ulong TcpMemory, DatagramMemory;

    /// <summary>Counts what the tables list, but for connections that are not there yet or not there any more.</summary>
    internal static SocketCounts Of(NetworkStack* stack, bool isV6)
    {
        SocketCounts counts = default;
        uint bucket = 0;
        for (Listener* first = stack->Tcp.Listeners.Walk(ref bucket); first != null; first = stack->Tcp.Listeners.Walk(ref bucket))
        {
            for (Listener* each = first; each != null; each = each->Next)
                counts.Tcp += each->Connection->Has(ConnectionFlags.IsIpv6Socket) == isV6 ? 1u : 0;
        }
        bucket = 0;
        for (FlowEntry* first = stack->Tcp.Flows.Walk(ref bucket); first != null; first = stack->Tcp.Flows.Walk(ref bucket))
        {
            for (FlowEntry* each = first; each != null; each = each->Next)
            {
                if (each->Kind != FlowKind.Connection || each->Local.IsV4 == isV6)
                    continue;
                counts.Tcp++;
                counts.TcpMemory += ((TcpConnection*)each)->SendQueue.Memory + ((TcpConnection*)each)->ReceiveQueue.Memory;
            }
        }
        bucket = 0;
        for (PortEntry* first = stack->Datagrams.Ports.Walk(ref bucket); first != null; first = stack->Datagrams.Ports.Walk(ref bucket))
        {
            for (PortEntry* entry = first; entry != null; entry = entry->Next)
            {
                for (PortBinding* holder = entry->First; holder != null; holder = holder->Next)
                {
                    var socket = (DatagramSocket*)holder->Owner;
                    counts.Udp += socket->IsV6 == isV6 ? 1u : 0;
                    counts.DatagramMemory += socket->IsV6 == isV6 ? socket->ReceivedMemory : 0;
                }
            }
        }
        for (DatagramSocket* each = stack->Datagrams.FirstRaw; each != null; each = each->NextRaw)
            counts.Raw += each->IsV6 == isV6 ? 1u : 0;
        return counts;
    }

    /// <summary>Connections in ESTABLISHED and CLOSE-WAIT, tcpCurrEstab of RFC 4022.</summary>
    internal static uint Established(NetworkStack* stack)
    {
        uint count = 0, bucket = 0;
        for (FlowEntry* first = stack->Tcp.Flows.Walk(ref bucket); first != null; first = stack->Tcp.Flows.Walk(ref bucket))
        {
            for (FlowEntry* each = first; each != null; each = each->Next)
            {
                if (each->Kind == FlowKind.Connection && ((TcpConnection*)each)->State is ConnectionState.Established or ConnectionState.CloseWait)
                    count++;
            }
        }
        return count;
    }
}
