// One table of function pointers per file system's inodes, made by the compiler; see FileOperations.
using System;
using System.Runtime.CompilerServices;
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Files;

/// <summary>The operations of a file system's inodes; see <see cref="IInodeKind"/> for what each does.</summary>
public unsafe struct InodeOperations
{
    public delegate*<Inode*, ReadOnlySpan<byte>, Inode**, Result> Lookup;
    public delegate*<Inode*, ReadOnlySpan<byte>, uint, ulong, Inode**, Result> Create;
    public delegate*<Inode*, ReadOnlySpan<byte>, uint, Inode**, Result> MakeDirectory;
    public delegate*<Inode*, ReadOnlySpan<byte>, ReadOnlySpan<byte>, Inode**, Result> MakeSymbolicLink;
    public delegate*<Inode*, uint, Inode**, Result> CreateUnnamed;
    public delegate*<Inode*, ReadOnlySpan<byte>, Inode*, Result> Link;
    public delegate*<Inode*, ReadOnlySpan<byte>, Inode*, Result> Unlink;
    public delegate*<Inode*, ReadOnlySpan<byte>, Inode*, Result> RemoveDirectory;
    public delegate*<Inode*, ReadOnlySpan<byte>, Inode*, Inode*, ReadOnlySpan<byte>, Inode*, RenameFlags, Result> Rename;
    public delegate*<Inode*, byte*, nuint, Result> ReadLink;
    public delegate*<Inode*, Path*, Result> FollowLink;
    public delegate*<Inode*, OpenFlags, OpenFile**, Result> OpenLink;
    public delegate*<Inode*, Stat*, Result> GetAttributes;
    public delegate*<Inode*, AttributeChange*, Result> SetAttributes;
    public delegate*<Inode*, ulong, void*, nuint, Result> ReadKernel;
    public delegate*<Inode*, ulong, nuint, FileLoan*, bool> Lend;
    public delegate*<Inode*, void> Evict;

    /// <summary>The table of <typeparamref name="TKind"/>, filled on first use. It lives for ever and never moves.</summary>
    public static InodeOperations* Of<TKind>()
        where TKind : unmanaged, IInodeKind
    {
        var table = (InodeOperations*)Unsafe.AsPointer(ref Holder<TKind>.Table);
        if (table->Lookup == null)
            Fill<TKind>(table);
        return table;
    }

    private static void Fill<TKind>(InodeOperations* table)
        where TKind : unmanaged, IInodeKind
    {
        table->Create = &TKind.Create;
        table->MakeDirectory = &TKind.MakeDirectory;
        table->MakeSymbolicLink = &TKind.MakeSymbolicLink;
        table->CreateUnnamed = &TKind.CreateUnnamed;
        table->Link = &TKind.Link;
        table->Unlink = &TKind.Unlink;
        table->RemoveDirectory = &TKind.RemoveDirectory;
        table->Rename = &TKind.Rename;
        table->ReadLink = &TKind.ReadLink;
        table->FollowLink = &TKind.FollowLink;
        table->OpenLink = &TKind.OpenLink;
        table->GetAttributes = &TKind.GetAttributes;
        table->SetAttributes = &TKind.SetAttributes;
        table->ReadKernel = &TKind.ReadKernel;
        table->Lend = &TKind.Lend;
        table->Evict = &TKind.Evict;
        table->Lookup = &TKind.Lookup;
    }

    private static class Holder<TKind>
        where TKind : unmanaged, IInodeKind
    {
        [FixedAddressValueType]
        internal static InodeOperations Table;
    }
}
