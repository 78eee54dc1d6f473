using Ukl.Kernel.Abi;
using Ukl.Kernel.Files.Proc;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Proc;

/// <summary>arp.</summary>
internal static unsafe class NeighborFiles
{
    private const int AddressWidth = 17;

    internal static Errno WriteArp(ProcKey key, TextBuffer* text)
    {
        text->Write("IP address       HW type     Flags       HW address            Mask     Device\n"u8);
        NetworkStack* stack = KernelNetwork.Stack;
        for (Neighbor* each = stack == null ? null : stack->Neighbors.Next(null); each != null; each = stack->Neighbors.Next(each))
        {
            if (!each->Address.IsV4 || each->State is NeighborState.None or NeighborState.Permanent)
                continue;
            nuint start = text->Length;
            IpAddressText.Write(text, each->Address);
            text->PadLine(start, AddressWidth);
            bool isKnown = each->State >= NeighborState.Stale;
            text->Write(isKnown ? "0x1         0x2         "u8 : "0x1         0x0         "u8);
            for (int i = 0; i < MacAddress.Size; i++)
            {
                if (i != 0)
                    text->WriteByte((byte)':');
                text->WriteHex(isKnown ? (byte)(each->Mac.Value >> (8 * i)) : 0u, 2);
            }
            text->Write("     *        "u8);
            text->Write(each->Interface->Name.Text);
            text->WriteByte((byte)'\n');
        }
        return Errno.None;
    }
}
