// How many sockets there are. Source: proc_pid_net(5), sockstat and sockstat6.
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files.Proc;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net.Sockets.Unix;
using Ukl.Kernel.Net.Tcp;

namespace Ukl.Kernel.Net.Proc;

/// <summary>sockstat and sockstat6.</summary>
internal static unsafe class SocketStatisticsFiles
{
    internal static Errno Write4(ProcKey key, TextBuffer* text)
    {
        NetworkStack* stack = KernelNetwork.Stack;
        if (stack == null)
            return Errno.None;
        SocketCounts v4 = SocketCounts.Of(stack, isV6: false), v6 = SocketCounts.Of(stack, isV6: true);
        ref TcpState tcp = ref stack->Tcp;
        Write(text, "sockets: used "u8, tcp.ConnectionCount - tcp.OrphanCount + v4.Udp + v6.Udp + v4.Raw + v6.Raw + UnixTable.Count());
        Write(text, "\nTCP: inuse "u8, v4.Tcp);
        Write(text, " orphan "u8, tcp.OrphanCount);
        Write(text, " tw "u8, tcp.TimeWaitCount);
        Write(text, " alloc "u8, tcp.ConnectionCount);
        Write(text, " mem "u8, PagesOf(v4.TcpMemory + v6.TcpMemory));
        Write(text, "\nUDP: inuse "u8, v4.Udp);
        Write(text, " mem "u8, PagesOf(v4.DatagramMemory + v6.DatagramMemory));
        Write(text, "\nUDPLITE: inuse 0\nRAW: inuse "u8, v4.Raw);
        Write(text, "\nFRAG: inuse "u8, stack->Reassembly.Count);
        Write(text, " memory "u8, stack->Reassembly.Memory);
        text->WriteByte((byte)'\n');
        return Errno.None;
    }

    internal static Errno Write6(ProcKey key, TextBuffer* text)
    {
        NetworkStack* stack = KernelNetwork.Stack;
        if (stack == null)
            return Errno.None;
        SocketCounts counts = SocketCounts.Of(stack, isV6: true);
        Write(text, "TCP6: inuse "u8, counts.Tcp);
        Write(text, "\nUDP6: inuse "u8, counts.Udp);
        Write(text, "\nUDPLITE6: inuse 0\nRAW6: inuse "u8, counts.Raw);
        // Pieces of both versions are kept together: sockstat counts them.
        text->Write("\nFRAG6: inuse 0 memory 0\n"u8);
        return Errno.None;
    }

    private static void Write(TextBuffer* text, ReadOnlySpan<byte> name, ulong number)
    {
        text->Write(name);
        text->WriteDecimal(number);
    }

    private static ulong PagesOf(ulong bytes) => (bytes + PageAllocator.PageSize - 1) / PageAllocator.PageSize;
}
