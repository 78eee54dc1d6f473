// Moving a file's position. Source: lseek(2).
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Files;

/// <summary>From where lseek(2) counts.</summary>
public enum SeekOrigin
{
    Start = 0,
    Current = 1,
    End = 2,
    Data = 3,
    Hole = 4,
}

/// <summary>The arithmetic of lseek(2), for kinds that have a size.</summary>
public static unsafe class FileSeek
{
    /// <summary>
    /// Moves within a file of <paramref name="size"/> bytes without holes. EINVAL when the result is negative or too large, ENXIO when data or a hole is
    /// sought beyond the end.
    /// </summary>
    public static Result Within(OpenFile* file, long offset, SeekOrigin origin, ulong size)
    {
        switch (origin)
        {
            case SeekOrigin.Start:
                return To(file, offset);
            case SeekOrigin.Current:
                return To(file, (long)file->Position + offset);
            case SeekOrigin.End:
                return To(file, (long)size + offset);
            case SeekOrigin.Data:
                return (ulong)offset >= size ? Errno.ENXIO : To(file, offset);
            case SeekOrigin.Hole:
                return (ulong)offset >= size ? Errno.ENXIO : To(file, (long)size);
            default:
                return Errno.EINVAL;
        }
    }

    /// <summary>Sets the position. EINVAL when it is negative.</summary>
    public static Result To(OpenFile* file, long position)
    {
        if (position < 0)
            return Errno.EINVAL;
        file->Position = (ulong)position;
        return position;
    }
}
