using Ukl.Kernel.Abi;
using Ukl.Kernel.Files.Proc;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Proc;

/// <summary>route and ipv6_route.</summary>
internal static unsafe class RouteFiles
{
    /// <summary>RTF_* of route(8).</summary>
    private const uint Up = 1, Gateway = 2, Host = 4, Announced = 0x0004_0000;

    private const int LineWidth = 127;

    internal static Errno WriteRoutes4(ProcKey key, TextBuffer* text)
    {
        WriteLine(text, "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"u8);
        NetworkStack* stack = KernelNetwork.Stack;
        for (int i = 0; stack != null && i < stack->Routes.Count; i++)
        {
            ref Route route = ref stack->Routes[i];
            if (!route.Prefix.IsV4 || route.PrefixLength < 96)
                continue;
            nuint start = text->Length;
            text->Write(route.Interface->Name.Text);
            WriteWords(text, route.Prefix);
            WriteWords(text, route.HasGateway ? route.Gateway : IpAddress.Any4);
            text->WriteByte((byte)'\t');
            NetEntries.WriteUpperHex(text, FlagsOf(route) & 0xffff, 4);
            text->Write("\t0\t0\t"u8);
            text->WriteDecimal(route.Metric);
            WriteWords(text, new IpAddress(0, ulong.MaxValue).Prefix(route.PrefixLength));
            text->Write("\t0\t0\t0"u8);
            text->PadLine(start, LineWidth);
            text->WriteByte((byte)'\n');
        }
        return Errno.None;
    }

    internal static Errno WriteRoutes6(ProcKey key, TextBuffer* text)
    {
        NetworkStack* stack = KernelNetwork.Stack;
        for (int i = 0; stack != null && i < stack->Routes.Count; i++)
        {
            ref Route route = ref stack->Routes[i];
            if (route.Prefix.IsV4 && route.PrefixLength >= 96)
                continue;
            NetEntries.WriteDigits(text, route.Prefix);
            text->WriteByte((byte)' ');
            text->WriteHex(route.PrefixLength, 2);
            text->Write(" 00000000000000000000000000000000 00 "u8);
            NetEntries.WriteDigits(text, route.Gateway);
            text->WriteByte((byte)' ');
            text->WriteHex(route.Metric, 8);
            text->Write(" 00000001 00000000 "u8);
            text->WriteHex(FlagsOf(route), 8);
            text->WriteByte((byte)' ');
            InterfaceFiles.WriteName(text, route.Interface, 8);
            text->WriteByte((byte)'\n');
        }
        return Errno.None;
    }

    private static uint FlagsOf(in Route route) =>
        Up | (route.HasGateway ? Gateway : 0) | (route.PrefixLength == 128 ? Host : 0) | (route.Origin == RouteOrigin.RouterAdvertisement ? Announced : 0);

    private static void WriteWords(TextBuffer* text, in IpAddress address)
    {
        text->WriteByte((byte)'\t');
        NetEntries.WriteWords(text, address, isV6: false);
    }

    private static void WriteLine(TextBuffer* text, System.ReadOnlySpan<byte> line)
    {
        nuint start = text->Length;
        text->Write(line);
        text->PadLine(start, LineWidth);
        text->WriteByte((byte)'\n');
    }
}
