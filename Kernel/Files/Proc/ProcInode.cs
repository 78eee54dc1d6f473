// Inodes of file systems whose content is generated: made at each lookup from what the directory declares, gone with the last reference.
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Files.Proc;

/// <summary>An inode and the entry behind it.</summary>
public unsafe struct ProcInode : IInodeKind
{
    /// <summary>The inode; first, so that its address is this one's.</summary>
    public Inode Base;

    /// <summary>What it is.</summary>
    public ProcNode Node;

    /// <summary>Makes an inode with one reference; null when out of memory.</summary>
    public static Inode* Create(FileSystem* fileSystem, ulong number, in ProcNode node)
    {
        ProcInode* inode = Pool<ProcInode>.Allocate();
        if (inode == null)
            return null;
        inode->Node = node;
        ref Inode common = ref inode->Base;
        common.Operations = InodeOperations.Of<ProcInode>();
        common.FileSystem = fileSystem;
        common.Number = number;
        common.Mode = node.Mode;
        common.UserId = node.UserId;
        common.LinkCount = common.IsDirectory ? 2u : 1;
        common.References = 1;
        common.FileOperations = common.Type switch
        {
            ModeBits.Regular => FileOperations.Of<ProcFile>(),
            ModeBits.Directory => FileOperations.Of<ProcDirectoryFile>(),
            _ => null,
        };
        common.AccessTime = common.ModifyTime = common.ChangeTime = common.BirthTime = Clock.RealtimeNanoseconds;
        return &inode->Base;
    }

    /// <summary>The entry behind an inode of this kind.</summary>
    public static ProcNode* NodeOf(Inode* inode) => &((ProcInode*)inode)->Node;

    /// <inheritdoc/>
    public static Result Lookup(Inode* directory, ReadOnlySpan<byte> name, Inode** found)
    {
        ProcNode* node = NodeOf(directory);
        var visitor = new ProcVisitor(name);
        node->Entries(node->Key, ref visitor);
        if (visitor.Found.Mode == 0)
            return Errno.ENOENT;
        *found = Create(directory->FileSystem, ProcVisitor.NumberOf(directory->Number, name), visitor.Found);
        return *found == null ? Errno.ENOMEM : Result.Ok;
    }

    /// <inheritdoc/>
    public static Result Create(Inode* directory, ReadOnlySpan<byte> name, uint mode, ulong device, Inode** created) => NoNewNames(directory);

    /// <inheritdoc/>
    public static Result MakeDirectory(Inode* directory, ReadOnlySpan<byte> name, uint mode, Inode** created) => NoNewNames(directory);

    /// <inheritdoc/>
    public static Result MakeSymbolicLink(Inode* directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, Inode** created) => NoNewNames(directory);

    /// <inheritdoc/>
    public static Result ReadLink(Inode* inode, byte* buffer, nuint capacity)
    {
        ProcNode* node = NodeOf(inode);
        if (node->Target == null)
            return Errno.EINVAL;
        TextBuffer text = default;
        Errno error = node->Target(node->Key, &text);
        nuint length = text.Length < capacity ? text.Length : capacity;
        if (error == Errno.None && text.IsIncomplete)
            error = Errno.ENOMEM;
        if (error == Errno.None)
            text.Text[..(int)length].CopyTo(new Span<byte>(buffer, (int)length));
        text.Dispose();
        return error != Errno.None ? error : (ulong)length;
    }

    /// <inheritdoc/>
    public static Result FollowLink(Inode* inode, Path* target)
    {
        ProcNode* node = NodeOf(inode);
        return node->Follow == null ? Errno.ENOSYS : node->Follow(node->Key, target);
    }

    /// <inheritdoc/>
    public static Result OpenLink(Inode* inode, OpenFlags flags, OpenFile** file)
    {
        ProcNode* node = NodeOf(inode);
        return node->Open == null ? Errno.ENOSYS : node->Open(node->Key, flags, file);
    }

    /// <inheritdoc/>
    public static Result ReadKernel(Inode* inode, ulong offset, void* to, nuint count)
    {
        ProcNode* node = NodeOf(inode);
        if (node->Content == null)
            return Errno.EINVAL;
        TextBuffer text = default;
        Errno error = node->Content(node->Key, &text);
        if (error == Errno.None && text.IsIncomplete)
            error = Errno.ENOMEM;
        nuint read = 0;
        if (error == Errno.None && offset < text.Length)
        {
            read = text.Length - (nuint)offset < count ? text.Length - (nuint)offset : count;
            text.Text.Slice((int)offset, (int)read).CopyTo(new Span<byte>(to, (int)read));
        }
        text.Dispose();
        return error != Errno.None ? error : (ulong)read;
    }

    /// <inheritdoc/>
    public static void Evict(Inode* inode) => Pool<ProcInode>.Free((ProcInode*)inode);

    // In /proc a name that does not exist cannot come to exist, which Linux says at the lookup already.
    private static Errno NoNewNames(Inode* directory) =>
        directory->FileSystem->Magic == ProcFileSystems.ProcMagic ? Errno.ENOENT : Errno.EPERM;
}
