// A process's view of the tree: root, current directory, umask (CLONE_FS), and the ids that file access is checked with.
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files;

/// <summary>Root, current directory and umask of a process. Shared by threads, copied by fork.</summary>
public unsafe struct FileSystemContext
{
    private const uint DefaultUmask = 0x12;

    /// <summary>Where absolute paths begin and ".." ends.</summary>
    public Path Root;

    /// <summary>Where relative paths begin.</summary>
    public Path WorkingDirectory;

    /// <summary>Permission bits that new files do not get.</summary>
    public uint Umask;

    /// <summary>fsuid and fsgid (credentials(7)).</summary>
    public uint UserId, GroupId;

    /// <summary>How many processes and threads use it.</summary>
    public int References;

    /// <summary>The current process's view.</summary>
    public static FileSystemContext* Current => Process.Current->FileSystem;

    /// <summary>A view whose root and current directory is the root of the tree, with umask 022. Null when out of memory.</summary>
    public static FileSystemContext* Create()
    {
        FileSystemContext* context = Pool<FileSystemContext>.Allocate();
        if (context == null)
            return null;
        context->References = 1;
        context->Umask = DefaultUmask;
        context->Root = Vfs.Root.Share();
        context->WorkingDirectory = Vfs.Root.Share();
        return context;
    }

    /// <summary>A copy, for fork. Null when out of memory.</summary>
    public readonly FileSystemContext* Clone()
    {
        FileSystemContext* copy = Pool<FileSystemContext>.Allocate();
        if (copy == null)
            return null;
        *copy = this;
        copy->References = 1;
        copy->Root = Root.Share();
        copy->WorkingDirectory = WorkingDirectory.Share();
        return copy;
    }

    /// <summary>One more user.</summary>
    public void AddReference() => References++;

    /// <summary>One user less; the last one frees it.</summary>
    public static void Release(FileSystemContext* context)
    {
        if (--context->References != 0)
            return;
        context->Root.Release();
        context->WorkingDirectory.Release();
        Pool<FileSystemContext>.Free(context);
    }
}
