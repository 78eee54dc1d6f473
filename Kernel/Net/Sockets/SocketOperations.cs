// One table of function pointers per kind of socket, made by the compiler from the kind's static members.
using System.Runtime.CompilerServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Net.Sockets;

/// <summary>The operations of a kind of socket; see <see cref="ISocketKind"/> for what each does.</summary>
public unsafe struct SocketOperations
{
    public delegate*<Socket*, UserSpan, MessageFlags, Result> SendBytes;
    public delegate*<Socket*, UserSpan, MessageFlags, Result> ReceiveBytes;
    public delegate*<Socket*, SocketMessage*, Result> Send;
    public delegate*<Socket*, SocketMessage*, Result> Receive;
    public delegate*<Socket*, byte*, nuint, MessageFlags, Result> SendKernel;
    public delegate*<Socket*, byte*, nuint, MessageFlags, Result> ReceiveKernel;
    public delegate*<Socket*, SocketAddress*, Result> Bind;
    public delegate*<Socket*, SocketAddress*, bool, Result> Connect;
    public delegate*<Socket*, Socket*, Result> Pair;
    public delegate*<Socket*, uint, Result> Listen;
    public delegate*<Socket*, bool, Socket**, Result> Accept;
    public delegate*<Socket*, bool, SocketAddress*, Result> GetName;
    public delegate*<Socket*, ShutdownDirections, Result> Shutdown;
    public delegate*<Socket*, Errno> TakeError;
    public delegate*<Socket*, bool> IsListening;
    public delegate*<Socket*, bool, uint> BufferSize;
    public delegate*<Socket*, SocketOption, void> SettingChanged;
    public delegate*<Socket*, int, int, OptionInput, Result> SetOption;
    public delegate*<Socket*, int, int, OptionOutput*, Result> GetOption;
    public delegate*<Socket*, uint, ulong, Result> Control;
    public delegate*<Socket*, void> Close;

    /// <summary>Makes an open file of the socket; null when out of memory, and then the socket stays the caller's.</summary>
    public delegate*<Socket*, OpenFlags, OpenFile*> CreateFile;

    /// <summary>The table of <typeparamref name="TKind"/>, filled on first use. It lives for ever and never moves.</summary>
    public static SocketOperations* Of<TKind>()
        where TKind : unmanaged, ISocketKind
    {
        var table = (SocketOperations*)Unsafe.AsPointer(ref Holder<TKind>.Table);
        if (table->Close == null)
            Fill<TKind>(table);
        return table;
    }

    private static void Fill<TKind>(SocketOperations* table)
        where TKind : unmanaged, ISocketKind
    {
        table->SendBytes = &TKind.SendBytes;
        table->ReceiveBytes = &TKind.ReceiveBytes;
        table->Send = &TKind.Send;
        table->Receive = &TKind.Receive;
        table->SendKernel = &TKind.SendKernel;
        table->ReceiveKernel = &TKind.ReceiveKernel;
        table->Bind = &TKind.Bind;
        table->Connect = &TKind.Connect;
        table->Pair = &TKind.Pair;
        table->Listen = &TKind.Listen;
        table->Accept = &TKind.Accept;
        table->GetName = &TKind.GetName;
        table->Shutdown = &TKind.Shutdown;
        table->TakeError = &TKind.TakeError;
        table->IsListening = &TKind.IsListening;
        table->BufferSize = &TKind.BufferSize;
        table->SettingChanged = &TKind.SettingChanged;
        table->SetOption = &TKind.SetOption;
        table->GetOption = &TKind.GetOption;
        table->Control = &TKind.Control;
        table->CreateFile = &SocketFile<TKind>.Create;
        table->Close = &TKind.Close;
    }

    private static class Holder<TKind>
        where TKind : unmanaged, ISocketKind
    {
        [FixedAddressValueType]
        internal static SocketOperations Table;
    }
}
