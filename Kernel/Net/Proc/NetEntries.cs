// /proc/net of the kernel's stack. Source: proc_pid_net(5).
using Ukl.Kernel.Files.Proc;
using Ukl.Kernel.Net.Sockets.Unix;

namespace Ukl.Kernel.Net.Proc;

/// <summary>The directory.</summary>
internal static unsafe class NetEntries
{
    internal static void Show(ProcKey key, ref ProcVisitor visitor)
    {
        visitor.File("arp"u8, &NeighborFiles.WriteArp);
        visitor.File("dev"u8, &InterfaceFiles.WriteStatistics);
        visitor.File("if_inet6"u8, &InterfaceFiles.WriteAddresses6);
        visitor.File("ipv6_route"u8, &RouteFiles.WriteRoutes6);
        visitor.File("pnp"u8, &ResolverFiles.WriteNameServers);
        visitor.File("raw"u8, &SocketFiles.WriteRaw4);
        visitor.File("raw6"u8, &SocketFiles.WriteRaw6);
        visitor.File("route"u8, &RouteFiles.WriteRoutes4);
        visitor.File("snmp"u8, &StatisticsFiles.Write4);
        visitor.File("snmp6"u8, &StatisticsFiles.Write6);
        visitor.File("sockstat"u8, &SocketStatisticsFiles.Write4);
        visitor.File("sockstat6"u8, &SocketStatisticsFiles.Write6);
        visitor.File("tcp"u8, &SocketFiles.WriteTcp4);
        visitor.File("tcp6"u8, &SocketFiles.WriteTcp6);
        visitor.File("udp"u8, &SocketFiles.WriteUdp4);
        visitor.File("udp6"u8, &SocketFiles.WriteUdp6);
        visitor.File("unix"u8, &UnixTable.Write);
    }

    /// <summary>An address as it lies in memory, in words that are printed as numbers: how Linux's tables show addresses.</summary>
    internal static void WriteWords(TextBuffer* text, in IpAddress address, bool isV6)
    {
        if (!isV6)
        {
            WriteWord(text, address.V4);
            return;
        }
        WriteWord(text, (uint)(address.High >> 32));
        WriteWord(text, (uint)address.High);
        WriteWord(text, (uint)(address.Low >> 32));
        WriteWord(text, (uint)address.Low);
    }

    /// <summary>The 32 digits of an address.</summary>
    internal static void WriteDigits(TextBuffer* text, in IpAddress address)
    {
        text->WriteHex(address.High, 16);
        text->WriteHex(address.Low, 16);
    }

    /// <summary>Upper-case digits.</summary>
    internal static void WriteUpperHex(TextBuffer* text, uint value, int width)
    {
        for (int shift = 4 * (width - 1); shift >= 0; shift -= 4)
            text->WriteByte("0123456789ABCDEF"u8[(int)(value >> shift) & 15]);
    }

    private static void WriteWord(TextBuffer* text, uint word) =>
        WriteUpperHex(text, System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(word), 8);
}
