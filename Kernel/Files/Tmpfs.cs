// tmpfs(5): a file system that lives in memory. Directories are hash tables, files are pages, and what an initramfs brought is read where it lies.
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Files;

/// <summary>One tmpfs. It may use half of the machine's memory, as on Linux.</summary>
public unsafe struct Tmpfs : IFileSystemKind
{
    /// <summary>TMPFS_MAGIC.</summary>
    public const uint Magic = 0x0102_1994;

    private ulong _lastInodeNumber;
    private TmpfsInode* _firstEvicted;
    private bool _isEvicting;

    /// <summary>The file system this is the data of.</summary>
    public FileSystem* FileSystem { get; private set; }

    /// <summary>Most pages its files may have together.</summary>
    public ulong MaximumPages { get; set; }

    /// <summary>Pages its files have.</summary>
    public ulong UsedPages { get; internal set; }

    /// <summary>Files, directories and links there are.</summary>
    public ulong InodeCount { get; private set; }

    /// <summary>Makes an empty file system whose root directory has the given permissions; null when out of memory.</summary>
    public static FileSystem* Create(uint rootPermissions)
    {
        FileSystem* fileSystem = Files.FileSystem.Create<Tmpfs>(Magic, FileSystemTraits.StableNames);
        Tmpfs* tmpfs = Pool<Tmpfs>.Allocate();
        if (fileSystem != null && tmpfs != null)
        {
            fileSystem->Object = tmpfs;
            tmpfs->FileSystem = fileSystem;
            tmpfs->MaximumPages = PageAllocator.TotalPages / 2;
            TmpfsInode* root = tmpfs->CreateInode(ModeBits.Directory | rootPermissions);
            if (root != null)
            {
                root->Base.LinkCount = 2;
                root->Parent = root;
                fileSystem->Root = &root->Base;
                return fileSystem;
            }
        }
        if (tmpfs != null)
            Pool<Tmpfs>.Free(tmpfs);
        if (fileSystem != null)
            Pool<FileSystem>.Free(fileSystem);
        return null;
    }

    /// <inheritdoc/>
    public static int Describe(Span<byte> to)
    {
        ReadOnlySpan<byte> name = "tmpfs"u8;
        name.CopyTo(to);
        return name.Length;
    }

    /// <inheritdoc/>
    public static Result GetStatus(FileSystem* fileSystem, StatFs* status)
    {
        Tmpfs* self = Of(fileSystem);
        ulong free = self->MaximumPages > self->UsedPages ? self->MaximumPages - self->UsedPages : 0;
        if (free > PageAllocator.FreePages)
            free = PageAllocator.FreePages;
        status->Blocks = self->MaximumPages;
        status->BlocksFree = free;
        status->BlocksAvailable = free;
        // Inodes take memory like everything else: as many as there are pages.
        status->Files = self->MaximumPages;
        status->FilesFree = self->MaximumPages > self->InodeCount ? self->MaximumPages - self->InodeCount : 0;
        return Result.Ok;
    }

    /// <inheritdoc/>
    public static void Unmount(FileSystem* fileSystem)
    {
        Tmpfs* self = Of(fileSystem);
        Inode.Release(fileSystem->Root);
        Pool<Tmpfs>.Free(self);
        Pool<FileSystem>.Free(fileSystem);
    }

    internal static Tmpfs* Of(FileSystem* fileSystem) => (Tmpfs*)fileSystem->Object;

    /// <summary>An inode with one reference and no name; null when out of memory.</summary>
    internal TmpfsInode* CreateInode(uint mode)
    {
        TmpfsInode* inode = Pool<TmpfsInode>.Allocate();
        if (inode == null)
            return null;
        InodeCount++;
        ref Inode common = ref inode->Base;
        common.References = 1;
        common.LinkCount = 1;
        common.FileSystem = FileSystem;
        common.Operations = InodeOperations.Of<TmpfsInode>();
        common.Number = ++_lastInodeNumber;
        common.Mode = mode;
        common.FileOperations = (mode & ModeBits.TypeMask) switch
        {
            ModeBits.Regular => FileOperations.Of<TmpfsFile>(),
            ModeBits.Directory => FileOperations.Of<TmpfsDirectoryFile>(),
            _ => null,
        };
        common.BirthTime = Clock.RealtimeNanoseconds;
        common.AccessTime = common.BirthTime;
        common.ModifyTime = common.BirthTime;
        common.ChangeTime = common.BirthTime;
        return inode;
    }

    /// <summary>
    /// Frees an inode. Freeing a directory evicts what is in it, so evictions queue up here instead of nesting as deep as the tree.
    /// </summary>
    internal void Evict(TmpfsInode* inode)
    {
        inode->NextEvicted = _firstEvicted;
        _firstEvicted = inode;
        if (_isEvicting)
            return;
        _isEvicting = true;
        while (_firstEvicted != null)
        {
            TmpfsInode* next = _firstEvicted;
            _firstEvicted = next->NextEvicted;
            next->FreeContent();
            InodeCount--;
            Pool<TmpfsInode>.Free(next);
        }
        _isEvicting = false;
    }
}
