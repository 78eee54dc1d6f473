// What tmpfs does with names and attributes.
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Files;

/// <summary>An inode of tmpfs. Which of the last fields it uses depends on its type.</summary>
public unsafe struct TmpfsInode : IInodeKind
{
    // st_size of a tmpfs directory: this much for each entry, "." and ".." included.
    private const ulong DirectoryEntrySize = 20;

    /// <summary>What the VFS knows; it comes first, so that a pointer to it is a pointer to this.</summary>
    internal Inode Base;

    internal TmpfsInode* NextEvicted;

    /// <summary>Of a directory: the one it stands in.</summary>
    internal TmpfsInode* Parent;

    /// <summary>Of a directory: its entries.</summary>
    internal TmpfsDirectory Entries;

    /// <summary>Of a regular file: its bytes.</summary>
    internal TmpfsContent Content;

    /// <summary>Of a regular file: how many areas of memory map it.</summary>
    internal int MappingCount;

    /// <summary>Of a symbolic link: its text, <see cref="Inode.Size"/> bytes.</summary>
    internal byte* Target;

    internal readonly Tmpfs* FileSystem => Tmpfs.Of(Base.FileSystem);

    internal static TmpfsInode* Of(Inode* inode) => (TmpfsInode*)inode;

    /// <inheritdoc/>
    public static Result Lookup(Inode* directory, ReadOnlySpan<byte> name, Inode** found)
    {
        TmpfsEntry* entry = Of(directory)->Entries.Find(name);
        if (entry == null)
            return Errno.ENOENT;
        *found = &entry->Inode->Base;
        (*found)->AddReference();
        return Result.Ok;
    }

    /// <inheritdoc/>
    public static Result Create(Inode* directory, ReadOnlySpan<byte> name, uint mode, ulong device, Inode** created)
    {
        TmpfsInode* inode = Of(directory)->FileSystem->CreateInode(mode);
        if (inode == null)
            return Errno.ENOSPC;
        inode->Base.SpecialDevice = device;
        return AddNew(directory, name, inode, created);
    }

    /// <inheritdoc/>
    public static Result MakeDirectory(Inode* directory, ReadOnlySpan<byte> name, uint mode, Inode** created)
    {
        TmpfsInode* inode = Of(directory)->FileSystem->CreateInode(mode);
        if (inode == null)
            return Errno.ENOSPC;
        inode->Base.LinkCount = 2;
        inode->Base.Size = 2 * DirectoryEntrySize;
        inode->Parent = Of(directory);
        Result result = AddNew(directory, name, inode, created);
        if (!result.IsError)
            directory->LinkCount++;
        return result;
    }

    /// <inheritdoc/>
    public static Result MakeSymbolicLink(Inode* directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, Inode** created)
    {
        TmpfsInode* inode = Of(directory)->FileSystem->CreateInode(ModeBits.SymbolicLink | ModeBits.AccessMask);
        if (inode == null)
            return Errno.ENOSPC;
        inode->Target = (byte*)KernelHeap.Allocate((nuint)target.Length);
        if (inode->Target == null)
        {
            Inode.Release(&inode->Base);
            return Errno.ENOSPC;
        }
        target.CopyTo(new Span<byte>(inode->Target, target.Length));
        inode->Base.Size = (ulong)target.Length;
        return AddNew(directory, name, inode, created);
    }

    /// <inheritdoc/>
    public static Result CreateUnnamed(Inode* directory, uint mode, Inode** created)
    {
        TmpfsInode* inode = Of(directory)->FileSystem->CreateInode(mode);
        if (inode == null)
            return Errno.ENOSPC;
        inode->Base.LinkCount = 0;
        *created = &inode->Base;
        return Result.Ok;
    }

    /// <inheritdoc/>
    public static Result Link(Inode* directory, ReadOnlySpan<byte> name, Inode* inode)
    {
        if (!Of(directory)->Entries.Add(name, Of(inode)))
            return Errno.ENOSPC;
        directory->Size += DirectoryEntrySize;
        inode->AddReference();
        inode->LinkCount++;
        inode->ChangeTime = Touch(directory);
        return Result.Ok;
    }

    /// <inheritdoc/>
    public static Result Unlink(Inode* directory, ReadOnlySpan<byte> name, Inode* inode)
    {
        RemoveEntry(directory, name);
        inode->LinkCount--;
        inode->ChangeTime = Touch(directory);
        Inode.Release(inode);
        return Result.Ok;
    }

    /// <inheritdoc/>
    public static Result RemoveDirectory(Inode* directory, ReadOnlySpan<byte> name, Inode* inode)
    {
        if (Of(inode)->Entries.Count != 0)
            return Errno.ENOTEMPTY;
        RemoveEntry(directory, name);
        DropDirectory(directory, inode);
        inode->ChangeTime = Touch(directory);
        Inode.Release(inode);
        return Result.Ok;
    }

