// Advisory locks: flock(2) and the record locks of fcntl(2).

namespace Ukl.Kernel.Files;

/// <summary>The advisory locks of one inode.</summary>
public unsafe struct FileLocks
{
    internal static void ReleaseFile(OpenFile* file) => ReleaseOwner(file->Inode, file);

    internal static void ReleaseOwner(Inode* inode, void* owner)
    {
    }

    internal static void Free(Inode* inode)
    {
    }
}
