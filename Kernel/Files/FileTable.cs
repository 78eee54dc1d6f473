namespace Ukl.Kernel.Files;

/// <summary>The open files of a process.</summary>
public struct FileTable
{
}

/// <summary>Root, current directory and umask of a process.</summary>
public struct FileSystemContext
{
}
