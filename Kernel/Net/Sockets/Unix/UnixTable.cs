// /proc/net/unix. Source: proc_pid_net(5).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files.Proc;
using Ukl.Kernel.Net.Proc;

namespace Ukl.Kernel.Net.Sockets.Unix;

/// <summary>Shows all sockets of AF_UNIX.</summary>
internal static unsafe class UnixTable
{
    // What the columns "Flags" and "St" say of a socket that listens, and of unconnected and connected ones.
    private const uint Listens = 0x1_0000, Unconnected = 1, Connected = 3;

    internal static Errno Write(ProcKey key, TextBuffer* text)
    {
        text->Write("Num       RefCount Protocol Flags    Type St Inode Path\n"u8);
        for (UnixSocket* each = UnixSocket.First; each != null; each = each->NextInList)
        {
            if (!each->IsClosed)
                Write(each, text);
        }
        return Errno.None;
    }

    /// <summary>How many lines that are.</summary>
    internal static uint Count()
    {
        uint count = 0;
        for (UnixSocket* each = UnixSocket.First; each != null; each = each->NextInList)
            count += each->IsClosed ? 0u : 1u;
        return count;
    }

    private static void Write(UnixSocket* socket, TextBuffer* text)
    {
        // Where it lies in memory is nobody's business.
        text->WriteHex(0, 16);
        text->Write(": "u8);
        NetEntries.WriteUpperHex(text, (uint)socket->References, 8);
        text->Write(" 00000000 "u8);
        NetEntries.WriteUpperHex(text, socket->State == UnixState.Listening ? Listens : 0, 8);
        text->WriteByte((byte)' ');
        NetEntries.WriteUpperHex(text, (uint)socket->Base.Type, 4);
        text->WriteByte((byte)' ');
        NetEntries.WriteUpperHex(text, socket->State == UnixState.Connected ? Connected : Unconnected, 2);
        text->WriteByte((byte)' ');
        text->WriteDecimal(socket->Base.Number, 5);
        if (socket->Address != null)
            WriteName(socket->Address, text);
        text->WriteByte((byte)'\n');
    }

    private static void WriteName(UnixAddress* address, TextBuffer* text)
    {
        text->WriteByte((byte)' ');
        for (int i = 0; i < address->Name.Length; i++)
        {
            byte letter = address->Name[i];
            // NULs stand for themselves in abstract names; a path's ends it.
            if (letter == 0 && !address->IsAbstract)
                break;
            text->WriteByte(letter == 0 ? (byte)'@' : letter);
        }
    }
}
