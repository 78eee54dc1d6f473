// One table of function pointers per kind of file, made by the compiler from the kind's static members. Nothing in the kernel switches over kinds.
using System;
using System.Runtime.CompilerServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files;

/// <summary>The operations of a kind of open file; see <see cref="IFileKind"/> for what each does.</summary>
public unsafe struct FileOperations
{
    public delegate*<OpenFile*, UserSpan, ref ulong, Result> Read;
    public delegate*<OpenFile*, UserSpan, ref ulong, Result> Write;
    public FileTraits Traits;
    public uint AnonymousMode;
    public delegate*<OpenFile*, UserVector*, ref ulong, Result> ReadVector;
    public delegate*<OpenFile*, UserVector*, ref ulong, Result> WriteVector;
    public delegate*<OpenFile*, PollEvents> Poll;
    public delegate*<OpenFile*, WaitQueue*> WaitersOf;
    public delegate*<OpenFile*, Result> Open;
    public delegate*<OpenFile*, byte*, nuint, ref ulong, Result> WriteKernel;
    public delegate*<OpenFile*, uint, ulong, Result> Control;
    public delegate*<OpenFile*, long, SeekOrigin, Result> Seek;
    public delegate*<OpenFile*, ulong, Result> Truncate;
    public delegate*<OpenFile*, int, ulong, ulong, Result> Allocate;
    public delegate*<OpenFile*, bool, Result> Sync;
    public delegate*<OpenFile*, MappedFile*, Result> GetMapping;
    public delegate*<OpenFile*, DirectorySink*, Result> Iterate;
    public delegate*<OpenFile*, Stat*, Result> GetStatus;
    public delegate*<OpenFile*, Result> GetPipeSize;
    public delegate*<OpenFile*, uint, Result> SetPipeSize;
    public delegate*<OpenFile*, Span<byte>, int> Describe;
    public delegate*<OpenFile*, Result> Flush;
    public delegate*<OpenFile*, void> Release;

    /// <summary>The table of <typeparamref name="TKind"/>, filled on first use. It lives for ever and never moves.</summary>
    public static FileOperations* Of<TKind>()
        where TKind : unmanaged, IFileKind
    {
        var table = (FileOperations*)Unsafe.AsPointer(ref Holder<TKind>.Table);
        if (table->Read == null)
            Fill<TKind>(table);
        return table;
    }

    private static void Fill<TKind>(FileOperations* table)
        where TKind : unmanaged, IFileKind
    {
        table->Traits = TKind.Traits;
        table->AnonymousMode = TKind.AnonymousMode;
        table->ReadVector = &TKind.ReadVector;
        table->WriteVector = &TKind.WriteVector;
        table->Poll = &TKind.Poll;
        table->WaitersOf = &TKind.WaitersOf;
        table->Open = &TKind.Open;
        table->WriteKernel = &TKind.WriteKernel;
        table->Control = &TKind.Control;
        table->Seek = &TKind.Seek;
        table->Truncate = &TKind.Truncate;
        table->Allocate = &TKind.Allocate;
        table->Sync = &TKind.Sync;
        table->GetMapping = &TKind.GetMapping;
        table->Iterate = &TKind.Iterate;
        table->GetStatus = &TKind.GetStatus;
        table->GetPipeSize = &TKind.GetPipeSize;
        table->SetPipeSize = &TKind.SetPipeSize;
        table->Describe = &TKind.Describe;
        table->Flush = &TKind.Flush;
        table->Release = &TKind.Release;
        table->Write = &TKind.Write;
        table->Read = &TKind.Read;
    }

    private static class Holder<TKind>
        where TKind : unmanaged, IFileKind
    {
        [FixedAddressValueType]
        internal static FileOperations Table;
    }
}
