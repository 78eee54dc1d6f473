// The tables of sockets. Source: proc_pid_net(5) and Linux's Documentation/networking/proc_net_tcp; what is behind the inode's number is not shown.
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files.Proc;
using Ukl.Kernel.Net.Datagrams;
using Ukl.Kernel.Net.Tcp;

namespace Ukl.Kernel.Net.Proc;

/// <summary>tcp, udp and raw, each for both versions of IP.</summary>
internal static unsafe class SocketFiles
{
    /// <summary>TCP_CLOSE, which stands for a socket without a connection.</summary>
    private const uint Closed = 7, Established = 1;

    internal static Errno WriteTcp4(ProcKey key, TextBuffer* text) => WriteTcp(text, isV6: false);

    internal static Errno WriteTcp6(ProcKey key, TextBuffer* text) => WriteTcp(text, isV6: true);

    internal static Errno WriteUdp4(ProcKey key, TextBuffer* text) => WriteUdp(text, isV6: false);

    internal static Errno WriteUdp6(ProcKey key, TextBuffer* text) => WriteUdp(text, isV6: true);

    internal static Errno WriteRaw4(ProcKey key, TextBuffer* text) => WriteRaw(text, isV6: false);

    internal static Errno WriteRaw6(ProcKey key, TextBuffer* text) => WriteRaw(text, isV6: true);

    private static Errno WriteTcp(TextBuffer* text, bool isV6)
    {
        WriteTitle(text, isV6);
        NetworkStack* stack = KernelNetwork.Stack;
        if (stack == null)
            return Errno.None;
        uint line = 0;
        uint bucket = 0;
        for (Listener* first = stack->Tcp.Listeners.Walk(ref bucket); first != null; first = stack->Tcp.Listeners.Walk(ref bucket))
        {
            for (Listener* each = first; each != null; each = each->Next)
            {
                TcpConnection* c = each->Connection;
                if (c->Has(ConnectionFlags.IsIpv6Socket) == isV6)
                    WriteLine(text, line++, isV6, c->Port.Address, c->Port.Port, default, 0, (uint)ConnectionState.Listen, 0, each->AcceptCount);
            }
        }
        bucket = 0;
        for (FlowEntry* first = stack->Tcp.Flows.Walk(ref bucket); first != null; first = stack->Tcp.Flows.Walk(ref bucket))
        {
            for (FlowEntry* each = first; each != null; each = each->Next)
            {
                if (each->Local.IsV4 == isV6)
                    continue;
                var state = ConnectionState.TimeWait;
                if (each->Kind == FlowKind.Connection)
                    state = ((TcpConnection*)each)->State;
                else if (each->Kind == FlowKind.Request)
                    state = ConnectionState.SynReceived;
                WriteLine(text, line++, isV6, each->Local, each->LocalPort, each->Remote, each->RemotePort, (uint)state, 0, 0);
            }
        }
        return Errno.None;
    }

    private static Errno WriteUdp(TextBuffer* text, bool isV6)
    {
        WriteTitle(text, isV6);
        NetworkStack* stack = KernelNetwork.Stack;
        if (stack == null)
            return Errno.None;
        uint line = 0;
        uint bucket = 0;
        for (PortEntry* first = stack->Datagrams.Ports.Walk(ref bucket); first != null; first = stack->Datagrams.Ports.Walk(ref bucket))
        {
            for (PortEntry* entry = first; entry != null; entry = entry->Next)
            {
                for (PortBinding* holder = entry->First; holder != null; holder = holder->Next)
                    WriteDatagram(text, ref line, (DatagramSocket*)holder->Owner, isV6);
            }
        }
        return Errno.None;
    }

    private static Errno WriteRaw(TextBuffer* text, bool isV6)
    {
        WriteTitle(text, isV6);
        NetworkStack* stack = KernelNetwork.Stack;
        uint line = 0;
        for (DatagramSocket* each = stack == null ? null : stack->Datagrams.FirstRaw; each != null; each = each->NextRaw)
            WriteDatagram(text, ref line, each, isV6);
        return Errno.None;
    }

    private static void WriteDatagram(TextBuffer* text, ref uint line, DatagramSocket* socket, bool isV6)
    {
        if (socket->IsV6 != isV6)
            return;
        uint port = socket->Kind == DatagramKind.Raw ? socket->Protocol : socket->LocalPort;
        WriteLine(text, line++, isV6, socket->Local, (ushort)port, socket->Remote, socket->RemotePort, socket->IsConnected ? Established : Closed, 0,
            socket->ReceivedMemory);
    }

    private static void WriteTitle(TextBuffer* text, bool isV6) => text->Write(isV6
        ? "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"u8
        : "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"u8);

    private static void WriteLine(TextBuffer* text, uint line, bool isV6, in IpAddress local, ushort localPort, in IpAddress remote, ushort remotePort, uint state,
        uint sending, uint received)
    {
        text->WriteDecimal(line, 4);
        text->Write(": "u8);
        WriteEnd(text, isV6, local, localPort);
        WriteEnd(text, isV6, remote, remotePort);
        NetEntries.WriteUpperHex(text, state, 2);
        text->WriteByte((byte)' ');
        NetEntries.WriteUpperHex(text, sending, 8);
        text->WriteByte((byte)':');
        NetEntries.WriteUpperHex(text, received, 8);
        text->Write(" 00:00000000 00000000     0        0 0\n"u8);
    }

    private static void WriteEnd(TextBuffer* text, bool isV6, in IpAddress address, ushort port)
    {
        NetEntries.WriteWords(text, address, isV6);
        text->WriteByte((byte)':');
        NetEntries.WriteUpperHex(text, port, 4);
        text->WriteByte((byte)' ');
    }
}
