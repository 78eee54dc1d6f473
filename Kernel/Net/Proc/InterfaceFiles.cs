using Ukl.Kernel.Abi;
using Ukl.Kernel.Files.Proc;

namespace Ukl.Kernel.Net.Proc;

/// <summary>dev and if_inet6.</summary>
internal static unsafe class InterfaceFiles
{
    private const int NameWidth = 6, NameWidth6 = 8;

    /// <summary>IFA_F_* of Linux's if_addr.h.</summary>
    private const uint Permanent = 0x80, Tentative = 0x40, Deprecated = 0x20, Failed = 0x08;
    private const uint LinkScope = 0x20, HostScope = 0x10;

    internal static Errno WriteStatistics(ProcKey key, TextBuffer* text)
    {
        text->Write("Inter-|   Receive                                                |  Transmit\n"u8);
        text->Write(" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"u8);
        NetworkStack* stack = KernelNetwork.Stack;
        for (NetworkInterface* each = stack == null ? null : stack->Loopback; each != null; each = each->Next)
        {
            ref InterfaceStatistics counted = ref each->Statistics;
            WriteName(text, each, NameWidth);
            text->WriteByte((byte)':');
            text->WriteDecimal(counted.ReceivedBytes, 8);
            WriteColumn(text, counted.ReceivedPackets, 8);
            WriteColumn(text, counted.ReceiveErrors, 5);
            WriteColumn(text, counted.ReceiveDropped, 5);
            text->Write("    0     0          0"u8);
            WriteColumn(text, counted.ReceivedMulticast, 10);
            WriteColumn(text, counted.SentBytes, 9);
            WriteColumn(text, counted.SentPackets, 8);
            text->Write("    0"u8);
            WriteColumn(text, counted.SendDropped, 5);
            text->Write("    0     0       0          0\n"u8);
        }
        return Errno.None;
    }

    internal static Errno WriteAddresses6(ProcKey key, TextBuffer* text)
    {
        NetworkStack* stack = KernelNetwork.Stack;
        for (NetworkInterface* each = stack == null ? null : stack->Loopback; each != null; each = each->Next)
        {
            for (int i = 0; i < each->AddressEnd; i++)
            {
                ref InterfaceAddress address = ref each->Addresses[i];
                if (address.State == AddressState.None || address.Address.IsV4)
                    continue;
                NetEntries.WriteDigits(text, address.Address);
                WriteHexColumn(text, each->Index);
                WriteHexColumn(text, address.PrefixLength);
                WriteHexColumn(text, address.Address.IsLoopback ? HostScope : address.Address.IsLinkLocal6 ? LinkScope : 0);
                WriteHexColumn(text, FlagsOf(address));
                text->WriteByte((byte)' ');
                WriteName(text, each, NameWidth6);
                text->WriteByte((byte)'\n');
            }
        }
        return Errno.None;
    }

    /// <summary>The interface's name, right-aligned.</summary>
    internal static void WriteName(TextBuffer* text, NetworkInterface* of, int width)
    {
        for (int i = of->Name.Text.Length; i < width; i++)
            text->WriteByte((byte)' ');
        text->Write(of->Name.Text);
    }

    private static uint FlagsOf(in InterfaceAddress address)
    {
        uint flags = address.ValidUntil == ulong.MaxValue ? Permanent : 0;
        return address.State switch
        {
            AddressState.Tentative => flags | Tentative,
            AddressState.Duplicate => flags | Tentative | Failed,
            AddressState.Deprecated => flags | Deprecated,
            _ => flags,
        };
    }

    /// <summary>A number with a space before it, whatever its width.</summary>
    private static void WriteColumn(TextBuffer* text, ulong value, int width)
    {
        text->WriteByte((byte)' ');
        text->WriteDecimal(value, width - 1);
    }

    private static void WriteHexColumn(TextBuffer* text, uint value)
    {
        text->WriteByte((byte)' ');
        text->WriteHex(value, 2);
    }
}
