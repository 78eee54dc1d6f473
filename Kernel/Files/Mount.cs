// File systems and where they are mounted. Source: mount(2), mount_namespaces(7).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Files;

/// <summary>A file system attached to the tree.</summary>
public unsafe struct Mount
{
    private static Mount* s_first;
    private static uint s_lastId;

    /// <summary>The next of all mounts, oldest first.</summary>
    public Mount* Next;

    /// <summary>What is mounted.</summary>
    public FileSystem* FileSystem;

    /// <summary>The directory that is seen at the mount point.</summary>
    public Dentry* Root;

    /// <summary>The place it covers; empty for the root mount.</summary>
    public Path Point;

    /// <summary>Its number in /proc/self/mountinfo and statx.</summary>
    public uint Id;

    /// <summary>Paths that lead through it.</summary>
    public int References;

    /// <summary>Writes give EROFS.</summary>
    public bool IsReadOnly;

    /// <summary>All mounts, oldest first.</summary>
    public static Mount* First => s_first;

    /// <summary>Mounts a file system over a directory, or as the root when <paramref name="point"/> is empty. ENOTDIR, ENOMEM.</summary>
    public static Result Attach(FileSystem* fileSystem, in Path point, out Mount* mount)
    {
        mount = null;
        if (!point.IsEmpty && !point.Inode->IsDirectory)
            return Errno.ENOTDIR;
        mount = CreateUnattached(fileSystem);
        if (mount == null)
            return Errno.ENOMEM;
        mount->Point = point.Share();
        if (!point.IsEmpty)
            point.Dentry->MountCount++;
        if (s_first == null)
        {
            s_first = mount;
            return Result.Ok;
        }
        Mount* last = s_first;
        while (last->Next != null)
            last = last->Next;
        last->Next = mount;
        return Result.Ok;
    }

    /// <summary>A mount that stands nowhere in the tree, for files without names. Null when out of memory.</summary>
    internal static Mount* CreateUnattached(FileSystem* fileSystem)
    {
        Dentry* root = Dentry.CreateRoot(fileSystem);
        if (root == null)
            return null;
        Mount* mount = Pool<Mount>.Allocate();
        if (mount == null)
        {
            Dentry.Release(root);
            return null;
        }
        mount->FileSystem = fileSystem;
        mount->Root = root;
        mount->Id = ++s_lastId;
        return mount;
    }

    /// <summary>Takes a mount off the tree. EBUSY while anything refers to it, EINVAL for the root.</summary>
    public static Result Detach(Mount* mount)
    {
        if (mount->Point.IsEmpty)
            return Errno.EINVAL;
        if (mount->References != 0)
            return Errno.EBUSY;
        Mount* before = s_first;
        while (before->Next != mount)
            before = before->Next;
        before->Next = mount->Next;
        mount->Point.Dentry->MountCount--;
        mount->Point.Release();
        Dentry.Release(mount->Root);
        Dentry.Shrink(int.MaxValue);
        mount->FileSystem->Operations->Unmount(mount->FileSystem);
        Pool<Mount>.Free(mount);
        return Result.Ok;
    }

    /// <summary>What is mounted on a place, or null. The newest mount hides older ones.</summary>
    public static Mount* Find(Mount* parent, Dentry* point)
    {
        Mount* found = null;
        for (Mount* mount = s_first; mount != null; mount = mount->Next)
        {
            if (mount->Point.Dentry == point && mount->Point.Mount == parent)
                found = mount;
        }
        return found;
    }
}
