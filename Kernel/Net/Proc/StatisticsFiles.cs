// What the protocols have counted. Source: proc_pid_net(5); the names and their order are those of Linux 6.1, whose readers look for both.
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files.Proc;
using Ukl.Kernel.Net.Icmp;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Proc;

/// <summary>snmp and snmp6.</summary>
internal static unsafe class StatisticsFiles
{
    /// <summary>ipForwarding and the RTO algorithm in the numbers of their MIBs: "not forwarding" and "other".</summary>
    private const ulong NotForwarding = 2, OtherAlgorithm = 1;

    private const ulong MinimumTimeoutMilliseconds = 200, MaximumTimeoutMilliseconds = 120_000;

    /// <summary>The column in which the numbers of snmp6 begin.</summary>
    private const int NameWidth6 = 32;

    private const int TypeCount = 256;

    /// <summary>The types that have a name of their own, in the order of the columns.</summary>
    private static ReadOnlySpan<byte> NamedTypes4 =>
    [
        IcmpType.DestinationUnreachable, IcmpType.TimeExceeded, IcmpType.ParameterProblem, 4, 5, IcmpType.EchoRequest, IcmpType.EchoReply, 13, 14, 17, 18,
    ];

    private static ReadOnlySpan<byte> NamedTypes6 => [1, 2, 3, 4, 128, 129, 130, 131, 132, 133, 134, 135, 136, 137, 143];

    private static ReadOnlySpan<byte> TypeNames6 =>
        "DestUnreachs PktTooBigs TimeExcds ParmProblems Echos EchoReplies GroupMembQueries GroupMembResponses GroupMembReductions RouterSolicits RouterAdvertisements NeighborSolicits NeighborAdvertisements Redirects MLDv2Reports "u8;

    internal static Errno Write4(ProcKey key, TextBuffer* text)
    {
        NetworkStack* stack = KernelNetwork.Stack;
        if (stack == null)
            return Errno.None;
        ref ProtocolStatistics all = ref stack->Statistics;
        ref IpStatistics ip = ref all.V4;
        WriteRow(text, "Ip:"u8,
            " Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos InDiscards InDelivers OutRequests OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates"u8,
            [
                NotForwarding, IpOutput.DefaultHopLimit, ip.Received, ip.HeaderErrors, ip.AddressErrors, 0, ip.UnknownProtocols, 0, ip.Delivered, ip.Sent, 0, ip.NoRoutes,
                ip.ReassemblyTimeouts, ip.Pieces, ip.Reassembled, ip.ReassemblyFailures, ip.Fragmented, ip.FragmentationFailures, ip.PiecesSent,
            ]);
        WriteIcmp4(text, ref all.Icmp4);
        ref TcpStatistics tcp = ref all.Tcp;
        text->Write("Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors\nTcp:"u8);
        WriteNumbers(text, [OtherAlgorithm, MinimumTimeoutMilliseconds, MaximumTimeoutMilliseconds]);
        // As many connections as there is memory for.
        text->Write(" -1"u8);
        WriteNumbers(text,
        [
            tcp.ActiveOpens, tcp.PassiveOpens, tcp.FailedAttempts, tcp.Resets, SocketCounts.Established(stack), tcp.SegmentsIn, tcp.SegmentsOut, tcp.Retransmitted, tcp.Errors,
            tcp.ResetsSent, tcp.ChecksumErrors,
        ]);
        text->WriteByte((byte)'\n');
        ref UdpStatistics udp = ref all.Udp4;
        WriteRow(text, "Udp:"u8, " InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors"u8,
            [udp.Received, udp.NoPorts, udp.Errors, udp.Sent, udp.NoRoom, 0, udp.ChecksumErrors, 0, 0]);
        return Errno.None;
    }

    internal static Errno Write6(ProcKey key, TextBuffer* text)
    {
        NetworkStack* stack = KernelNetwork.Stack;
        if (stack == null)
            return Errno.None;
        ref ProtocolStatistics all = ref stack->Statistics;
        ref IpStatistics ip = ref all.V6;
        WriteLines(text, "Ip6"u8,
            "InReceives InHdrErrors InTooBigErrors InNoRoutes InAddrErrors InUnknownProtos InTruncatedPkts InDiscards InDelivers OutForwDatagrams OutRequests OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates "u8,
            [
                ip.Received, ip.HeaderErrors, 0, 0, ip.AddressErrors, ip.UnknownProtocols, 0, 0, ip.Delivered, 0, ip.Sent, 0, ip.NoRoutes, ip.ReassemblyTimeouts, ip.Pieces,
                ip.Reassembled, ip.ReassemblyFailures, ip.Fragmented, ip.FragmentationFailures, ip.PiecesSent,
            ]);
        ref IcmpStatistics icmp = ref all.Icmp6;
        WriteLines(text, "Icmp6"u8, "InMsgs InErrors OutMsgs OutErrors InCsumErrors "u8, [icmp.Received, icmp.Errors, icmp.Sent, 0, icmp.ChecksumErrors]);
        WriteTypes6(text, "Icmp6In"u8, ref icmp.ReceivedByType);
        WriteTypes6(text, "Icmp6Out"u8, ref icmp.SentByType);
        WriteOtherTypes6(text, "Icmp6InType"u8, ref icmp.ReceivedByType);
        WriteOtherTypes6(text, "Icmp6OutType"u8, ref icmp.SentByType);
        ref UdpStatistics udp = ref all.Udp6;
        WriteLines(text, "Udp6"u8, "InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors "u8,
            [udp.Received, udp.NoPorts, udp.Errors, udp.Sent, udp.NoRoom, 0, udp.ChecksumErrors, 0, 0]);
        return Errno.None;
    }

