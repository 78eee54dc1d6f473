// /dev: which devices there are and what they are called. Numbers and names are Linux's (Documentation/admin-guide/devices.txt).
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files.Pipes;
using Ukl.Kernel.Files.Terminals;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files;

/// <summary>Registers the devices and fills /dev.</summary>
public static unsafe class DeviceFiles
{
    private const uint MemoryMajor = 1, TerminalMajor = 5;
    private const uint EveryoneReadsAndWrites = 0x1b6, OwnerReadsAndWrites = 0x180, DirectoryMode = 0x1ed, SharedDirectoryMode = 0x3ff;

    /// <summary>
    /// Registers devices and FIFOs, mounts a file system on /dev and makes its nodes, links and directories. Once, after the root is mounted and the terminal is there. ENOMEM.
    /// </summary>
    public static Errno Start()
    {
        SpecialFiles.Fifo = FileOperations.Of<PipeFile>();
        FileSystem* fileSystem = Tmpfs.Create(DirectoryMode);
        if (fileSystem == null)
            return Errno.ENOMEM;
        Result result = Vfs.MountAt("/dev"u8, fileSystem);
        if (result.IsError)
            return result.Error;
        bool isComplete = Add<NullDevice>("/dev/null"u8, MemoryMajor, 3, EveryoneReadsAndWrites) &&
            Add<ZeroDevice>("/dev/zero"u8, MemoryMajor, 5, EveryoneReadsAndWrites) &&
            Add<FullDevice>("/dev/full"u8, MemoryMajor, 7, EveryoneReadsAndWrites) &&
            Add<RandomDevice>("/dev/random"u8, MemoryMajor, 8, EveryoneReadsAndWrites) &&
            Add<RandomDevice>("/dev/urandom"u8, MemoryMajor, 9, EveryoneReadsAndWrites) &&
            Add<TerminalFile>("/dev/tty"u8, TerminalMajor, 0, EveryoneReadsAndWrites) &&
            Add<TerminalFile>("/dev/console"u8, TerminalMajor, 1, OwnerReadsAndWrites) &&
            !Vfs.MakeSymbolicLink("/proc/self/fd"u8, "/dev/fd"u8).IsError &&
            !Vfs.MakeSymbolicLink("/proc/self/fd/0"u8, "/dev/stdin"u8).IsError &&
            !Vfs.MakeSymbolicLink("/proc/self/fd/1"u8, "/dev/stdout"u8).IsError &&
            !Vfs.MakeSymbolicLink("/proc/self/fd/2"u8, "/dev/stderr"u8).IsError &&
            !Vfs.EnsureDirectory("/dev/pts"u8, DirectoryMode).IsError &&
            !Vfs.EnsureDirectory("/dev/shm"u8, SharedDirectoryMode).IsError;
        return isComplete ? Errno.None : Errno.ENOMEM;
    }

    /// <summary>
    /// Opens the console as descriptors 0, 1 and 2 of a process, and makes it the controlling terminal of its session, so that Ctrl-C reaches it. ENOMEM, or why the console cannot be
    /// opened.
    /// </summary>
    public static Errno OpenStandardFiles(Process* process)
    {
        Errno error = Vfs.Open("/dev/console"u8, OpenFlags.ReadWrite, 0, out OpenFile* console);
        if (error != Errno.None)
            return error;
        for (int i = 0; i < 3; i++)
        {
            console->AddReference();
            Result descriptor = process->Files->Add(console, false);
            if (descriptor.IsError)
            {
                OpenFile.Release(console);
                return descriptor.Error;
            }
        }
        OpenFile.Release(console);
        if (process->SessionId == process->Id)
            Terminal.OnConsole->SetSession(process);
        return Errno.None;
    }

    private static bool Add<TKind>(ReadOnlySpan<byte> path, uint major, uint minor, uint permissions)
        where TKind : unmanaged, IFileKind =>
        SpecialFiles.RegisterCharacter(major, minor, FileOperations.Of<TKind>(), null) &&
        !Vfs.MakeNode(path, ModeBits.CharacterDevice | permissions, DeviceNumber.Make(major, minor)).IsError;
}