    /// <inheritdoc/>
    public static Result Rename(Inode* oldDirectory, ReadOnlySpan<byte> oldName, Inode* inode, Inode* newDirectory, ReadOnlySpan<byte> newName, Inode* replaced, RenameFlags flags)
    {
        if ((flags & RenameFlags.Whiteout) != 0)
            return Errno.EINVAL;
        if ((flags & RenameFlags.Exchange) != 0)
            return Exchange(oldDirectory, oldName, inode, newDirectory, newName, replaced);
        if (replaced == null)
        {
            // The new name comes first: only it can fail.
            if (!Of(newDirectory)->Entries.Add(newName, Of(inode)))
                return Errno.ENOSPC;
            newDirectory->Size += DirectoryEntrySize;
        }
        else
        {
            if (replaced->IsDirectory && Of(replaced)->Entries.Count != 0)
                return Errno.ENOTEMPTY;
            Of(newDirectory)->Entries.Find(newName)->Inode = Of(inode);
            if (replaced->IsDirectory)
                DropDirectory(newDirectory, replaced);
            else
                replaced->LinkCount--;
            replaced->ChangeTime = Clock.RealtimeNanoseconds;
        }
        RemoveEntry(oldDirectory, oldName);
        Reparent(inode, oldDirectory, newDirectory);
        inode->ChangeTime = Touch(oldDirectory);
        Touch(newDirectory);
        if (replaced != null)
            Inode.Release(replaced);
        return Result.Ok;
    }

    /// <inheritdoc/>
    public static Result ReadLink(Inode* inode, byte* buffer, nuint capacity)
    {
        int count = inode->Size < capacity ? (int)inode->Size : (int)capacity;
        new ReadOnlySpan<byte>(Of(inode)->Target, count).CopyTo(new Span<byte>(buffer, count));
        return count;
    }

    /// <inheritdoc/>
    public static Result GetAttributes(Inode* inode, Stat* status)
    {
        inode->FillStatus(status);
        status->Blocks = inode->IsRegular ? Of(inode)->Content.PageCount * (4096 / 512) : 0;
        return Result.Ok;
    }

    /// <inheritdoc/>
    public static Result SetAttributes(Inode* inode, AttributeChange* change)
    {
        if ((change->Mask & AttributeMask.Size) != 0)
        {
            Result result = Of(inode)->Content.SetSize(Of(inode), change->Size);
            if (result.IsError)
                return result;
            change->Mask &= ~AttributeMask.Size;
        }
        return InodeAttributes.Apply(inode, change);
    }

    /// <inheritdoc/>
    public static Result ReadKernel(Inode* inode, ulong offset, void* to, nuint count) =>
        inode->IsRegular ? Of(inode)->Content.Read<KernelSide>(Of(inode), offset, (ulong)to, count) : Errno.EINVAL;

    /// <inheritdoc/>
    public static bool Lend(Inode* inode, ulong offset, nuint count, FileLoan* loan) => Of(inode)->Content.Lend(offset, count, loan);

    /// <inheritdoc/>
    public static void Evict(Inode* inode) => Of(inode)->FileSystem->Evict(Of(inode));

    /// <summary>Gives back everything but the inode itself.</summary>
    internal void FreeContent()
    {
        Content.Free(FileSystem);
        if (Target != null)
            KernelHeap.Free(Target);
        for (uint slot = 0; Entries.Count != 0; slot++)
        {
            TmpfsEntry* entry = Entries.At(slot);
            if (entry == null)
                continue;
            TmpfsInode* child = entry->Inode;
            Entries.Remove(entry);
            Inode.Release(&child->Base);
        }
    }

    // A new inode's reference goes to the entry, another one to the caller.
    private static Result AddNew(Inode* directory, ReadOnlySpan<byte> name, TmpfsInode* inode, Inode** created)
    {
        if (!Of(directory)->Entries.Add(name, inode))
        {
            Inode.Release(&inode->Base);
            return Errno.ENOSPC;
        }
        directory->Size += DirectoryEntrySize;
        Touch(directory);
        inode->Base.AddReference();
        *created = &inode->Base;
        return Result.Ok;
    }

    private static Result Exchange(Inode* oldDirectory, ReadOnlySpan<byte> oldName, Inode* inode, Inode* newDirectory, ReadOnlySpan<byte> newName, Inode* other)
    {
        Of(oldDirectory)->Entries.Find(oldName)->Inode = Of(other);
        Of(newDirectory)->Entries.Find(newName)->Inode = Of(inode);
        Reparent(inode, oldDirectory, newDirectory);
        Reparent(other, newDirectory, oldDirectory);
        inode->ChangeTime = Touch(oldDirectory);
        other->ChangeTime = Touch(newDirectory);
        return Result.Ok;
    }

    private static void RemoveEntry(Inode* directory, ReadOnlySpan<byte> name)
    {
        Of(directory)->Entries.Remove(Of(directory)->Entries.Find(name));
        directory->Size -= DirectoryEntrySize;
    }

    private static void DropDirectory(Inode* parent, Inode* directory)
    {
        parent->LinkCount--;
        directory->LinkCount = 0;
    }

    private static void Reparent(Inode* inode, Inode* from, Inode* to)
    {
        if (!inode->IsDirectory || from == to)
            return;
        from->LinkCount--;
        to->LinkCount++;
        Of(inode)->Parent = Of(to);
    }

    private static ulong Touch(Inode* directory)
    {
        directory->ModifyTime = Clock.RealtimeNanoseconds;
        directory->ChangeTime = directory->ModifyTime;
        return directory->ModifyTime;
    }
}