    private static void WriteIcmp4(TextBuffer* text, ref IcmpStatistics icmp)
    {
        text->Write("Icmp: InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds InParmProbs InSrcQuenchs InRedirects InEchos InEchoReps InTimestamps InTimestampReps InAddrMasks InAddrMaskReps"u8);
        text->Write(" OutMsgs OutErrors OutDestUnreachs OutTimeExcds OutParmProbs OutSrcQuenchs OutRedirects OutEchos OutEchoReps OutTimestamps OutTimestampReps OutAddrMasks OutAddrMaskReps\nIcmp:"u8);
        WriteNumbers(text, [icmp.Received, icmp.Errors, icmp.ChecksumErrors]);
        for (int i = 0; i < NamedTypes4.Length; i++)
            WriteNumber(text, icmp.ReceivedByType[NamedTypes4[i]]);
        WriteNumbers(text, [icmp.Sent, 0]);
        for (int i = 0; i < NamedTypes4.Length; i++)
            WriteNumber(text, icmp.SentByType[NamedTypes4[i]]);
        text->WriteByte((byte)'\n');
    }

    /// <summary>A title and, in a line of its own, the numbers.</summary>
    private static void WriteRow(TextBuffer* text, ReadOnlySpan<byte> name, ReadOnlySpan<byte> titles, ReadOnlySpan<ulong> numbers)
    {
        text->Write(name);
        text->Write(titles);
        text->WriteByte((byte)'\n');
        text->Write(name);
        WriteNumbers(text, numbers);
        text->WriteByte((byte)'\n');
    }

    private static void WriteNumbers(TextBuffer* text, ReadOnlySpan<ulong> numbers)
    {
        for (int i = 0; i < numbers.Length; i++)
            WriteNumber(text, numbers[i]);
    }

    private static void WriteNumber(TextBuffer* text, ulong number)
    {
        text->WriteByte((byte)' ');
        text->WriteDecimal(number);
    }

    /// <summary>A line for each number, with its name, of which each ends with a space.</summary>
    private static void WriteLines(TextBuffer* text, ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> names, ReadOnlySpan<ulong> numbers)
    {
        int at = 0;
        for (int i = 0; i < numbers.Length; i++)
            WriteLine(text, prefix, NextName(names, ref at), numbers[i]);
    }

    private static void WriteTypes6(TextBuffer* text, ReadOnlySpan<byte> prefix, ref IcmpTypeCounters counters)
    {
        int at = 0;
        for (int i = 0; i < NamedTypes6.Length; i++)
            WriteLine(text, prefix, NextName(TypeNames6, ref at), counters[NamedTypes6[i]]);
    }

    private static void WriteOtherTypes6(TextBuffer* text, ReadOnlySpan<byte> prefix, ref IcmpTypeCounters counters)
    {
        for (int type = 0; type < TypeCount; type++)
        {
            if (counters[type] == 0)
                continue;
            nuint start = text->Length;
            text->Write(prefix);
            text->WriteDecimal((ulong)type);
            FinishLine(text, start, counters[type]);
        }
    }

    private static void WriteLine(TextBuffer* text, ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> name, ulong number)
    {
        nuint start = text->Length;
        text->Write(prefix);
        text->Write(name);
        FinishLine(text, start, number);
    }

    private static void FinishLine(TextBuffer* text, nuint start, ulong number)
    {
        text->PadLine(start, NameWidth6);
        text->WriteByte((byte)'\t');
        text->WriteDecimal(number);
        text->WriteByte((byte)'\n');
    }

    private static ReadOnlySpan<byte> NextName(ReadOnlySpan<byte> names, ref int at)
    {
        int start = at;
        while (names[at] != ' ')
            at++;
        return names.Slice(start, at++ - start);
    }
}
