// /proc/sys/net: the limits that servers look at. They can be read only. Source: Linux's Documentation/admin-guide/sysctl/net.rst, ip(7), tcp(7), unix(7).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files.Proc;
using Ukl.Kernel.Net.Ip;
using Ukl.Kernel.Net.Sockets;
using Ukl.Kernel.Net.Sockets.Unix;
using Ukl.Kernel.Net.Tcp;

namespace Ukl.Kernel.Net.Proc;

/// <summary>The directory.</summary>
internal static unsafe class SysctlFiles
{
    private const ulong LeastMtu = 1280;

    internal static void Show(ProcKey key, ref ProcVisitor visitor)
    {
        visitor.Directory("core"u8, &ShowCore);
        visitor.Directory("ipv4"u8, &ShowInternet);
        visitor.Directory("ipv6"u8, &ShowInternet6);
        visitor.Directory("unix"u8, &ShowUnix);
    }

    private static void ShowCore(ProcKey key, ref ProcVisitor visitor)
    {
        visitor.File("rmem_default"u8, &WriteDefaultBuffer);
        visitor.File("rmem_max"u8, &WriteMaximumBuffer);
        visitor.File("somaxconn"u8, &WriteBacklog);
        visitor.File("wmem_default"u8, &WriteDefaultBuffer);
        visitor.File("wmem_max"u8, &WriteMaximumBuffer);
    }

    private static void ShowInternet(ProcKey key, ref ProcVisitor visitor)
    {
        visitor.Directory("conf"u8, &ShowInterfaces);
        visitor.File("ip_default_ttl"u8, &WriteHopLimit);
        visitor.File("ip_forward"u8, &WriteZero);
        visitor.File("ip_local_port_range"u8, &WritePorts);
        visitor.File("tcp_available_congestion_control"u8, &WriteCongestion);
        visitor.File("tcp_congestion_control"u8, &WriteCongestion);
    }

    private static void ShowInternet6(ProcKey key, ref ProcVisitor visitor) => visitor.Directory("conf"u8, &ShowInterfaces6);

    private static void ShowInterfaces(ProcKey key, ref ProcVisitor visitor) => ShowEach(ref visitor, &ShowInterface);

    private static void ShowInterfaces6(ProcKey key, ref ProcVisitor visitor) => ShowEach(ref visitor, &ShowInterface6);

    /// <summary>A directory for each interface, and the two that are none of any.</summary>
    private static void ShowEach(ref ProcVisitor visitor, delegate*<ProcKey, ref ProcVisitor, void> show)
    {
        visitor.Directory("all"u8, show);
        visitor.Directory("default"u8, show);
        SysfsFiles.ShowEach(ref visitor, show);
    }

    private static void ShowInterface(ProcKey key, ref ProcVisitor visitor) => visitor.File("forwarding"u8, &WriteZero, key);

    private static void ShowInterface6(ProcKey key, ref ProcVisitor visitor)
    {
        visitor.File("disable_ipv6"u8, &WriteZero, key);
        visitor.File("forwarding"u8, &WriteZero, key);
        visitor.File("hop_limit"u8, &WriteHopLimit, key);
        visitor.File("mtu"u8, &WriteMtu, key);
    }

    private static void ShowUnix(ProcKey key, ref ProcVisitor visitor) => visitor.File("max_dgram_qlen"u8, &WriteQueueLength);

    private static Errno WriteZero(ProcKey key, TextBuffer* text) => WriteNumber(text, 0);

    private static Errno WriteHopLimit(ProcKey key, TextBuffer* text) => WriteNumber(text, IpOutput.DefaultHopLimit);

    /// <summary>Of an interface, which never goes; of "all" and "default" the least that every link must carry (RFC 8200 section 5).</summary>
    private static Errno WriteMtu(ProcKey key, TextBuffer* text) =>
        WriteNumber(text, key.Number == 0 ? LeastMtu : KernelNetwork.Stack->FindInterface((uint)key.Number)->Mtu);

    private static Errno WriteDefaultBuffer(ProcKey key, TextBuffer* text) => WriteNumber(text, SocketSettings.DefaultBufferSize);

    private static Errno WriteMaximumBuffer(ProcKey key, TextBuffer* text) => WriteNumber(text, SocketSettings.MaximumBufferSize);

    private static Errno WriteBacklog(ProcKey key, TextBuffer* text) => WriteNumber(text, TcpCalls.LargestBacklog);

    private static Errno WriteQueueLength(ProcKey key, TextBuffer* text) => WriteNumber(text, UnixSocket.LongestQueue);

    private static Errno WritePorts(ProcKey key, TextBuffer* text)
    {
        text->WriteDecimal(PortTable.FirstEphemeral);
        text->WriteByte((byte)'\t');
        return WriteNumber(text, PortTable.LastEphemeral);
    }

    private static Errno WriteCongestion(ProcKey key, TextBuffer* text)
    {
        text->Write("cubic\n"u8);
        return Errno.None;
    }

    private static Errno WriteNumber(TextBuffer* text, ulong number)
    {
        text->WriteDecimal(number);
        text->WriteByte((byte)'\n');
        return Errno.None;
    }
}
