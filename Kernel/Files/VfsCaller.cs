using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files;

/// <summary>On whose behalf the VFS works: whose root, current directory, umask and ids, and whose descriptors relative paths start from.</summary>
public readonly unsafe struct VfsCaller(FileSystemContext* context, FileTable* files)
{
    /// <summary>The view of the tree.</summary>
    public readonly FileSystemContext* Context = context;

    /// <summary>The descriptors; null for the kernel itself.</summary>
    public readonly FileTable* Files = files;

    /// <summary>The current process.</summary>
    public static VfsCaller Current
    {
        get
        {
            Process* process = Process.Current;
            return new VfsCaller(process->FileSystem, process->Files);
        }
    }
}
