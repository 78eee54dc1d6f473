using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Files.Pipes;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Syscalls;

/// <summary>The two descriptors pipe(2) gives back.</summary>
internal struct PipeDescriptors
{
    public int Reader;
    public int Writer;
}

/// <summary>pipe(2).</summary>
internal static unsafe class PipeCalls
{
    [Syscall(22, "pipe")]
    internal static Result Pipe(UserPtr<PipeDescriptors> descriptors) => Pipe2(descriptors, OpenFlags.ReadOnly);

    [Syscall(293, "pipe2", Limits = "O_DIRECT (packet mode) and O_NOTIFICATION_PIPE give EINVAL.")]
    internal static Result Pipe2(UserPtr<PipeDescriptors> descriptors, OpenFlags flags)
    {
        if ((flags & ~(OpenFlags.NonBlock | OpenFlags.CloseOnExec)) != 0)
            return Errno.EINVAL;
        FileTable* files = FileTable.Current;
        Result reading = files->Reserve();
        if (reading.IsError)
            return reading;
        Result writing = files->Reserve();
        Errno error = writing.Error;
        if (error == Errno.None)
        {
            error = Install(files, (int)reading.Value, (int)writing.Value, flags, descriptors);
            if (error == Errno.None)
                return Result.Ok;
            files->Unreserve((int)writing.Value);
        }
        files->Unreserve((int)reading.Value);
        return error;
    }

    private static Errno Install(FileTable* files, int reading, int writing, OpenFlags flags, UserPtr<PipeDescriptors> descriptors)
    {
        Errno error = PipeFile.CreatePair(flags & OpenFlags.NonBlock, out OpenFile* reader, out OpenFile* writer);
        if (error != Errno.None)
            return error;
        if (!descriptors.TryWrite(new PipeDescriptors { Reader = reading, Writer = writing }))
        {
            OpenFile.Release(reader);
            OpenFile.Release(writer);
            return Errno.EFAULT;
        }
        bool closeOnExec = (flags & OpenFlags.CloseOnExec) != 0;
        files->Install(reading, reader, closeOnExec);
        files->Install(writing, writer, closeOnExec);
        return Errno.None;
    }
}
