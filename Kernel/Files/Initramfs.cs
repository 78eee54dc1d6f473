// Fills a tree from an initramfs. Files keep reading from the archive until they are written, so unpacking copies nothing.
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Diagnostics;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Files;

/// <summary>Unpacks cpio archives into the root, which is a tmpfs.</summary>
internal static unsafe class Initramfs
{
    private const uint DefaultDirectoryPermissions = 0x1ed;

    /// <summary>One inode of an archive that several names may share.</summary>
    private struct HardLink
    {
        public HardLink* Next;
        public uint InodeNumber;
        public uint DeviceMajor;
        public uint DeviceMinor;
        public int Archive;
        public Inode* Inode;
    }

    /// <summary>
    /// Unpacks all of <paramref name="archive"/>, which must stay where it is for ever. What stands at a path already is replaced, but a directory stays. What comes before damage is
    /// kept. EINVAL: the archive is damaged; ENOSPC: memory is short; <paramref name="problem"/> says what is wrong, and the log where.
    /// </summary>
    public static Result Unpack(ReadOnlySpan<byte> archive, out ReadOnlySpan<byte> problem)
    {
        HardLink* links = null;
        var reader = new CpioReader(archive);
        Result result = Result.Ok;
        problem = default;
        while (!result.IsError && reader.TryRead(out CpioEntry entry))
        {
            result = Add(entry, ref links);
            if (result.IsError)
                problem = Describe(result.Error, entry.Name);
        }
        while (links != null)
        {
            HardLink* link = links;
            links = link->Next;
            Inode.Release(link->Inode);
            Pool<HardLink>.Free(link);
        }
        if (reader.Error == CpioError.None)
            return result;
        problem = Describe(reader.Error);
        Log.Write("initramfs: damage at byte "u8);
        Log.WriteDecimal(reader.Offset);
        Log.Write(" of "u8);
        Log.WriteDecimal(archive.Length);
        Log.Write("\n"u8);
        return Errno.EINVAL;
    }

    private static ReadOnlySpan<byte> Describe(CpioError error) => error switch
    {
        CpioError.Truncated => "the initramfs is cut off"u8,
        CpioError.BadMagic => "the initramfs is damaged: no cpio header where one should be"u8,
        CpioError.BadNumber => "the initramfs is damaged: a header field is no number"u8,
        CpioError.BadName => "the initramfs is damaged: an entry's name is not well formed"u8,
        _ => "the initramfs is packed; only plain cpio (newc) is supported"u8,
    };

    private static ReadOnlySpan<byte> Describe(Errno error, ReadOnlySpan<byte> name)
    {
        Log.Write("initramfs: cannot unpack "u8);
        Log.WriteLine(name);
        return error switch
        {
            Errno.ENOSPC or Errno.ENOMEM => "too little memory: the initramfs does not fit"u8,
            Errno.EINVAL => "the initramfs is damaged: an entry has an unknown type"u8,
            _ => "the initramfs is damaged: an entry contradicts an earlier one"u8,
        };
    }

    private static Result Add(in CpioEntry entry, ref HardLink* links)
    {
        ReadOnlySpan<byte> name = entry.Name;
        // Names are relative to the root; "." is the root itself, and ".." must not lead anywhere.
        while (name.Length != 0 && name[0] == '/')
            name = name[1..];
        if (name.Length >= FileNames.MaximumPathLength - 1)
            return Errno.ENAMETOOLONG;
        PathText text;
        Errno error = PathText.Load(name.Length == 0 ? "."u8 : name, &text);
        if (error != Errno.None)
            return error;
        Result result = MakeParents(&text);
        if (!result.IsError)
            result = Make(entry, &text, ref links);
        text.Free();
        return result;
    }

    private static Result MakeParents(PathText* text)
    {
        ReadOnlySpan<byte> path = text->Span;
        for (int end = 1; end < path.Length; end++)
        {
            if (path[end] != '/' || path[end - 1] == '/')
                continue;
            if (Vfs.Find(path[..end], out Path found) == Errno.None)
            {
                found.Release();
                continue;
            }
            Result result = Vfs.EnsureDirectory(path[..end], DefaultDirectoryPermissions);
            if (result.IsError)
                return result;
        }
        return Result.Ok;
    }

