// The devices of major 1: null, zero, full, random and urandom. Source: null(4), full(4), random(4).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Files;

/// <summary>/dev/null: empty to read, and takes everything.</summary>
public unsafe struct NullDevice : IFileKind
{
    /// <inheritdoc/>
    public static FileTraits Traits => FileTraits.Seekable | FileTraits.NoEpoll;

    /// <inheritdoc/>
    public static Result Read(OpenFile* file, UserSpan to, ref ulong position) => 0;

    /// <inheritdoc/>
    public static Result Write(OpenFile* file, UserSpan from, ref ulong position) => (ulong)from.Length;

    /// <inheritdoc/>
    public static Result WriteVector(OpenFile* file, UserVector* from, ref ulong position) => (ulong)from->Total;

    /// <inheritdoc/>
    public static Result WriteKernel(OpenFile* file, byte* from, nuint count, ref ulong position) => (ulong)count;

    /// <inheritdoc/>
    public static Result Seek(OpenFile* file, long offset, SeekOrigin origin) => DeviceSeek.ToStart(file);
}

/// <summary>/dev/zero: endless zeros; takes everything.</summary>
public unsafe struct ZeroDevice : IFileKind
{
    /// <inheritdoc/>
    public static FileTraits Traits => FileTraits.Seekable | FileTraits.NoEpoll;

    /// <inheritdoc/>
    public static Result Read(OpenFile* file, UserSpan to, ref ulong position) => to.Clear(to.Length) ? (ulong)to.Length : Errno.EFAULT;

    /// <inheritdoc/>
    public static Result Write(OpenFile* file, UserSpan from, ref ulong position) => (ulong)from.Length;

    /// <inheritdoc/>
    public static Result WriteKernel(OpenFile* file, byte* from, nuint count, ref ulong position) => (ulong)count;

    /// <inheritdoc/>
    public static Result Seek(OpenFile* file, long offset, SeekOrigin origin) => DeviceSeek.ToStart(file);

    /// <summary>No object: a mapping of zeros is anonymous memory.</summary>
    public static Result GetMapping(OpenFile* file, MappedFile* mapping) => Result.Ok;
}

/// <summary>/dev/full: endless zeros; never has room.</summary>
public unsafe struct FullDevice : IFileKind
{
    /// <inheritdoc/>
    public static FileTraits Traits => FileTraits.Seekable | FileTraits.NoEpoll;

    /// <inheritdoc/>
    public static Result Read(OpenFile* file, UserSpan to, ref ulong position) => to.Clear(to.Length) ? (ulong)to.Length : Errno.EFAULT;

    /// <inheritdoc/>
    public static Result Write(OpenFile* file, UserSpan from, ref ulong position) => Errno.ENOSPC;

    /// <inheritdoc/>
    public static Result WriteKernel(OpenFile* file, byte* from, nuint count, ref ulong position) => Errno.ENOSPC;

    /// <inheritdoc/>
    public static Result Seek(OpenFile* file, long offset, SeekOrigin origin) => DeviceSeek.ToStart(file);
}

/// <summary>/dev/random and /dev/urandom: unpredictable bytes, never waiting. What is written is taken and not needed.</summary>
public unsafe struct RandomDevice : IFileKind
{
    private const uint GetEntropyCount = 0x8004_5200;
    private const int PoolBits = 256;
    private const int ChunkSize = 256;

    /// <inheritdoc/>
    public static FileTraits Traits => FileTraits.Seekable;

    /// <inheritdoc/>
    public static Result Read(OpenFile* file, UserSpan to, ref ulong position)
    {
        byte* chunk = stackalloc byte[ChunkSize];
        nuint done = 0;
        while (done < to.Length)
        {
            nuint count = to.Length - done < ChunkSize ? to.Length - done : ChunkSize;
            Core.Random.Fill(chunk, count);
            if (!to.Slice(done).CopyFrom(chunk, count))
                return done != 0 ? (Result)(ulong)done : Errno.EFAULT;
            done += count;
        }
        return (ulong)done;
    }

    /// <inheritdoc/>
    public static Result Write(OpenFile* file, UserSpan from, ref ulong position) => (ulong)from.Length;

    /// <inheritdoc/>
    public static Result WriteKernel(OpenFile* file, byte* from, nuint count, ref ulong position) => (ulong)count;

    /// <inheritdoc/>
    public static Result Control(OpenFile* file, uint command, ulong argument)
    {
        if (command != GetEntropyCount)
            return Errno.ENOTTY;
        return new UserPtr<int>(argument).TryWrite(PoolBits) ? Result.Ok : Errno.EFAULT;
    }

    /// <inheritdoc/>
    public static Result Seek(OpenFile* file, long offset, SeekOrigin origin) => DeviceSeek.ToStart(file);
}

internal static unsafe class DeviceSeek
{
    // These devices have no places: every seek succeeds and leads to the start.
    public static Result ToStart(OpenFile* file)
    {
        file->Position = 0;
        return 0;
    }
}
