using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Core;
using Ukl.Kernel.Files.Proc;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files;

/// <summary>The file tree of a booting machine: what is mounted where, and the console that the first process finds open.</summary>
public static unsafe class FileSystems
{
    private const uint RootPermissions = 0x1ed;

    /// <summary>Mounts the root, the devices and the views of the kernel, and makes the terminal. False when out of memory.</summary>
    public static bool Start()
    {
        if (Vfs.Initialize().IsError)
            return false;
        FileSystem* root = Tmpfs.Create(RootPermissions);
        if (root == null || Vfs.MountRoot(root).IsError || Vfs.MakeMountPoints().IsError || Terminal.Initialize() != Errno.None)
            return false;
        return DeviceFiles.Start() == Errno.None && ProcFileSystems.Start() == Errno.None;
    }

    /// <summary>Sets the terminal up as the command line describes it, then lets input in.</summary>
    public static void StartTerminal(in Boot.CommandLine commandLine)
    {
        Terminal.Configure(commandLine);
        if (Devices.Console.StartInput != null)
            Devices.Console.StartInput(&ReceiveByte);
    }

    /// <summary>Unpacks the initramfs over the tree. Returns what is wrong with it, or an empty text.</summary>
    public static ReadOnlySpan<byte> Populate(ReadOnlySpan<byte> initramfs)
    {
        Vfs.Populate(initramfs, out ReadOnlySpan<byte> problem);
        return problem;
    }

    /// <summary>Opens the console as standard input, output and error of the first process, whose terminal it becomes. False when out of memory.</summary>
    public static bool OpenStandardFiles(Process* process) => DeviceFiles.OpenStandardFiles(process) == Errno.None;

    private static void ReceiveByte(byte value) => Terminal.Receive(new ReadOnlySpan<byte>(ref value));
}
