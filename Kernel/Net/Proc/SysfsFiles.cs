// /sys/class/net. Source: Linux's Documentation/ABI/testing/sysfs-class-net.
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files.Proc;

namespace Ukl.Kernel.Net.Proc;

/// <summary>A directory for each interface, a file for each of its properties.</summary>
internal static unsafe class SysfsFiles
{
    // ARPHRD_*.
    private const ulong Ethernet = 1, Loopback = 772;

    internal static void ShowClass(ProcKey key, ref ProcVisitor visitor) => visitor.Directory("net"u8, &ShowInterfaces);

    private static void ShowInterfaces(ProcKey key, ref ProcVisitor visitor) => ShowEach(ref visitor, &ShowInterface);

    /// <summary>A directory for each interface; its key's number is the interface's.</summary>
    internal static void ShowEach(ref ProcVisitor visitor, delegate*<ProcKey, ref ProcVisitor, void> show)
    {
        NetworkStack* stack = KernelNetwork.GetStack();
        for (NetworkInterface* each = stack == null ? null : stack->Loopback; each != null; each = each->Next)
            visitor.Directory(each->Name.Text, show, new ProcKey(0, 0, (int)each->Index));
    }

    private static void ShowInterface(ProcKey key, ref ProcVisitor visitor)
    {
        visitor.File("address"u8, &WriteAddress, key);
        visitor.File("broadcast"u8, &WriteBroadcast, key);
        visitor.File("carrier"u8, &WriteCarrier, key);
        visitor.File("flags"u8, &WriteFlags, key);
        visitor.File("ifindex"u8, &WriteIndex, key);
        visitor.File("mtu"u8, &WriteMtu, key);
        visitor.File("operstate"u8, &WriteState, key);
        visitor.Directory("statistics"u8, &ShowStatistics, key);
        visitor.File("tx_queue_len"u8, &WriteQueueLength, key);
        visitor.File("type"u8, &WriteType, key);
    }

    private static void ShowStatistics(ProcKey key, ref ProcVisitor visitor)
    {
        visitor.File("multicast"u8, &WriteReceivedMulticast, key);
        visitor.File("rx_bytes"u8, &WriteReceivedBytes, key);
        visitor.File("rx_dropped"u8, &WriteReceiveDropped, key);
        visitor.File("rx_errors"u8, &WriteReceiveErrors, key);
        visitor.File("rx_packets"u8, &WriteReceivedPackets, key);
        visitor.File("tx_bytes"u8, &WriteSentBytes, key);
        visitor.File("tx_dropped"u8, &WriteSendDropped, key);
        visitor.File("tx_packets"u8, &WriteSentPackets, key);
    }

    // Interfaces never go.
    private static NetworkInterface* Find(ProcKey key) => KernelNetwork.Stack->FindInterface((uint)key.Number);

    private static Errno WriteAddress(ProcKey key, TextBuffer* text) => WriteMac(text, Find(key)->Mac);

    private static Errno WriteBroadcast(ProcKey key, TextBuffer* text) => WriteMac(text, Find(key)->IsLoopback ? default : MacAddress.Broadcast);

    private static Errno WriteCarrier(ProcKey key, TextBuffer* text) => WriteNumber(text, Find(key)->Device->IsLinkUp ? 1u : 0);

    private static Errno WriteIndex(ProcKey key, TextBuffer* text) => WriteNumber(text, (ulong)key.Number);

    private static Errno WriteMtu(ProcKey key, TextBuffer* text) => WriteNumber(text, Find(key)->Mtu);

    private static Errno WriteQueueLength(ProcKey key, TextBuffer* text) => WriteNumber(text, 1000);

    private static Errno WriteType(ProcKey key, TextBuffer* text) => WriteNumber(text, Find(key)->IsLoopback ? Loopback : Ethernet);

    private static Errno WriteReceivedMulticast(ProcKey key, TextBuffer* text) => WriteNumber(text, Find(key)->Statistics.ReceivedMulticast);

    private static Errno WriteReceivedBytes(ProcKey key, TextBuffer* text) => WriteNumber(text, Find(key)->Statistics.ReceivedBytes);

    private static Errno WriteReceiveDropped(ProcKey key, TextBuffer* text) => WriteNumber(text, Find(key)->Statistics.ReceiveDropped);

    private static Errno WriteReceiveErrors(ProcKey key, TextBuffer* text) => WriteNumber(text, Find(key)->Statistics.ReceiveErrors);

    private static Errno WriteReceivedPackets(ProcKey key, TextBuffer* text) => WriteNumber(text, Find(key)->Statistics.ReceivedPackets);

    private static Errno WriteSentBytes(ProcKey key, TextBuffer* text) => WriteNumber(text, Find(key)->Statistics.SentBytes);

    private static Errno WriteSendDropped(ProcKey key, TextBuffer* text) => WriteNumber(text, Find(key)->Statistics.SendDropped);

    private static Errno WriteSentPackets(ProcKey key, TextBuffer* text) => WriteNumber(text, Find(key)->Statistics.SentPackets);

    private static Errno WriteFlags(ProcKey key, TextBuffer* text)
    {
        // Only what can be set is shown here, not whether it works.
        text->Write("0x"u8);
        text->WriteHex((ulong)(Find(key)->Flags & ~(InterfaceFlags.Running | InterfaceFlags.LowerUp)));
        text->WriteByte((byte)'\n');
        return Errno.None;
    }

    private static Errno WriteState(ProcKey key, TextBuffer* text)
    {
        NetworkInterface* link = Find(key);
        text->Write(link->IsLoopback ? "unknown\n"u8 : link->Device->IsLinkUp ? "up\n"u8 : "down\n"u8);
        return Errno.None;
    }

    private static Errno WriteMac(TextBuffer* text, MacAddress address)
    {
        for (int i = 0; i < MacAddress.Size; i++)
        {
            if (i != 0)
                text->WriteByte((byte)':');
            text->WriteHex(address.Value >> (8 * i) & 0xff, 2);
        }
        text->WriteByte((byte)'\n');
        return Errno.None;
    }

    private static Errno WriteNumber(TextBuffer* text, ulong number)
    {
        text->WriteDecimal(number);
        text->WriteByte((byte)'\n');
        return Errno.None;
    }
}
