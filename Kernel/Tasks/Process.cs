using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Tasks;

/// <summary>What Linux keeps per process (thread group). Nothing of this is global.</summary>
public unsafe struct Process
{
    /// <summary>The process id.</summary>
    public int Id;

    /// <summary>The parent's id; 0 for the first process.</summary>
    public int ParentId;

    /// <summary>The address space.</summary>
    public AddressSpace* Memory;

    /// <summary>The open files.</summary>
    public FileTable* Files;

    /// <summary>Root, current directory and umask.</summary>
    public FileSystemContext* FileSystem;

    /// <summary>The current thread's process.</summary>
    public static Process* Current => Scheduler.Current->Process;
}
