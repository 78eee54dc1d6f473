// Open files and directories of tmpfs.
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Files;

/// <summary>An open regular file of tmpfs.</summary>
internal unsafe struct TmpfsFile : IFileKind
{
    // fallocate(2)'s mode bits.
    private const int KeepSize = 1;
    private const int PunchHole = 2;

    public static FileTraits Traits => FileTraits.Seekable | FileTraits.NoEpoll;

    public static Result Read(OpenFile* file, UserSpan to, ref ulong position)
    {
        TmpfsInode* inode = TmpfsInode.Of(file->Inode);
        Result result = inode->Content.Read<UserSide>(inode, position, to.Address, to.Length);
        if (result.Value > 0)
        {
            position += (ulong)result.Value;
            TouchAccess(file);
        }
        return result;
    }

    public static Result Write(OpenFile* file, UserSpan from, ref ulong position) =>
        WriteFrom<UserSide>(file, from.Address, from.Length, ref position);

    public static Result WriteKernel(OpenFile* file, byte* from, nuint count, ref ulong position) =>
        WriteFrom<KernelSide>(file, (ulong)from, count, ref position);

    public static Result Seek(OpenFile* file, long offset, SeekOrigin origin)
    {
        TmpfsInode* inode = TmpfsInode.Of(file->Inode);
        if (origin is not (SeekOrigin.Data or SeekOrigin.Hole))
            return FileSeek.Within(file, offset, origin, inode->Base.Size);
        if ((ulong)offset >= inode->Base.Size)
            return Errno.ENXIO;
        ulong found = inode->Content.Seek(inode, (ulong)offset, origin == SeekOrigin.Data);
        return found == ulong.MaxValue ? Errno.ENXIO : FileSeek.To(file, (long)found);
    }

    public static Result Truncate(OpenFile* file, ulong length)
    {
        TmpfsInode* inode = TmpfsInode.Of(file->Inode);
        return inode->Content.SetSize(inode, length);
    }

    public static Result Allocate(OpenFile* file, int mode, ulong offset, ulong length)
    {
        TmpfsInode* inode = TmpfsInode.Of(file->Inode);
        if (mode == (PunchHole | KeepSize))
            return inode->Content.PunchHole(inode, offset, length);
        if ((mode & ~KeepSize) != 0)
            return Errno.EOPNOTSUPP;
        Result result = inode->Content.Reserve(inode, offset, length);
        if (result.IsError || mode == KeepSize || offset + length <= inode->Base.Size)
            return result;
        return inode->Content.SetSize(inode, offset + length);
    }

    public static Result Sync(OpenFile* file, bool dataOnly) => Result.Ok;

    public static Result GetMapping(OpenFile* file, MappedFile* mapping)
    {
        AddMapping(file);
        TouchAccess(file);
        mapping->Object = file;
        mapping->Content = file->Inode;
        mapping->IsOpenFile = true;
        mapping->AddReference = &AddMapping;
        mapping->Release = &ReleaseMapping;
        mapping->GetPage = &GetPage;
        return Result.Ok;
    }

    private static Result WriteFrom<TSide>(OpenFile* file, ulong from, nuint count, ref ulong position)
        where TSide : IMemorySide
    {
        TmpfsInode* inode = TmpfsInode.Of(file->Inode);
        if (count == 0)
            return 0;
        if ((file->Flags & OpenFlags.Append) != 0)
            position = inode->Base.Size;
        Result result = inode->Content.Write<TSide>(inode, position, from, count);
        if (result.Value > 0)
            position += (ulong)result.Value;
        return result;
    }

    // relatime without its daily rule: the access time moves only when it is not younger than the last change.
    private static void TouchAccess(OpenFile* file)
    {
        Inode* inode = file->Inode;
        if ((inode->AccessTime <= inode->ModifyTime || inode->AccessTime <= inode->ChangeTime) && (file->Flags & OpenFlags.NoAccessTime) == 0)
            inode->AccessTime = Clock.RealtimeNanoseconds;
    }

    private static void AddMapping(void* file)
    {
        ((OpenFile*)file)->AddReference();
        TmpfsInode.Of(((OpenFile*)file)->Inode)->MappingCount++;
    }

    private static void ReleaseMapping(void* file)
    {
        TmpfsInode.Of(((OpenFile*)file)->Inode)->MappingCount--;
        OpenFile.Release((OpenFile*)file);
    }

    private static FaultOutcome GetPage(void* file, ulong index, bool forWrite, PhysicalAddress* page)
    {
        TmpfsInode* inode = TmpfsInode.Of(((OpenFile*)file)->Inode);
        return inode->Content.GetPage(inode, index, page);
    }
}

/// <summary>An open directory of tmpfs. Positions are slots, after the two of "." and "..".</summary>
internal unsafe struct TmpfsDirectoryFile : IFileKind
{
    private const ulong FirstSlot = 2;

    public static FileTraits Traits => FileTraits.Seekable | FileTraits.NoEpoll;

    public static Result Read(OpenFile* file, UserSpan to, ref ulong position) => Errno.EISDIR;

    public static Result ReadVector(OpenFile* file, UserVector* to, ref ulong position) => Errno.EISDIR;

    public static Result Seek(OpenFile* file, long offset, SeekOrigin origin) =>
        origin is SeekOrigin.Start or SeekOrigin.Current ? FileSeek.Within(file, offset, origin, 0) : Errno.EINVAL;

    public static Result Sync(OpenFile* file, bool dataOnly) => Result.Ok;

    public static Result Iterate(OpenFile* file, DirectorySink* sink)
    {
        TmpfsInode* directory = TmpfsInode.Of(file->Inode);
        directory->Base.AccessTime = Clock.RealtimeNanoseconds;
        if (!sink->AddDots(file))
            return Result.Ok;
        for (ulong slot = file->Position - FirstSlot; slot < directory->Entries.SlotCount; slot++)
        {
            TmpfsEntry* entry = directory->Entries.At((uint)slot);
            if (entry == null)
                continue;
            Inode* inode = &entry->Inode->Base;
            if (!sink->Add(file, entry->Name, inode->Number, ModeBits.DirectoryEntryType(inode->Mode), slot + 1 + FirstSlot))
                break;
        }
        return Result.Ok;
    }
}
