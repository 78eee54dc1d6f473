using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Syscalls;

/// <summary>What file calls do with their arguments before the work begins.</summary>
internal static unsafe class FileArguments
{
    /// <summary>
    /// Finds the place that a directory descriptor and a path name. With AT_EMPTY_PATH an empty path is the descriptor's own place (or the current directory). Empty and no error: a descriptor
    /// of a file that has no path, given in <paramref name="file"/>, without reference. The place carries references.
    /// </summary>
    public static Errno Find(int directory, UserString path, AtFlags flags, bool follow, out Path found, out OpenFile* file)
    {
        found = default;
        file = null;
        PathText text;
        Errno error = PathText.Load(path, &text);
        if (error != Errno.None)
            return error;
        if (text.IsEmpty && (flags & AtFlags.EmptyPath) != 0)
            error = FindDescriptor(directory, out found, out file);
        else
            error = Vfs.Find(VfsCaller.Current, directory, &text, follow, out found);
        text.Free();
        return error;
    }

    /// <summary>The same for calls that need a path: ENOENT for a descriptor without one.</summary>
    public static Errno Find(int directory, UserString path, AtFlags flags, bool follow, out Path found)
    {
        Errno error = Find(directory, path, flags, follow, out found, out _);
        return error == Errno.None && found.IsEmpty ? Errno.ENOENT : error;
    }

    /// <summary>The open file of a descriptor, O_PATH ones left out. EBADF.</summary>
    public static bool TryGet(Fd fd, out OpenFile* file) =>
        FileTable.Current->TryGet(fd, out file) && (file->Access & FileAccess.PathOnly) == 0;

    /// <summary>A time as chmod's relatives take it. EINVAL when it is not one.</summary>
    public static bool TryNanoseconds(in TimeSpec time, out ulong nanoseconds)
    {
        nanoseconds = time.ToNanoseconds();
        return time.IsValid;
    }

    private static Errno FindDescriptor(int descriptor, out Path found, out OpenFile* file)
    {
        found = default;
        file = null;
        if (descriptor == Fd.CurrentDirectory)
        {
            found = FileSystemContext.Current->WorkingDirectory.Share();
            return Errno.None;
        }
        if (!FileTable.Current->TryGet(new Fd(descriptor), out file))
            return Errno.EBADF;
        found = file->Path.Share();
        return Errno.None;
    }
}