    private static Result Make(in CpioEntry entry, PathText* text, ref HardLink* links)
    {
        uint type = entry.Mode & ModeBits.TypeMask;
        if (type == ModeBits.Directory)
            return MakeDirectory(entry, text);
        Result removed = Vfs.Unlink(Vfs.Kernel, Fd.CurrentDirectory, text);
        if (removed.IsError && removed.Error != Errno.ENOENT)
            return removed;
        bool isShared = entry.LinkCount > 1 && type == ModeBits.Regular;
        HardLink* known = isShared ? FindLink(links, entry) : null;
        if (known != null)
            return LinkAgain(entry, text, known->Inode);
        Result result = type switch
        {
            ModeBits.Regular or ModeBits.CharacterDevice or ModeBits.BlockDevice or ModeBits.Fifo or ModeBits.Socket =>
                Vfs.MakeNode(Vfs.Kernel, Fd.CurrentDirectory, text, entry.Mode & (ModeBits.TypeMask | ModeBits.PermissionMask), entry.SpecialDevice),
            ModeBits.SymbolicLink => Vfs.MakeSymbolicLink(Vfs.Kernel, entry.Data, Fd.CurrentDirectory, text),
            _ => Errno.EINVAL,
        };
        if (result.IsError)
            return result;
        Errno error = Vfs.Find(Vfs.Kernel, Fd.CurrentDirectory, text, false, out Path made);
        if (error != Errno.None)
            return error;
        if (type == ModeBits.Regular)
            result = Fill(made.Inode, entry.Data);
        SetAttributes(entry, made.Inode);
        if (isShared && !result.IsError)
            result = Remember(entry, made.Inode, ref links);
        made.Release();
        return result;
    }

    private static Result MakeDirectory(in CpioEntry entry, PathText* text)
    {
        Result result = Vfs.MakeDirectory(Vfs.Kernel, Fd.CurrentDirectory, text, entry.Mode);
        if (result.IsError && result.Error != Errno.EEXIST)
            return result;
        Errno error = Vfs.Find(Vfs.Kernel, Fd.CurrentDirectory, text, true, out Path made);
        if (error != Errno.None)
            return error;
        if (made.Inode->IsDirectory)
            SetAttributes(entry, made.Inode);
        else
            result = Errno.ENOTDIR;
        made.Release();
        return result.Error == Errno.EEXIST ? Result.Ok : result;
    }

    // Which of several names carries the content differs between archivers: the one with bytes wins.
    private static Result LinkAgain(in CpioEntry entry, PathText* text, Inode* inode)
    {
        Result result = Vfs.LinkInode(Vfs.Kernel, inode, Fd.CurrentDirectory, text);
        return result.IsError || entry.Data.IsEmpty ? result : Fill(inode, entry.Data);
    }

    private static Result Fill(Inode* inode, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
            return Result.Ok;
        if (inode->FileSystem->Magic != Tmpfs.Magic)
            return Errno.EXDEV;
        fixed (byte* bytes = data)
        {
            // Not the garbage collector's memory: a boot module stays where it is.
            TmpfsInode.Of(inode)->Content.Borrow(TmpfsInode.Of(inode), bytes, (ulong)data.Length);
        }
        return Result.Ok;
    }

    private static void SetAttributes(in CpioEntry entry, Inode* inode)
    {
        const ulong nanosecondsPerSecond = 1_000_000_000;
        var change = new AttributeChange
        {
            Mask = AttributeMask.UserId | AttributeMask.GroupId | AttributeMask.ModifyTime | AttributeMask.AccessTime,
            Mode = entry.Mode,
            UserId = entry.UserId,
            GroupId = entry.GroupId,
            AccessTime = entry.ModifyTime * nanosecondsPerSecond,
            ModifyTime = entry.ModifyTime * nanosecondsPerSecond,
        };
        if (!inode->IsSymbolicLink)
            change.Mask |= AttributeMask.Mode;
        inode->Operations->SetAttributes(inode, &change);
    }

    private static HardLink* FindLink(HardLink* links, in CpioEntry entry)
    {
        for (HardLink* link = links; link != null; link = link->Next)
        {
            if (link->InodeNumber == entry.InodeNumber && link->DeviceMajor == entry.DeviceMajor && link->DeviceMinor == entry.DeviceMinor && link->Archive == entry.Archive)
                return link;
        }
        return null;
    }

    private static Result Remember(in CpioEntry entry, Inode* inode, ref HardLink* links)
    {
        HardLink* link = Pool<HardLink>.Allocate();
        if (link == null)
            return Errno.ENOMEM;
        inode->AddReference();
        *link = new HardLink
        {
            Next = links,
            InodeNumber = entry.InodeNumber,
            DeviceMajor = entry.DeviceMajor,
            DeviceMinor = entry.DeviceMinor,
            Archive = entry.Archive,
            Inode = inode,
        };
        links = link;
        return Result.Ok;
    }
}
