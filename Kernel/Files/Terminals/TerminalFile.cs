using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files.Terminals;

/// <summary>
/// The kind of /dev/console and /dev/tty. <see cref="OpenFile.Object"/> is null while it is opened and the <see cref="Terminal"/> afterwards.
/// </summary>
public unsafe struct TerminalFile : IFileKind
{
    private const uint MajorOfTty = 5, MinorOfTty = 0;

    /// <inheritdoc/>
    public static uint AnonymousMode => ModeBits.CharacterDevice | 0x190;

    /// <summary>/dev/tty is the caller's controlling terminal; ENXIO without one. Opening the console never makes it one: TIOCSCTTY does.</summary>
    public static Result Open(OpenFile* file)
    {
        ulong device = file->Inode->SpecialDevice;
        Terminal* terminal = Terminal.OnConsole;
        if (DeviceNumber.Major(device) == MajorOfTty && DeviceNumber.Minor(device) == MinorOfTty)
            terminal = Terminal.ControllingOf(Process.Current);
        if (terminal == null)
            return Errno.ENXIO;
        file->Object = terminal;
        return Result.Ok;
    }

    /// <inheritdoc/>
    public static Result Read(OpenFile* file, UserSpan to, ref ulong position) => Of(file)->Read(to, file->IsNonBlocking);

    /// <inheritdoc/>
    public static Result Write(OpenFile* file, UserSpan from, ref ulong position) => Of(file)->Write(from, file->IsNonBlocking);

    /// <inheritdoc/>
    public static Result WriteKernel(OpenFile* file, byte* from, nuint count, ref ulong position) => Of(file)->WriteKernel(from, count, file->IsNonBlocking);

    /// <inheritdoc/>
    public static PollEvents Poll(OpenFile* file) => Of(file)->Poll();

    /// <inheritdoc/>
    public static WaitQueue* WaitersOf(OpenFile* file) => Terminal.WaitersOf(Of(file));

    /// <inheritdoc/>
    public static Result Control(OpenFile* file, uint command, ulong argument) => Of(file)->Control(command, argument);

    /// <inheritdoc/>
    public static int Describe(OpenFile* file, Span<byte> to) => AnonymousNames.Write(to, "/dev/console"u8);

    private static Terminal* Of(OpenFile* file) => (Terminal*)file->Object;
}
